//! IPv6 (RFC 8200).

use core::fmt;
use core::net::Ipv6Addr;

use super::HeaderError;
use crate::error::ParseError;
use crate::ip::{Dscp, Ecn, HopLimit, join_traffic_class, split_traffic_class};
use crate::reader::Reader;
use crate::sr::protocol::Protocol;
use crate::writer::Writer;

/// Octets of an IPv6 header.
pub const IPV6_HEADER_OCTETS: usize = 40;

/// Flow Label, 20 bits: what routers choose among equal paths by.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FlowLabel(u32);

impl FlowLabel {
    /// No flow.
    pub const NONE: Self = Self(0);

    /// The label `value`, if it has no more than 20 bits.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value <= 0x000f_ffff { Some(Self(value)) } else { None }
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }
}

impl fmt::Display for FlowLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#07x}", self.0)
    }
}

/// An IPv6 header.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Version|   DSCP    |ECN|              Flow Label               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Payload Length         |  Next Header  |   Hop Limit   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                        Source Address                         ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                      Destination Address                      ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ipv6Header {
    /// Differentiated Services Code Point.
    pub dscp: Dscp,
    /// Congestion notification.
    pub ecn: Ecn,
    /// The flow it belongs to.
    pub flow_label: FlowLabel,
    /// Octets behind this header, extension headers included.
    pub payload_length: u16,
    /// What follows this header.
    pub next_header: Protocol,
    /// Routers it may still pass.
    pub hop_limit: HopLimit,
    /// Who sent it.
    pub source: Ipv6Addr,
    /// Where it goes next.
    pub destination: Ipv6Addr,
}

impl Ipv6Header {
    /// Takes a header.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Version`] for another version, [`HeaderError::Length`] when the Payload
    /// Length is larger than what is there, [`HeaderError::Octets`] when the header itself is cut
    /// short.
    #[inline]
    pub fn parse(reader: &mut Reader<'_>) -> Result<Self, HeaderError> {
        const FIELD: &str = "IPv6 header";
        let version = reader.rest().first().map_or(6, |first| first >> 4);
        if version != 6 {
            return Err(HeaderError::Version { version });
        }
        // One look at the length for all of them.
        let fixed = reader.take_array::<IPV6_HEADER_OCTETS>(FIELD)?;
        let mut fields = Reader::new(&fixed);
        let first = fields.take_u32(FIELD)?;
        let [upper, lower, _, _] = first.to_be_bytes();
        let (dscp, ecn) = split_traffic_class((upper << 4) | (lower >> 4));
        let payload_length = fields.take_u16(FIELD)?;
        let [next_header, hop_limit] = fields.take_array(FIELD)?;
        let source = Ipv6Addr::from(fields.take_array::<16>(FIELD)?);
        let destination = Ipv6Addr::from(fields.take_array::<16>(FIELD)?);
        let (stated, available) = (usize::from(payload_length), reader.available());
        if stated > available {
            let field = "IPv6 Payload Length";
            return Err(HeaderError::Length { field, stated, least: 0, available });
        }
        Ok(Self {
            dscp,
            ecn,
            flow_label: FlowLabel(first & 0x000f_ffff),
            payload_length,
            next_header: Protocol(next_header),
            hop_limit: HopLimit(hop_limit),
            source,
            destination,
        })
    }

    /// Writes the header.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 40 octets.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        if writer.available() < IPV6_HEADER_OCTETS {
            let (needed, available) = (IPV6_HEADER_OCTETS, writer.available());
            return Err(ParseError::Truncated { field: "IPv6 header", needed, available });
        }
        let traffic_class = u32::from(join_traffic_class(self.dscp, self.ecn));
        let first = 0x6000_0000 | (traffic_class << 20) | self.flow_label.0;
        writer.put("IPv6 header", first.to_be_bytes())?;
        writer.put("IPv6 header", self.payload_length.to_be_bytes())?;
        writer.put("IPv6 header", [self.next_header.0, self.hop_limit.0])?;
        writer.put("IPv6 header", self.source.octets())?;
        writer.put("IPv6 header", self.destination.octets())
    }
}
