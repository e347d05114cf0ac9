//! Where in a packet the UDP payload is, and how a node on the way writes a timestamp into it.

use core::ops::Range;

use super::{Layer, LayerError, Layers, Outermost};
use crate::error::ParseError;
use crate::reader::{peek_array, peek_up_to};
use crate::sr::checksum::AddressPair;
use crate::sr::header::{UDP_CHECKSUM_OFFSET, UDP_HEADER_OCTETS, UdpHeader, update_checksum};
use crate::sr::protocol::Protocol;
use crate::writer::patch_array;

/// Octets of a timestamp.
const TIMESTAMP_OCTETS: usize = 8;

/// Why a packet has no UDP payload to write into.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum NoUdp {
    #[error(transparent)]
    Malformed(#[from] LayerError),
    #[error("a fragment: the rest of the packet is elsewhere")]
    Fragment,
    #[error("protocol {protocol} where UDP was expected")]
    OtherProtocol { protocol: Protocol },
    #[error("no IP packet")]
    NoIp,
}

/// Why no timestamp is written.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum StampError {
    #[error("a timestamp at octet {offset} of the payload does not fit into {available} octets")]
    PayloadTooShort { offset: usize, available: usize },
    #[error(transparent)]
    Octets(#[from] ParseError),
}

/// Where the UDP datagram of a packet is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UdpPlace {
    /// Where the IP header in front of it begins.
    pub ip: usize,
    /// Where its header begins.
    pub udp: usize,
    /// Where its payload is.
    pub payload: Range<usize>,
    /// Its header.
    pub header: UdpHeader,
    /// Addresses its checksum is made for, as [`Layer::Udp`] tells them.
    pub addresses: AddressPair,
}

/// Which octets of a packet are a UDP datagram: all that it takes to write into one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UdpSpan {
    /// Where its header begins.
    pub udp: usize,
    /// Where its payload begins.
    pub payload: usize,
    /// Where that ends.
    pub end: usize,
}

/// Looks for the UDP datagram below all labels, outer headers and extension headers.
///
/// # Errors
///
/// [`NoUdp`]; such a packet is none that may be written into.
pub fn find_udp(outermost: Outermost, octets: &[u8]) -> Result<UdpPlace, NoUdp> {
    find_udp_below(Layers::new(outermost, octets), None)
}

/// As [`find_udp`], for whoever took some layers already, of which the last IP header, no fragment's,
/// began at octet `ip`.
///
/// # Errors
///
/// As [`find_udp`].
#[inline]
pub fn find_udp_below(layers: Layers<'_>, ip: Option<usize>) -> Result<UdpPlace, NoUdp> {
    let (mut layers, mut ip) = (layers, ip);
    loop {
        if let Some(found) = layers.next_udp() {
            let (udp, datagram, addresses) = found?;
            let start = udp.saturating_add(UDP_HEADER_OCTETS);
            return Ok(UdpPlace {
                ip: ip.unwrap_or(udp),
                udp,
                payload: start..start.saturating_add(datagram.payload.len()),
                header: datagram.header,
                addresses,
            });
        }
        let Some(layer) = layers.next() else { return Err(NoUdp::NoIp) };
        let (offset, layer) = layer?;
        match layer {
            Layer::Ipv4 { header, .. } if header.is_fragment() => return Err(NoUdp::Fragment),
            Layer::Ipv4 { .. } | Layer::Ipv6(_) => ip = Some(offset),
            Layer::Fragment { .. } => return Err(NoUdp::Fragment),
            Layer::Opaque { protocol: Some(protocol), .. } => {
                return Err(NoUdp::OtherProtocol { protocol });
            }
            _ => {}
        }
    }
}

/// Writes a timestamp `offset` octets into the payload and brings the UDP checksum up to date
/// (RFC 1624 §3); where there is none, there is none afterwards.
///
/// # Errors
///
/// [`StampError::PayloadTooShort`], [`StampError::Octets`] when `span` is not one of this packet;
/// nothing is written then.
#[inline]
pub fn write_timestamp(
    packet: &mut [u8],
    span: UdpSpan,
    offset: usize,
    timestamp: [u8; TIMESTAMP_OCTETS],
) -> Result<(), StampError> {
    const FIELD: &str = "timestamp";
    let available = span.end.saturating_sub(span.payload);
    if offset.saturating_add(TIMESTAMP_OCTETS) > available {
        return Err(StampError::PayloadTooShort { offset, available });
    }
    let at = span.payload.saturating_add(offset);
    let old: [u8; TIMESTAMP_OCTETS] = peek_array(packet, at, FIELD)?;
    let checksum_at = span.udp.saturating_add(UDP_CHECKSUM_OFFSET);
    let checksum = u16::from_be_bytes(peek_array(packet, checksum_at, "UDP checksum")?);
    let updated = update_checksum(checksum, !offset.is_multiple_of(2), &old, &timestamp);
    patch_array(packet, at, FIELD, timestamp)?;
    patch_array(packet, checksum_at, "UDP checksum", updated.to_be_bytes())?;
    Ok(())
}

impl UdpPlace {
    /// Which octets it takes.
    #[must_use]
    pub const fn span(&self) -> UdpSpan {
        UdpSpan { udp: self.udp, payload: self.payload.start, end: self.payload.end }
    }

    /// The payload in the packet it was found in.
    #[must_use]
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        peek_up_to(packet, self.payload.clone())
    }
}
