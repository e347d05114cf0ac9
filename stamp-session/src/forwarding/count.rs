//! What was done, in numbers.

use super::config::Trigger;
use super::reason::{DropReason, UnstampedReason};

/// What is done to a packet that goes on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Handling {
    /// T2 is in it.
    Stamped,
    /// It should have had T2 but is no test packet.
    Unstamped(UnstampedReason),
    /// It asked for no timestamp.
    Switched,
}

/// What is counted when a packet has left.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fate {
    /// Index of the rule that it met among
    /// [`ForwardingConfig::timestamps`](super::ForwardingConfig::timestamps).
    pub rule: Option<usize>,
    /// What was done to it.
    pub handling: Handling,
}

/// Packets that left because of one timestamp label or SID.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RuleCounters {
    /// With T2.
    pub stamped: u64,
    /// Without.
    pub unstamped: u64,
}

/// Counters since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ForwardingSnapshot {
    /// For each label and SID, in the order of the configuration.
    pub rules: Vec<RuleCounters>,
    /// Forwarded without any timestamp being asked for.
    pub switched: u64,
    unstamped: [u64; UnstampedReason::COUNT],
    dropped: [u64; DropReason::COUNT],
}

impl ForwardingSnapshot {
    /// Nothing was done yet for this many labels and SIDs.
    #[must_use]
    pub fn of_rules(rules: usize) -> Self {
        Self { rules: vec![RuleCounters::default(); rules], ..Self::default() }
    }

    /// Forwarded with T2.
    #[must_use]
    pub fn stamped(&self) -> u64 {
        self.rules.iter().map(|rule| rule.stamped).fold(0, u64::saturating_add)
    }

    /// Forwarded without T2 for this reason.
    #[must_use]
    pub fn unstamped(&self, reason: UnstampedReason) -> u64 {
        self.unstamped.get(reason.index()).copied().unwrap_or(0)
    }

    /// Dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.index()).copied().unwrap_or(0)
    }

    /// Counts packets that ended for this reason.
    pub fn add_dropped(&mut self, reason: DropReason, packets: u64) {
        add(self.dropped.get_mut(reason.index()), packets);
    }

    /// Counts packets that left.
    pub fn add_sent(&mut self, fate: Fate, packets: u64) {
        let rule = fate.rule.and_then(|rule| self.rules.get_mut(rule));
        match fate.handling {
            Handling::Stamped => add(rule.map(|rule| &mut rule.stamped), packets),
            Handling::Unstamped(reason) => {
                add(rule.map(|rule| &mut rule.unstamped), packets);
                add(self.unstamped.get_mut(reason.index()), packets);
            }
            Handling::Switched => add(Some(&mut self.switched), packets),
        }
    }

    /// The sum of both, each label and SID with its own.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (rule, more) in self.rules.iter_mut().zip(&other.rules) {
            add(Some(&mut rule.stamped), more.stamped);
            add(Some(&mut rule.unstamped), more.unstamped);
        }
        add(Some(&mut self.switched), other.switched);
        for (count, more) in self.unstamped.iter_mut().zip(other.unstamped) {
            add(Some(count), more);
        }
        for (count, more) in self.dropped.iter_mut().zip(other.dropped) {
            add(Some(count), more);
        }
        self
    }

    /// The same counters when the labels and SIDs they were counted for are others: what stays
    /// keeps its own.
    #[must_use]
    pub fn carried(mut self, from: &[Trigger], to: &[Trigger]) -> Self {
        let kept = to.iter().map(|trigger| {
            let index = from.iter().position(|other| other == trigger);
            index.and_then(|index| self.rules.get(index).copied()).unwrap_or_default()
        });
        self.rules = kept.collect();
        self
    }
}

fn add(counter: Option<&mut u64>, packets: u64) {
    if let Some(counter) = counter {
        *counter = counter.saturating_add(packets);
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::sr::mpls::Label;

    use super::*;

    fn label(value: u32) -> Trigger {
        Trigger::Label(Label::new(value).unwrap())
    }

    fn counted() -> ForwardingSnapshot {
        let mut counted = ForwardingSnapshot::of_rules(2);
        let fate = |rule, handling| Fate { rule: Some(rule), handling };
        counted.add_sent(fate(0, Handling::Stamped), 3);
        counted.add_sent(fate(1, Handling::Unstamped(UnstampedReason::NotUdp)), 2);
        counted.add_sent(Fate { rule: None, handling: Handling::Switched }, 1);
        counted.add_dropped(DropReason::NoRoute, 4);
        counted
    }

    #[test]
    fn what_two_shells_counted_adds_up() {
        let sum = counted().plus(&counted());
        assert_eq!((sum.stamped(), sum.switched), (6, 2));
        assert_eq!((sum.rules[1].unstamped, sum.unstamped(UnstampedReason::NotUdp)), (4, 4));
        assert_eq!(sum.dropped(DropReason::NoRoute), 8);
    }

    #[test]
    fn a_label_that_stays_keeps_its_counters() {
        let carried = counted().carried(&[label(16), label(17)], &[label(18), label(17)]);
        assert_eq!(carried.rules, [RuleCounters::default(), counted().rules[1]]);
        assert_eq!(carried.dropped(DropReason::NoRoute), 4);
    }
}
