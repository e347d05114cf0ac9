//! What would be done if nothing had to wait.

use core::time::Duration;

use super::{
    Assessment, Candidate, ChangeReason, Eligibility, List, Selector, Share, Unknown, Verdict, tier,
};
use crate::policy::CandidateId;

/// A change that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) reason: ChangeReason,
    /// None where no candidate path can be used.
    pub(super) to: Option<Target>,
    /// Of a calm change to a path that has not been good for the hold time: since when it has been.
    pub(super) unsettled_since: Option<Duration>,
}

/// Who is to carry traffic.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) id: CandidateId,
    pub(super) shares: Vec<Share>,
}

/// All candidate paths at one moment, with what is known of them.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub(super) now: Duration,
    pub(super) candidates: &'f [Candidate],
    pub(super) assessed: &'f [Assessment],
}

/// What its lists make of a candidate path: the best of them count.
pub(super) fn best_of(lists: &[Verdict]) -> Eligibility {
    let best = lists.iter().map(tier).max();
    match lists.iter().find(|verdict| Some(tier(verdict)) == best) {
        Some(Verdict::Good) => Eligibility::Eligible,
        Some(Verdict::Violates(violation)) => Eligibility::Violates(*violation),
        Some(Verdict::Unknown(unknown)) => Eligibility::Unknown(*unknown),
        Some(Verdict::Down) => Eligibility::Down,
        None => Eligibility::Unknown(Unknown::Unmeasured),
    }
}

impl<'f> Field<'f> {
    fn candidate(&self, id: CandidateId) -> Option<(&'f Candidate, &'f Assessment)> {
        self.candidates.iter().zip(self.assessed).find(|(candidate, _)| candidate.id == id)
    }
}

impl Selector {
    /// What is wanted, the more urgent first.
    pub(super) fn wishes(&self, field: Field<'_>) -> Vec<Wish> {
        let Some(active) = self.active else { return self.first(field).into_iter().collect() };
        let Some((candidate, incumbent)) = field.candidate(active) else {
            return vec![self.instead(field, ChangeReason::Forbidden)];
        };
        match incumbent.eligibility {
            Eligibility::Forbidden(_) => return vec![self.instead(field, ChangeReason::Forbidden)],
            Eligibility::Down => return vec![self.instead(field, ChangeReason::Down)],
            _ => {}
        }
        let rebalanced = self.rebalance(field, candidate, incumbent);
        let moved = self.elsewhere(field, incumbent, candidate.admission.drained.is_some());
        match rebalanced {
            Some(wish) if wish.reason.is_forced() => [Some(wish), moved],
            rebalanced => [moved, rebalanced],
        }
        .into_iter()
        .flatten()
        .collect()
    }

    /// Nothing is in use: the best that works, but nothing unknown for traffic that needs something.
    fn first(&self, field: Field<'_>) -> Option<Wish> {
        let usable = field.assessed.iter().filter(|it| it.eligibility.is_usable());
        let best = best(usable)?;
        let is_unknown = matches!(best.eligibility, Eligibility::Unknown(_));
        if is_unknown && !self.class.require.is_empty() {
            return None;
        }
        Some(self.to(field, best, ChangeReason::First))
    }

    /// What is in use cannot be: the best of what remains, or nothing.
    fn instead(&self, field: Field<'_>, reason: ChangeReason) -> Wish {
        let usable = field.assessed.iter().filter(|it| it.eligibility.is_usable());
        let nothing = || Wish { reason, to: None, unsettled_since: None };
        best(usable).map_or_else(nothing, |best| self.to(field, best, reason))
    }

    /// Another candidate path than the one in use. What is drained is left for one that is not, however
    /// good or bad it is.
    fn elsewhere(
        &self,
        field: Field<'_>,
        incumbent: &Assessment,
        is_drained: bool,
    ) -> Option<Wish> {
        let others = || field.assessed.iter().filter(|other| other.id != incumbent.id);
        let good = || others().filter(|other| other.eligibility.is_good());
        let eligible = || others().filter(|it| it.eligibility == Eligibility::Eligible);
        let off_the_drained = best(eligible().filter(|_| is_drained));
        if let Some(best) = off_the_drained {
            return Some(self.to(field, best, ChangeReason::Drained));
        }
        match incumbent.eligibility {
            // Nothing that stays is better.
            Eligibility::Drained(_) => None,
            Eligibility::Violates(_) => {
                best(good()).map(|best| self.to(field, best, ChangeReason::Violation))
            }
            Eligibility::Unknown(_) => {
                let good = good().map(|other| (other, ChangeReason::Unknown)).collect();
                Some(self.beyond_doubt(field, incumbent, self.calmly(field, good)?))
            }
            _ => {
                let better = |other| Some((other, self.better(other, incumbent)?));
                self.calmly(field, eligible().filter_map(better).collect())
            }
        }
    }

    /// Why one of two good candidate paths is taken instead of the one in use.
    fn better(&self, other: &Assessment, incumbent: &Assessment) -> Option<ChangeReason> {
        if other.preference != incumbent.preference {
            let is_higher = other.preference > incumbent.preference;
            return is_higher.then_some(ChangeReason::Preference);
        }
        if self.class.compared().is_none() {
            let is_first = other.worth(false) > incumbent.worth(self.keeps_installed);
            return is_first.then_some(ChangeReason::Order);
        }
        let is_better = match (other.value, incumbent.value) {
            (Some(other), Some(incumbent)) => other < incumbent.less(self.class.damping.margin),
            (Some(_), None) => true,
            (None, _) => false,
        };
        is_better.then_some(ChangeReason::Better)
    }

    /// The best that has been good for the hold time; where there is none, the best that is to be
    /// waited for.
    fn calmly(&self, field: Field<'_>, better: Vec<(&Assessment, ChangeReason)>) -> Option<Wish> {
        let find = |is_settled: bool| {
            let those = better.iter().filter(|(it, _)| it.settled == is_settled);
            those.max_by_key(|(it, _)| rank(it))
        };
        let (best, reason) = find(true).or_else(|| find(false))?;
        let mut wish = self.to(field, best, *reason);
        if !best.settled {
            wish.unsettled_since = field
                .candidate(best.id)
                .and_then(|(candidate, assessed)| self.settles(candidate, &assessed.lists));
        }
        Some(wish)
    }

    /// Doubt about all paths, as about a clock that they share, shows in the window of one before it does
    /// in that of another. So what takes the place of a path of which nothing is known any more has
    /// been measured since then, and has been good for the hold time since.
    fn beyond_doubt(&self, field: Field<'_>, incumbent: &Assessment, wish: Wish) -> Wish {
        let target = wish.to.as_ref().and_then(|target| field.candidate(target.id));
        let (Some((former, _)), Some((target, assessed))) = (field.candidate(incumbent.id), target)
        else {
            return wish;
        };
        let unknown_since = former.lists.iter().filter_map(|it| self.unknown_since(&it.name));
        let Some(unknown_since) = unknown_since.max() else { return wish };
        let mut good =
            target.lists.iter().zip(&assessed.lists).filter(|(_, it)| **it == Verdict::Good);
        let is_later = good.all(|(list, _)| {
            list.measured.as_ref().is_some_and(|measured| measured.at > unknown_since)
        });
        let waits_since = if is_later { unknown_since } else { field.now };
        if is_later && unknown_since + self.class.damping.hold <= field.now {
            return wish;
        }
        Wish { unsettled_since: wish.unsettled_since.max(Some(waits_since)), ..wish }
    }

    /// Other lists of the candidate path in use.
    fn rebalance(
        &self,
        field: Field<'_>,
        candidate: &Candidate,
        incumbent: &Assessment,
    ) -> Option<Wish> {
        let lists = || candidate.lists.iter().zip(&incumbent.lists);
        let carries = |list: &List| self.shares.iter().any(|share| share.list == list.name);
        let alive = shares(lists().filter(|(list, it)| carries(list) && **it != Verdict::Down));
        let is_lost = alive.len() < self.shares.len();
        let hold = self.class.damping.hold;
        let is_settled = |list: &List| {
            self.good_since(&list.name).is_some_and(|since| since + hold <= field.now)
        };
        let good = || lists().filter(|(_, verdict)| **verdict == Verdict::Good);
        let mut wanted = if is_lost && !alive.is_empty() {
            alive
        } else if incumbent.eligibility.is_good() {
            // What was known a moment ago may be known again in the next window.
            let is_in_fresh_doubt = |list: &List| {
                self.unknown_since(&list.name).is_some_and(|since| since + hold > field.now)
            };
            shares(lists().filter(|(list, verdict)| match verdict {
                Verdict::Good => carries(list) || is_settled(list),
                Verdict::Unknown(_) => carries(list) && is_in_fresh_doubt(list),
                Verdict::Violates(_) | Verdict::Down => false,
            }))
        } else if is_lost {
            shares(lists().filter(|(_, verdict)| **verdict != Verdict::Down))
        } else {
            return None;
        };
        if wanted.is_empty() {
            wanted = shares(good());
        }
        let is_replaced = |share: &Share| {
            candidate.lists.iter().any(|list| list.is_replaced && list.name == share.list)
        };
        // What came in its place carries: it is no longer needed.
        if wanted.iter().any(|share| !is_replaced(share)) {
            wanted.retain(|share| !is_replaced(share));
        }
        let reason = if is_lost { ChangeReason::Down } else { ChangeReason::Rebalanced };
        let to = Some(Target { id: candidate.id, shares: wanted });
        let is_other = to.as_ref().is_some_and(|to| to.shares != self.shares);
        is_other.then_some(Wish { reason, to, unsettled_since: None })
    }

    fn to(&self, field: Field<'_>, to: &Assessment, reason: ChangeReason) -> Wish {
        let target = field.candidate(to.id).map(|(candidate, assessed)| {
            let best = assessed.lists.iter().map(tier).max();
            let lists = candidate.lists.iter().zip(&assessed.lists);
            let best = lists.filter(|(_, verdict)| Some(tier(verdict)) == best);
            let current = best.clone().any(|(list, _)| !list.is_replaced);
            let shares = shares(best.filter(|(list, _)| !(current && list.is_replaced)));
            Target { id: to.id, shares }
        });
        Wish { reason, to: target, unsettled_since: None }
    }
}

fn shares<'l>(lists: impl Iterator<Item = (&'l List, &'l Verdict)>) -> Vec<Share> {
    lists.map(|(list, _)| Share { list: list.name.clone(), weight: list.weight }).collect()
}

/// Of those that could be used the best, those that have been good for longer first.
fn best<'a>(those: impl Iterator<Item = &'a Assessment>) -> Option<&'a Assessment> {
    those.max_by_key(|it| (it.eligibility.tier(), it.settled, rank(it)))
}

fn rank(assessment: &Assessment) -> impl Ord + use<> {
    (assessment.preference, assessment.worth(false))
}
