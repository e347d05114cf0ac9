//! Policies, whose segment lists sessions measure.

use super::{Metric, Unit, counter, gauge};

/// Traffic passes.
pub const POLICY_UP: Metric = gauge(
    "stamp_policy_up",
    Unit::Truth,
    &["policy"],
    "Whether traffic passes: a candidate path has a segment list that is up.",
);

/// Traffic passes on fewer lists than it should.
pub const POLICY_DEGRADED: Metric = gauge(
    "stamp_policy_degraded",
    Unit::Truth,
    &["policy"],
    "Whether segment lists of the active candidate path are down while others are up.",
);

/// The candidate that carries traffic.
pub const POLICY_ACTIVE: Metric = gauge(
    "stamp_policy_active",
    Unit::Truth,
    &["policy", "candidate"],
    "Whether this candidate path carries traffic: of those that are eligible the one that was chosen.",
);

/// Candidates that could.
pub const POLICY_ELIGIBLE: Metric = gauge(
    "stamp_policy_candidate_eligible",
    Unit::Truth,
    &["policy", "candidate"],
    "Whether this candidate path gives what its class needs; without a class, whether a list of it is up.",
);

/// Weights of segment lists.
pub const POLICY_WEIGHT: Metric = gauge(
    "stamp_policy_segment_list_weight",
    Unit::Count,
    &["policy", "candidate", "segment_list"],
    "Weight of a segment list, called by the session that measures it, in its candidate path.",
);

/// What a segment list is.
pub const POLICY_LIST: Metric = gauge(
    "stamp_policy_segment_list_info",
    Unit::Info,
    &["policy", "candidate", "segment_list", "segments", "imposed"],
    "Segments of a list as they are written or were computed, and the labels or SIDs that it imposes.",
);

/// Delay of the active candidate.
pub const POLICY_DELAY: Metric = gauge(
    "stamp_policy_delay_seconds",
    Unit::Seconds,
    &["policy", "statistic"],
    "Delay of the active candidate path: lowest and highest of its segment lists, and by weight.",
);

/// Loss of the active candidate.
pub const POLICY_LOSS: Metric = gauge(
    "stamp_policy_loss_ratio",
    Unit::Ratio,
    &["policy"],
    "Loss of the active candidate path by the weights of its segment lists; of all when it is down.",
);

/// How often something changed.
pub const POLICY_CHANGES: Metric = counter(
    "stamp_policy_changes_total",
    Unit::Count,
    &["policy", "reason"],
    "How often the state or the active candidate path changed, by what led to it.",
);

/// How good the choice is.
pub const POLICY_STANDING: Metric = gauge(
    "stamp_policy_standing",
    Unit::Truth,
    &["policy", "standing"],
    "How good the active candidate path is: good, degraded, frozen, provisional, waiting or unavailable.",
);

/// Why candidates may carry traffic or not.
pub const POLICY_ELIGIBILITY: Metric = gauge(
    "stamp_policy_candidate_eligibility",
    Unit::Truth,
    &["policy", "candidate", "eligibility"],
    "Whether this candidate path may carry traffic, and why not, in one word.",
);

/// Weights of lists as they carry.
pub const POLICY_CARRIED: Metric = gauge(
    "stamp_policy_segment_list_carried_weight",
    Unit::Count,
    &["policy", "candidate", "segment_list"],
    "Weight by which a segment list carries traffic now; 0 where it carries none.",
);

/// No other path stands by.
pub const POLICY_UNPROTECTED: Metric = gauge(
    "stamp_policy_unprotected",
    Unit::Truth,
    &["policy"],
    "Whether the class wants another candidate path to stand by, and none does.",
);

/// How often traffic moved.
pub const POLICY_MOVES: Metric = counter(
    "stamp_policy_moves_total",
    Unit::Count,
    &["policy", "reason"],
    "How often traffic moved to other segment lists, by reason.",
);

/// All of them, in the order of their sending.
pub const OF_POLICIES: &[&Metric] = &[
    &POLICY_UP,
    &POLICY_DEGRADED,
    &POLICY_ACTIVE,
    &POLICY_ELIGIBLE,
    &POLICY_WEIGHT,
    &POLICY_LIST,
    &POLICY_DELAY,
    &POLICY_LOSS,
    &POLICY_CHANGES,
    &POLICY_STANDING,
    &POLICY_ELIGIBILITY,
    &POLICY_CARRIED,
    &POLICY_UNPROTECTED,
    &POLICY_MOVES,
];
