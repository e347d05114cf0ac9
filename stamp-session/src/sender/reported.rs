//! One-way measurement that is told of: no reply comes, but the Session-Reflector says which probes
//! arrived and when (draft-gandhi-spring-enhanced-srpm §5).

use stamp_proto::time::{Stamp, StampSource, TimeDelta, WallTime};

use super::Sender;
use super::clock::NearClock;
use super::counter::Numbered;
use super::event::SenderEvent;
use super::pending::{Fate, Usable};
use super::reason::RejectReason;
use super::timing::{Away, Timing, is_before_by_more_than};
use super::validate::Numbers;
use crate::clock::{ClockState, Now};

/// A probe that arrived at the Session-Reflector, as that tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReportedArrival {
    /// Its Sequence Number.
    pub sequence: u32,
    /// What it said of when it left (T1); only who saw the probe knows.
    pub probe_sent: WallTime,
    /// When it arrived (T2).
    pub probe_received: WallTime,
    /// The clock that T2 was read from; what the operator declares goes before it.
    pub clock: ClockState,
}

/// How far T1 as it is told may be from T1 as it was written: a timestamp on the wire has a fraction of
/// a second of its own.
const ROUNDING: TimeDelta = TimeDelta::from_ns(1_000);

/// What is told of a session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reported {
    is_heard: bool,
    /// Arrivals that were told: the Session-Reflector counts none where it makes no reply.
    count: u32,
}

impl Sender {
    /// Whether arrivals are told from now on. Where some were not told, say that they are not and then that
    /// they are: of probes under way nothing is known then, and they are not lost.
    ///
    /// Without effect on a session whose probes want a reply.
    pub fn handle_hearing(&mut self, is_heard: bool) {
        if !self.config.requests.wants_no_reply() {
            return;
        }
        let reported = self.seldom.get_or_insert_default().reported.get_or_insert_default();
        reported.is_heard = is_heard;
        if reported.count == 0 && is_heard {
            self.direction.count();
        }
        if !is_heard {
            self.pending.await_none();
        }
        self.conclude(None);
    }

    /// Whether what becomes of a probe is told to the end.
    pub(super) fn is_reported(&self) -> bool {
        let reported = self.seldom.as_deref().and_then(|seldom| seldom.reported);
        reported.is_some_and(|reported| reported.is_heard)
    }

    /// A probe arrived; its forward delay.
    ///
    /// # Errors
    ///
    /// Why it is not taken for a probe of this session that is awaited.
    pub fn handle_arrival(
        &mut self,
        now: Now,
        arrival: &ReportedArrival,
    ) -> Result<TimeDelta, RejectReason> {
        self.observe_clock(now);
        self.expire(now.monotonic, now);
        let taken = self.check_arrival(now, arrival).map(|timing| {
            self.take_arrival(now, arrival.sequence, &timing);
            timing.forward_delay.unwrap_or_default()
        });
        if let Err(reason) = taken {
            for tally in self.tallies() {
                tally.rejected.add(reason, 1);
            }
        }
        self.conclude(Some(now));
        taken
    }

    fn check_arrival(&self, now: Now, arrival: &ReportedArrival) -> Result<Timing, RejectReason> {
        let sequence = arrival.sequence;
        let probe = self.pending.get(sequence).ok_or_else(|| {
            let was_used = self.pending.was_used(sequence);
            if was_used { RejectReason::Forgotten } else { RejectReason::NeverSent }
        })?;
        let Fate::Outstanding { probe_sent } = probe.fate else {
            return Err(RejectReason::Forgotten);
        };
        if arrival.probe_sent.since(probe.written).abs() > ROUNDING {
            return Err(RejectReason::EchoedTimestamp);
        }
        let near = ClockState {
            synchronized: self.config.clock.synchronized && probe.error_estimate.synchronized(),
            ..self.config.clock
        };
        let told_at = Stamp { time: now.wall, source: StampSource::User };
        let far = Some(self.config.far_clock.unwrap_or(arrival.clock));
        let near_step = NearClock::stepped_between(probe.sent_at, probe.written, now);
        let away = Away { near_step, near, far, ..Away::new(probe_sent, told_at) };
        let forward = arrival.probe_received.since(probe_sent.time);
        let is_forged = |tolerance: u64| is_before_by_more_than(forward, tolerance);
        if away.tolerance_ns().is_some_and(is_forged) {
            return Err(RejectReason::ReceivedBeforeSent);
        }
        // Nobody measured a way back; what is kept of it is used for nothing.
        Ok(Timing {
            probe_received: Some(arrival.probe_received),
            forward_delay: Some(forward),
            ..Timing::of_round_trip(&away, forward)
        })
    }

    fn take_arrival(&mut self, now: Now, sequence: u32, timing: &Timing) {
        let number = self.next_arrival();
        let probe_received = timing.probe_received.unwrap_or_default();
        let numbered =
            Numbered { sequence, reflector_sequence: number, reply_sent: probe_received };
        let place = self.counter.place(numbered, self.pending.reach());
        let usable = if timing.near_step {
            self.clock_stepped();
            Usable::Nothing
        } else {
            Usable::ForwardOnly
        };
        let numbers = Numbers { sequence, reflector_sequence: number };
        self.answered(numbers, timing, usable, place);
        if let Some(far) = timing.far {
            if self.far_end.clock.is_none_or(|known| known.synchronized != far.synchronized) {
                self.events.push(SenderEvent::FarClock(far));
            }
            self.far_end.clock = Some(far);
        }
        if let Some(watch) = &mut self.watch {
            watch.sample(sequence, (timing, usable), now, &mut self.events);
        }
        for tally in self.tallies() {
            tally.reported(timing, usable);
            tally.order(place);
        }
        if let Some(histograms) = &self.config.histograms {
            histograms.delays(timing, usable);
        }
        let change = self.connectivity.received(sequence, now);
        self.state_changed(change);
    }

    /// Its number among those that were told.
    fn next_arrival(&mut self) -> u32 {
        let reported = self.seldom.get_or_insert_default().reported.get_or_insert_default();
        let number = reported.count;
        reported.count = number.wrapping_add(1);
        number
    }
}
