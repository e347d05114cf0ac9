//! Where packets are meant to go.

use std::collections::{BTreeMap, BTreeSet};

use super::forwarding::{Forwarding, Goal};
use super::walk::Bounds;
use crate::path::{Hop, Path};
use crate::topology::{NodeId, Topology};

/// Where packets are meant to go and nowhere else: one path, or all that a set of links allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Intent {
    /// By place: the node. A path that passes a node twice has a place for each time.
    places: Vec<NodeId>,
    /// By place: what may be passed from it, and to which place.
    onward: Vec<Vec<(Hop, usize)>>,
    /// Places at which packets may end.
    ends: BTreeSet<usize>,
    /// A peer in another autonomous system that they are handed to there, by its place in the topology.
    peer: Option<usize>,
}

impl Intent {
    /// The first place.
    pub(super) const START: usize = 0;

    /// One path, hop by hop.
    #[must_use]
    pub fn path(topology: &Topology, path: &Path) -> Self {
        let places: Vec<NodeId> = path.nodes(topology).collect();
        let hops = path.hops().iter().enumerate();
        let mut onward: Vec<Vec<(Hop, usize)>> =
            hops.map(|(place, hop)| vec![(*hop, place + 1)]).collect();
        onward.push(Vec::new());
        Self { ends: BTreeSet::from([places.len() - 1]), places, onward, peer: None }
    }

    /// Any way from `start` to one of `ends` over these links: equally good paths, and what lies
    /// between them.
    #[must_use]
    pub fn within(
        topology: &Topology,
        start: NodeId,
        hops: impl IntoIterator<Item = Hop>,
        ends: &[NodeId],
    ) -> Self {
        let mut intent = Self {
            places: vec![start],
            onward: vec![Vec::new()],
            ends: BTreeSet::new(),
            peer: None,
        };
        let mut known = BTreeMap::from([(start, Self::START)]);
        let hops: BTreeSet<Hop> = hops.into_iter().collect();
        for hop in hops {
            let [from, to] = [hop.from(topology), hop.to(topology)]
                .map(|node| *known.entry(node).or_insert_with(|| intent.add(node)));
            intent.onward[from].push((hop, to));
        }
        for end in ends {
            let place = *known.entry(*end).or_insert_with(|| intent.add(*end));
            intent.ends.insert(place);
        }
        intent
    }

    /// Every way that packets take from `start` to `end` by themselves.
    #[must_use]
    pub fn shortest(forwarding: &Forwarding<'_>, start: NodeId, end: NodeId) -> Self {
        let mut open = vec![start];
        let mut hops = BTreeSet::new();
        while let Some(node) = open.pop() {
            for hop in forwarding.next_hops(node, Goal::Node(end)) {
                if hops.insert(hop) {
                    open.push(hop.to(forwarding.topology));
                }
            }
        }
        Self::within(forwarding.topology, start, hops, &[end])
    }

    /// The same, and from its end to a peer in another autonomous system, by its place in the
    /// topology.
    #[must_use]
    pub const fn to_peer(mut self, peer: usize) -> Self {
        self.peer = Some(peer);
        self
    }

    fn add(&mut self, node: NodeId) -> usize {
        self.places.push(node);
        self.onward.push(Vec::new());
        self.places.len() - 1
    }

    /// Where it begins.
    #[must_use]
    pub fn start(&self) -> NodeId {
        self.places[Self::START]
    }

    /// Every link that may be passed.
    pub fn hops(&self) -> impl Iterator<Item = Hop> {
        self.onward.iter().flatten().map(|(hop, _)| *hop)
    }

    pub(super) const fn peer(&self) -> Option<usize> {
        self.peer
    }

    pub(super) const fn ends(&self) -> &BTreeSet<usize> {
        &self.ends
    }

    /// What may be passed from a place, and to which place.
    pub(super) fn onward(&self, place: usize) -> &[(Hop, usize)] {
        &self.onward[place]
    }

    /// Places that packets can be at when they have left one of these, and these themselves.
    pub(super) fn beyond(&self, begin: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut found = begin.clone();
        let mut open: Vec<usize> = begin.iter().copied().collect();
        while let Some(place) = open.pop() {
            for (_, next) in &self.onward[place] {
                if found.insert(*next) {
                    open.push(*next);
                }
            }
        }
        found
    }
}

impl Bounds for Intent {
    type Place = usize;

    fn node(&self, place: usize) -> NodeId {
        self.places[place]
    }

    fn over(&self, _: &Forwarding<'_>, place: usize, hop: Hop) -> Option<usize> {
        self.onward[place].iter().find(|(allowed, _)| *allowed == hop).map(|(_, to)| *to)
    }

    fn through(&self, _: &Forwarding<'_>, _: usize) -> Option<usize> {
        None
    }
}
