//! The memory of a limit: crossing it takes M in a row, and so does clearing it.

use super::report::Transitions;

/// Counts samples in a row beyond a limit, or within.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latch {
    count: u32,
    latched: bool,
    run: Run,
    transitions: Transitions,
}

/// Samples in a row that were alike.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) exceeds: bool,
    pub(super) samples: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Latch {
    /// Turned by `count` samples in a row.
    pub(super) const fn new(count: u32) -> Self {
        let run = Run { exceeds: false, samples: 0, first: 0, last: 0 };
        let transitions = Transitions { exceeded: 0, cleared: 0 };
        Self { count, latched: false, run, transitions }
    }

    /// Takes one sample; the run that turned the latch, if this one did.
    pub(super) fn observe(&mut self, sequence: u32, exceeds: bool) -> Option<Run> {
        if self.run.samples == 0 || self.run.exceeds != exceeds {
            self.run = Run { exceeds, samples: 0, first: sequence, last: sequence };
        }
        self.run.last = sequence;
        self.run.samples = self.run.samples.saturating_add(1);
        let turns = exceeds != self.latched && self.run.samples >= self.count;
        turns.then(|| {
            self.latched = exceeds;
            self.transitions.add(exceeds);
            self.run
        })
    }

    /// What follows has nothing to do with the samples so far.
    pub(super) fn interrupt(&mut self) {
        self.run = Run::default();
    }

    pub(super) const fn is_latched(&self) -> bool {
        self.latched
    }

    #[cfg(test)]
    pub(super) const fn run(&self) -> Run {
        self.run
    }

    pub(super) const fn transitions(&self) -> Transitions {
        self.transitions
    }
}
