//! Decisions over what many senders measured.

use super::{Metric, Unit, counter, gauge};

/// Questions to Prometheus.
pub const SELECT_QUERIES: Metric = counter(
    "stamp_select_queries_total",
    Unit::Count,
    &["result"],
    "Questions to Prometheus by what became of them: answered or failed.",
);

/// When it answered.
pub const SELECT_TIMESTAMP: Metric = gauge(
    "stamp_select_last_success_timestamp_seconds",
    Unit::Timestamp,
    &[],
    "When Prometheus answered last, which decisions are made of; absent before the first time.",
);

/// Nobody decides.
pub const SELECT_FROZEN: Metric = gauge(
    "stamp_select_frozen",
    Unit::Truth,
    &[],
    "Whether the latest question went without an answer: nothing is decided and every choice stays.",
);

/// How much is known.
pub const SELECT_LISTS: Metric = gauge(
    "stamp_select_lists",
    Unit::Count,
    &["state"],
    "Segment lists by what is known: known, missing, waiting, stale, or twice (by several senders).",
);

/// All of them, in the order of their sending.
pub const OF_SELECTORS: &[&Metric] =
    &[&SELECT_QUERIES, &SELECT_TIMESTAMP, &SELECT_FROZEN, &SELECT_LISTS];
