//! UDP (RFC 768).

use super::HeaderError;
use crate::error::ParseError;
use crate::reader::{Reader, peek_up_to};
use crate::sr::checksum::{AddressPair, OnesComplement, updated};
use crate::sr::protocol::Protocol;
use crate::writer::Writer;

/// Octets of a UDP header.
pub const UDP_HEADER_OCTETS: usize = 8;

/// Where in the header the checksum is.
pub const UDP_CHECKSUM_OFFSET: usize = 6;

/// A UDP header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UdpHeader {
    /// Port of who sent it.
    pub source_port: u16,
    /// Port it goes to.
    pub destination_port: u16,
    /// Octets of header and payload.
    pub length: u16,
    /// The checksum as it stands there; zero means that there is none.
    pub checksum: u16,
}

impl UdpHeader {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 8 octets.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let [source, destination] =
            [self.source_port.to_be_bytes(), self.destination_port.to_be_bytes()];
        let [length, checksum] = [self.length.to_be_bytes(), self.checksum.to_be_bytes()];
        let mut octets = [0; UDP_HEADER_OCTETS];
        let mut header = Writer::new(&mut octets);
        for field in [source, destination, length, checksum] {
            header.put("UDP header", field)?;
        }
        writer.put("UDP header", octets)
    }
}

/// What a UDP checksum says about a datagram.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UdpChecksum {
    /// The sender made none. Over IPv6 such a datagram is dropped unless its port is open for it
    /// (RFC 8200 §8.1, RFC 6936 §5).
    Absent,
    /// It covers what is there.
    Right,
    /// Something else was sent, or to somewhere else.
    Wrong,
}

/// A UDP datagram as it lies in a packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UdpDatagram<'a> {
    /// Its header.
    pub header: UdpHeader,
    /// What it carries.
    pub payload: &'a [u8],
    octets: &'a [u8],
}

impl<'a> UdpDatagram<'a> {
    /// Takes a datagram; what is behind its Length is left.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Length`] when the Length is smaller than the header or larger than what is
    /// there, [`HeaderError::Octets`] when the header itself is cut short.
    #[inline]
    pub fn parse(reader: &mut Reader<'a>) -> Result<Self, HeaderError> {
        const FIELD: &str = "UDP header";
        let whole = reader.rest();
        let octets = reader.take_array::<UDP_HEADER_OCTETS>(FIELD)?;
        let mut fields = Reader::new(&octets);
        let header = UdpHeader {
            source_port: fields.take_u16(FIELD)?,
            destination_port: fields.take_u16(FIELD)?,
            length: fields.take_u16(FIELD)?,
            checksum: fields.take_u16(FIELD)?,
        };
        let (stated, available) = (usize::from(header.length), whole.len());
        let refused = HeaderError::Length {
            field: "UDP Length",
            stated,
            least: UDP_HEADER_OCTETS,
            available,
        };
        let payload = stated.checked_sub(UDP_HEADER_OCTETS).ok_or(refused)?;
        let payload = reader.take_slice("UDP payload", payload).map_err(|_| refused)?;
        Ok(Self { header, payload, octets: peek_up_to(whole, 0..stated) })
    }

    /// Judges the checksum as one made for this pair of addresses.
    #[must_use]
    pub fn checksum(&self, addresses: AddressPair) -> UdpChecksum {
        if self.header.checksum == 0 {
            return UdpChecksum::Absent;
        }
        let mut sum = addresses.pseudo_header(Protocol::UDP);
        sum.add_word(self.header.length);
        sum.add(self.octets);
        if sum.fold() == u16::MAX { UdpChecksum::Right } else { UdpChecksum::Wrong }
    }
}

/// The checksum of a datagram whose checksum field is zero; one that would be zero is sent as
/// 0xffff, since zero means that there is none (RFC 8200 §8.1).
#[must_use]
pub fn make_checksum(pseudo_header: OnesComplement, datagram: &[u8]) -> u16 {
    let mut sum = pseudo_header;
    sum.add_word(u16::try_from(datagram.len()).unwrap_or(u16::MAX));
    sum.add(datagram);
    never_zero(!sum.fold())
}

/// A checksum after octets it covers were changed (RFC 1624 §3); none stays none.
#[must_use]
#[inline]
pub fn update_checksum(checksum: u16, at_odd_octet: bool, old: &[u8], new: &[u8]) -> u16 {
    if checksum == 0 {
        return 0;
    }
    never_zero(updated(checksum, at_odd_octet, old, new))
}

const fn never_zero(checksum: u16) -> u16 {
    if checksum == 0 { u16::MAX } else { checksum }
}
