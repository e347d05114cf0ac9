//! What the demo's sessions saw, before the change and after it.

use stamp_session::sender::{Outcome, Sample, SenderEvent};

use crate::happening::Happening;

/// One session.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    before: Phase,
    after: Phase,
    /// The next probe nothing is known about.
    next: u32,
    /// The first probe of the second phase, once it has begun.
    change: Option<u32>,
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
            Happening::Event(SenderEvent::Lost { sequence, .. }) => {
                self.phase_of(*sequence).lost += 1;
            }
            _ => {}
        }
    }

    /// How many probes were decided.
    pub(super) const fn decided(&self) -> u32 {
        self.next
    }

    /// What is decided from now on belongs to the second phase.
    pub(super) const fn change(&mut self) {
        self.change = Some(self.next);
    }

    pub(super) const fn phase(&self, after: bool) -> &Phase {
        if after { &self.after } else { &self.before }
    }

    fn sample(&mut self, sample: &Sample) {
        let phase = self.phase_of(sample.sequence);
        phase.forward.extend(sample.forward_delay.map(|delay| delay.ns()));
        phase.backward.extend(sample.backward_delay.map(|delay| delay.ns()));
        phase.round_trip.push(sample.round_trip.ns());
    }

    fn phase_of(&mut self, sequence: u32) -> &mut Phase {
        self.next = self.next.max(sequence.saturating_add(1));
        match self.change {
            Some(change) if sequence >= change => &mut self.after,
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
    use stamp_proto::time::WallTime;

    use super::*;

    fn lost(sequence: u32) -> Happening {
        let probe_sent = WallTime::from_unix_ns(1);
        Happening::Event(SenderEvent::Lost { sequence, probe_sent })
    }

    #[test]
    fn a_loss_belongs_to_the_phase_its_probe_left_in() {
        let mut tally = Tally::default();
        tally.note(&lost(0));
        tally.note(&lost(1));
        assert_eq!(tally.decided(), 2);
        tally.change();
        // It was overtaken by what told the change.
        tally.note(&lost(2));
        tally.note(&lost(1));
        assert_eq!(tally.phase(false).lost(), (3, 3));
        assert_eq!(tally.phase(true).lost(), (1, 1));
    }

    #[test]
    fn the_middle_is_that_of_the_ordered_values() {
        assert_eq!(middle(&[9, 1, 5]), Some(5));
        assert_eq!(middle(&[4, 1]), Some(4));
        assert_eq!(middle::<i64>(&[]), None);
    }
}
