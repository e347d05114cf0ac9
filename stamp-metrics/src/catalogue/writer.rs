//! Writers, which carry chosen paths to routers.

use super::{Metric, Unit, counter, gauge};

/// What was done.
pub const WRITER_CHANGES: Metric = counter(
    "stamp_writer_changes_total",
    Unit::Count,
    &["writer", "result"],
    "Changes of routes or documents by what became of them: made, failed, held, or of a dry run.",
);

/// The daemon is heard.
pub const WRITER_CONNECTED: Metric = gauge(
    "stamp_writer_connected",
    Unit::Truth,
    &["writer"],
    "Whether the daemon whose choice is written is heard; if not, what was written stays.",
);

/// Where policies stand.
pub const WRITER_POLICIES: Metric = gauge(
    "stamp_writer_policies",
    Unit::Count,
    &["writer", "state"],
    "Policies by state: written, held (a change waits), refused (not or not wholly written there).",
);

/// When all was well.
pub const WRITER_TIMESTAMP: Metric = gauge(
    "stamp_writer_last_success_timestamp_seconds",
    Unit::Timestamp,
    &["writer"],
    "When all that was to be written was found or put there.",
);

/// All of them, in the order of their sending.
pub const OF_WRITERS: &[&Metric] =
    &[&WRITER_CHANGES, &WRITER_CONNECTED, &WRITER_POLICIES, &WRITER_TIMESTAMP];
