//! Label switching (MPLS) for a kernel that may have none: each node reads frames of EtherType
//! 0x8847 from all its interfaces and does with them what its labels mean.
//!
//! A packet whose last label is popped at its node enters the node's own kernel through a veth pair
//! inside of the namespace, [`INLET`], as if it had come from a neighbour.

mod entry;
mod forward;
mod table;

use stamp_net::NetError;
use stamp_net::frame::EtherType;
use stamp_net::packet::{Offload, PacketSocket};
use stamp_path::topology::NodeId;

use forward::{Refusal, forward};
pub(crate) use table::LabelTable;

/// Name, number and hardware address of the interface by which popped packets enter their node.
pub(crate) const INLET: (&str, u32, [u8; 6]) = ("sr-in", 900, [0x02, 0, 0xff, 0, 0, 1]);
/// The same of its other end, where the switch puts them in.
pub(crate) const INLET_PEER: (&str, u32, [u8; 6]) = ("sr-out", 901, [0x02, 0, 0xff, 0, 0, 2]);

/// What became of labelled packets at one node.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SwitchCounts {
    /// Went on to a neighbour.
    pub forwarded: u64,
    /// Lost their last label here and were given to the node's kernel.
    pub delivered: u64,
    /// Begin with a label that asks for a timestamp: left to whoever writes it.
    pub left: u64,
    /// Have a label on top that means nothing here.
    pub unknown: u64,
    /// Had no hop left.
    pub expired: u64,
    /// Are no labelled packets.
    pub malformed: u64,
    /// Were not taken by the interface: too large, or it was down.
    pub unsent: u64,
}

/// The labels of one node at work.
#[derive(Debug)]
pub(crate) struct Switch {
    node: NodeId,
    socket: PacketSocket,
    table: LabelTable,
    counts: SwitchCounts,
}

impl Switch {
    /// To be called inside the node's namespace.
    pub(crate) fn open(node: NodeId, table: LabelTable) -> Result<Self, NetError> {
        let socket = PacketSocket::open(0, EtherType::MPLS, Offload::Ignored)?;
        Ok(Self { node, socket, table, counts: SwitchCounts::default() })
    }

    pub(crate) const fn node(&self) -> NodeId {
        self.node
    }

    pub(crate) const fn socket(&self) -> &PacketSocket {
        &self.socket
    }

    pub(crate) const fn counts(&self) -> SwitchCounts {
        self.counts
    }

    /// Reads up to `most` frames and sends each on its way.
    pub(crate) fn work(&mut self, buffer: &mut [u8], most: usize) -> Result<(), NetError> {
        for _ in 0..most {
            let Some(arrival) = self.socket.receive(buffer)? else { break };
            if arrival.is_outgoing {
                continue;
            }
            let frame = buffer.get(..arrival.octets).unwrap_or_default();
            let count = match forward(&self.table, frame) {
                Ok(onward) => match self.socket.send(onward.interface, &onward.octets) {
                    Err(_) => &mut self.counts.unsent,
                    Ok(()) if onward.interface == INLET_PEER.1 => &mut self.counts.delivered,
                    Ok(()) => &mut self.counts.forwarded,
                },
                Err(Refusal::Left) => &mut self.counts.left,
                Err(Refusal::Unknown) => &mut self.counts.unknown,
                Err(Refusal::Expired) => &mut self.counts.expired,
                Err(Refusal::Malformed) => &mut self.counts.malformed,
            };
            *count += 1;
        }
        Ok(())
    }
}
