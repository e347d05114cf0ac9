//! One direction of a network path.

use super::{Random, SECOND};

/// What a path does to datagrams.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Impairment {
    /// Shortest time to pass.
    pub delay_ns: u64,
    /// Up to so much more, evenly spread.
    pub variation_ns: u64,
    /// Datagrams may overtake each other; otherwise they queue.
    pub overtaking: bool,
    /// How many of a thousand are lost.
    pub loss_per_mille: u64,
    /// How many losses of a thousand take the next datagram along.
    pub burst_per_mille: u64,
    /// How many of a thousand arrive twice.
    pub duplicate_per_mille: u64,
    /// How many of a thousand arrive changed.
    pub corrupt_per_mille: u64,
    /// Dead from the first instant to the second.
    pub outage_ns: Option<(u64, u64)>,
    /// A policer in front.
    pub policer: Option<Policer>,
}

/// A token bucket that drops what finds no token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policer {
    /// Datagrams it lets pass in a second, in the long run.
    pub per_second: u64,
    /// Datagrams it lets pass at once.
    pub burst: u64,
}

/// One direction of a path, with its own randomness.
#[derive(Debug)]
pub struct Link {
    impairment: Impairment,
    random: Random,
    in_burst: bool,
    last_arrival_ns: u64,
    /// Tokens of the policer, a billion for each datagram, and when they were counted.
    tokens: u64,
    counted_ns: u64,
}

/// What becomes of one copy of a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passage {
    /// When it arrives.
    pub arrives_ns: u64,
    /// On the way something changed it.
    pub corrupted: bool,
}

impl Link {
    /// A link that does this to what passes.
    #[must_use]
    pub fn new(impairment: Impairment, random: Random) -> Self {
        let tokens = impairment.policer.map_or(0, |policer| policer.burst * SECOND);
        Self { impairment, random, in_burst: false, last_arrival_ns: 0, tokens, counted_ns: 0 }
    }

    /// Sends a datagram at `at_ns`: the copies that arrive, none when it is lost.
    pub fn pass(&mut self, at_ns: u64) -> Vec<Passage> {
        let impairment = self.impairment;
        let is_dead =
            impairment.outage_ns.is_some_and(|(from, until)| (from..until).contains(&at_ns));
        let lost = self.in_burst || self.random.chance(impairment.loss_per_mille);
        self.in_burst = lost && self.random.chance(impairment.burst_per_mille);
        if lost || is_dead || self.is_policed(at_ns) {
            return Vec::new();
        }
        let copies = 1 + usize::from(self.random.chance(impairment.duplicate_per_mille));
        (0..copies).map(|_| self.passage(at_ns)).collect()
    }

    fn is_policed(&mut self, at_ns: u64) -> bool {
        let Some(Policer { per_second, burst }) = self.impairment.policer else {
            return false;
        };
        let earned = (at_ns - self.counted_ns) * per_second;
        self.tokens = (self.tokens + earned).min(burst * SECOND);
        self.counted_ns = at_ns;
        let left = self.tokens.checked_sub(SECOND);
        self.tokens = left.unwrap_or(self.tokens);
        left.is_none()
    }

    fn passage(&mut self, at_ns: u64) -> Passage {
        let Impairment { delay_ns, variation_ns, overtaking, corrupt_per_mille, .. } =
            self.impairment;
        let mut arrives_ns = at_ns + delay_ns + self.random.below(variation_ns + 1);
        if !overtaking {
            arrives_ns = arrives_ns.max(self.last_arrival_ns);
            self.last_arrival_ns = arrives_ns;
        }
        Passage { arrives_ns, corrupted: self.random.chance(corrupt_per_mille) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(impairment: Impairment) -> Vec<Vec<Passage>> {
        let mut link = Link::new(impairment, Random::new(3));
        (0..10_000).map(|index| link.pass(index * 1_000)).collect()
    }

    #[test]
    fn a_clean_link_delays_and_does_nothing_else() {
        for (index, copies) in
            (0..).zip(passages(Impairment { delay_ns: 77, ..Default::default() }))
        {
            assert_eq!(copies, [Passage { arrives_ns: index * 1_000 + 77, corrupted: false }]);
        }
    }

    #[test]
    fn shares_are_kept() {
        let impairment = Impairment {
            loss_per_mille: 100,
            duplicate_per_mille: 200,
            corrupt_per_mille: 50,
            ..Impairment::default()
        };
        let passages = passages(impairment);
        let lost = passages.iter().filter(|copies| copies.is_empty()).count();
        let twice = passages.iter().filter(|copies| copies.len() == 2).count();
        let corrupted = passages.iter().flatten().filter(|passage| passage.corrupted).count();
        assert!((900..1_100).contains(&lost), "{lost}");
        assert!((1_700..1_900).contains(&twice), "{twice}");
        assert!((470..610).contains(&corrupted), "{corrupted}");
    }

    #[test]
    fn datagrams_queue_unless_they_may_overtake() {
        for overtaking in [false, true] {
            let impairment =
                Impairment { variation_ns: 5_000, overtaking, ..Impairment::default() };
            let arrivals: Vec<u64> =
                passages(impairment).iter().flatten().map(|passage| passage.arrives_ns).collect();
            assert_eq!(arrivals.is_sorted(), !overtaking);
        }
    }

    #[test]
    fn a_policer_passes_its_burst_and_then_its_rate() {
        let policer = Some(Policer { per_second: 100, burst: 50 });
        let mut link = Link::new(Impairment { policer, ..Impairment::default() }, Random::new(3));
        let passed = |link: &mut Link, second: u64| {
            let slots = (0..200).map(|slot| second * SECOND + slot * SECOND / 200);
            slots.filter(|at_ns| !link.pass(*at_ns).is_empty()).count()
        };
        let seconds: Vec<usize> = (0..4).map(|second| passed(&mut link, second)).collect();
        assert_eq!(seconds[0], 149);
        assert!(seconds[1..].iter().all(|count| *count == 100), "{seconds:?}");
    }

    #[test]
    fn a_dead_link_passes_nothing() {
        let impairment = Impairment { outage_ns: Some((5_000, 8_000)), ..Impairment::default() };
        let lost: Vec<usize> = passages(impairment)
            .iter()
            .enumerate()
            .filter(|(_, copies)| copies.is_empty())
            .map(|(index, _)| index)
            .collect();
        assert_eq!(lost, [5, 6, 7]);
    }
}
