//! What is measured of sessions.

use super::{Metric, Unit, counter, gauge, histogram};

/// Sessions of the file by what they do.
pub const SESSIONS: Metric = gauge(
    "stamp_sender_sessions",
    Unit::Count,
    &["state"],
    "Sessions of the configuration: running, or waiting for a name, a route or an address.",
);

/// Whether sessions have histograms.
pub const HISTOGRAMS: Metric = gauge(
    "stamp_exposition_histograms",
    Unit::Truth,
    &[],
    "Whether sessions have histograms: as configured, else where they are few enough.",
);

/// How late probes left.
pub const LAG: Metric = histogram(
    "stamp_sender_schedule_lag_seconds",
    Unit::Seconds,
    &[],
    "How much later than scheduled probes of all sessions left.",
);

/// Which part of a file is ours.
pub const SHARD: Metric = gauge(
    "stamp_shard_info",
    Unit::Info,
    &["shard", "shards"],
    "Which of how many senders this is that share the sessions of a file; absent where none do.",
);

/// When a provider of targets was read.
pub const DISCOVERY_SUCCESS: Metric = gauge(
    "stamp_discovery_last_success_timestamp_seconds",
    Unit::Timestamp,
    &["source"],
    "When targets were read last from a source of discovery; absent before the first time.",
);

/// How often it was not.
pub const DISCOVERY_FAILURES: Metric = counter(
    "stamp_discovery_failures_total",
    Unit::Count,
    &["source"],
    "How often a source of discovery could not be read; what was known before stays in force.",
);

/// What it names.
pub const DISCOVERY_TARGETS: Metric = gauge(
    "stamp_discovery_targets",
    Unit::Count,
    &["source", "state"],
    "Targets that a source of discovery names: accepted, or refused as they can be no session.",
);

/// Metrics about the sessions of a sender as a whole.
pub const OF_SENDERS: &[&Metric] = &[
    &SESSIONS,
    &HISTOGRAMS,
    &LAG,
    &SHARD,
    &DISCOVERY_SUCCESS,
    &DISCOVERY_FAILURES,
    &DISCOVERY_TARGETS,
];

/// Who probes whom.
pub const INFO: Metric = gauge(
    "stamp_session_info",
    Unit::Info,
    &[
        "session",
        "target",
        "address",
        "source",
        "profile",
        "policy",
        "mode",
        "dscp",
        "segments",
        "return_segments",
        "reflector_mode",
    ],
    "Who probes whom and how, with the labels that the configuration gives the session.",
);

/// Whether it probes.
pub const RUNNING: Metric = gauge(
    "stamp_session_running",
    Unit::Truth,
    &["session"],
    "Whether the session probes; if not, it waits for a name, a route or an address.",
);

/// Connectivity.
pub const UP: Metric = gauge(
    "stamp_session_up",
    Unit::Truth,
    &["session"],
    "Whether replies come: 0 after the configured number of losses in a row, and before the first.",
);

/// Connectivity that was lost.
pub const DOWN: Metric = gauge(
    "stamp_session_down",
    Unit::Truth,
    &["session"],
    "Whether as many probes in a row as configured were lost; with stamp_session_up 0 and this 0 nothing came yet.",
);

/// Connectivity that was lost one way.
pub const DIRECTION_DOWN: Metric = gauge(
    "stamp_session_direction_down",
    Unit::Truth,
    &["session", "direction"],
    "Whether this way of a session that is down is the broken one, as its Session-Reflector tells or does not tell; 0 both ways while that is unknown.",
);

/// Changes of connectivity.
pub const STATE_TRANSITIONS: Metric = counter(
    "stamp_session_state_transitions_total",
    Unit::Count,
    &["session", "to"],
    "How often the session came up or went down; the first time up counts.",
);

/// Losses in a row that take a session down.
pub const PACKET_LOSS_COUNT_LIMIT: Metric = gauge(
    "stamp_session_packet_loss_count_limit",
    Unit::Count,
    &["session"],
    "So many losses in a row take the session down.",
);

/// Probes that left.
pub const SENT: Metric = counter(
    "stamp_session_packets_sent_total",
    Unit::Count,
    &["session"],
    "Probes that left this host.",
);

/// Probes that were answered.
pub const RECEIVED: Metric = counter(
    "stamp_session_packets_received_total",
    Unit::Count,
    &["session"],
    "Probes that were answered in time.",
);

/// Probes that the network lost.
pub const LOST: Metric = counter(
    "stamp_session_packets_lost_total",
    Unit::Count,
    &["session", "direction"],
    "Probes that the network lost; forward and backward where the far end counts its replies.",
);

/// Replies that this host dropped.
pub const LOCAL_DROPS: Metric = counter(
    "stamp_session_local_drops_total",
    Unit::Count,
    &["session", "reason"],
    "Replies that queues of this host dropped: no loss of the network.",
);

/// Slots without a probe.
pub const UNSENT: Metric = counter(
    "stamp_session_packets_unsent_total",
    Unit::Count,
    &["session", "reason"],
    "Probes that were due and never left this host: no loss of the network.",
);

/// Further replies.
pub const DUPLICATE: Metric = counter(
    "stamp_session_packets_duplicate_total",
    Unit::Count,
    &["session"],
    "Further replies to a probe that was answered already.",
);

/// Overtaken replies.
pub const REORDERED: Metric = counter(
    "stamp_session_packets_reordered_total",
    Unit::Count,
    &["session"],
    "Replies that came after the reply to a later probe.",
);

/// Replies after the timeout.
pub const LATE: Metric = counter(
    "stamp_session_packets_late_total",
    Unit::Count,
    &["session"],
    "Replies after the timeout, whose probes count as lost.",
);

/// Datagrams that were no reply.
pub const REJECTED: Metric = counter(
    "stamp_session_packets_rejected_total",
    Unit::Count,
    &["session", "reason"],
    "Datagrams that were no valid reply to a probe.",
);

/// The far end began anew.
pub const RESTARTS: Metric = counter(
    "stamp_session_reflector_restarts_total",
    Unit::Count,
    &["session"],
    "How often a far end that counts its replies began to count anew.",
);

/// Delay of each probe.
pub const DELAY: Metric = histogram(
    "stamp_session_delay_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "Delay of each probe; values below zero, which only a wrong clock makes, are left out.",
);

/// Variation between neighbours.
pub const DELAY_VARIATION: Metric = histogram(
    "stamp_session_delay_variation_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "IPDV of RFC 3393 without its sign: how far the delays of probes sent in a row lie apart.",
);

/// When the latest window ended.
pub const WINDOW_END: Metric = gauge(
    "stamp_session_window_end_timestamp_seconds",
    Unit::Timestamp,
    &["session"],
    "When the latest complete window ended, which all metrics of a window are about.",
);

/// Quantiles of delay.
pub const WINDOW_DELAY: Metric = gauge(
    "stamp_session_window_delay_seconds",
    Unit::Seconds,
    &["session", "direction", "percentile"],
    "Delay in the latest window, by percentile.",
);

/// Smallest delay.
pub const WINDOW_DELAY_MIN: Metric = gauge(
    "stamp_session_window_delay_min_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "Smallest delay in the latest window.",
);

/// Mean delay.
pub const WINDOW_DELAY_MEAN: Metric = gauge(
    "stamp_session_window_delay_mean_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "Mean delay in the latest window.",
);

/// Largest delay.
pub const WINDOW_DELAY_MAX: Metric = gauge(
    "stamp_session_window_delay_max_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "Largest delay in the latest window.",
);

/// Quantiles of variation.
pub const WINDOW_VARIATION: Metric = gauge(
    "stamp_session_window_delay_variation_seconds",
    Unit::Seconds,
    &["session", "direction", "percentile"],
    "Delay above the smallest one of the same window, by percentile.",
);

/// Mean of IPDV.
pub const WINDOW_VARIATION_MEAN: Metric = gauge(
    "stamp_session_window_delay_variation_mean_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "Mean of IPDV of RFC 3393 without its sign in the latest window: the change from probe to probe.",
);

/// How much a window has to say.
pub const WINDOW_DECIDED: Metric = gauge(
    "stamp_session_window_packets_decided",
    Unit::Count,
    &["session"],
    "Probes of the latest window that were answered in time or that the network lost.",
);

/// The same as a share.
pub const WINDOW_INTEGRITY: Metric = gauge(
    "stamp_session_window_integrity_ratio",
    Unit::Ratio,
    &["session"],
    "Share of the probes due in the latest window that were answered or lost, in whole hundredths.",
);

/// Whether values one way can be trusted.
pub const WINDOW_SYNCHRONIZED: Metric = gauge(
    "stamp_session_window_clock_synchronized",
    Unit::Truth,
    &["session"],
    "Whether both clocks were synchronized in the latest window: its delays one way mean what they say.",
);

/// How far.
pub const WINDOW_CLOCK_ERROR: Metric = gauge(
    "stamp_session_window_clock_error_bound_seconds",
    Unit::Seconds,
    &["session"],
    "How wrong delays one way of the latest window can be; absent where an end does not know its error.",
);

/// Share of probes lost.
pub const WINDOW_LOSS: Metric = gauge(
    "stamp_session_window_loss_ratio",
    Unit::Ratio,
    &["session", "direction"],
    "Share of the probes decided in the latest window that the network lost.",
);

/// How late probes left.
pub const WINDOW_LAG: Metric = gauge(
    "stamp_session_window_schedule_lag_seconds",
    Unit::Seconds,
    &["session", "percentile"],
    "How much later than scheduled probes of the latest window left, by percentile.",
);

/// Limit on delay.
pub const DELAY_LIMIT: Metric = gauge(
    "stamp_session_delay_limit_seconds",
    Unit::Seconds,
    &["session", "direction"],
    "What delay is held against now; absent while a percentage has nothing to be of.",
);

/// Limit on loss.
pub const LOSS_LIMIT: Metric = gauge(
    "stamp_session_loss_limit_ratio",
    Unit::Ratio,
    &["session", "direction"],
    "What loss is held against, as a share of probes.",
);

/// Whether a limit is exceeded.
pub const EXCEEDED: Metric = gauge(
    "stamp_session_threshold_exceeded",
    Unit::Truth,
    &["session", "direction", "threshold"],
    "Whether the latest notification about this threshold said that it is exceeded.",
);

/// Crossings of a limit.
pub const TRANSITIONS: Metric = counter(
    "stamp_session_threshold_transitions_total",
    Unit::Count,
    &["session", "direction", "threshold", "to"],
    "How often a threshold was crossed, by where to.",
);

/// Whether a clock is right.
pub const CLOCK_SYNCHRONIZED: Metric = gauge(
    "stamp_session_clock_synchronized",
    Unit::Truth,
    &["session", "side", "source"],
    "Whether the clock of an end is synchronized, and how that is known.",
);

/// How wrong a clock may be.
pub const CLOCK_ERROR: Metric = gauge(
    "stamp_session_clock_error_bound_seconds",
    Unit::Seconds,
    &["session", "side", "source"],
    "How wrong the clock of an end can be, and how that is known.",
);

/// Who took timestamps.
pub const TIMESTAMPS: Metric = counter(
    "stamp_session_timestamps_total",
    Unit::Count,
    &["session", "point", "source"],
    "Timestamps of this end by who read the clock.",
);

/// Metrics of each session, in the order of their sending.
pub const OF_SESSIONS: &[&Metric] = &[
    &INFO,
    &RUNNING,
    &UP,
    &DOWN,
    &DIRECTION_DOWN,
    &STATE_TRANSITIONS,
    &PACKET_LOSS_COUNT_LIMIT,
    &SENT,
    &RECEIVED,
    &LOST,
    &LOCAL_DROPS,
    &UNSENT,
    &DUPLICATE,
    &REORDERED,
    &LATE,
    &REJECTED,
    &RESTARTS,
    &WINDOW_END,
    &WINDOW_DELAY,
    &WINDOW_DELAY_MIN,
    &WINDOW_DELAY_MEAN,
    &WINDOW_DELAY_MAX,
    &WINDOW_VARIATION,
    &WINDOW_VARIATION_MEAN,
    &WINDOW_LOSS,
    &WINDOW_DECIDED,
    &WINDOW_INTEGRITY,
    &WINDOW_SYNCHRONIZED,
    &WINDOW_CLOCK_ERROR,
    &WINDOW_LAG,
    &DELAY_LIMIT,
    &LOSS_LIMIT,
    &EXCEEDED,
    &TRANSITIONS,
    &CLOCK_SYNCHRONIZED,
    &CLOCK_ERROR,
    &TIMESTAMPS,
    &DELAY,
    &DELAY_VARIATION,
];
