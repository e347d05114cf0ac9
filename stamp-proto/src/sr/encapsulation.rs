//! A probe put on its way: everything in front of its UDP payload, made once and filled in for each
//! packet.

mod compose;
mod template;

use core::net::{IpAddr, Ipv6Addr};

use super::checksum::AddressPair;
use super::csid::Compressed;
use super::header::FlowLabel;
use super::mpls::{Label, LabelStack, StackError};
use super::segment::{SegmentList, Sid};
use super::srh::{SrhError, SrhFlags, SrhForm};
use crate::auth::Key;
use crate::error::ParseError;
use crate::ip::{Dscp, Ecn, HopLimit};

pub use template::Template;

/// Why a packet cannot be made as it was asked for.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum EncapsulationError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Srh(#[from] SrhError),
    #[error(transparent)]
    Octets(#[from] ParseError),
    #[error(
        "{segments} segments are more than the {limit} that a Segment Routing Header may hold here"
    )]
    TooManySegments { segments: usize, limit: usize },
    #[error("a Segment Routing Header in front of {source_address}: it needs IPv6")]
    NotIpv6 { source_address: IpAddr },
    #[error("the packet is for {stated}, but its segments end at {reached}")]
    Destination { stated: Ipv6Addr, reached: Ipv6Addr },
    #[error("{address} behind a packed list: its last node would read the address as packed SIDs")]
    NoContinuation { address: Ipv6Addr },
    #[error("{destination} is for packets inside of a tunnel only")]
    LoopbackDestination { destination: IpAddr },
    #[error("label {label} at the bottom announces the other IP version")]
    ExplicitNull { label: Label },
    #[error("{octets} octets of payload are more than the {largest} that its headers can state")]
    PayloadTooLong { octets: usize, largest: usize },
}

/// What a test packet says of itself, however it is steered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Flow {
    /// Who sends it and where it ends.
    pub addresses: AddressPair,
    /// Our UDP port.
    pub source_port: u16,
    /// The UDP port it goes to.
    pub destination_port: u16,
    /// Code point, in every header.
    pub dscp: Dscp,
    /// Congestion notification, in every header.
    pub ecn: Ecn,
    /// TTL or Hop Limit, in every header.
    pub hop_limit: HopLimit,
    /// Flow Label of every IPv6 header; varied to find other paths.
    pub flow_label: FlowLabel,
    /// Identification of an IPv4 header. It says nothing, for the packet is never cut (RFC 6864).
    pub identification: u16,
}

impl Flow {
    /// A flow as test packets have it: best effort, TTL 255, no flow label.
    #[must_use]
    pub const fn new(addresses: AddressPair, source_port: u16, destination_port: u16) -> Self {
        Self {
            addresses,
            source_port,
            destination_port,
            dscp: Dscp::DEFAULT,
            ecn: Ecn::NotEct,
            hop_limit: HopLimit::MAX,
            flow_label: FlowLabel::NONE,
            identification: 0,
        }
    }
}

/// SRv6 segments as they go into a packet: whole, or compressed into containers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Srv6Path {
    entries: SegmentList,
    ultimate: Ipv6Addr,
    continues: bool,
}

impl Srv6Path {
    /// The destination address and the entries of a header, in travel order.
    #[must_use]
    pub const fn entries(&self) -> &SegmentList {
        &self.entries
    }

    /// The destination address as the last node receives it.
    #[must_use]
    pub const fn ultimate(&self) -> Ipv6Addr {
        self.ultimate
    }

    /// The same path, and one address more at its end that is in no block, such as the sender's own.
    ///
    /// # Errors
    ///
    /// [`EncapsulationError::NoContinuation`] behind a packed list without a free place at its end.
    pub fn then(self, address: Ipv6Addr) -> Result<Self, EncapsulationError> {
        if !self.continues {
            return Err(EncapsulationError::NoContinuation { address });
        }
        let entries = self.entries.then(Sid(address));
        Ok(Self { entries, ultimate: address, continues: true })
    }
}

impl From<SegmentList> for Srv6Path {
    fn from(entries: SegmentList) -> Self {
        let ultimate = entries.last().0;
        Self { entries, ultimate, continues: true }
    }
}

impl From<Compressed> for Srv6Path {
    fn from(compressed: Compressed) -> Self {
        let Compressed { containers, ultimate, continues } = compressed;
        Self { entries: containers, ultimate, continues }
    }
}

/// What a Segment Routing Header says besides its list.
#[derive(Clone, Copy, Debug, Default)]
pub struct SrhExtras<'a> {
    /// Flags, such as [`SrhFlags::OAM`].
    pub flags: SrhFlags,
    /// Tag.
    pub tag: u16,
    /// Whose HMAC TLV it carries.
    pub key: Option<&'a Key>,
}

/// How a test packet is steered.
#[derive(Clone, Copy, Debug)]
pub enum Encapsulation<'a> {
    /// By its destination address.
    Plain,
    /// By labels in front of it.
    Mpls(&'a LabelStack),
    /// By a header in its own IPv6 packet, whose destination is the last segment (RFC 8754 §4.1).
    HostSrh {
        /// Where it goes, the destination included.
        path: &'a Srv6Path,
        /// Which segments are in the list.
        form: SrhForm,
        /// What else the header says.
        extras: SrhExtras<'a>,
    },
    /// By an IPv6 packet around it, which the last segment takes off (RFC 8986 §5.1).
    Srv6Tunnel {
        /// Who sends the outer packet.
        source: Ipv6Addr,
        /// Where the outer packet goes.
        path: &'a Srv6Path,
        /// Which segments are in the list.
        form: SrhForm,
        /// What else the header says.
        extras: SrhExtras<'a>,
    },
}

/// What the node that sends can do; without a limit there is none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Limits {
    /// Labels it can impose (its MSD).
    pub labels: Option<usize>,
    /// Entries of the Segment List it can write.
    pub segments: Option<usize>,
}

/// What decides where a packet goes first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FirstHop {
    /// The label on top; who the next node is has to be known otherwise.
    Label(Label),
    /// The destination address of the outermost header.
    Address(IpAddr),
}

#[cfg(test)]
mod tests;
