//! What a reflector tells.

use super::{Metric, Unit, counter, gauge, histogram};

/// Probes that came.
pub const PROBES: Metric = counter(
    "stamp_reflector_packets_received_total",
    Unit::Count,
    &["listener"],
    "Datagrams that came to a listener.",
);

/// Probes that were answered.
pub const REFLECTED: Metric = counter(
    "stamp_reflector_packets_reflected_total",
    Unit::Count,
    &["listener"],
    "Replies that were sent to probes of a listener.",
);

/// Probes that were not.
pub const DROPPED: Metric = counter(
    "stamp_reflector_packets_dropped_total",
    Unit::Count,
    &["listener", "reason"],
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

/// No session begins.
pub const DRAINING: Metric = gauge(
    "stamp_reflector_draining",
    Unit::Truth,
    &[],
    "No session begins, since somebody asked for that; those that there are go on.",
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

/// How long replies take here.
pub const TURNAROUND: Metric = histogram(
    "stamp_reflector_turnaround_seconds",
    Unit::Seconds,
    &["listener"],
    "Time between a probe and its reply as their timestamps T2 and T3 tell it.",
);

/// Packets that had a timestamp written.
pub const STAMPED: Metric = counter(
    "stamp_timestamp_packets_total",
    Unit::Count,
    &["entry", "result"],
    "Packets forwarded for a timestamp label or SID: stamped, or unstamped as they were no probes.",
);

/// Packets that should have had one.
pub const UNSTAMPED: Metric = counter(
    "stamp_timestamp_packets_unstamped_total",
    Unit::Count,
    &["reason"],
    "Packets forwarded without the timestamp that their label or SID asks for, by reason.",
);

/// Packets that went no further.
pub const NOT_FORWARDED: Metric = counter(
    "stamp_timestamp_packets_dropped_total",
    Unit::Count,
    &["reason"],
    "Packets that the timestamp-and-forward node did not forward, by reason.",
);

/// Packets that asked for none.
pub const SWITCHED: Metric = counter(
    "stamp_timestamp_packets_switched_total",
    Unit::Count,
    &[],
    "Packets that the timestamp-and-forward node forwarded for other labels.",
);

/// Packets that it never saw.
pub const NODE_DROPS: Metric = counter(
    "stamp_timestamp_local_drops_total",
    Unit::Count,
    &["reason"],
    "Packets that found no room in a ring of this host and were not forwarded.",
);

/// Those of a reflector that is a timestamp-and-forward node too, in the order of their sending.
pub const OF_TIMESTAMP_NODES: &[&Metric] =
    &[&STAMPED, &UNSTAMPED, &NOT_FORWARDED, &SWITCHED, &NODE_DROPS];

/// All of them, in the order of their sending.
pub const OF_REFLECTORS: &[&Metric] = &[
    &PROBES,
    &REFLECTED,
    &DROPPED,
    &QUEUE_DROPS,
    &HELD,
    &HELD_LIMIT,
    &DRAINING,
    &ENDED,
    &SENDER_RESTARTS,
    &CLOCK,
    &CLOCK_BOUND,
    &TURNAROUND,
];
