//! The eleven ways to write a segment (RFC 9256 §4), and names.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::candidate::Shown;
use crate::topology::Label;

/// What carries segments in a packet.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum DataPlane {
    /// A stack of labels.
    #[default]
    Mpls,
    /// A Segment Routing Header with SIDs.
    Srv6,
}

impl fmt::Display for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mpls => "SR-MPLS",
            Self::Srv6 => "SRv6",
        })
    }
}

/// One segment of a list, as whoever wrote the list described it.
///
/// Letters are those of RFC 9256 §4. Without an algorithm a prefix is reached by Strict SPF where the
/// node has a segment for that, else by SPF.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Segment {
    /// A: a label, whatever it means.
    Label(Label),
    /// B: an SRv6 SID, whatever it means.
    Sid(Ipv6Addr),
    /// C: an IPv4 prefix, by its Prefix-SID.
    Ipv4Prefix {
        /// The prefix.
        prefix: Ipv4Net,
        /// SR algorithm.
        algorithm: Option<u8>,
    },
    /// D and I: an IPv6 prefix, by its Prefix-SID or its End SID.
    Ipv6Prefix {
        /// The prefix.
        prefix: Ipv6Net,
        /// SR algorithm.
        algorithm: Option<u8>,
        /// D for labels, I for SIDs.
        data_plane: DataPlane,
    },
    /// E: an adjacency, by an IPv4 address of its node and the number of the interface.
    Ipv4Interface {
        /// The node.
        node: Ipv4Addr,
        /// Its interface.
        interface: u32,
    },
    /// F: an adjacency, by the IPv4 addresses of both interfaces.
    Ipv4Addresses {
        /// Address of the interface that sends.
        local: Ipv4Addr,
        /// Address of the other one.
        remote: Ipv4Addr,
    },
    /// G and J: an adjacency, by IPv6 addresses of nodes and the numbers of their interfaces.
    Ipv6Interface {
        /// The node.
        node: Ipv6Addr,
        /// Its interface.
        interface: u32,
        /// The node at the other end, and its interface.
        remote: Option<(Ipv6Addr, u32)>,
        /// G for labels, J for SIDs.
        data_plane: DataPlane,
    },
    /// H and K: an adjacency, by the IPv6 addresses of both interfaces.
    Ipv6Addresses {
        /// Address of the interface that sends.
        local: Ipv6Addr,
        /// Address of the other one.
        remote: Ipv6Addr,
        /// H for labels, K for SIDs.
        data_plane: DataPlane,
    },
    /// Not of the RFC: a node or link of the topology, by its name.
    Name {
        /// The name.
        word: String,
        /// Labels or SIDs.
        data_plane: DataPlane,
    },
}

/// The letter of a segment (RFC 9256 §4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "they are letters; `Segment` says what they stand for")]
pub enum SegmentType {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
}

impl Segment {
    /// Its letter; a name has none.
    #[must_use]
    pub const fn kind(&self) -> Option<SegmentType> {
        use DataPlane::{Mpls, Srv6};
        Some(match self {
            Self::Label(_) => SegmentType::A,
            Self::Sid(_) => SegmentType::B,
            Self::Ipv4Prefix { .. } => SegmentType::C,
            Self::Ipv6Prefix { data_plane: Mpls, .. } => SegmentType::D,
            Self::Ipv4Interface { .. } => SegmentType::E,
            Self::Ipv4Addresses { .. } => SegmentType::F,
            Self::Ipv6Interface { data_plane: Mpls, .. } => SegmentType::G,
            Self::Ipv6Addresses { data_plane: Mpls, .. } => SegmentType::H,
            Self::Ipv6Prefix { data_plane: Srv6, .. } => SegmentType::I,
            Self::Ipv6Interface { data_plane: Srv6, .. } => SegmentType::J,
            Self::Ipv6Addresses { data_plane: Srv6, .. } => SegmentType::K,
            Self::Name { .. } => return None,
        })
    }

    /// What carries it.
    #[must_use]
    pub const fn data_plane(&self) -> DataPlane {
        match self {
            Self::Label(_)
            | Self::Ipv4Prefix { .. }
            | Self::Ipv4Interface { .. }
            | Self::Ipv4Addresses { .. } => DataPlane::Mpls,
            Self::Sid(_) => DataPlane::Srv6,
            Self::Ipv6Prefix { data_plane, .. }
            | Self::Ipv6Interface { data_plane, .. }
            | Self::Ipv6Addresses { data_plane, .. }
            | Self::Name { data_plane, .. } => *data_plane,
        }
    }

    /// Its prefix and algorithm, where it is one of C, D and I.
    pub(super) fn prefix(&self) -> Option<(IpNet, Option<u8>)> {
        match self {
            Self::Ipv4Prefix { prefix, algorithm } => Some((IpNet::V4(*prefix), *algorithm)),
            Self::Ipv6Prefix { prefix, algorithm, .. } => Some((IpNet::V6(*prefix), *algorithm)),
            _ => None,
        }
    }

    /// The addresses of both interfaces, where it is one of F, H and K.
    pub(super) const fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        match self {
            Self::Ipv4Addresses { local, remote } => {
                Some((IpAddr::V4(*local), IpAddr::V4(*remote)))
            }
            Self::Ipv6Addresses { local, remote, .. } => {
                Some((IpAddr::V6(*local), IpAddr::V6(*remote)))
            }
            _ => None,
        }
    }

    /// Node and number of an interface, where it is one of E, G and J.
    pub(super) const fn interface(&self) -> Option<(IpAddr, u32)> {
        match self {
            Self::Ipv4Interface { node, interface } => Some((IpAddr::V4(*node), *interface)),
            Self::Ipv6Interface { node, interface, .. } => Some((IpAddr::V6(*node), *interface)),
            _ => None,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((prefix, algorithm)) = self.prefix() {
            Shown(prefix).fmt(f)?;
            return algorithm.map_or(Ok(()), |algorithm| write!(f, " (algorithm {algorithm})"));
        }
        if let Some((local, remote)) = self.addresses() {
            return write!(f, "{local} to {remote}");
        }
        if let Some((node, interface)) = self.interface() {
            return write!(f, "interface {interface} of {node}");
        }
        match self {
            Self::Label(label) => label.fmt(f),
            Self::Sid(sid) => sid.fmt(f),
            Self::Name { word, .. } => f.write_str(word),
            _ => Ok(()),
        }
    }
}
