//! A packet taken apart layer by layer, as a display shows it and a node on the way finds its place.

mod place;
mod quote;

use super::checksum::AddressPair;
use super::header::{HeaderError, Ipv4Header, Ipv6Header, UdpDatagram};
use super::mpls::{LabelRole, LabelStackEntry};
use super::protocol::{EtherType, Protocol};
use super::srh::{ROUTING_TYPE, Srh, SrhError};
use crate::error::ParseError;
use crate::reader::{Reader, peek_up_to};

pub use place::{NoUdp, StampError, UdpPlace, UdpSpan, find_udp, find_udp_below, write_timestamp};
pub use quote::{QuotedUdp, quoted_udp};

/// What a packet begins with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outermost {
    /// An Ethernet header.
    Ethernet,
    /// A label stack.
    Mpls,
    /// IPv4 or IPv6, as its first four bits say.
    Ip,
}

/// One layer of a packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layer<'a> {
    /// An Ethernet header.
    Ethernet {
        /// Who is to take the frame.
        destination: [u8; 6],
        /// Who sent it.
        source: [u8; 6],
        /// What follows.
        ether_type: EtherType,
    },
    /// A VLAN tag.
    Vlan {
        /// Priority and number, as they stand there.
        tag: u16,
        /// What follows.
        ether_type: EtherType,
    },
    /// A label, and what it does where it stands.
    Mpls {
        /// The entry.
        entry: LabelStackEntry,
        /// Its role.
        role: LabelRole,
    },
    /// IPv4.
    Ipv4 {
        /// The header.
        header: Ipv4Header,
        /// Its checksum covers what is there.
        checksum_right: bool,
    },
    /// IPv6.
    Ipv6(Ipv6Header),
    /// A Segment Routing Header.
    Srh(Srh<'a>),
    /// An IPv6 extension header that is not looked into.
    Extension {
        /// Which.
        kind: Protocol,
        /// What follows.
        next_header: Protocol,
        /// All of its octets.
        octets: &'a [u8],
    },
    /// The header of an IPv6 fragment; what follows is a piece of a packet.
    Fragment {
        /// What the whole packet has there.
        next_header: Protocol,
        /// Where the piece belongs, in units of 8 octets.
        offset: u16,
        /// There are more.
        more: bool,
    },
    /// UDP, which ends the walk; its payload is in it.
    Udp {
        /// Header and payload.
        datagram: UdpDatagram<'a>,
        /// Addresses its checksum is made for, as far as headers tell: the destination is that of
        /// the header, or the last segment of an SRH on its way. Behind compressed SIDs only their
        /// source knows it.
        addresses: AddressPair,
    },
    /// What is not taken further apart.
    Opaque {
        /// What it should be, where a header says so.
        protocol: Option<Protocol>,
        /// Its octets.
        octets: &'a [u8],
    },
}

/// Why a layer cannot be read.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum LayerError {
    #[error("octet {offset}: {error}")]
    Header { offset: usize, error: HeaderError },
    #[error("octet {offset}: {error}")]
    Srh { offset: usize, error: SrhError },
}

impl LayerError {
    /// Where the layer begins.
    #[must_use]
    pub const fn offset(&self) -> usize {
        match self {
            Self::Header { offset, .. } | Self::Srh { offset, .. } => *offset,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Ethernet,
    Type(EtherType),
    Mpls(Option<LabelRole>),
    Ip,
    Upper(Protocol),
    Piece(Protocol),
    Nothing,
}

/// The layers of a packet from the outermost inwards, each with the octet it begins at.
///
/// Ends behind UDP, behind what it does not know and behind the first error. Each layer takes
/// octets, so the walk is as long as the packet at most.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    reader: Reader<'a>,
    /// Octets of the packet, but for those behind the end that an IP header states.
    octets: usize,
    next: Next,
    addresses: Option<AddressPair>,
}

impl<'a> Layers<'a> {
    /// Begins at the first octet.
    #[must_use]
    pub const fn new(outermost: Outermost, octets: &'a [u8]) -> Self {
        let next = match outermost {
            Outermost::Ethernet => Next::Ethernet,
            Outermost::Mpls => Next::Mpls(None),
            Outermost::Ip => Next::Ip,
        };
        Self { reader: Reader::new(octets), octets: octets.len(), next, addresses: None }
    }

    /// The rest of the walk, with octets counted from this one on.
    #[must_use]
    pub const fn counted_from(mut self, octet: usize) -> Self {
        self.octets = self.octets.saturating_sub(octet);
        self
    }

    #[inline]
    fn take(&mut self) -> Result<Layer<'a>, Failure> {
        match self.next {
            Next::Ethernet => self.take_ethernet(),
            Next::Type(EtherType::VLAN | EtherType::SERVICE_VLAN) => self.take_vlan(),
            Next::Type(EtherType::MPLS) => self.take_mpls(None),
            Next::Type(EtherType::IPV4 | EtherType::IPV6) | Next::Ip => self.take_ip(),
            Next::Mpls(above) => self.take_mpls(above),
            Next::Upper(Protocol::IPV4 | Protocol::IPV6) => self.take_ip(),
            Next::Upper(Protocol::ETHERNET) => self.take_ethernet(),
            Next::Upper(Protocol::ROUTING) => self.take_routing(),
            Next::Upper(kind @ (Protocol::HOP_BY_HOP | Protocol::DESTINATION_OPTIONS)) => {
                self.take_extension(kind)
            }
            Next::Upper(Protocol::FRAGMENT) => self.take_fragment(),
            Next::Upper(protocol) | Next::Piece(protocol) => Ok(self.take_opaque(Some(protocol))),
            Next::Type(_) | Next::Nothing => Ok(self.take_opaque(None)),
        }
    }

    fn take_ethernet(&mut self) -> Result<Layer<'a>, Failure> {
        let destination = self.reader.take_array("Ethernet header")?;
        let source = self.reader.take_array("Ethernet header")?;
        let ether_type = EtherType(self.reader.take_u16("Ethernet header")?);
        self.next = Next::Type(ether_type);
        Ok(Layer::Ethernet { destination, source, ether_type })
    }

    fn take_vlan(&mut self) -> Result<Layer<'a>, Failure> {
        let tag = self.reader.take_u16("VLAN tag")?;
        let ether_type = EtherType(self.reader.take_u16("VLAN tag")?);
        self.next = Next::Type(ether_type);
        Ok(Layer::Vlan { tag, ether_type })
    }

    #[inline]
    fn take_mpls(&mut self, above: Option<LabelRole>) -> Result<Layer<'a>, Failure> {
        let entry = LabelStackEntry::parse(&mut self.reader)?;
        let role = LabelRole::below(above, entry.label);
        self.next = if entry.bottom { self.below_stack() } else { Next::Mpls(Some(role)) };
        Ok(Layer::Mpls { entry, role })
    }

    /// Nothing below a stack says what it is but its own first four bits (RFC 3032 §2.2).
    fn below_stack(&self) -> Next {
        match self.reader.rest().first().map(|first| first >> 4) {
            Some(4 | 6) | None => Next::Ip,
            Some(_) => Next::Nothing,
        }
    }

    #[inline]
    fn take_ip(&mut self) -> Result<Layer<'a>, Failure> {
        match self.reader.rest().first().map(|first| first >> 4) {
            Some(4) => self.take_ipv4(),
            Some(6) => self.take_ipv6(),
            Some(version) => Err(HeaderError::Version { version }.into()),
            None => {
                let error = ParseError::Truncated { field: "IP header", needed: 1, available: 0 };
                Err(error.into())
            }
        }
    }

    #[inline]
    fn take_ipv4(&mut self) -> Result<Layer<'a>, Failure> {
        let whole = self.reader.rest();
        let (header, checksum_right) = Ipv4Header::parse(&mut self.reader)?;
        self.keep(whole, usize::from(header.total_length));
        let (source, destination) = (header.source, header.destination);
        self.addresses = Some(AddressPair::V4 { source, destination });
        self.next = match header.is_fragment() {
            true => Next::Piece(header.protocol),
            false => Next::Upper(header.protocol),
        };
        Ok(Layer::Ipv4 { header, checksum_right })
    }

    #[inline]
    fn take_ipv6(&mut self) -> Result<Layer<'a>, Failure> {
        let header = Ipv6Header::parse(&mut self.reader)?;
        self.keep(self.reader.rest(), usize::from(header.payload_length));
        let (source, destination) = (header.source, header.destination);
        self.addresses = Some(AddressPair::V6 { source, destination });
        self.next = Next::Upper(header.next_header);
        Ok(Layer::Ipv6(header))
    }

    /// Forgets what is behind the first `octets` of `from`, of which some were taken already.
    #[inline]
    fn keep(&mut self, from: &'a [u8], octets: usize) {
        let before = self.reader.available();
        let taken = from.len().saturating_sub(before);
        self.reader = Reader::new(peek_up_to(from, taken..octets));
        let forgotten = before.saturating_sub(self.reader.available());
        self.octets = self.octets.saturating_sub(forgotten);
    }

    #[inline]
    fn take_routing(&mut self) -> Result<Layer<'a>, Failure> {
        if self.reader.rest().get(2) != Some(&ROUTING_TYPE) {
            return self.take_extension(Protocol::ROUTING);
        }
        let srh = Srh::parse(&mut self.reader)?;
        if srh.segments_left > 0
            && let Some(AddressPair::V6 { source, .. }) = self.addresses
        {
            let destination = srh.last_segment().0;
            self.addresses = Some(AddressPair::V6 { source, destination });
        }
        self.next = Next::Upper(srh.next_header);
        Ok(Layer::Srh(srh))
    }

    fn take_extension(&mut self, kind: Protocol) -> Result<Layer<'a>, Failure> {
        let whole = self.reader.rest();
        let [next_header, units] = self.reader.take_array("extension header")?;
        let behind = (usize::from(units) << 3).saturating_add(6);
        self.reader.take_slice("extension header", behind)?;
        let next_header = Protocol(next_header);
        self.next = Next::Upper(next_header);
        let octets = peek_up_to(whole, 0..behind.saturating_add(2));
        Ok(Layer::Extension { kind, next_header, octets })
    }

    fn take_fragment(&mut self) -> Result<Layer<'a>, Failure> {
        let [next_header, _] = self.reader.take_array("Fragment header")?;
        let bits = self.reader.take_u16("Fragment header")?;
        self.reader.skip::<4>("Fragment header")?;
        let next_header = Protocol(next_header);
        self.next = Next::Piece(next_header);
        Ok(Layer::Fragment { next_header, offset: bits >> 3, more: bits & 1 != 0 })
    }

    /// The UDP datagram, when it is the next layer.
    ///
    /// Whoever looks for nothing else is spared a layer that may be any.
    #[inline]
    fn next_udp(&mut self) -> Option<Result<(usize, UdpDatagram<'a>, AddressPair), LayerError>> {
        let (Next::Upper(Protocol::UDP), Some(addresses)) = (self.next, self.addresses) else {
            // Without addresses there was no IP header, and nothing leads to UDP.
            return None;
        };
        let offset = self.octets.saturating_sub(self.reader.available());
        let datagram = UdpDatagram::parse(&mut self.reader);
        self.finish();
        Some(match datagram {
            Ok(datagram) => Ok((offset, datagram, addresses)),
            Err(error) => Err(LayerError::Header { offset, error }),
        })
    }

    fn take_opaque(&mut self, protocol: Option<Protocol>) -> Layer<'a> {
        let octets = self.reader.rest();
        self.finish();
        Layer::Opaque { protocol, octets }
    }

    const fn finish(&mut self) {
        self.reader = Reader::new(&[]);
        self.next = Next::Nothing;
    }
}

impl<'a> Iterator for Layers<'a> {
    type Item = Result<(usize, Layer<'a>), LayerError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.next, Next::Nothing) && self.reader.available() == 0 {
            return None;
        }
        if let Some(udp) = self.next_udp() {
            return Some(udp.map(|(offset, datagram, addresses)| {
                (offset, Layer::Udp { datagram, addresses })
            }));
        }
        let offset = self.octets.saturating_sub(self.reader.available());
        match self.take() {
            Ok(layer) => Some(Ok((offset, layer))),
            Err(failure) => {
                self.finish();
                Some(Err(failure.at(offset)))
            }
        }
    }
}

/// What went wrong, before it is known where.
enum Failure {
    Header(HeaderError),
    Srh(SrhError),
}

impl Failure {
    const fn at(self, offset: usize) -> LayerError {
        match self {
            Self::Header(error) => LayerError::Header { offset, error },
            Self::Srh(error) => LayerError::Srh { offset, error },
        }
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::Header(error.into())
    }
}

impl From<HeaderError> for Failure {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

impl From<SrhError> for Failure {
    fn from(error: SrhError) -> Self {
        Self::Srh(error)
    }
}

#[cfg(test)]
mod tests;
