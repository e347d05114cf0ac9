//! What became of probes, counted off in the order of sending.

use stamp_proto::time::Stamp;

use super::Sender;
use super::direction::Numbering;
use super::event::SenderEvent;
use super::fallback::Asks;
use super::pending::{Answer, Fate, Probe};
use super::threshold::Seen;
use crate::clock::{MonotonicTime, Now};

impl Sender {
    /// Loses every probe whose deadline is at or before `until`, and counts off what is decided.
    pub(super) fn expire(&mut self, until: MonotonicTime, now: Now) {
        let timeout = u64::try_from(self.config.timeout.as_nanos()).unwrap_or(u64::MAX);
        let sent_until = until.ns().checked_sub(timeout).map(MonotonicTime::from_ns);
        self.count_off(sent_until, now);
    }

    pub(super) fn count_off(&mut self, sent_until: Option<MonotonicTime>, now: Now) {
        while let Some(probe) = self.pending.settle(sent_until) {
            match probe.fate {
                Fate::Answered(answer) => self.counted_off(&probe, &answer, now),
                Fate::Lost { probe_sent } => self.lost(&probe, probe_sent, now),
                Fate::Unsent => self.direction.unsent(),
                Fate::Outstanding { .. } | Fate::Unawaited { .. } | Fate::Late | Fate::Empty => {}
            }
        }
    }

    fn counted_off(&mut self, probe: &Probe, answer: &Answer, now: Now) {
        let sequence = probe.sequence;
        let in_flight = self.pending.undecided();
        let before = match self.direction.answered(answer, in_flight, &mut self.events) {
            Numbering::GoesOn(before) => before,
            Numbering::BeginsAnew => {
                self.restarted(sequence, answer.reflector_sequence);
                None
            }
        };
        self.events.extend(before.map(SenderEvent::from));
        self.decided(probe, false);
        let seen = self.seen(now);
        if let Some(watch) = &mut self.watch {
            watch.answered(sequence, before, seen, &mut self.events);
        }
    }

    fn lost(&mut self, probe: &Probe, probe_sent: Stamp, now: Now) {
        let (sequence, probe_sent) = (probe.sequence, probe_sent.time);
        if probe.asks == Asks::Trial {
            self.direction.unsent();
            self.take_back_sent();
        } else {
            self.events.push(SenderEvent::Lost { sequence, probe_sent });
            self.direction.lost(sequence);
            self.decided(probe, true);
            let seen = self.seen(now);
            if let Some(watch) = &mut self.watch {
                watch.lost(sequence, seen, &mut self.events);
            }
            let change = self.connectivity.lost(sequence, now);
            if change.is_some() {
                self.forget_far_member();
            }
            self.state_changed(change);
        }
        let change = self.fallback.lost(sequence, probe.asks, now);
        self.events.extend(change.map(SenderEvent::Fallback));
    }

    fn decided(&mut self, probe: &Probe, lost: bool) {
        for tally in self.tallies() {
            tally.loss.record(probe.sent_at, lost);
        }
    }

    fn seen(&self, at: Now) -> Seen {
        let near = self.config.clock.synchronized;
        let far = self.far_end.clock.or(self.config.far_clock);
        Seen { at, clock_synchronized: near && far.is_some_and(|far| far.synchronized) }
    }
}
