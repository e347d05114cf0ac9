//! What both programs tell of themselves.

use super::{Metric, Unit, counter, gauge};

/// The program itself.
pub const BUILD_INFO: Metric = gauge(
    "stamp_build_info",
    Unit::Info,
    &["program", "version", "revision", "rustc"],
    "What was built, and with which compiler.",
);

/// Whether the file in force is the latest one.
pub const CONFIG_SUCCESSFUL: Metric = gauge(
    "stamp_config_last_reload_successful",
    Unit::Truth,
    &[],
    "Whether the latest reading of the configuration put it in force; if not, the one before is.",
);

/// When the file in force was read.
pub const CONFIG_TIMESTAMP: Metric = gauge(
    "stamp_config_last_reload_success_timestamp_seconds",
    Unit::Timestamp,
    &[],
    "When the configuration in force was read.",
);

/// How often it was read.
pub const CONFIG_RELOADS: Metric = counter(
    "stamp_config_reloads_total",
    Unit::Count,
    &["result"],
    "How often the configuration was read again, by what became of it.",
);

/// What the process has given away.
pub const SANDBOX: Metric = gauge(
    "stamp_sandbox_layer",
    Unit::Truth,
    &["layer"],
    "Whether a layer of the sandbox is in force: capabilities, landlock, seccomp.",
);

/// Events that got there.
pub const EVENTS_DELIVERED: Metric = counter(
    "stamp_events_delivered_total",
    Unit::Count,
    &["sink"],
    "Events that reached where they were to go, by where that is.",
);

/// Events that were not written.
pub const EVENTS_DROPPED: Metric = counter(
    "stamp_events_dropped_total",
    Unit::Count,
    &["sink"],
    "Events that never reached where they were to go, by where that is.",
);

/// Attempts to get events there.
pub const EVENT_FAILURES: Metric = counter(
    "stamp_event_failures_total",
    Unit::Count,
    &["sink"],
    "Attempts that went wrong: requests of a webhook, runs of a hook, lines of the file.",
);

/// Events under way.
pub const EVENT_QUEUE: Metric = gauge(
    "stamp_event_queue_length",
    Unit::Count,
    &["sink"],
    "Events that wait to be written, by where they go.",
);

/// Connections that were closed to make room.
pub const WEB_EVICTED: Metric = counter(
    "stamp_web_connections_evicted_total",
    Unit::Count,
    &[],
    "HTTP connections that were closed early: others needed room, or the client took nothing.",
);

/// Sessions that are left out.
pub const SESSIONS_OMITTED: Metric = gauge(
    "stamp_exposition_sessions_omitted",
    Unit::Count,
    &[],
    "Sessions without metrics here, as the limit on series leaves no room for them.",
);

/// Processor time.
pub const CPU: Metric = counter(
    "process_cpu_seconds_total",
    Unit::Seconds,
    &[],
    "Processor time that the process has used, in user and kernel mode.",
);

/// Memory in use.
pub const RESIDENT: Metric =
    gauge("process_resident_memory_bytes", Unit::Bytes, &[], "Resident memory of the process.");

/// Memory it could use.
pub const VIRTUAL: Metric =
    gauge("process_virtual_memory_bytes", Unit::Bytes, &[], "Virtual memory of the process.");

/// Descriptors in use.
pub const OPEN_FDS: Metric =
    gauge("process_open_fds", Unit::Count, &[], "Descriptors that the process has open.");

/// Descriptors it may have.
pub const MAX_FDS: Metric =
    gauge("process_max_fds", Unit::Count, &[], "Descriptors that the process may have open.");

/// When it began.
pub const START_TIME: Metric = gauge(
    "process_start_time_seconds",
    Unit::Seconds,
    &[],
    "When the process began, in seconds since 1970.",
);

/// Its threads.
pub const THREADS: Metric = gauge("process_threads", Unit::Count, &[], "Threads of the process.");

/// All of them, in the order of their sending.
pub const OF_PROGRAMS: &[&Metric] = &[
    &BUILD_INFO,
    &CONFIG_SUCCESSFUL,
    &CONFIG_TIMESTAMP,
    &CONFIG_RELOADS,
    &SANDBOX,
    &EVENTS_DELIVERED,
    &EVENTS_DROPPED,
    &EVENT_FAILURES,
    &EVENT_QUEUE,
    &WEB_EVICTED,
    &SESSIONS_OMITTED,
    &CPU,
    &RESIDENT,
    &VIRTUAL,
    &OPEN_FDS,
    &MAX_FDS,
    &START_TIME,
    &THREADS,
];
