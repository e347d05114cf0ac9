//! What may be wrong.

use super::Assumptions;
use crate::encoding::Route;
use crate::path::Hop;
use crate::topology::{LinkId, LinkKind, NodeId, Side, Topology};

/// What may be wrong: packets that meet it are lost or late, all in the same measure.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// A link, in both directions.
    Link(LinkId),
    /// One direction of a link; one of several equal links where packets choose among them.
    Direction(Hop),
    /// A node, for everything that begins, ends or passes there.
    Node(NodeId),
    /// A tunnel of which nothing is known but its ends, by its place in the topology.
    Tunnel(usize),
}

impl Cause {
    /// All that a topology allows.
    pub(super) fn all(topology: &Topology) -> Vec<Self> {
        let links = topology.link_ids().filter(|link| topology[*link].kind != LinkKind::Abstract);
        let links = links.flat_map(|link| {
            let directions = Side::BOTH.map(|side| Self::Direction(Hop { link, side }));
            [Self::Link(link)].into_iter().chain(directions)
        });
        let tunnels = (0..topology.tunnels.len()).map(Self::Tunnel);
        links.chain(topology.ids().map(Self::Node)).chain(tunnels).collect()
    }

    /// How likely it is before anything is known.
    pub(super) fn prior(self, assumptions: &Assumptions) -> f64 {
        assumptions.rarity
            * match self {
                Self::Link(_) | Self::Tunnel(_) => 1.0,
                Self::Direction(_) => 0.5,
                Self::Node(_) => 0.2,
            }
    }

    /// Whether packets on this way meet it.
    pub(super) fn is_on(self, route: &Route) -> bool {
        match self {
            Self::Link(link) => route.hops.iter().any(|hop| hop.link == link),
            Self::Direction(direction) => route.hops.contains(&direction),
            Self::Node(node) => route.nodes.contains(&node),
            Self::Tunnel(tunnel) => route.hidden.contains(&tunnel),
        }
    }

    /// In words.
    #[must_use]
    pub fn in_words(self, topology: &Topology) -> String {
        let name = |node: NodeId| topology[node].name.as_str();
        match self {
            Self::Link(link) => format!("link {}", topology[link].name),
            Self::Direction(hop) => {
                let [from, to] = [hop.from(topology), hop.to(topology)].map(name);
                format!("link {} from {from} to {to}", topology[hop.link].name)
            }
            Self::Node(node) => format!("node {}", name(node)),
            Self::Tunnel(place) => {
                let tunnel = &topology.tunnels[place];
                format!("the tunnel from {} to {}", name(tunnel.from), name(tunnel.to))
            }
        }
    }
}
