//! What is announced of sessions for path computation (RFC 8570).

use super::{Metric, Unit, counter, gauge};

/// Smallest delay.
pub const TE_DELAY_MIN: Metric = gauge(
    "stamp_te_delay_min_seconds",
    Unit::Seconds,
    &["session"],
    "Smallest delay as it is announced for path computation now; absent while nothing is.",
);

/// Average delay.
pub const TE_DELAY_AVG: Metric = gauge(
    "stamp_te_delay_avg_seconds",
    Unit::Seconds,
    &["session"],
    "Average delay as it is announced for path computation now; absent while nothing is.",
);

/// Largest delay.
pub const TE_DELAY_MAX: Metric = gauge(
    "stamp_te_delay_max_seconds",
    Unit::Seconds,
    &["session"],
    "Largest delay as it is announced for path computation now; absent while nothing is.",
);

/// Delay variation.
pub const TE_VARIATION: Metric = gauge(
    "stamp_te_delay_variation_seconds",
    Unit::Seconds,
    &["session"],
    "Delay variation as it is announced for path computation now; absent while nothing is.",
);

/// Loss.
pub const TE_LOSS: Metric = gauge(
    "stamp_te_loss_ratio",
    Unit::Ratio,
    &["session"],
    "Loss as it is announced for path computation now; absent while nothing is.",
);

/// How values were come by.
pub const TE_DERIVED: Metric = gauge(
    "stamp_te_derived",
    Unit::Truth,
    &["session", "sub_tlv"],
    "Whether an announced value was taken from the round trip, half of its delay or all of its loss.",
);

/// The A bit.
pub const TE_ANOMALOUS: Metric = gauge(
    "stamp_te_anomalous",
    Unit::Truth,
    &["session"],
    "Whether one of the announced values has its A bit set: it exceeds what was configured.",
);

/// Announcements.
pub const TE_ADVERTISEMENTS: Metric = counter(
    "stamp_te_advertisements_total",
    Unit::Count,
    &["session", "reason"],
    "Announcements and withdrawals, by why they were made.",
);

/// All of them, in the order of their sending.
pub const OF_ANNOUNCEMENTS: &[&Metric] = &[
    &TE_DELAY_MIN,
    &TE_DELAY_AVG,
    &TE_DELAY_MAX,
    &TE_VARIATION,
    &TE_LOSS,
    &TE_DERIVED,
    &TE_ANOMALOUS,
    &TE_ADVERTISEMENTS,
];
