//! The network as its operator describes it, in a TOML file.
//!
//! ```
//! use stamp_path::Topology;
//!
//! let topology = Topology::read(
//!     "net.toml",
//!     r#"
//!     [[node]]
//!     name = "a"
//!     [[node]]
//!     name = "b"
//!     [[link]]
//!     ends = ["a", "b"]
//!     delay = "5ms"
//!     back = { delay = "1ms" }
//!     "#,
//! )?;
//! let link = &topology.links[0];
//! assert_eq!(link.name, "a-b");
//! assert_eq!(link.directions.map_ref(|way| way.delay.as_millis()), [5, 1]);
//! # Ok::<(), stamp_document::document::ConfigErrors>(())
//! ```
//!
//! `reference/topology.toml` of this crate holds every key with its meaning.

mod border;
mod flaw;
mod link;
mod node;
mod reading;
mod srgb;
pub(crate) mod words;

use core::ops::Index;

use stamp_document::document::{self, ConfigErrors, Outline};

pub use border::{
    Binding, Domain, Gateway, GatewayPrefix, Hop, Peer, Tunnel, TunnelWay, Visibility,
};
pub use flaw::Flaw;
pub use link::{Direction, Directions, Link, LinkId, LinkKind, Side};
pub use node::{Anycast, LearnedLabel, Msd, Node, NodeId, Sids, TimestampLabel};
pub use srgb::{LabelRange, Srgb};
pub use stamp_proto::sr::mpls::{ExtendedLabel, Label};
pub use words::{Sid, UsidPrefix};

/// Nodes, links and what lies behind the borders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Topology {
    /// In the order of the file; [`NodeId`] counts them.
    pub nodes: Vec<Node>,
    /// In the order of the file; [`LinkId`] counts them.
    pub links: Vec<Link>,
    /// Neighbours in other autonomous systems that a border node has a label for.
    pub peers: Vec<Peer>,
    /// What stands behind binding SIDs.
    pub tunnels: Vec<Tunnel>,
    /// Ways into domains.
    pub gateways: Vec<Gateway>,
    /// What is told about domains; one that is not listed shows everything.
    pub domains: Vec<Domain>,
}

impl Topology {
    /// Reads the text of a topology file, called `file` in messages.
    ///
    /// # Errors
    ///
    /// Every mistake found, in the order of the file: form, ranges and contradictions.
    pub fn read(file: &str, text: &str) -> Result<Self, ConfigErrors> {
        document::read(file, text, reading::topology)
    }

    /// Every key of a topology file.
    #[must_use]
    pub fn outline() -> Outline {
        Outline::of(reading::topology)
    }

    /// The node of that name.
    #[must_use]
    pub fn node_id(&self, name: &str) -> Option<NodeId> {
        self.ids().find(|id| self[*id].name == name)
    }

    /// The link of that name.
    #[must_use]
    pub fn link_id(&self, name: &str) -> Option<LinkId> {
        self.link_ids().find(|id| self[*id].name == name)
    }

    /// Every node.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// Every link.
    pub fn link_ids(&self) -> impl Iterator<Item = LinkId> + use<> {
        (0..self.links.len()).map(LinkId)
    }

    /// The links of a node, each with the side the node is at.
    pub fn links_of(&self, node: NodeId) -> impl Iterator<Item = (LinkId, Side)> + '_ {
        self.link_ids().filter_map(move |id| Some((id, self[id].side_of(node)?)))
    }
}

impl Index<NodeId> for Topology {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
}

impl Index<LinkId> for Topology {
    type Output = Link;

    fn index(&self, id: LinkId) -> &Link {
        &self.links[id.0]
    }
}

#[cfg(test)]
mod tests;
