//! What a link does to packets of one direction.

use std::time::Duration;

use stamp_document::quantity::Ratio;
use stamp_path::topology::Direction;

use crate::random::Random;

/// What happens to packets of one direction of a link.
///
/// Packets to a group of hosts (neighbour and listener discovery) pass untouched: a test that
/// counts its own packets shall not find those of the kernel among them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Impairment {
    /// How long each packet is held.
    pub delay: Duration,
    /// Standard deviation of the delay. Packets stay in order.
    pub jitter: Duration,
    /// Which packets are lost.
    pub loss: Loss,
    /// Share of packets that are not held, and so overtake those before them.
    pub reordering: Ratio,
    /// Where chance starts: the same packets meet the same fate.
    pub seed: u64,
}

impl Impairment {
    /// What the topology says of a direction.
    #[must_use]
    pub fn of(direction: &Direction, seed: u64) -> Self {
        let loss = match direction.loss {
            Ratio::ZERO => Loss::None,
            share => Loss::Share(share),
        };
        let Direction { delay, jitter, reordering, .. } = *direction;
        Self { delay, jitter, loss, reordering, seed }
    }

    /// Packets pass as over a bare wire.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let is_timed = !self.delay.is_zero() || !self.jitter.is_zero();
        !is_timed && self.loss == Loss::None && self.reordering == Ratio::ZERO
    }
}

/// Which packets are lost.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with this probability.
    Share(Ratio),
    /// Exactly those at these positions, counted from 1 from when the impairment was set.
    Exactly(Vec<u64>),
    /// Every so manieth.
    Every(u64),
}

/// What is to become of one packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Lost,
    /// It is held so long. One that overtakes does not wait for those before it.
    Held {
        for_ns: u64,
        overtakes: bool,
    },
}

/// An impairment at work.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    impairment: Impairment,
    random: Random,
    /// Packets judged so far.
    count: u64,
}

impl Judge {
    pub(crate) const fn new(impairment: Impairment) -> Self {
        let random = Random::new(impairment.seed);
        Self { impairment, random, count: 0 }
    }

    pub(crate) const fn impairment(&self) -> &Impairment {
        &self.impairment
    }

    pub(crate) fn judge(&mut self) -> Fate {
        self.count += 1;
        let is_lost = match &self.impairment.loss {
            Loss::None => false,
            Loss::Share(share) => self.random.happens(share.billionths()),
            Loss::Exactly(positions) => positions.contains(&self.count),
            Loss::Every(period) => self.count.is_multiple_of(*period),
        };
        if is_lost {
            return Fate::Lost;
        }
        let overtakes = self.random.happens(self.impairment.reordering.billionths());
        Fate::Held { for_ns: if overtakes { 0 } else { self.delay_ns() }, overtakes }
    }

    fn delay_ns(&mut self) -> u64 {
        let ns = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let jitter_ns = ns(self.impairment.jitter);
        if jitter_ns == 0 {
            return ns(self.impairment.delay).cast_unsigned();
        }
        // Six deviations of ten minutes are far from the limit.
        let deviation = self.random.deviation_thousandths() * jitter_ns / 1000;
        ns(self.impairment.delay).saturating_add(deviation).max(0).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(loss: Loss, of: u64) -> Vec<u64> {
        let mut judge = Judge::new(Impairment { loss, seed: 3, ..Impairment::default() });
        (1..=of).filter(|_| judge.judge() == Fate::Lost).collect()
    }

    #[test]
    fn exact_losses_are_exact() {
        assert_eq!(lost(Loss::Exactly(vec![2, 5]), 7), [2, 5]);
        assert_eq!(lost(Loss::Every(3), 7), [3, 6]);
        assert_eq!(lost(Loss::None, 7), [0; 0]);
    }

    #[test]
    fn chance_loses_the_same_packets_again() {
        let share = Loss::Share(Ratio::from_billionths(100_000_000).unwrap());
        let once = lost(share.clone(), 1000);
        assert!((70..130).contains(&once.len()), "{}", once.len());
        assert_eq!(once, lost(share, 1000));
    }

    #[test]
    fn what_overtakes_is_not_held() {
        let impairment = Impairment {
            delay: Duration::from_millis(5),
            reordering: Ratio::from_billionths(500_000_000).unwrap(),
            ..Impairment::default()
        };
        let mut judge = Judge::new(impairment);
        let fates: Vec<Fate> = (0..100).map(|_| judge.judge()).collect();
        let held = Fate::Held { for_ns: 5_000_000, overtakes: false };
        let overtaking = Fate::Held { for_ns: 0, overtakes: true };
        assert!(fates.contains(&held) && fates.contains(&overtaking));
        assert!(fates.iter().all(|fate| [held, overtaking].contains(fate)));
    }

    #[test]
    fn jitter_spreads_around_the_delay_and_never_below_nothing() {
        let [delay, jitter] = [100, 60].map(Duration::from_micros);
        let mut judge = Judge::new(Impairment { delay, jitter, ..Impairment::default() });
        let mut held = Vec::new();
        for _ in 0..10_000 {
            if let Fate::Held { for_ns, .. } = judge.judge() {
                held.push(for_ns);
            }
        }
        let mean = held.iter().sum::<u64>() / 10_000;
        assert!((99_000..105_000).contains(&mean), "{mean}");
        assert!(held.contains(&0) && held.iter().any(|ns| *ns > 200_000));
    }
}
