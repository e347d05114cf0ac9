//! What packets on a path can touch, every branch of equal cost included.

use std::collections::BTreeSet;

use crate::compute::Disjointness;
use crate::encoding::{End, Walk};
use crate::path::{Hop, Path};
use crate::topology::{NodeId, Topology};

/// Every node and link that a packet on one of the lists can pass.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Touched {
    /// Every node, both ends included.
    pub nodes: BTreeSet<NodeId>,
    /// Every link, in the direction of travel.
    pub hops: BTreeSet<Hop>,
    /// Where it begins and ends: what all paths of a policy have in common.
    pub ends: BTreeSet<NodeId>,
}

/// What two paths have in common although they should not.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Shared {
    #[error("link {name}")]
    Link { name: String },
    #[error("node {name}")]
    Node { name: String },
    #[error("shared risk link group {srlg}, by link {name}")]
    Srlg { srlg: u32, name: String },
}

impl Touched {
    /// By a path that packets keep to.
    #[must_use]
    pub fn by(topology: &Topology, path: &Path) -> Self {
        Self {
            nodes: path.nodes(topology).collect(),
            hops: path.hops().iter().copied().collect(),
            ends: [path.start(), path.end(topology)].into(),
        }
    }

    /// By packets that were followed from `start` wherever they can go; none where they leave what the
    /// topology shows.
    #[must_use]
    pub fn of_walk(walk: &Walk, start: NodeId) -> Option<Self> {
        let ends = walk.ends.iter().map(|end| match end {
            End::Node(node) => Some(*node),
            End::Peer(_) | End::Prefix(_) => None,
        });
        let mut ends: BTreeSet<NodeId> = ends.collect::<Option<_>>()?;
        ends.insert(start);
        let (nodes, hops) = (walk.nodes.clone(), walk.hops.clone());
        walk.hidden.is_empty().then_some(Self { nodes, hops, ends })
    }

    /// By either.
    pub fn extend(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.hops.extend(other.hops);
        self.ends.extend(other.ends);
    }

    /// The first thing that both touch, of that kind.
    #[must_use]
    pub fn shared(&self, other: &Self, by: Disjointness, topology: &Topology) -> Option<Shared> {
        let name = |hop: &Hop| topology[hop.link].name.clone();
        let passes = |hop: &&Hop| other.hops.contains(hop) || other.hops.contains(&hop.reversed());
        let link = self.hops.iter().find(passes).map(|hop| Shared::Link { name: name(hop) });
        let node = || {
            let is_end = |node: &NodeId| self.ends.contains(node) && other.ends.contains(node);
            let mut both = self.nodes.intersection(&other.nodes);
            let node = both.find(|node| !is_end(node))?;
            Some(Shared::Node { name: topology[*node].name.clone() })
        };
        let srlg = || {
            let groups = |hop: &Hop| hop.direction(topology).srlgs.clone();
            let others: BTreeSet<u32> = other.hops.iter().flat_map(groups).collect();
            self.hops.iter().find_map(|hop| {
                let srlg = groups(hop).into_iter().find(|group| others.contains(group))?;
                Some(Shared::Srlg { srlg, name: name(hop) })
            })
        };
        link.or_else(|| by.nodes.then(node).flatten()).or_else(|| by.srlgs.then(srlg).flatten())
    }

    /// What is drained of it, if anything is: its ends cannot be gone round.
    #[must_use]
    pub fn drained(&self, topology: &Topology) -> Option<Shared> {
        let inner = self.nodes.difference(&self.ends);
        let node = inner.map(|node| &topology[*node]).find(|node| node.drained);
        let node = node.map(|node| Shared::Node { name: node.name.clone() });
        node.or_else(|| {
            let hop = self.hops.iter().find(|hop| hop.direction(topology).drained)?;
            Some(Shared::Link { name: topology[hop.link].name.clone() })
        })
    }
}
