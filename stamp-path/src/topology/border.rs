//! What lies beyond: peers, tunnels, gateways, domains.

use core::time::Duration;

use ipnet::IpNet;
use stamp_document::quantity::Bandwidth;

use super::{Label, LinkId, NodeId};

/// A neighbour in another autonomous system (BGP egress peer engineering).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The border node.
    pub at: NodeId,
    /// The neighbour's autonomous system.
    pub autonomous_system: u32,
    /// The border node's label for it.
    pub label: Label,
}

/// A label-switched path or policy behind a binding SID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tunnel {
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// What it passes, where that is known and the same for all packets.
    pub via: Vec<Hop>,
    /// The ways it spreads packets over, where these are several.
    pub ways: Vec<TunnelWay>,
    /// The binding SID, a label of the node where it begins.
    pub label: Label,
    /// Capacity, where it is known.
    pub bandwidth: Option<Bandwidth>,
    /// Delay, where it is known.
    pub delay: Option<Duration>,
}

impl Tunnel {
    /// What packets pass, one way or several, each with its weight.
    pub fn routes(&self) -> impl Iterator<Item = (&[Hop], u32)> {
        let only = self.ways.is_empty().then_some((&self.via[..], 1));
        only.into_iter().chain(self.ways.iter().map(|way| (&way.via[..], way.weight)))
    }
}

/// One of several ways behind a binding SID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TunnelWay {
    /// What it passes.
    pub via: Vec<Hop>,
    /// Its share of the packets, against the sum of all.
    pub weight: u32,
}

/// Something on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hop {
    /// A node.
    Node(NodeId),
    /// A link.
    Link(LinkId),
}

/// How a domain is entered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gateway {
    /// The domain.
    pub domain: String,
    /// Nodes that lead into it.
    pub nodes: Vec<NodeId>,
    /// What is reached through them.
    pub prefixes: Vec<GatewayPrefix>,
}

/// A prefix behind a gateway.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GatewayPrefix {
    /// The prefix.
    pub prefix: IpNet,
    /// What the gateway wants to see on its packets.
    pub binding: Binding,
}

/// What a gateway wants to see on packets for a prefix.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Binding {
    /// The label that its SRGB makes of an index.
    Index(u32),
    /// Exactly these labels, top first.
    Labels(Vec<Label>),
    /// Nothing: it takes IP packets.
    Ip,
}

/// What a domain tells about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Domain {
    /// Its name, as nodes and gateways give it.
    pub name: String,
    /// How much of its inside is known.
    pub shows: Visibility,
    /// Its gateway puts on a header of its own.
    pub imposes: bool,
}

/// How much of a domain is known outside.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Visibility {
    /// Nodes and links.
    #[default]
    Full,
    /// Which pairs of borders are joined, and how well.
    Feasibility,
    /// What can be reached, and nothing of how.
    Reachability,
}
