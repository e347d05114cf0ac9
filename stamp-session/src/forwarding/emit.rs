//! A packet as it leaves.

use core::net::{IpAddr, Ipv6Addr};

use stamp_proto::error::ParseError;
use stamp_proto::reader::{peek_array, peek_up_to};
use stamp_proto::sr::checksum::{OnesComplement, updated};
use stamp_proto::sr::header::UDP_CHECKSUM_OFFSET;
use stamp_proto::sr::layers::{UdpSpan, write_timestamp};
use stamp_proto::sr::mpls::{Label, LabelStackEntry};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::writer::{Writer, patch_array};

use super::config::AdjacencyId;
use super::count::Fate;
use super::payload::Payload;

/// Where a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NextHop {
    /// Where the routing table says that this address is.
    Destination(IpAddr),
    /// To the next hop of a label.
    Adjacency(AdjacencyId),
}

/// A packet that goes on, and what changes on it.
#[derive(Clone, Debug)]
pub struct Forward<'a> {
    /// What comes behind the labels that are put on.
    pub(super) packet: &'a [u8],
    /// What is put on.
    pub(super) imposed: Imposed<'a>,
    /// Whose remaining hops are counted down.
    pub(super) top: Top,
    /// The outer IPv6 header's next destination.
    pub(super) advance: Option<Advance>,
    /// What changes in the payload.
    pub(super) payload: Payload,
    /// Where it goes.
    pub(super) next_hop: NextHop,
}

/// Labels that are put on a packet: of the class of the one they stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Imposed<'a> {
    pub(super) labels: &'a [Label],
    /// Class and TTL of each, and whether the last is the bottom.
    pub(super) like: LabelStackEntry,
}

/// The outermost header of what was there before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Top {
    /// A label that was below; the packet leaves with it on top.
    Label,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Labels are put on it, so that nobody sees it on the next hop.
    Covered,
}

/// The step to the next segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advance {
    pub(super) destination: Ipv6Addr,
    /// Where Segments Left is, and what it becomes; a shift leaves it alone.
    pub(super) segments_left: Option<(u16, u8)>,
}

impl Forward<'_> {
    /// Where it goes.
    #[must_use]
    pub const fn next_hop(&self) -> NextHop {
        self.next_hop
    }

    /// What it is when it leaves.
    #[must_use]
    pub const fn ether_type(&self) -> EtherType {
        match self.top {
            Top::Ipv4 => EtherType::IPV4,
            Top::Ipv6 => EtherType::IPV6,
            Top::Label | Top::Covered => EtherType::MPLS,
        }
    }

    /// How many octets it takes.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.packet.len().saturating_add(self.imposed.labels.len().saturating_mul(4))
    }

    /// What to count when it has left.
    #[must_use]
    pub const fn fate(&self) -> Fate {
        self.payload.fate
    }

    /// Writes the packet as it leaves and returns how many octets that are.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when `out` has no room for it.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, ParseError> {
        let mut writer = Writer::new(out);
        let last = self.imposed.labels.len().saturating_sub(1);
        for (index, label) in self.imposed.labels.iter().enumerate() {
            let like = self.imposed.like;
            let bottom = like.bottom && index == last;
            let entry = LabelStackEntry { label: *label, bottom, ..like };
            writer.put("label stack entry", entry.octets())?;
        }
        let labels = writer.position();
        writer.put_slice("packet", self.packet)?;
        let written = writer.into_written();
        let octets = written.len();
        let packet = written.get_mut(labels..).unwrap_or_default();
        self.change_payload(packet)?;
        self.count_down(packet)?;
        self.advance(packet)?;
        Ok(octets)
    }

    fn change_payload(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        let Payload { span: Some(span), timestamp, finish_checksum, .. } = self.payload else {
            return Ok(());
        };
        if finish_checksum {
            finish(packet, span)?;
        }
        if let Some((offset, octets)) = timestamp {
            // That it fits was seen before.
            write_timestamp(packet, span, offset, octets).map_err(|_| {
                let needed = offset.saturating_add(8);
                let available = span.end.saturating_sub(span.payload);
                ParseError::Truncated { field: "timestamp", needed, available }
            })?;
        }
        Ok(())
    }

    /// One hop less, in the header the next node looks at.
    fn count_down(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        let at = match self.top {
            Top::Covered => return Ok(()),
            Top::Label => 3,
            Top::Ipv4 => 8,
            Top::Ipv6 => 7,
        };
        let [hops] = peek_array(packet, at, "hop limit")?;
        let fewer = [hops.saturating_sub(1)];
        if self.top == Top::Ipv4 {
            const CHECKSUM: usize = 10;
            let checksum = u16::from_be_bytes(peek_array(packet, CHECKSUM, "IPv4 checksum")?);
            let checksum = updated(checksum, false, &[hops], &fewer);
            patch_array(packet, CHECKSUM, "IPv4 checksum", checksum.to_be_bytes())?;
        }
        patch_array(packet, at, "hop limit", fewer)
    }

    fn advance(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        const DESTINATION: usize = 24;
        let Some(Advance { destination, segments_left }) = self.advance else { return Ok(()) };
        patch_array(packet, DESTINATION, "destination address", destination.octets())?;
        match segments_left {
            Some((at, left)) => patch_array(packet, at.into(), "Segments Left", [left]),
            None => Ok(()),
        }
    }
}

/// Finishes a checksum whose field holds the sum of the pseudo-header: whoever wrote that knew the
/// address at the end of the way, which nobody can tell from the packet.
fn finish(packet: &mut [u8], span: UdpSpan) -> Result<(), ParseError> {
    let mut sum = OnesComplement::new();
    sum.add(peek_up_to(packet, span.udp..span.end));
    let checksum = match !sum.fold() {
        0 => u16::MAX,
        checksum => checksum,
    };
    let at = span.udp.saturating_add(UDP_CHECKSUM_OFFSET);
    patch_array(packet, at, "UDP checksum", checksum.to_be_bytes())
}
