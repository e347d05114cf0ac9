//! IPv4 (RFC 791).

use core::net::Ipv4Addr;

use super::HeaderError;
use crate::error::ParseError;
use crate::ip::{Dscp, Ecn, HopLimit, join_traffic_class, split_traffic_class};
use crate::reader::{Reader, peek_up_to};
use crate::sr::checksum;
use crate::sr::protocol::Protocol;
use crate::writer::Writer;

/// Octets of an IPv4 header without options.
pub const IPV4_HEADER_OCTETS: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// An IPv4 header.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Version|  IHL  |   DSCP    |ECN|         Total Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Identification         |0|D|M|     Fragment Offset     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      TTL      |   Protocol    |        Header Checksum        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                        Source Address                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Destination Address                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ipv4Header {
    /// Differentiated Services Code Point.
    pub dscp: Dscp,
    /// Congestion notification.
    pub ecn: Ecn,
    /// Octets of header, options and payload.
    pub total_length: u16,
    /// What the fragments of one packet have in common.
    pub identification: u16,
    /// No router may cut it.
    pub dont_fragment: bool,
    /// It is a fragment, and not the last one.
    pub more_fragments: bool,
    /// Where its payload belongs, in units of 8 octets; 13 bits.
    pub fragment_offset: u16,
    /// Routers it may still pass.
    pub ttl: HopLimit,
    /// What the payload is.
    pub protocol: Protocol,
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Where it goes.
    pub destination: Ipv4Addr,
}

impl Ipv4Header {
    /// Takes a header and its options, which are passed over, and tells whether its checksum is
    /// right.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Version`] for another version, [`HeaderError::Ipv4HeaderLength`] for an IHL
    /// below five words, [`HeaderError::Length`] when the Total Length is smaller than the header
    /// or larger than what is there, [`HeaderError::Octets`] when the header itself is cut short.
    #[inline]
    pub fn parse(reader: &mut Reader<'_>) -> Result<(Self, bool), HeaderError> {
        const FIELD: &str = "IPv4 header";
        let whole = reader.rest();
        let version = whole.first().map_or(4, |first| first >> 4);
        if version != 4 {
            return Err(HeaderError::Version { version });
        }
        // One look at the length for all of them.
        let fixed = reader.take_array::<IPV4_HEADER_OCTETS>(FIELD)?;
        let mut fields = Reader::new(&fixed);
        let [version_ihl, traffic_class] = fields.take_array(FIELD)?;
        let header = usize::from(version_ihl & 0x0f) << 2;
        let Some(options) = header.checked_sub(IPV4_HEADER_OCTETS) else {
            return Err(HeaderError::Ipv4HeaderLength { octets: header });
        };
        let (dscp, ecn) = split_traffic_class(traffic_class);
        let total_length = fields.take_u16(FIELD)?;
        let identification = fields.take_u16(FIELD)?;
        let fragment = fields.take_u16(FIELD)?;
        let [ttl, protocol] = fields.take_array(FIELD)?;
        fields.skip::<2>(FIELD)?;
        let source = Ipv4Addr::from(fields.take_array::<4>(FIELD)?);
        let destination = Ipv4Addr::from(fields.take_array::<4>(FIELD)?);
        reader.take_slice("IPv4 options", options)?;
        let (stated, available) = (usize::from(total_length), whole.len());
        if stated < header || stated > available {
            let field = "IPv4 Total Length";
            return Err(HeaderError::Length { field, stated, least: header, available });
        }
        let parsed = Self {
            dscp,
            ecn,
            total_length,
            identification,
            dont_fragment: fragment & DONT_FRAGMENT != 0,
            more_fragments: fragment & MORE_FRAGMENTS != 0,
            fragment_offset: fragment & FRAGMENT_OFFSET,
            ttl: HopLimit(ttl),
            protocol: Protocol(protocol),
            source,
            destination,
        };
        Ok((parsed, checksum::is_right(peek_up_to(whole, 0..header))))
    }

    /// It is a piece of a larger packet.
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// Writes a header without options, its checksum included.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 20 octets.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let mut octets = [0; IPV4_HEADER_OCTETS];
        self.fill(0, &mut Writer::new(&mut octets))?;
        let sum = checksum::checksum(&octets);
        self.fill(sum, &mut Writer::new(&mut octets))?;
        writer.put("IPv4 header", octets)
    }

    fn fill(&self, sum: u16, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let flag = |set: bool, bit: u16| if set { bit } else { 0 };
        let fragment = flag(self.dont_fragment, DONT_FRAGMENT)
            | flag(self.more_fragments, MORE_FRAGMENTS)
            | (self.fragment_offset & FRAGMENT_OFFSET);
        writer.put("IPv4 header", [0x45, join_traffic_class(self.dscp, self.ecn)])?;
        writer.put("IPv4 header", self.total_length.to_be_bytes())?;
        writer.put("IPv4 header", self.identification.to_be_bytes())?;
        writer.put("IPv4 header", fragment.to_be_bytes())?;
        writer.put("IPv4 header", [self.ttl.0, self.protocol.0])?;
        writer.put("IPv4 header", sum.to_be_bytes())?;
        writer.put("IPv4 header", self.source.octets())?;
        writer.put("IPv4 header", self.destination.octets())
    }
}
