//! Decides for one policy, and remembers what damping needs.

mod gate;
mod wish;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use gate::Gate;
use wish::{Field, Wish, best_of};

use super::measured::{judge, value};
use super::{
    Assessment, Candidate, Change, ChangeReason, Decision, Eligibility, Held, List, ListState,
    Share, Standing, Unknown, Verdict,
};
use crate::class::{Class, Value};
use crate::policy::CandidateId;

/// Chooses the candidate path of one policy; without a clock.
///
/// Call [`decide`](Self::decide) whenever a session tells something new, and when
/// [`Decision::next`] has come.
#[derive(Clone, Debug)]
pub struct Selector {
    class: Class,
    /// Of equal preference and origin the one in use stays.
    keeps_installed: bool,
    lists: BTreeMap<String, Memory>,
    active: Option<CandidateId>,
    since: Option<Duration>,
    shares: Vec<Share>,
    /// Nothing was known of the path in use when it was taken, nor is by now.
    is_provisional: bool,
    gate: Gate,
}

/// What is remembered of a list.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// Since when it has been good without interruption.
    good_since: Option<Duration>,
    /// Since when nobody has been able to tell.
    unknown_since: Option<Duration>,
    /// It violated a requirement, and has not been better by the margin since.
    has_violated: bool,
}

impl Selector {
    /// Nothing is in use yet.
    #[must_use]
    pub fn new(class: Class, keeps_installed: bool) -> Self {
        Self {
            class,
            keeps_installed,
            lists: BTreeMap::new(),
            active: None,
            since: None,
            shares: Vec::new(),
            is_provisional: false,
            gate: Gate::default(),
        }
    }

    /// Goes on by other rules; what is in use and what was remembered stays.
    pub fn set_rules(&mut self, class: Class, keeps_installed: bool) {
        self.class = class;
        self.keeps_installed = keeps_installed;
    }

    /// Who is to carry traffic, by all that is known at `now`.
    pub fn decide(&mut self, now: Duration, candidates: &[Candidate]) -> Decision {
        let assessed: Vec<Assessment> =
            candidates.iter().map(|candidate| self.assess(now, candidate)).collect();
        self.forget(candidates);
        let wishes = self.wishes(Field { now, candidates, assessed: &assessed });
        let (mut held, mut change) = (None, None);
        for wish in &wishes {
            match self.gate.hold(now, wish, &self.class.damping) {
                None => {
                    change = Some(self.apply(now, wish, &assessed));
                    break;
                }
                Some((by, until)) => {
                    let to = wish.to.as_ref().map(|to| to.id);
                    held = held.or(to.map(|to| Held { reason: wish.reason, to, by, until }));
                }
            }
        }
        let standing = self.standing(&assessed);
        self.is_provisional &= standing == Standing::Provisional;
        let next = self.next(now, candidates);
        let (active, since, shares) = (self.active, self.since, self.shares.clone());
        Decision {
            at: now,
            active,
            since,
            shares,
            standing,
            candidates: assessed,
            change,
            held,
            next,
        }
    }

    /// The candidate path in use.
    #[must_use]
    pub const fn active(&self) -> Option<CandidateId> {
        self.active
    }

    /// Judges a candidate path by its lists.
    fn assess(&mut self, now: Duration, candidate: &Candidate) -> Assessment {
        let verdicts = candidate.lists.iter().map(|list| self.verdict(now, list));
        let lists: Vec<Verdict> = verdicts.collect();
        let measured = best_of(&lists);
        let value = self.value(candidate, &lists, &measured);
        let hold = self.class.damping.hold;
        let settled = self.settles(candidate, &lists).is_some_and(|since| since + hold <= now);
        let Candidate { id, preference, ref admission, .. } = *candidate;
        let eligibility = match (&admission.forbidden, &admission.drained) {
            (Some(forbidden), _) => Eligibility::Forbidden(forbidden.clone()),
            (None, Some(drained)) if measured == Eligibility::Eligible => {
                Eligibility::Drained(drained.clone())
            }
            _ => measured,
        };
        Assessment { id, preference, eligibility, value, settled, lists }
    }

    fn verdict(&mut self, now: Duration, list: &List) -> Verdict {
        let memory = self.lists.entry(list.name.clone()).or_default();
        let verdict = judge(&self.class, list.measured.as_ref(), now, memory.has_violated);
        match verdict {
            Verdict::Good => {
                let good_since = memory.good_since.or(Some(now));
                *memory = Memory { good_since, ..Memory::default() };
            }
            Verdict::Violates(_) => *memory = Memory { has_violated: true, ..Memory::default() },
            Verdict::Unknown(_) => {
                memory.good_since = None;
                memory.unknown_since = memory.unknown_since.or(Some(now));
            }
            Verdict::Down => (memory.good_since, memory.unknown_since) = (None, None),
        }
        verdict
    }

    /// Since when the first of its good lists has been good.
    fn settles(&self, candidate: &Candidate, lists: &[Verdict]) -> Option<Duration> {
        let good = candidate.lists.iter().zip(lists).filter(|(_, it)| **it == Verdict::Good);
        good.filter_map(|(list, _)| self.good_since(&list.name)).min()
    }

    fn good_since(&self, list: &str) -> Option<Duration> {
        self.lists.get(list).and_then(|memory| memory.good_since)
    }

    fn unknown_since(&self, list: &str) -> Option<Duration> {
        self.lists.get(list).and_then(|memory| memory.unknown_since)
    }

    /// Mean by weight of what is compared, over the lists that would carry, or do; none where one of
    /// them does not know it.
    fn value(
        &self,
        candidate: &Candidate,
        lists: &[Verdict],
        measured: &Eligibility,
    ) -> Option<Value> {
        let compared = self.class.compared()?;
        let best = || {
            let both = candidate.lists.iter().zip(lists);
            both.filter(|(_, verdict)| tier(verdict) == measured.tier()).map(|(list, _)| list)
        };
        let carries = |list: &List| self.shares.iter().any(|share| share.list == list.name);
        let is_active = self.active == Some(candidate.id) && best().any(carries);
        let (mut sum, mut weights, mut first) = (0_i128, 0_i128, None);
        for list in best() {
            if !is_active || carries(list) {
                let known = value(list.measured.as_ref()?, compared).ok()?;
                let weight = i128::from(list.weight);
                sum += weight * i128::from(known.number());
                weights += weight;
                first = first.or(Some(known));
            }
        }
        let mean = sum.checked_div(weights)?;
        first.map(|first| first.with_number(i64::try_from(mean).unwrap_or(i64::MAX)))
    }

    /// What is no longer there is remembered no longer.
    fn forget(&mut self, candidates: &[Candidate]) {
        let lists = candidates.iter().flat_map(|candidate| &candidate.lists);
        let names: BTreeSet<&String> = lists.map(|list| &list.name).collect();
        self.lists.retain(|name, _| names.contains(name));
    }

    fn apply(&mut self, now: Duration, wish: &Wish, assessed: &[Assessment]) -> Change {
        let of = |id: Option<CandidateId>| assessed.iter().find(|it| Some(it.id) == id);
        let (from, to) = (self.active, wish.to.as_ref().map(|to| to.id));
        let before = of(from).and_then(|it| it.value);
        let after = of(to).and_then(|it| it.value);
        if from != to {
            self.since = to.map(|_| now);
            let is_unknown = |it: &Assessment| matches!(it.eligibility, Eligibility::Unknown(_));
            self.is_provisional = of(to).is_some_and(is_unknown);
        }
        self.active = to;
        self.shares = wish.to.as_ref().map(|to| to.shares.clone()).unwrap_or_default();
        self.gate.count(now);
        Change { reason: wish.reason, from, to, before, after }
    }

    fn standing(&self, assessed: &[Assessment]) -> Standing {
        let Some(active) = assessed.iter().find(|it| Some(it.id) == self.active) else {
            let waits = assessed.iter().any(|it| it.eligibility.is_usable());
            return if waits { Standing::Waiting } else { Standing::Unavailable };
        };
        match active.eligibility {
            Eligibility::Eligible | Eligibility::Drained(_) => Standing::Good,
            Eligibility::Violates(_) => Standing::Degraded,
            _ if self.is_provisional => Standing::Provisional,
            _ => Standing::Frozen,
        }
    }

    /// When a value becomes stale, a list settles, doubt has lasted or what is held is not held any more.
    fn next(&self, now: Duration, candidates: &[Candidate]) -> Option<Duration> {
        let lists = || candidates.iter().flat_map(|candidate| &candidate.lists);
        let stale = lists().filter_map(|list| {
            let up = list.measured.as_ref().filter(|it| it.state == ListState::Up)?;
            Some(up.at + self.class.trust.age + Duration::from_nanos(1))
        });
        let hold = self.class.damping.hold;
        let settled = lists().flat_map(|list| {
            let since = [self.good_since(&list.name), self.unknown_since(&list.name)];
            since.into_iter().flatten().map(|since| since + hold)
        });
        let opens = self.gate.opens(&self.class.damping);
        stale.chain(settled).chain(opens).filter(|at| *at > now).min()
    }
}

/// Tier of a candidate path all of whose lists are like this one.
const fn tier(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Good => Eligibility::Eligible.tier(),
        Verdict::Violates(violation) => Eligibility::Violates(*violation).tier(),
        Verdict::Unknown(unknown) => Eligibility::Unknown(*unknown).tier(),
        Verdict::Down => Eligibility::Down.tier(),
    }
}
