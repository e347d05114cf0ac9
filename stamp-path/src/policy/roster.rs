//! Which list goes by which name, from one survey to the next.
//!
//! A list is called after its policy, its candidate path and a number: `gold/direct/0`. One that imposes
//! the same and sets out alike keeps its number, whatever its place; one that imposes something else has a number that none
//! of its candidate has. A list that carries traffic stays when another has come in its place, until
//! traffic has moved.

use std::collections::{BTreeMap, BTreeSet};

use super::{CandidatePath, Policies, Policy, Resolution, Surveyed, SurveyedList};
use crate::encoding::Forwarding;
use crate::topology::Topology;

/// Lists of all candidate paths by their names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Roster {
    candidates: BTreeMap<(String, String), Vec<Entry>>,
}

/// A list and what it is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Unique among all lists.
    pub name: String,
    /// The list.
    pub list: SurveyedList,
    /// Another has come in its place.
    pub is_replaced: bool,
    number: u32,
}

impl Roster {
    /// The lists of a candidate path, those that are replaced behind the others.
    #[must_use]
    pub fn of(&self, policy: &Policy, candidate: &CandidatePath) -> &[Entry] {
        let key = (policy.name.clone(), candidate.name.clone());
        self.candidates.get(&key).map_or(&[], Vec::as_slice)
    }

    /// All lists.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.candidates.values().flatten()
    }

    /// Names for what was surveyed; `carrying` are those of lists that carry traffic.
    #[must_use]
    pub fn next(
        &self,
        topology: &Topology,
        policies: &Policies,
        surveyed: &[Vec<Surveyed>],
        carrying: &BTreeSet<String>,
    ) -> Self {
        let topology = topology.undrained();
        let forwarding = Forwarding::new(&topology);
        let mut candidates = BTreeMap::new();
        for (policy, surveyed) in policies.policies.iter().zip(surveyed) {
            for (candidate, surveyed) in policy.candidates.iter().zip(surveyed) {
                let key = (policy.name.clone(), candidate.name.clone());
                let known = self.candidates.get(&key).map_or(&[][..], Vec::as_slice);
                let mut entries = named(&key, known, &surveyed.lists);
                // A candidate path that is invalid carries nothing more.
                let is_valid = surveyed.flaw.is_none();
                let gone = known.iter().filter(|it| is_valid && carrying.contains(&it.name));
                let gone = gone.filter(|it| !entries.iter().any(|entry| entry.name == it.name));
                let kept: Vec<Entry> =
                    gone.filter_map(|it| it.kept((policies, policy), &forwarding)).collect();
                entries.extend(kept);
                candidates.insert(key, entries);
            }
        }
        Self { candidates }
    }
}

impl Entry {
    /// It goes on though it is replaced, if it still means the same and its class lets it.
    fn kept(
        &self,
        (policies, policy): (&Policies, &Policy),
        forwarding: &Forwarding<'_>,
    ) -> Option<Self> {
        let topology = forwarding.topology();
        let resolution = policy.resolve(topology, &self.list.list).ok()?;
        if !is_same(&resolution, &self.list.resolution) {
            return None;
        }
        let touched = policy.touched(forwarding, &resolution);
        let avoid = policies.class_of(policy).avoid;
        let trespasses = match &touched {
            Some(touched) => avoid.trespass(topology, touched).is_some(),
            None => !avoid.is_empty(),
        };
        let list = SurveyedList { list: self.list.list.clone(), resolution, touched };
        (!trespasses).then(|| Self { list, is_replaced: true, ..self.clone() })
    }
}

/// Packets with either are the same, and leave the same way: to a neighbour no label says which it is.
fn is_same(one: &Resolution, other: &Resolution) -> bool {
    (&one.imposed, one.start) == (&other.imposed, other.start)
}

fn named(key: &(String, String), known: &[Entry], lists: &[SurveyedList]) -> Vec<Entry> {
    let mut free: Vec<&Entry> = known.iter().collect();
    let same: Vec<Option<u32>> = lists
        .iter()
        .map(|list| {
            let is_it = |entry: &&Entry| is_same(&entry.list.resolution, &list.resolution);
            let place = free.iter().position(is_it)?;
            Some(free.swap_remove(place).number)
        })
        .collect();
    let mut taken: BTreeSet<u32> = known.iter().map(|entry| entry.number).collect();
    let each = lists.iter().zip(same);
    each.map(|(list, same)| {
        let number = same.unwrap_or_else(|| {
            let lowest = (0..).find(|number| !taken.contains(number)).unwrap_or(u32::MAX);
            taken.insert(lowest);
            lowest
        });
        let name = format!("{}/{}/{number}", key.0, key.1);
        Entry { name, list: list.clone(), is_replaced: false, number }
    })
    .collect()
}
