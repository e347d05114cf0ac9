//! What the engines have to tell, as log lines, and never more of them than a person can read.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::reflector::{LoopRule, OneWayArrival, RateLimit, ReflectorEvent};
use stamp_worker::reflector::ReflectorObserver;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::export::{Export, Transition};
use crate::hearing::Telling;

/// Events that wait for the journal.
const QUEUE: usize = 1_024;
/// Lines of one kind that are written in a second.
const LINES_A_SECOND: u32 = 10;

/// The packet threads' end: hands events over without ever blocking.
#[derive(Debug)]
pub(crate) struct Reporter {
    events: Sender<Noticed>,
    lost: Arc<AtomicU64>,
    exports: Exports,
    telling: Telling,
}

/// An event, and when it was noticed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noticed {
    pub(crate) event: ReflectorEvent,
    pub(crate) at: Now,
}

/// Who is told in lines.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    /// Of probes that want no reply.
    pub(crate) one_way: Option<Export<OneWayArrival>>,
    /// Of sessions that go down and up.
    pub(crate) transitions: Option<Export<Transition>>,
}

impl ReflectorObserver for Reporter {
    fn notice(&self, event: ReflectorEvent) {
        let at = stamp_worker::now();
        if let (ReflectorEvent::Forward(change), Some(export)) = (event, &self.exports.transitions)
        {
            export.put(Transition { change, time: at.wall });
        }
        if self.events.try_send(Noticed { event, at }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn arrived(&self, arrival: &OneWayArrival) {
        if let Some(export) = &self.exports.one_way {
            export.put(*arrival);
        }
        self.telling.arrived(arrival);
    }
}

/// The control side's end: writes the lines.
#[derive(Debug)]
pub(crate) struct Journal {
    events: Receiver<Noticed>,
    lost: Arc<AtomicU64>,
    budgets: [Budget; KINDS],
}

/// Both ends; what `exports` and `telling` are for goes there as well.
pub(crate) fn journal(exports: Exports, telling: Telling) -> (Reporter, Journal) {
    let (sender, events) = mpsc::channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let reporter = Reporter { events: sender, lost: Arc::clone(&lost), exports, telling };
    (reporter, Journal { events, lost, budgets: [Budget::default(); KINDS] })
}

impl Journal {
    /// The next event; waits for it. None when every packet thread has ended.
    pub(crate) async fn next(&mut self) -> Option<Noticed> {
        self.events.recv().await
    }

    /// Writes a line about `event` unless too many of its kind were written this second.
    pub(crate) fn write(&mut self, Noticed { event, at }: Noticed) {
        let Some(budget) = self.budgets.get_mut(kind(&event)) else { return };
        match budget.take(at.monotonic) {
            None => {}
            Some(0) => log(&event),
            Some(suppressed) => {
                tracing::warn!(suppressed, "similar messages were not written");
                log(&event);
            }
        }
    }

    /// Writes what is still waiting.
    pub(crate) fn drain(&mut self) {
        while let Ok(noticed) = self.events.try_recv() {
            self.write(noticed);
        }
    }

    /// Events that found no place on their way here.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Kinds of events, each with a budget of its own.
const KINDS: usize = 8;

const fn kind(event: &ReflectorEvent) -> usize {
    match event {
        ReflectorEvent::RateLimited { .. } => 0,
        ReflectorEvent::Overload { .. } => 1,
        ReflectorEvent::LoopBroken { .. } => 2,
        ReflectorEvent::SessionsFull { .. } => 3,
        ReflectorEvent::Rebound { .. } => 4,
        ReflectorEvent::SenderRestarted { .. } => 5,
        ReflectorEvent::Forward(_) => 6,
        ReflectorEvent::AccessReport { .. } => 7,
    }
}

/// What may still be written in the current second.
#[derive(Clone, Copy, Debug, Default)]
struct Budget {
    second: MonotonicTime,
    written: u32,
    suppressed: u64,
}

impl Budget {
    /// How many were suppressed before this one; none when it is suppressed itself.
    fn take(&mut self, now: MonotonicTime) -> Option<u64> {
        if now.since(self.second) >= Duration::from_secs(1) {
            (self.second, self.written) = (now, 0);
        }
        if self.written >= LINES_A_SECOND {
            self.suppressed += 1;
            return None;
        }
        self.written += 1;
        Some(core::mem::take(&mut self.suppressed))
    }
}

fn log(event: &ReflectorEvent) {
    match event {
        ReflectorEvent::RateLimited { source, limit } => tracing::warn!(
            source = %source.ip().to_canonical(),
            limit_pps = pps(*limit),
            "rate limit: probes of this source go unanswered, which looks like path loss to it; \
             raise it with --rate-limit PPS, or for a prefix with rate-limit in [[allow]]"
        ),
        ReflectorEvent::Overload { limit } => tracing::warn!(
            limit_pps = pps(*limit),
            "overload: all sources together send more than is answered; raise it with \
             --total-rate-limit PPS"
        ),
        ReflectorEvent::LoopBroken { source, rule } => tracing::warn!(
            source = %source,
            rule = rule.label(),
            "loop: a reply or something like it came in as a probe and was dropped{}",
            way_out(*rule)
        ),
        ReflectorEvent::SessionsFull { source, sessions } => tracing::warn!(
            source = %source,
            sessions,
            "session table full: new sessions go unanswered; raise it with --session-cap N"
        ),
        ReflectorEvent::Rebound { from, to, ssid } => tracing::info!(
            from = %from,
            to = %to,
            ssid = %ssid,
            "a session goes on from another port: a NAT between us has forgotten the first"
        ),
        ReflectorEvent::Forward(change) if change.down => tracing::warn!(
            source = %change.source,
            ssid = %change.ssid,
            missing = change.run,
            first = change.sequences.0,
            last = change.sequences.1,
            "down: probes of this session do not arrive any more; the way here is broken, or its \
             sender has stopped"
        ),
        ReflectorEvent::Forward(change) => tracing::info!(
            source = %change.source,
            ssid = %change.ssid,
            missing = change.run,
            sequence = change.sequences.0,
            "up: probes of this session arrive again"
        ),
        ReflectorEvent::AccessReport { source, ssid, report } => tracing::info!(
            source = %source,
            ssid = %ssid,
            access = %report.access,
            code = report.code.0,
            "access report: {}",
            report.code
        ),
        ReflectorEvent::SenderRestarted { source, ssid } => tracing::info!(
            source = %source,
            ssid = %ssid,
            "a sender began its session anew"
        ),
    }
}

/// What lets a probe pass that a rule takes for part of a loop.
const fn way_out(rule: LoopRule) -> &'static str {
    match rule {
        LoopRule::ReflectorPort => "; a proper sender on this port needs --same-port allow",
        LoopRule::LowPort => "; a sender on a port below 1024 needs it in reflector-ports",
        LoopRule::OwnListener | LoopRule::ReadsAsReply | LoopRule::EchoedStamp => "",
    }
}

/// The limit in packets per second; 0 where there is none.
const fn pps(limit: RateLimit) -> u32 {
    match limit {
        RateLimit::PerSecond { rate, .. } => rate.get(),
        RateLimit::Off => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hearing::hearing;

    fn second(tenths: u64) -> MonotonicTime {
        MonotonicTime::from_ns(10_000_000_000 + tenths * 100_000_000)
    }

    #[test]
    fn ten_lines_of_a_kind_are_written_in_a_second() {
        let mut budget = Budget::default();
        let written = (0..1_000).filter(|_| budget.take(second(0)).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(budget.take(second(9)), None);
        assert_eq!(budget.take(second(10)), Some(991), "the next line tells what is missing");
        assert_eq!(budget.take(second(10)), Some(0));
    }

    #[test]
    fn an_event_that_finds_the_queue_full_is_counted() {
        let (reporter, journal) = journal(Exports::default(), hearing().0);
        let source = "192.0.2.1:862".parse().unwrap();
        for _ in 0..QUEUE + 3 {
            reporter.notice(ReflectorEvent::RateLimited { source, limit: RateLimit::Off });
        }
        assert_eq!(journal.lost(), 3);
    }
}
