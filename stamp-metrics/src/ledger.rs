//! Counters that never go back, although a session may be opened anew.

use std::fmt;

use crate::counters::SessionCounters;

/// What is told of the counters of a session over all its lives.
///
/// A life is known by `L`, which no other life of any session has. Whoever takes a snapshot does so
/// while the session may end, so what comes of a life that is over is not taken.
pub struct Ledger<L> {
    /// What earlier lives counted.
    base: SessionCounters,
    life: Option<L>,
    /// The latest of this life.
    latest: SessionCounters,
    /// What was told. A probe may be taken back, and a loss may turn out to have another direction:
    /// then it stands still until it is true again.
    told: SessionCounters,
}

impl<L> Default for Ledger<L> {
    fn default() -> Self {
        let none = SessionCounters::default();
        let told = SessionCounters { lost: [None, None, Some(0)], ..none };
        Self { base: none, life: None, latest: none, told }
    }
}

impl<L: Copy + Eq> Ledger<L> {
    /// Of a session whose losses have a direction, or will have: none is known before the first life too.
    #[must_use]
    pub fn by_direction() -> Self {
        let none = Self::default();
        let told = SessionCounters { lost: [Some(0); 3], ..none.told };
        Self { told, ..none }
    }

    /// A life begins.
    pub fn begin(&mut self, life: L) {
        self.close();
        self.life = Some(life);
    }

    /// A life ends; `last` is what it has counted, if that is known.
    pub fn end(&mut self, last: Option<&SessionCounters>) {
        if let (Some(life), Some(last)) = (self.life, last) {
            self.take(life, last);
        }
        self.close();
    }

    /// What `life` has counted until now.
    pub fn take(&mut self, life: L, now: &SessionCounters) {
        if self.life != Some(life) {
            return;
        }
        if now.crossings.are_fewer_than(&self.latest.crossings) {
            self.base.crossings = self.base.crossings.plus(&self.latest.crossings);
        }
        self.latest = *now;
        self.told = self.told.most(&self.base.plus(now));
    }

    /// What there is to tell.
    #[must_use]
    pub const fn told(&self) -> &SessionCounters {
        &self.told
    }

    fn close(&mut self) {
        // The next life counts on from what was told.
        self.base = self.told;
        self.latest = SessionCounters::default();
        self.life = None;
    }
}

impl<L: fmt::Debug> fmt::Debug for Ledger<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("life", &self.life).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use stamp_session::snapshot::Transitions;

    use super::*;

    fn counted(sent: u64) -> SessionCounters {
        SessionCounters { sent, ..SessionCounters::default() }
    }

    #[test]
    fn lives_are_added_up() {
        let mut ledger = Ledger::default();
        ledger.begin(1);
        ledger.take(1, &counted(10));
        ledger.end(Some(&counted(12)));
        assert_eq!(ledger.told().sent, 12);
        ledger.begin(2);
        ledger.take(2, &counted(3));
        assert_eq!(ledger.told().sent, 15);
    }

    #[test]
    fn losses_that_will_have_a_direction_are_none_before_the_first_life() {
        let mut ledger = Ledger::by_direction();
        assert_eq!(ledger.told().lost, [Some(0); 3]);
        ledger.begin(1);
        let lost = [Some(2), None, Some(3)];
        ledger.take(1, &SessionCounters { lost, ..SessionCounters::default() });
        assert_eq!(ledger.told().lost, [Some(2), Some(0), Some(3)]);
        assert_eq!(Ledger::<u8>::default().told().lost, [None, None, Some(0)]);
    }

    #[test]
    fn a_life_that_is_over_is_not_counted_twice() {
        let mut ledger = Ledger::default();
        ledger.begin(1);
        ledger.end(Some(&counted(12)));
        ledger.begin(2);
        // Asked for before the end, answered after it.
        ledger.take(1, &counted(11));
        ledger.take(2, &counted(1));
        assert_eq!(ledger.told().sent, 13);
    }

    #[test]
    fn what_was_told_is_never_taken_back() {
        let mut ledger = Ledger::default();
        ledger.begin(1);
        for (now, told) in [(10, 10), (9, 10), (11, 11)] {
            ledger.take(1, &counted(now));
            assert_eq!(ledger.told().sent, told);
        }
        // Its last words are lost: those before stand.
        ledger.end(None);
        ledger.begin(2);
        ledger.take(2, &counted(1));
        assert_eq!(ledger.told().sent, 12);
    }

    #[test]
    fn the_direction_of_losses_stays_known_and_is_unknown_before() {
        let lost = |forward| SessionCounters {
            lost: [forward, None, Some(1)],
            ..SessionCounters::default()
        };
        let mut ledger = Ledger::default();
        assert_eq!(ledger.told().lost, [None, None, Some(0)]);
        ledger.begin(1);
        ledger.take(1, &lost(Some(1)));
        ledger.end(None);
        ledger.begin(2);
        ledger.take(2, &lost(None));
        assert_eq!(ledger.told().lost, [Some(1), None, Some(2)]);
    }

    #[test]
    fn a_threshold_that_counts_anew_counts_on() {
        let crossed = |exceeded| {
            let mut counters = SessionCounters::default();
            counters.crossings.delay[0] = Some(Transitions { exceeded, cleared: 0 });
            counters
        };
        let mut ledger = Ledger::default();
        ledger.begin(1);
        ledger.take(1, &crossed(5));
        ledger.take(1, &crossed(1));
        ledger.take(1, &crossed(2));
        let told = ledger.told().crossings.delay[0];
        assert_eq!(told, Some(Transitions { exceeded: 7, cleared: 0 }));
    }
}
