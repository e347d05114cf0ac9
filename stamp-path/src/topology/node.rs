//! Nodes and the segments they answer to.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use stamp_proto::time::TimestampFormat;

use super::{ExtendedLabel, Label, Sid, Srgb, UsidPrefix};

/// Position of a node in its topology.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub(super) usize);

impl NodeId {
    /// Counted from 0, in the order of the file.
    #[must_use]
    pub const fn position(self) -> usize {
        self.0
    }
}

/// A router or host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Unique in the topology.
    pub name: String,
    /// Autonomous system.
    pub autonomous_system: Option<u32>,
    /// Domain it lies in.
    pub domain: Option<String>,
    /// Its own addresses, whatever the interface.
    pub loopbacks: Vec<IpAddr>,
    /// Index of its Prefix-SID: every node's SRGB turns it into a label of its own.
    pub index: Option<u32>,
    /// Prefixes that it shares with other nodes.
    pub anycast: Vec<Anycast>,
    /// Labels under which it takes packets for prefixes, where they do not follow from an index.
    pub learned: Vec<LearnedLabel>,
    /// Its SRv6 SIDs, but for those of adjacencies.
    pub sids: Sids,
    /// What makes it write a timestamp.
    pub timestamp_label: Option<TimestampLabel>,
    /// How deep it imposes and reads.
    pub msd: Msd,
    /// Penultimate-hop popping: neighbours take its own label off before they send to it.
    pub php: bool,
    /// It knows Segment Routing.
    pub sr: bool,
    /// It has routes to the addresses of others; without them it forwards labels alone.
    pub ip: bool,
    /// Traffic avoids it, for instance for maintenance.
    pub drained: bool,
    /// Its Segment Routing Global Block.
    pub srgb: Srgb,
}

impl Node {
    /// The label by which this node knows an index.
    #[must_use]
    pub fn label_of(&self, index: u32) -> Option<Label> {
        self.srgb.label_of(index)
    }

    /// Its first IPv4 address.
    #[must_use]
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.loopbacks.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    /// Its first IPv6 address.
    #[must_use]
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        self.loopbacks.iter().find_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        })
    }
}

/// A prefix that several nodes announce.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anycast {
    /// The prefix; an address stands for itself alone.
    pub prefix: IpNet,
    /// Index of its Prefix-SID.
    pub index: u32,
}

/// A label of the node's own choice for a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LearnedLabel {
    /// The prefix.
    pub prefix: IpNet,
    /// The label under which the node expects its packets.
    pub label: Label,
}

/// SRv6 SIDs of a node.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sids {
    /// End: on to the next segment.
    pub end: Option<Sid>,
    /// End.DT6: take the outer header off and look the inner one up.
    pub dt6: Option<Sid>,
    /// End.TSF: write a timestamp and forward.
    pub tsf: Option<Sid>,
    /// uN: the node's micro-SID.
    pub un: Option<UsidPrefix>,
}

/// The label that makes a node write its receive timestamp into the packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimestampLabel {
    /// An extended special-purpose label, below the extension label 15.
    Extended {
        /// The label.
        label: ExtendedLabel,
    },
    /// A label that a controller assigned.
    Assigned {
        /// The label.
        label: Label,
        /// Octets from the begin of the test packet to the timestamp.
        offset_octets: Option<u16>,
        /// How the timestamp is written.
        format: Option<TimestampFormat>,
    },
}

/// Maximum SID depths; unknown where absent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Msd {
    /// Labels it can put on a packet (BMI).
    pub impose: Option<u8>,
    /// Labels it reads in search of an entropy label.
    pub erld: Option<u8>,
    /// Largest Segments Left of an SRH it works on.
    pub srh: Option<u8>,
}
