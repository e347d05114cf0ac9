//! Whose SIDs are: Pola tells a router the addresses of the node or link beside each.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use stamp_path::Topology;
use stamp_path::topology::{Link, NodeId, Side, UsidPrefix};

/// SIDs of a topology.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Vec<Owned>);

/// What is known of packets to a prefix.
#[derive(Clone, Copy, Debug)]
struct Owned {
    prefix: Ipv6Net,
    owner: Owner,
}

/// What stands beside a SID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Owner {
    /// An address of the node, or of its interface.
    pub(super) local: Ipv6Addr,
    /// The neighbour's, where the SID is of a link.
    pub(super) remote: Option<Ipv6Addr>,
    /// Bits of block, node, function and argument, where they are known.
    pub(super) structure: Option<[u8; 4]>,
}

impl Owners {
    /// Those of a topology; none without it.
    pub(super) fn of(topology: Option<&Topology>) -> Self {
        let Some(topology) = topology else { return Self::default() };
        let mut owned = Vec::new();
        for id in topology.ids() {
            let node = &topology[id];
            let micro = node.sids.un;
            let own = [node.sids.end, node.sids.dt6, node.sids.tsf];
            let own = own.into_iter().flatten().map(|sid| sid.prefix());
            for prefix in own.chain(micro.map(UsidPrefix::prefix)) {
                let structure = structure(micro, prefix);
                let local = node.ipv6().unwrap_or(prefix.addr());
                owned.push(Owned { prefix, owner: Owner { local, remote: None, structure } });
            }
            for (link, side) in links_of(topology, id) {
                let Some(prefix) = link.end_x_of(side).map(|sid| sid.prefix()) else { continue };
                let ends = [side, side.opposite()].map(|side| ipv6(link.addresses_of(side)));
                let (local, remote) = match ends {
                    [Some(local), Some(remote)] => (local, Some(remote)),
                    _ => (node.ipv6().unwrap_or(prefix.addr()), None),
                };
                let structure = structure(micro, prefix);
                owned.push(Owned { prefix, owner: Owner { local, remote, structure } });
            }
        }
        Self(owned)
    }

    /// Whose packets to this address are, by the longest prefix that holds it; of a SID that nobody is known
    /// to own it is all that there is to say.
    pub(super) fn owner(&self, sid: Ipv6Addr) -> Owner {
        let holding = self.0.iter().filter(|owned| owned.prefix.contains(&sid));
        let longest = holding.max_by_key(|owned| owned.prefix.prefix_len());
        let unknown = Owner { local: sid, remote: None, structure: None };
        longest.map_or(unknown, |owned| owned.owner)
    }
}

fn links_of(topology: &Topology, node: NodeId) -> impl Iterator<Item = (&Link, Side)> {
    topology.links.iter().filter_map(move |link| Some((link, link.side_of(node)?)))
}

fn ipv6(addresses: &[IpAddr]) -> Option<Ipv6Addr> {
    addresses.iter().find_map(|address| match address {
        IpAddr::V6(address) => Some(*address),
        IpAddr::V4(_) => None,
    })
}

/// Only of a micro-SID it is known where its block ends.
fn structure(micro: Option<UsidPrefix>, prefix: Ipv6Net) -> Option<[u8; 4]> {
    let micro = micro.filter(|micro| micro.prefix().contains(&prefix))?;
    let (block, node) = (micro.block_bits(), UsidPrefix::NODE_BITS);
    let length = prefix.prefix_len();
    Some([block, node, length - block - node, prefix.max_prefix_len() - length])
}
