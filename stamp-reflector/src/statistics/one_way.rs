//! The lines about sessions whose probes want no reply.

use core::fmt;
use core::time::Duration;

use stamp_config::quantity::print_duration;
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::reflector::OneWayView;

use super::{LISTED_SESSIONS, whole};

/// For people.
pub(super) fn write(
    sessions: &[OneWayView],
    now: MonotonicTime,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if sessions.is_empty() {
        return Ok(());
    }
    writeln!(f, "  one-way       {:>12}  sessions that want no reply", sessions.len())?;
    for session in sessions.iter().take(LISTED_SESSIONS) {
        let clock = if session.clock_synchronized { "" } else { "? (clocks not synchronized)" };
        writeln!(
            f,
            "    {} ssid {}: received {}, lost {}, duplicated {}, forward {}/{}/{}{clock}, last seen {} \
             ago",
            session.source,
            session.ssid,
            session.received,
            session.lost,
            session.duplicate,
            delay(session.min),
            delay(session.mean),
            delay(session.max),
            whole(now.since(session.last_seen)),
        )?;
    }
    match sessions.len().checked_sub(LISTED_SESSIONS) {
        Some(more) if more > 0 => writeln!(f, "    and {more} more"),
        _ => Ok(()),
    }
}

/// For machines.
pub(super) fn log(sessions: &[OneWayView]) {
    for session in sessions.iter().take(LISTED_SESSIONS) {
        tracing::info!(
            source = %session.source,
            ssid = %session.ssid,
            received = session.received,
            lost = session.lost,
            duplicate = session.duplicate,
            forward_min_ns = session.min.map(TimeDelta::ns),
            forward_mean_ns = session.mean.map(TimeDelta::ns),
            forward_max_ns = session.max.map(TimeDelta::ns),
            clock_synchronized = session.clock_synchronized,
            "one-way session"
        );
    }
}

fn delay(delay: Option<TimeDelta>) -> String {
    let Some(delay) = delay else { return "unknown".to_owned() };
    let sign = if delay.is_negative() { "-" } else { "" };
    format!("{sign}{}", print_duration(Duration::from_nanos(delay.ns().unsigned_abs())))
}
