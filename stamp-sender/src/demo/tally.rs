//! What the demo's sessions saw, before the change and after it.

use stamp_proto::time::WallTime;
use stamp_session::sender::{Outcome, Sample, SenderEvent};

use crate::happening::Happening;

/// One session.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    before: Phase,
    after: Phase,
    /// The next probe nothing is known about.
    next: u32,
    /// When the second phase began.
    change: Option<WallTime>,
}

/// One phase of a session; delays in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Phase {
    forward: Vec<i64>,
    backward: Vec<i64>,
    round_trip: Vec<i64>,
    lost: u64,
}

/// Medians of a phase in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Middles {
    pub(super) forward: Option<i64>,
    pub(super) backward: Option<i64>,
    pub(super) round_trip: Option<i64>,
}

impl Middles {
    /// Forward, backward, round trip.
    pub(super) const fn all(&self) -> [Option<i64>; 3] {
        [self.forward, self.backward, self.round_trip]
    }
}

impl Tally {
    pub(super) fn note(&mut self, happening: &Happening) {
        match happening {
            Happening::Outcome(Outcome::Sample(sample)) => self.sample(sample),
            Happening::Event(SenderEvent::Lost { sequence, probe_sent }) => {
                self.phase_of(*sequence, *probe_sent).lost += 1;
            }
            _ => {}
        }
    }

    /// How many probes were decided.
    pub(super) const fn decided(&self) -> u32 {
        self.next
    }

    /// What leaves from then on belongs to the second phase, and to it alone: one delay of the first would be the
    /// lowest of both.
    pub(super) const fn change(&mut self, at: WallTime) {
        self.change = Some(at);
    }

    pub(super) const fn phase(&self, after: bool) -> &Phase {
        if after { &self.after } else { &self.before }
    }

    fn sample(&mut self, sample: &Sample) {
        let phase = self.phase_of(sample.sequence, sample.probe_sent.time);
        phase.forward.extend(sample.forward_delay.map(|delay| delay.ns()));
        phase.backward.extend(sample.backward_delay.map(|delay| delay.ns()));
        phase.round_trip.push(sample.round_trip.ns());
    }

    fn phase_of(&mut self, sequence: u32, probe_sent: WallTime) -> &mut Phase {
        self.next = self.next.max(sequence.saturating_add(1));
        match self.change {
            Some(change) if probe_sent >= change => &mut self.after,
            _ => &mut self.before,
        }
    }
}

impl Phase {
    pub(super) fn middles(&self) -> Middles {
        Middles {
            forward: middle(&self.forward),
            backward: middle(&self.backward),
            round_trip: middle(&self.round_trip),
        }
    }

    /// The lowest delay there and back in nanoseconds: what the way itself takes. A machine that is
    /// busy with something else adds to many of a phase, and so to their median, but not to all.
    pub(super) fn lowest(&self) -> [Option<i64>; 2] {
        [&self.forward, &self.backward].map(|delays| delays.iter().min().copied())
    }

    /// Probes lost, and probes whose fate is known.
    pub(super) fn lost(&self) -> (u64, u64) {
        (self.lost, self.lost + self.round_trip.len() as u64)
    }
}

/// The median; of an even number the larger of the two in the middle.
pub(super) fn middle<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut ordered = values.to_vec();
    let at = ordered.len() / 2;
    if ordered.is_empty() { None } else { Some(*ordered.select_nth_unstable(at).1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(sequence: u32, sent_ns: i64) -> Happening {
        let probe_sent = WallTime::from_unix_ns(sent_ns);
        Happening::Event(SenderEvent::Lost { sequence, probe_sent })
    }

    #[test]
    fn a_loss_belongs_to_the_phase_its_probe_left_in() {
        let mut tally = Tally::default();
        tally.note(&lost(0, 10));
        tally.note(&lost(1, 20));
        assert_eq!(tally.decided(), 2);
        tally.change(WallTime::from_unix_ns(35));
        // It was on the way when the change was made.
        tally.note(&lost(2, 30));
        tally.note(&lost(3, 40));
        assert_eq!(tally.phase(false).lost(), (3, 3));
        assert_eq!(tally.phase(true).lost(), (1, 1));
    }

    #[test]
    fn the_lowest_is_that_of_either_direction() {
        let phase = Phase { forward: vec![7, 5, 9], ..Phase::default() };
        assert_eq!(phase.lowest(), [Some(5), None]);
    }

    #[test]
    fn the_middle_is_that_of_the_ordered_values() {
        assert_eq!(middle(&[9, 1, 5]), Some(5));
        assert_eq!(middle(&[4, 1]), Some(4));
        assert_eq!(middle::<i64>(&[]), None);
    }
}
