//! Events in words, for people, and never more of them than a person can read.

use std::time::{Duration, Instant};

use stamp_session::sender::{SenderEvent, SessionState, ThresholdState};

use crate::daemon::far_end::Broken;
use crate::output::duration::delay;
use crate::output::ndjson::path::PathEntry;
use crate::output::ndjson::policy::PolicyEntry;

/// Lines that are written of one kind in a second.
const LINES_A_SECOND: u32 = 100;

/// Writes lines about events.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    budgets: [Budget; KINDS],
}

/// Kinds of events, each with a budget of its own.
const KINDS: usize = 6;
/// That of policies.
const OF_POLICIES: usize = 4;
/// That of traffic that moves.
const OF_PATHS: usize = 5;

const fn kind(event: &SenderEvent) -> usize {
    match event {
        SenderEvent::State(_) => 0,
        SenderEvent::Delay(_) => 1,
        SenderEvent::Loss(_) => 2,
        _ => 3,
    }
}

impl EventLog {
    /// Writes a line, unless there were too many of its kind within this second.
    pub(super) fn write(&mut self, session: &str, event: &SenderEvent, now: Instant) {
        self.write_within(kind(event), now, || write(session, event));
    }

    /// The same about the direction of an outage.
    pub(super) fn broken(&mut self, session: &str, broken: Broken, now: Instant) {
        let words = match broken {
            Broken::Forward => "probes do not arrive at the far end: the way there is broken",
            Broken::Backward => "probes arrive at the far end: the way back is broken",
        };
        self.write_within(0, now, || {
            tracing::warn!(session, direction = broken.label(), "{words}")
        });
    }

    /// The same about a policy.
    pub(super) fn policy(&mut self, change: &PolicyEntry, now: Instant) {
        self.write_within(OF_POLICIES, now, || write_policy(change));
    }

    /// The same about traffic that moves.
    pub(super) fn path(&mut self, moved: &PathEntry, now: Instant) {
        self.write_within(OF_PATHS, now, || write_path(moved));
    }

    fn write_within(&mut self, kind: usize, now: Instant, write: impl FnOnce()) {
        let Some(budget) = self.budgets.get_mut(kind) else { return };
        match budget.take(now) {
            Allowance::Write => write(),
            Allowance::LastOne => tracing::warn!(
                "more happens than log lines are written for; the other sinks have all of it"
            ),
            Allowance::Nothing => {}
        }
    }
}

/// What may still be written in the current second.
#[derive(Clone, Copy, Debug, Default)]
struct Budget {
    second: Option<Instant>,
    written: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Allowance {
    Write,
    /// That there are more.
    LastOne,
    Nothing,
}

impl Budget {
    fn take(&mut self, now: Instant) -> Allowance {
        let is_new = self.second.is_none_or(|second| now - second >= Duration::from_secs(1));
        if is_new {
            (self.second, self.written) = (Some(now), 0);
        }
        self.written = self.written.saturating_add(1);
        match self.written {
            written if written <= LINES_A_SECOND => Allowance::Write,
            written if written == LINES_A_SECOND + 1 => Allowance::LastOne,
            _ => Allowance::Nothing,
        }
    }
}

/// Whatever an operator would want to be woken for is a warning.
fn write(session: &str, event: &SenderEvent) {
    match event {
        SenderEvent::State(change) if change.to == SessionState::Down => tracing::warn!(
            session,
            lost = change.run,
            first = change.first,
            last = change.last,
            "session is down"
        ),
        SenderEvent::State(change) => {
            tracing::info!(session, from = change.from.label(), "session is up");
        }
        SenderEvent::Delay(change) => {
            let (direction, value) = (change.direction.label(), delay(change.value.ns()));
            let limit = delay(change.limit.ns());
            if change.to == ThresholdState::Exceeded {
                tracing::warn!(session, direction, value, limit, "delay exceeds its limit");
            } else {
                tracing::info!(session, direction, value, limit, "delay is within its limit");
            }
        }
        SenderEvent::Loss(change) => {
            let (direction, lost, of) = (change.direction.label(), change.lost, change.decided);
            if change.to == ThresholdState::Exceeded {
                tracing::warn!(session, direction, lost, of, "loss exceeds its limit");
            } else {
                tracing::info!(session, direction, lost, of, "loss is within its limit");
            }
        }
        SenderEvent::LossDirection { first, last, forward, backward } => tracing::info!(
            session,
            forward,
            backward,
            first,
            last,
            "which way the probes of the outage were lost"
        ),
        SenderEvent::ReflectorRestart { sequence, .. } => {
            tracing::info!(session, sequence, "the reflector counts anew");
        }
        SenderEvent::ClockStep { end, by, .. } => {
            tracing::warn!(session, ?end, by_ns = by.ns(), "a clock was set");
        }
        SenderEvent::Fallback(change) => tracing::warn!(
            session,
            reason = change.reason.label(),
            "{}",
            if change.is_active() {
                "the far node does not stamp: plain loopback"
            } else {
                "the far node stamps again"
            }
        ),
        event => tracing::debug!(session, ?event, "event"),
    }
}

/// One that is down or degraded is a warning.
fn write_policy(change: &PolicyEntry) {
    let PolicyEntry { policy, from, to, reason, up, down, .. } = change;
    let active = change.candidate_to.as_deref();
    if ["down", "degraded"].contains(&to.as_str()) {
        tracing::warn!(policy, from, active, up, down, reason, "policy is {to}");
    } else {
        tracing::info!(policy, from, active, up, down, reason, "policy is {to}");
    }
}

/// Traffic that had to move is a warning.
fn write_path(moved: &PathEntry) {
    let PathEntry { policy, reason, standing, because, .. } = moved;
    let (from, to) = (moved.from.as_deref(), moved.to.as_deref());
    let because = because.as_deref();
    if ["down", "forbidden", "violation"].contains(&reason.as_str()) {
        tracing::warn!(policy, from, to, reason, standing, because, "traffic moves");
    } else {
        tracing::info!(policy, from, to, reason, standing, because, "traffic moves");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_off_within_its_second_and_said_to_be() {
        let mut budget = Budget::default();
        let now = Instant::now();
        let taken: Vec<Allowance> = (0..10_000).map(|_| budget.take(now)).collect();
        let count = |wanted| taken.iter().filter(|it| **it == wanted).count();
        assert_eq!((count(Allowance::Write), count(Allowance::LastOne)), (100, 1));
        assert_eq!(taken.last(), Some(&Allowance::Nothing));
        assert_eq!(budget.take(now + Duration::from_secs(1)), Allowance::Write);
    }
}
