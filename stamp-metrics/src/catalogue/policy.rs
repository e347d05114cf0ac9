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
    "Whether this candidate path is the one of the highest preference that is eligible.",
);

/// Candidates that could.
pub const POLICY_ELIGIBLE: Metric = gauge(
    "stamp_policy_candidate_eligible",
    Unit::Truth,
    &["policy", "candidate"],
    "Whether a segment list of this candidate path is up.",
);

/// Weights of segment lists.
pub const POLICY_WEIGHT: Metric = gauge(
    "stamp_policy_segment_list_weight",
    Unit::Count,
    &["policy", "candidate", "segment_list"],
    "Weight of a segment list, called by the session that measures it, in its candidate path.",
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

/// All of them, in the order of their sending.
pub const OF_POLICIES: &[&Metric] = &[
    &POLICY_UP,
    &POLICY_DEGRADED,
    &POLICY_ACTIVE,
    &POLICY_ELIGIBLE,
    &POLICY_WEIGHT,
    &POLICY_DELAY,
    &POLICY_LOSS,
    &POLICY_CHANGES,
];
