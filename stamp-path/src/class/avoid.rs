//! What packets of a class may never touch.

use super::Touched;
use crate::topology::{LinkId, NodeId, Topology};

/// What packets may never touch. Nothing is said where all are empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Avoid {
    /// Nodes of these domains.
    pub domains: Vec<String>,
    /// Nodes of these autonomous systems.
    pub autonomous_systems: Vec<u32>,
    /// These nodes.
    pub nodes: Vec<NodeId>,
    /// These links.
    pub links: Vec<LinkId>,
    /// Links of these administrative groups.
    pub affinities: Vec<String>,
    /// Links of these shared risk link groups.
    pub srlgs: Vec<u32>,
}

/// What is touched although it is to be avoided.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Trespass {
    #[error("node {node} of domain {domain}")]
    Domain { node: String, domain: String },
    #[error("node {node} of AS {autonomous_system}")]
    AutonomousSystem { node: String, autonomous_system: u32 },
    #[error("node {node}")]
    Node { node: String },
    #[error("link {link}")]
    Link { link: String },
    #[error("link {link} of group {affinity}")]
    Affinity { link: String, affinity: String },
    #[error("link {link} of shared risk link group {srlg}")]
    Srlg { link: String, srlg: u32 },
}

impl Avoid {
    /// Nothing is avoided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The first thing touched that is to be avoided; none proves that no packet goes there, as far
    /// as `touched` holds everything it can pass.
    #[must_use]
    pub fn trespass(&self, topology: &Topology, touched: &Touched) -> Option<Trespass> {
        let node = touched.nodes.iter().find_map(|node| self.node(topology, *node));
        node.or_else(|| {
            touched.hops.iter().find_map(|hop| {
                let direction = hop.direction(topology);
                let link = || topology[hop.link].name.clone();
                if self.links.contains(&hop.link) {
                    return Some(Trespass::Link { link: link() });
                }
                let affinity = direction.affinities.iter().find(|it| self.affinities.contains(it));
                if let Some(affinity) = affinity.cloned() {
                    return Some(Trespass::Affinity { link: link(), affinity });
                }
                let srlg = direction.srlgs.iter().find(|srlg| self.srlgs.contains(srlg)).copied();
                srlg.map(|srlg| Trespass::Srlg { link: link(), srlg })
            })
        })
    }

    fn node(&self, topology: &Topology, id: NodeId) -> Option<Trespass> {
        let known = &topology[id];
        let node = || known.name.clone();
        if self.nodes.contains(&id) {
            return Some(Trespass::Node { node: node() });
        }
        if let Some(domain) = known.domain.clone().filter(|domain| self.domains.contains(domain)) {
            return Some(Trespass::Domain { node: node(), domain });
        }
        let number = known.autonomous_system.filter(|it| self.autonomous_systems.contains(it));
        number
            .map(|autonomous_system| Trespass::AutonomousSystem { node: node(), autonomous_system })
    }
}
