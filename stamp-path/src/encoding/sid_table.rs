//! Whose a SID is, and what it makes its node do.

use core::net::Ipv6Addr;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv6Net;
use stamp_proto::sr::csid::NextCsid;

use super::tree::Arcs;
use crate::path::Hop;
use crate::topology::{NodeId, Topology, UsidPrefix};

/// What a node does with packets for one of its SIDs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    /// On to the next segment.
    End,
    /// Over a link, and on to the next segment there.
    Over(Hop),
    /// A timestamp, and on to the next segment.
    Stamp,
    /// Takes the outer header off.
    Decapsulate,
    /// No SID but an address of the node.
    Address,
}

/// A SID, or whatever begins like it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) node: NodeId,
    pub(super) function: Function,
    /// How it stands in a container, where it can.
    pub(super) micro: Option<Micro>,
}

/// A compressed SID: where its block is known, and how many places it takes in a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Micro {
    pub(super) block: NextCsid,
    pub(super) places: usize,
}

/// Every SID of a topology.
#[derive(Clone, Debug, Default)]
pub(super) struct SidTable {
    /// Lengths of prefixes, the longest last.
    lengths: BTreeSet<u8>,
    known: BTreeMap<Ipv6Net, Known>,
}

impl SidTable {
    pub(super) fn of(topology: &Topology, arcs: &Arcs) -> Self {
        let mut table = Self::default();
        for node in topology.ids() {
            let known = &topology[node];
            for address in &known.loopbacks {
                if let core::net::IpAddr::V6(address) = address {
                    table.add(
                        (*address).into(),
                        Known { node, function: Function::Address, micro: None },
                    );
                }
            }
            if !known.sr {
                continue;
            }
            let sids = [
                (known.sids.end, Function::End),
                (known.sids.dt6, Function::Decapsulate),
                (known.sids.tsf, Function::Stamp),
            ];
            let over = arcs.from(node).iter();
            let over =
                over.map(|hop| (topology[hop.link].end_x_of(hop.side), Function::Over(*hop)));
            for (sid, function) in sids.into_iter().chain(over) {
                let Some(sid) = sid else { continue };
                let micro = known.sids.un.and_then(|un| micro(un, sid.prefix()));
                table.add(sid.prefix(), Known { node, function, micro });
            }
            if let Some(un) = known.sids.un {
                let micro = micro(un, un.prefix());
                table.add(un.prefix(), Known { node, function: Function::End, micro });
            }
        }
        table
    }

    fn add(&mut self, prefix: Ipv6Net, known: Known) {
        self.lengths.insert(prefix.prefix_len());
        self.known.insert(prefix.trunc(), known);
    }

    /// Whose an address is: the longest prefix that holds it decides.
    pub(super) fn get(&self, address: Ipv6Addr) -> Option<&Known> {
        self.lengths.iter().rev().find_map(|length| {
            let prefix = Ipv6Net::new(address, *length).ok()?;
            self.known.get(&prefix.trunc())
        })
    }
}

/// How a SID that begins like a node's micro-SID stands in a container.
fn micro(un: UsidPrefix, sid: Ipv6Net) -> Option<Micro> {
    let (block, width) = (un.block_bits(), UsidPrefix::NODE_BITS);
    let behind = sid.prefix_len().checked_sub(block)?;
    let is_of = un.prefix().contains(&sid) && behind.is_multiple_of(width);
    let prefix = Ipv6Net::new(sid.addr(), block).ok()?.trunc().addr();
    let block = NextCsid::new(prefix, block, width).ok().filter(|_| is_of)?;
    Some(Micro { block, places: usize::from(behind / width) })
}
