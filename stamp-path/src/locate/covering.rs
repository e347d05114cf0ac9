//! Which probes tell every link from every other, with few of them.

mod candidates;

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::{Forwarding, Route, Segment};
use crate::topology::{LinkId, LinkKind, NodeId};

/// A loop that a probe takes: sent by a node, forwarded back to it by the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The node that sends it, and takes it back.
    pub from: NodeId,
    /// The farthest node that it passes.
    pub far: NodeId,
    /// What leads it there and back, and with it the labels or SIDs.
    pub list: ProbeList,
    /// How many flows it takes, with entropy of their own, so that each of the equal links it may pass is
    /// passed by some: one where there is nothing to choose.
    pub flows: u16,
    /// The ways that a flow can take.
    pub routes: Vec<Route>,
}

/// What is put on a probe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProbeList {
    /// Labels. The last leads home.
    Labels(Vec<Segment>),
    /// SIDs. The sender's own address comes behind them.
    Sids(Vec<Segment>),
}

impl ProbeList {
    /// What leads the probe.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        match self {
            Self::Labels(segments) | Self::Sids(segments) => segments,
        }
    }
}

/// Probes that tell links apart, and what they cannot tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cover {
    /// The probes, the most telling first.
    pub probes: Vec<Probe>,
    /// Links that none of them passes.
    pub unreached: Vec<LinkId>,
    /// Sets of links that all of them pass alike.
    pub alike: Vec<Vec<LinkId>>,
}

/// Chooses probes from these nodes that together pass every link, and no two links alike, as far as lists
/// can be found for that: with labels, or with SIDs.
///
/// The loops to choose from lead to one end of each link by the shortest way, over it, and home from the
/// other by the shortest way, each kept to one way by its list. Where no list does that, flows
/// over all equal ways have to do. Of all loops the one is taken each time that tells most
/// pairs of links apart which were not told apart before (a greedy test cover); in the end those are dropped
/// without which as many are.
#[must_use]
pub fn covering(forwarding: &Forwarding<'_>, from: &[NodeId], sids: bool) -> Cover {
    let topology = forwarding.topology();
    let candidates: Vec<Probe> =
        from.iter().flat_map(|node| candidates::loops(forwarding, *node, sids)).collect();
    let prints: Vec<BTreeMap<LinkId, u32>> =
        candidates.iter().map(|one| print(&one.routes)).collect();
    let links: Vec<LinkId> =
        topology.link_ids().filter(|link| topology[*link].kind == LinkKind::Physical).collect();
    let mut chosen = greedy(&links, &candidates, &prints);
    drop_needless(&links, &prints, &mut chosen);
    let classes = classes(&links, &prints, &chosen);
    let is_reached = |link: &LinkId| chosen.iter().any(|place| prints[*place].contains_key(link));
    let unreached: Vec<LinkId> = links.iter().copied().filter(|link| !is_reached(link)).collect();
    let alike = classes.into_values().filter(|set| set.len() > 1 && set.iter().all(is_reached));
    Cover {
        alike: alike.collect(),
        unreached,
        probes: chosen.into_iter().map(|place| candidates[place].clone()).collect(),
    }
}

/// Each link that a probe may pass: how often, in 1024ths.
fn print(routes: &[Route]) -> BTreeMap<LinkId, u32> {
    let mut print: BTreeMap<LinkId, f64> = BTreeMap::new();
    for route in routes {
        let links: BTreeSet<LinkId> = route.hops.iter().map(|hop| hop.link).collect();
        for link in links {
            *print.entry(link).or_default() += route.chance;
        }
    }
    let parts = |share: f64| (share * 1024.0).round() as u32;
    print.into_iter().map(|(link, share)| (link, parts(share))).collect()
}

/// Links by what the chosen probes show of them.
fn classes(
    links: &[LinkId],
    prints: &[BTreeMap<LinkId, u32>],
    chosen: &[usize],
) -> BTreeMap<Vec<u32>, Vec<LinkId>> {
    let mut classes: BTreeMap<Vec<u32>, Vec<LinkId>> = BTreeMap::new();
    for link in links {
        let key = chosen.iter().map(|place| prints[*place].get(link).copied().unwrap_or(0));
        classes.entry(key.collect()).or_default().push(*link);
    }
    classes
}

/// Places of the candidates that are taken, in the order of taking.
fn greedy(links: &[LinkId], candidates: &[Probe], prints: &[BTreeMap<LinkId, u32>]) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut sets: Vec<Vec<LinkId>> = vec![links.to_vec()];
    // Links that are alike and not passed at all.
    let mut unreached: BTreeSet<LinkId> = links.iter().copied().collect();
    loop {
        let gain = |place: usize| {
            let print = &prints[place];
            let told = sets.iter().map(|set| told_apart(set, print)).sum::<usize>();
            told + unreached.iter().filter(|link| print.contains_key(link)).count()
        };
        let cost = |place: usize| {
            let probe = &candidates[place];
            (probe.flows, probe.list.segments().len(), probe.routes.len())
        };
        let best = (0..candidates.len())
            .map(|place| (gain(place), place))
            .filter(|(gain, _)| *gain > 0)
            .max_by(|(gain, place), (other_gain, other)| {
                // Of probes that tell as much the cheaper, and of those the first.
                gain.cmp(other_gain).then(cost(*other).cmp(&cost(*place))).then(other.cmp(place))
            });
        let Some((_, best)) = best else { return chosen };
        chosen.push(best);
        unreached.retain(|link| !prints[best].contains_key(link));
        sets = sets.iter().flat_map(|set| split(set, &prints[best])).collect();
    }
}

/// Pairs of a set that a probe tells apart.
fn told_apart(set: &[LinkId], print: &BTreeMap<LinkId, u32>) -> usize {
    let pairs = |count: usize| count * count.saturating_sub(1) / 2;
    pairs(set.len()) - split(set, print).iter().map(|part| pairs(part.len())).sum::<usize>()
}

fn split(set: &[LinkId], print: &BTreeMap<LinkId, u32>) -> Vec<Vec<LinkId>> {
    let mut parts: BTreeMap<u32, Vec<LinkId>> = BTreeMap::new();
    for link in set {
        parts.entry(print.get(link).copied().unwrap_or(0)).or_default().push(*link);
    }
    parts.into_values().collect()
}

/// Leaves out each probe without which as much is told.
fn drop_needless(links: &[LinkId], prints: &[BTreeMap<LinkId, u32>], chosen: &mut Vec<usize>) {
    let told = |chosen: &[usize]| {
        let reached: BTreeSet<LinkId> =
            chosen.iter().flat_map(|place| prints[*place].keys().copied()).collect();
        (classes(links, prints, chosen).len(), reached.len())
    };
    let whole = told(chosen);
    let mut place = 0;
    while place < chosen.len() {
        let mut fewer = chosen.clone();
        fewer.remove(place);
        if told(&fewer) == whole {
            *chosen = fewer;
        } else {
            place += 1;
        }
    }
}
