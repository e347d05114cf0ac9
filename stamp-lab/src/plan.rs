//! What the lab will be made of: interfaces, addresses, routes and SIDs, computed from the topology
//! before anything exists.
//!
//! A physical link is an interface of the link's name at both ends. Links have addresses of the
//! lab's own choice, `10.N.N.1` and `.2`, `fd00:1ab:0:N::1` and `::2`; everything else bears the
//! addresses of the topology.

mod routes;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use stamp_path::Topology;
use stamp_path::topology::{LinkId, LinkKind, NodeId, Side, UsidPrefix};

use crate::LabError;
use crate::impairment::Impairment;
pub(crate) use routes::{anycast, nearest};

/// The loopback device of every namespace.
pub const LOOPBACK_INDEX: u32 = 1;

/// Where the addresses of links lie.
const LINKS_V4: &str = "10.0.0.0/8";
const LINKS_V6: &str = "fd00:1ab::/32";

/// Most links; each has a number of 16 bits in its addresses.
const MOST_LINKS: usize = 1 << 16;

/// The first interface number of a link; each takes four (see [`LinkPlan`]).
const FIRST_INDEX: u32 = 1000;

/// Longest name of an interface in octets.
const NAME_OCTETS: usize = 15;

/// Everything the lab is going to configure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// In the order of the topology's nodes.
    pub nodes: Vec<NodePlan>,
    /// The physical links, in the order of the topology.
    pub links: Vec<LinkPlan>,
}

/// One link, and the numbers of its interfaces: two at its ends and, where a wire is put in, two
/// more in the middle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkPlan {
    /// The link of the topology.
    pub link: LinkId,
    /// Its interface at both ends.
    pub interface: String,
    /// At the first end, at the second.
    pub ends: [EndPlan; 2],
    /// Interfaces of the wire, that of the first end first.
    pub middle: [u32; 2],
    /// What happens to packets of the first end, of the second.
    pub impairments: [Impairment; 2],
}

/// One end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EndPlan {
    /// The node there.
    pub node: NodeId,
    /// Number of the interface.
    pub index: u32,
    /// Hardware address of the interface.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub ipv4: Ipv4Net,
    /// Its IPv6 address.
    pub ipv6: Ipv6Net,
}

/// What one node gets besides its links.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodePlan {
    /// Its own addresses, and those it shares with other nodes.
    pub loopbacks: Vec<IpAddr>,
    /// Ways to everything that is not on a link of its own.
    pub routes: Vec<Route>,
    /// SIDs that its kernel answers to.
    pub segments: Vec<Segment>,
}

/// A route.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// Where to.
    pub prefix: IpNet,
    /// Equal ways.
    pub hops: Vec<RouteHop>,
    /// Source of packets that the node itself sends that way.
    pub source: Option<IpAddr>,
}

/// One of the equal ways of a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RouteHop {
    /// The neighbour.
    pub via: IpAddr,
    /// The interface that leads to it.
    pub interface: u32,
}

/// A SID that the kernel answers to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Segment {
    /// The SIDs that mean this.
    pub prefix: Ipv6Net,
    /// What is done.
    pub behaviour: Behaviour,
    /// An interface of the node; for End.X it is not the one that is sent to.
    pub interface: u32,
}

/// What a SID means, in the words of SRv6 network programming.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behaviour {
    /// On to the next segment.
    End,
    /// On to the next segment by way of a neighbour.
    EndX {
        /// The neighbour.
        next: Ipv6Addr,
    },
    /// The outer header comes off, the inner packet is looked up.
    EndDt6,
    /// The next micro-SID moves up in the destination address.
    Un {
        /// Length of the block.
        block_bits: u8,
        /// Length of a node's number.
        node_bits: u8,
    },
}

impl Plan {
    /// Works out a topology.
    ///
    /// # Errors
    ///
    /// [`LabError::LinkAddresses`] and [`LabError::TooManyLinks`] when the addresses do not suffice.
    pub fn of(topology: &Topology) -> Result<Self, LabError> {
        check_addresses(topology)?;
        if topology.links.len() >= MOST_LINKS {
            let count = topology.links.len();
            return Err(LabError::TooManyLinks { count, limit: MOST_LINKS - 1 });
        }
        let is_wire = |link: &LinkId| topology[*link].kind == LinkKind::Physical;
        let links: Vec<LinkPlan> =
            topology.link_ids().filter(is_wire).map(|link| link_plan(topology, link)).collect();
        let nodes = topology.ids().map(|node| node_plan(topology, &links, node)).collect();
        Ok(Self { nodes, links })
    }

    /// The plan of a physical link.
    #[must_use]
    pub fn link(&self, link: LinkId) -> Option<&LinkPlan> {
        self.links.iter().find(|plan| plan.link == link)
    }

    /// The ends of links at a node, each with the end at its neighbour.
    pub fn ends_of(&self, node: NodeId) -> impl Iterator<Item = (&EndPlan, &EndPlan)> {
        self.links.iter().filter_map(move |link| match &link.ends {
            [near, far] if near.node == node => Some((near, far)),
            [far, near] if near.node == node => Some((near, far)),
            _ => None,
        })
    }
}

impl LinkPlan {
    /// The end at a side.
    #[must_use]
    pub const fn end(&self, side: Side) -> &EndPlan {
        let [first, second] = &self.ends;
        match side {
            Side::First => first,
            Side::Second => second,
        }
    }

    /// Whether packets have to pass through the lab's own hands.
    #[must_use]
    pub fn is_impaired(&self) -> bool {
        self.impairments.iter().any(|impairment| !impairment.is_none())
    }
}

fn check_addresses(topology: &Topology) -> Result<(), LabError> {
    for node in &topology.nodes {
        for address in &node.loopbacks {
            let taken = match address {
                IpAddr::V4(address) if address.octets()[0] == 10 => Some(LINKS_V4),
                IpAddr::V6(address) if address.segments()[..2] == [0xfd00, 0x1ab] => Some(LINKS_V6),
                _ => None,
            };
            if let Some(prefix) = taken {
                let node = node.name.clone();
                return Err(LabError::LinkAddresses { address: *address, node, prefix });
            }
        }
    }
    Ok(())
}

fn link_plan(topology: &Topology, id: LinkId) -> LinkPlan {
    let link = &topology[id];
    let number = u16::try_from(id.position() + 1).unwrap_or(u16::MAX);
    let [high, low] = number.to_be_bytes();
    let first = FIRST_INDEX + 4 * u32::from(number);
    let end = |side: Side| {
        let last = side.choose(1, 2);
        let ipv6 = Ipv6Addr::new(0xfd00, 0x1ab, 0, number, 0, 0, 0, last.into());
        EndPlan {
            node: link.at(side),
            index: first + u32::from(last) - 1,
            mac: [0x02, 0, 0, high, low, last],
            ipv4: Ipv4Net::new_assert(Ipv4Addr::new(10, high, low, last), 24),
            ipv6: Ipv6Net::new_assert(ipv6, 64),
        }
    };
    LinkPlan {
        link: id,
        interface: interface_name(&link.name, number),
        ends: Side::BOTH.map(end),
        middle: [first + 2, first + 3],
        impairments: Side::BOTH.map(|side| Impairment::of(link.from(side), seed(number, side))),
    }
}

/// The link's own name where the kernel takes it.
fn interface_name(link: &str, number: u16) -> String {
    let is_reserved = ["all", "default", "lo", ".", ".."].contains(&link);
    let is_plain = link.is_ascii() && link.len() <= NAME_OCTETS && !is_reserved;
    // No name of a link holds this mark.
    if is_plain { link.to_owned() } else { format!("#{number}") }
}

/// Each direction of each link is left to a chance of its own, the same in every lab.
fn seed(number: u16, side: Side) -> u64 {
    u64::from(number) << 1 | side.choose(0, 1)
}

fn node_plan(topology: &Topology, links: &[LinkPlan], id: NodeId) -> NodePlan {
    let node = &topology[id];
    let is_address = |prefix: &IpNet| prefix.prefix_len() == prefix.max_prefix_len();
    let shared = node.anycast.iter().map(|anycast| anycast.prefix).filter(is_address);
    NodePlan {
        loopbacks: node.loopbacks.iter().copied().chain(shared.map(|net| net.addr())).collect(),
        routes: routes::of(topology, links, id),
        segments: segments(topology, links, id),
    }
}

/// The kernel wants a device for each SID, and any but the loopback device does.
fn segments(topology: &Topology, links: &[LinkPlan], id: NodeId) -> Vec<Segment> {
    let node = &topology[id];
    let device = links.iter().flat_map(|link| &link.ends).find(|end| end.node == id);
    let Some(interface) = device.map(|end| end.index).filter(|_| node.sr) else {
        return Vec::new();
    };
    let segment = |prefix, behaviour| Segment { prefix, behaviour, interface };
    let mut segments = Vec::new();
    segments.extend(node.sids.end.map(|sid| segment(sid.prefix(), Behaviour::End)));
    segments.extend(node.sids.dt6.map(|sid| segment(sid.prefix(), Behaviour::EndDt6)));
    segments.extend(node.sids.un.map(|un| {
        let (block_bits, node_bits) = (un.block_bits(), UsidPrefix::NODE_BITS);
        segment(un.prefix(), Behaviour::Un { block_bits, node_bits })
    }));
    for plan in links {
        let Some(side) = topology[plan.link].side_of(id) else { continue };
        let next = plan.end(side.opposite()).ipv6.addr();
        let sid = topology[plan.link].end_x_of(side);
        segments.extend(sid.map(|sid| segment(sid.prefix(), Behaviour::EndX { next })));
    }
    segments
}

#[cfg(test)]
mod tests;
