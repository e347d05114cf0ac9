//! What several sessions together say of the path they belong to.
//!
//! An SR policy with several segment lists has a session for each: they carry traffic by their weights,
//! so what traffic meets is a weighted mean, and what can be promised is the worst of them.

use stamp_proto::time::TimeDelta;

use crate::sender::SessionState;

/// What one session says of its segment list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// Share of traffic, against those of the others; a list of weight zero is invalid and left out.
    pub weight: u32,
    /// Connectivity.
    pub state: SessionState,
    /// Delay; `None` when it was not measured, or is withheld.
    pub delay: Option<TimeDelta>,
    /// Loss; `None` before a probe was decided.
    pub loss: Option<LossShare>,
}

/// Probes lost out of those whose fate is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossShare {
    lost: u64,
    decided: u64,
}

impl LossShare {
    /// `lost` of `decided`; `None` without any, or when more were lost than there are.
    #[must_use]
    pub const fn new(lost: u64, decided: u64) -> Option<Self> {
        if decided == 0 || lost > decided {
            return None;
        }
        Some(Self { lost, decided })
    }

    /// How many were lost.
    #[must_use]
    pub const fn lost(self) -> u64 {
        self.lost
    }

    /// Out of how many.
    #[must_use]
    pub const fn decided(self) -> u64 {
        self.decided
    }

    /// From 0 to 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.lost as f64 / self.decided as f64
    }
}

/// Connectivity of a whole path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PathState {
    /// No member has told anything yet.
    #[default]
    Init,
    /// Every member that has told something is up.
    Up,
    /// Some are up, some are down: traffic passes, on fewer lists than it should.
    Degraded,
    /// Every member that has told something is down.
    Down,
}

impl PathState {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// Traffic passes: one list is enough.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Degraded)
    }
}

/// A path as its members have it; `None` is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathSummary {
    /// Connectivity.
    pub state: PathState,
    /// Members that are up.
    pub up: u32,
    /// Members that are down: they carry nothing.
    pub down: u32,
    /// Members of which nothing is known yet.
    pub unknown: u32,
    /// Smallest delay of the members that are up.
    pub lowest_delay: Option<TimeDelta>,
    /// Largest: what can be promised.
    pub highest_delay: Option<TimeDelta>,
    /// Mean by weight: what traffic meets.
    pub weighted_delay: Option<TimeDelta>,
    /// Loss of the members that are up by weight, from 0 to 1; of all of them when the path is down.
    pub weighted_loss: Option<f64>,
}

impl PathSummary {
    /// How far delays of the members lie apart.
    #[must_use]
    pub fn spread(&self) -> Option<TimeDelta> {
        let highest = self.highest_delay.zip(self.lowest_delay);
        highest.map(|(highest, lowest)| highest.saturating_sub(lowest))
    }
}

/// All about a path from all about its members.
///
/// A member that is down has no part in delay, as it carries no traffic; one whose value is unknown has
/// none in that value, and the weights of the others share what is left.
#[must_use]
pub fn summarize(members: &[Member]) -> PathSummary {
    let valid = || members.iter().filter(|member| member.weight > 0);
    let count = |state| {
        let found = valid().filter(|member| member.state == state).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let (up, down) = (count(SessionState::Up), count(SessionState::Down));
    let state = match (up, down) {
        (0, 0) => PathState::Init,
        (_, 0) => PathState::Up,
        (0, _) => PathState::Down,
        _ => PathState::Degraded,
    };
    let carrying = || valid().filter(|member| member.state == SessionState::Up);
    let delays = || carrying().filter_map(|member| Some((member.weight, member.delay?)));
    let telling = if state == PathState::Down { SessionState::Down } else { SessionState::Up };
    let losses = valid()
        .filter(|member| member.state == telling)
        .filter_map(|member| Some((member.weight, member.loss?.ratio())));
    PathSummary {
        state,
        up,
        down,
        unknown: count(SessionState::Init),
        lowest_delay: delays().map(|(_, delay)| delay).min(),
        highest_delay: delays().map(|(_, delay)| delay).max(),
        weighted_delay: weighted_delay(delays()),
        weighted_loss: weighted_ratio(losses),
    }
}

/// Rounded to the nearest nanosecond.
fn weighted_delay(delays: impl Iterator<Item = (u32, TimeDelta)>) -> Option<TimeDelta> {
    let (mut weights, mut sum) = (0_i128, 0_i128);
    for (weight, delay) in delays {
        let weight = i128::from(weight);
        weights = weights.saturating_add(weight);
        sum = sum.saturating_add(weight.saturating_mul(delay.ns().into()));
    }
    let half = weights.checked_div(2)?;
    let mean = sum.saturating_add(half).checked_div_euclid(weights)?;
    i64::try_from(mean).ok().map(TimeDelta::from_ns)
}

fn weighted_ratio(ratios: impl Iterator<Item = (u32, f64)>) -> Option<f64> {
    let add = |(weights, sum): (f64, f64), (weight, ratio): (u32, f64)| {
        (weights + f64::from(weight), sum + f64::from(weight) * ratio)
    };
    let (weights, sum) = ratios.fold((0.0, 0.0), add);
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(weight: u32, ms: i64, lost: u64) -> Member {
        Member {
            weight,
            state: SessionState::Up,
            delay: Some(TimeDelta::from_ns(ms * 1_000_000)),
            loss: LossShare::new(lost, 100),
        }
    }

    fn ms(ms: i64) -> Option<TimeDelta> {
        Some(TimeDelta::from_ns(ms * 1_000_000))
    }

    #[test]
    fn lists_of_weight_3_and_1_with_8_and_12_ms_have_12_at_most_and_9_on_average() {
        let summary = summarize(&[member(3, 8, 0), member(1, 12, 4)]);
        assert_eq!((summary.state, summary.up), (PathState::Up, 2));
        assert_eq!(summary.highest_delay, ms(12));
        assert_eq!(summary.weighted_delay, ms(9));
        assert_eq!(summary.weighted_loss, Some(0.01));
        assert_eq!((summary.lowest_delay, summary.spread()), (ms(8), ms(4)));
    }

    #[test]
    fn one_list_that_is_up_keeps_the_path_up() {
        let down = Member { state: SessionState::Down, ..member(3, 8, 100) };
        let summary = summarize(&[down, member(1, 12, 4)]);
        assert_eq!(summary.state, PathState::Degraded);
        assert!(summary.state.is_up());
        // What is down carries nothing.
        assert_eq!((summary.highest_delay, summary.weighted_delay), (ms(12), ms(12)));
        assert_eq!(summary.weighted_loss, Some(0.04));
    }

    #[test]
    fn with_every_list_down_the_path_is_down_and_has_no_delay() {
        let down = Member { state: SessionState::Down, ..member(3, 8, 100) };
        let summary = summarize(&[down, Member { weight: 1, ..down }]);
        assert_eq!((summary.state, summary.down), (PathState::Down, 2));
        assert!(!summary.state.is_up());
        assert_eq!((summary.weighted_delay, summary.spread()), (None, None));
        assert_eq!(summary.weighted_loss, Some(1.0));
    }

    #[test]
    fn members_of_which_nothing_is_known_are_left_out() {
        let new = Member { state: SessionState::Init, delay: None, loss: None, ..member(9, 0, 0) };
        let withheld = Member { delay: None, ..member(5, 0, 20) };
        let summary = summarize(&[new, withheld, member(1, 12, 2)]);
        assert_eq!((summary.state, summary.unknown), (PathState::Up, 1));
        assert_eq!(summary.weighted_delay, ms(12));
        assert_eq!(summary.weighted_loss, Some(0.17));
        assert_eq!(summarize(&[new]), PathSummary { unknown: 1, ..PathSummary::default() });
        assert_eq!(summarize(&[]).state, PathState::Init);
    }

    #[test]
    fn a_list_of_weight_zero_is_invalid() {
        let summary = summarize(&[member(0, 1, 100), member(2, 12, 0)]);
        assert_eq!((summary.up, summary.lowest_delay), (1, ms(12)));
    }

    #[test]
    fn a_share_of_nothing_is_unknown() {
        assert_eq!(LossShare::new(0, 0), None);
        assert_eq!(LossShare::new(2, 1), None);
        assert_eq!(LossShare::new(1, 4).map(LossShare::ratio), Some(0.25));
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_the_smallest_and_the_largest(
            members in prop::collection::vec((0_u32..=u32::MAX, -1_000_i64..=1_000_000), 1..20),
        ) {
            let members: Vec<Member> = members
                .into_iter()
                .map(|(weight, ns)| Member {
                    delay: Some(TimeDelta::from_ns(ns)),
                    ..member(weight, 0, 1)
                })
                .collect();
            let summary = summarize(&members);
            let known = members.iter().any(|member| member.weight > 0);
            prop_assert_eq!(summary.weighted_delay.is_some(), known);
            if let Some(mean) = summary.weighted_delay {
                prop_assert!(summary.lowest_delay.unwrap() <= mean);
                prop_assert!(mean <= summary.highest_delay.unwrap());
            }
        }
    }
}
