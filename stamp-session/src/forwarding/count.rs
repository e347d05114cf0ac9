//! What was done, in numbers.

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
    pub(super) fn of_rules(rules: usize) -> Self {
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

    pub(super) fn count_drop(&mut self, reason: DropReason) {
        add_one(self.dropped.get_mut(reason.index()));
    }

    pub(super) fn count_sent(&mut self, fate: Fate) {
        let rule = fate.rule.and_then(|rule| self.rules.get_mut(rule));
        match fate.handling {
            Handling::Stamped => add_one(rule.map(|rule| &mut rule.stamped)),
            Handling::Unstamped(reason) => {
                add_one(rule.map(|rule| &mut rule.unstamped));
                add_one(self.unstamped.get_mut(reason.index()));
            }
            Handling::Switched => add_one(Some(&mut self.switched)),
        }
    }
}

fn add_one(counter: Option<&mut u64>) {
    if let Some(counter) = counter {
        *counter = counter.saturating_add(1);
    }
}
