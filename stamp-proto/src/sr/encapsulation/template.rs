//! Headers that are filled in for each packet: lengths and checksums.

use alloc::vec::Vec;

use super::{EncapsulationError, FirstHop};
use crate::error::ParseError;
use crate::reader::peek_up_to;
use crate::sr::checksum::{AddressPair, OnesComplement, checksum};
use crate::sr::header::{
    IPV4_HEADER_OCTETS, IPV6_HEADER_OCTETS, UDP_CHECKSUM_OFFSET, make_checksum,
};
use crate::sr::protocol::{EtherType, Protocol};
use crate::writer::{Writer, patch_array};

const IPV4_TOTAL_LENGTH: usize = 2;
const IPV4_CHECKSUM: usize = 10;
const IPV6_PAYLOAD_LENGTH: usize = 4;
const UDP_LENGTH: usize = 4;

/// Where the headers are that are filled in, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub ether_type: EtherType,
    pub first_hop: FirstHop,
    /// Where an outer IPv6 header begins.
    pub tunnel: Option<usize>,
    /// Where the IP header in front of UDP begins.
    pub ip: usize,
    pub udp: usize,
    /// What the UDP checksum is made for.
    pub addresses: AddressPair,
    /// What the headers of the same packet take when nothing steers it.
    pub plain_octets: usize,
}

/// All octets of a network-layer packet in front of its UDP payload.
///
/// Made once by [`Encapsulation::compose`](super::Encapsulation::compose); filling one in allocates
/// nothing.
#[derive(Clone, Debug)]
pub struct Template {
    octets: Vec<u8>,
    parts: Parts,
    pseudo_header: OnesComplement,
}

impl Template {
    pub(super) fn new(octets: Vec<u8>, parts: Parts) -> Self {
        let pseudo_header = parts.addresses.pseudo_header(Protocol::UDP);
        Self { octets, parts, pseudo_header }
    }

    /// Writes headers and payload and gives the packet.
    ///
    /// # Errors
    ///
    /// As [`Self::fill`].
    pub fn emit<'b>(
        &self,
        payload: &[u8],
        out: &'b mut [u8],
    ) -> Result<&'b mut [u8], EncapsulationError> {
        let mut writer = Writer::new(out);
        writer.reserve("headers", self.octets.len())?;
        writer.put_slice("UDP payload", payload)?;
        let packet = writer.into_written();
        self.fill(packet)?;
        Ok(packet)
    }

    /// Writes the headers in front of a payload that is in its place already:
    /// [`Self::header_octets`] into `packet`, up to its end.
    ///
    /// # Errors
    ///
    /// [`EncapsulationError::PayloadTooLong`] when a length field cannot say it,
    /// [`EncapsulationError::Octets`] when there is no room for the headers.
    pub fn fill(&self, packet: &mut [u8]) -> Result<(), EncapsulationError> {
        let end = packet.len();
        let Some(payload) = end.checked_sub(self.octets.len()) else {
            let (needed, available) = (self.octets.len(), end);
            return Err(ParseError::Truncated { field: "headers", needed, available }.into());
        };
        let largest = self.largest_stated();
        if payload > largest {
            return Err(EncapsulationError::PayloadTooLong { octets: payload, largest });
        }
        Writer::new(packet).put_slice("headers", &self.octets)?;
        if let Some(outer) = self.parts.tunnel {
            patch_length(packet, outer, IPV6_PAYLOAD_LENGTH, IPV6_HEADER_OCTETS)?;
        }
        self.fill_ip(packet)?;
        self.fill_udp(packet)?;
        Ok(())
    }

    /// Octets in front of the payload.
    #[must_use]
    pub const fn header_octets(&self) -> usize {
        self.octets.len()
    }

    /// Octets that steering takes: what is there beside one IP header and UDP.
    #[must_use]
    pub const fn overhead(&self) -> usize {
        self.octets.len().saturating_sub(self.parts.plain_octets)
    }

    /// The largest payload that fits into `mtu` octets of network layer, labels included; none
    /// when not even the headers do.
    #[must_use]
    pub fn largest_payload(&self, mtu: usize) -> Option<usize> {
        let payload = mtu.checked_sub(self.octets.len())?;
        Some(payload.min(self.largest_stated()))
    }

    /// The whole datagram travels inside another IPv6 header.
    #[must_use]
    pub const fn is_tunnel(&self) -> bool {
        self.parts.tunnel.is_some()
    }

    /// What a link-layer header has to announce.
    #[must_use]
    pub const fn ether_type(&self) -> EtherType {
        self.parts.ether_type
    }

    /// What decides where it goes first.
    #[must_use]
    pub const fn first_hop(&self) -> FirstHop {
        self.parts.first_hop
    }

    /// Source and ultimate destination, as the UDP checksum covers them.
    #[must_use]
    pub const fn addresses(&self) -> AddressPair {
        self.parts.addresses
    }

    /// The largest payload that every length field can state: the outermost counts most, and the
    /// one of IPv6 does not count its own header.
    fn largest_stated(&self) -> usize {
        let outermost = self.parts.tunnel.unwrap_or(self.parts.ip);
        let is_ipv6 =
            self.parts.tunnel.is_some() || matches!(self.parts.addresses, AddressPair::V6 { .. });
        let own = if is_ipv6 { IPV6_HEADER_OCTETS } else { 0 };
        let counted = self.octets.len().saturating_sub(outermost).saturating_sub(own);
        usize::from(u16::MAX).saturating_sub(counted)
    }

    fn fill_ip(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        let ip = self.parts.ip;
        match self.parts.addresses {
            AddressPair::V4 { .. } => {
                patch_length(packet, ip, IPV4_TOTAL_LENGTH, 0)?;
                let at = ip.saturating_add(IPV4_CHECKSUM);
                patch_array(packet, at, "IPv4 checksum", [0; 2])?;
                let header = ip..ip.saturating_add(IPV4_HEADER_OCTETS);
                let sum = checksum(peek_up_to(packet, header));
                patch_array(packet, at, "IPv4 checksum", sum.to_be_bytes())
            }
            AddressPair::V6 { .. } => {
                patch_length(packet, ip, IPV6_PAYLOAD_LENGTH, IPV6_HEADER_OCTETS)
            }
        }
    }

    fn fill_udp(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        let udp = self.parts.udp;
        patch_length(packet, udp, UDP_LENGTH, 0)?;
        let sum = make_checksum(self.pseudo_header, peek_up_to(packet, udp..packet.len()));
        patch_array(
            packet,
            udp.saturating_add(UDP_CHECKSUM_OFFSET),
            "UDP checksum",
            sum.to_be_bytes(),
        )
    }
}

/// Writes how many octets there are from `uncounted` octets into the header at `header` to the end.
fn patch_length(
    packet: &mut [u8],
    header: usize,
    field_offset: usize,
    uncounted: usize,
) -> Result<(), ParseError> {
    let counted = packet.len().saturating_sub(header).saturating_sub(uncounted);
    // What is longer was refused before.
    let length = u16::try_from(counted).unwrap_or(u16::MAX);
    patch_array(packet, header.saturating_add(field_offset), "length", length.to_be_bytes())
}
