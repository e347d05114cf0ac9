//! What a reflector tells.

use super::{Metric, Unit, counter, gauge};

/// Probes that came.
pub const PROBES: Metric = counter(
    "stamp_reflector_packets_received_total",
    Unit::Count,
    &[],
    "Datagrams that came to the listeners.",
);

/// Probes that were answered.
pub const REFLECTED: Metric =
    counter("stamp_reflector_packets_reflected_total", Unit::Count, &[], "Replies that were sent.");

/// Probes that were not.
pub const DROPPED: Metric = counter(
    "stamp_reflector_packets_dropped_total",
    Unit::Count,
    &["reason"],
    "Datagrams without a reply, by reason.",
);

/// Probes that never came as far.
pub const QUEUE_DROPS: Metric = counter(
    "stamp_reflector_local_drops_total",
    Unit::Count,
    &["reason"],
    "Probes that queues of this host dropped before they were received.",
);

/// Sessions held.
pub const HELD: Metric = gauge(
    "stamp_reflector_sessions",
    Unit::Count,
    &[],
    "Sessions whose replies are counted at present; 0 of a stateless reflector.",
);

/// Sessions that can be held.
pub const HELD_LIMIT: Metric = gauge(
    "stamp_reflector_sessions_limit",
    Unit::Count,
    &[],
    "Sessions that there is room for; 0 of a stateless reflector.",
);

/// Sessions that have gone.
pub const ENDED: Metric = counter(
    "stamp_reflector_sessions_ended_total",
    Unit::Count,
    &["reason"],
    "Sessions that were forgotten: silent for long, or new and in the way of another.",
);

/// Senders that began anew.
pub const SENDER_RESTARTS: Metric = counter(
    "stamp_reflector_sender_restarts_total",
    Unit::Count,
    &[],
    "Sessions whose sender began to count anew.",
);

/// Whether our clock is right.
pub const CLOCK: Metric = gauge(
    "stamp_reflector_clock_synchronized",
    Unit::Truth,
    &["source"],
    "Whether the clock of this host is synchronized, and how that is known.",
);

/// How wrong it may be.
pub const CLOCK_BOUND: Metric = gauge(
    "stamp_reflector_clock_error_bound_seconds",
    Unit::Seconds,
    &["source"],
    "How wrong the clock of this host can be, and how that is known.",
);

/// All of them, in the order of their sending.
pub const OF_REFLECTORS: &[&Metric] = &[
    &PROBES,
    &REFLECTED,
    &DROPPED,
    &QUEUE_DROPS,
    &HELD,
    &HELD_LIMIT,
    &ENDED,
    &SENDER_RESTARTS,
    &CLOCK,
    &CLOCK_BOUND,
];
