//! Segment Routing Header, the IPv6 routing header of type 4 (RFC 8754 §2).

mod hmac;
mod layout;
mod tlv;

use core::net::Ipv6Addr;

use super::protocol::Protocol;
use super::segment::Sid;
use crate::error::ParseError;
use crate::reader::{Reader, peek_up_to};

pub use hmac::{SrhIntegrity, sign, verify};
pub use layout::{SrhForm, SrhLayout};
pub use tlv::{SrhTlv, SrhTlvs};

/// The routing type of an SRH.
pub const ROUTING_TYPE: u8 = 4;

/// Octets in front of the Segment List.
pub const SRH_FIXED_OCTETS: usize = 8;

/// Octets of one entry of the Segment List.
pub const SEGMENT_OCTETS: usize = 16;

/// The largest SRH: Hdr Ext Len counts units of 8 octets beyond the first, in one octet.
pub const LARGEST_SRH_OCTETS: usize = 2048;

/// Why octets are no Segment Routing Header, or a list does not become one.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum SrhError {
    #[error(transparent)]
    Octets(#[from] ParseError),
    #[error("a routing header of type {routing_type} is no Segment Routing Header")]
    RoutingType { routing_type: u8 },
    #[error(
        "Last Entry is {last_entry}, but Hdr Ext Len {header_length} has room for {room} segments"
    )]
    LastEntry { last_entry: u8, header_length: u8, room: u8 },
    #[error("Segments Left is {segments_left}, more than Last Entry {last_entry} allows")]
    SegmentsLeft { segments_left: u8, last_entry: u8 },
    #[error("the TLV at octet {offset} of the Segment Routing Header runs past its end")]
    TlvPastEnd { offset: usize },
    #[error("a Segment Routing Header of {octets} octets; it has at most 2048")]
    TooLong { octets: usize },
    #[error("there is no HMAC TLV to write a digest of 32 octets into")]
    NoHmac,
}

impl SrhError {
    /// The octet of the header that an ICMPv6 Parameter Problem points to, where one is due
    /// (RFC 8754 §4.3.1.1, RFC 8754 §2.1).
    #[must_use]
    pub const fn pointer(&self) -> Option<usize> {
        match self {
            Self::LastEntry { .. } | Self::SegmentsLeft { .. } => Some(3),
            Self::TlvPastEnd { .. } => Some(1),
            Self::RoutingType { .. } => Some(2),
            Self::Octets(_) | Self::TooLong { .. } | Self::NoHmac => None,
        }
    }
}

/// Flags of an SRH; all but one are unassigned (RFC 8754 §2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct SrhFlags(pub u8);

impl SrhFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// O: endpoints make a time-stamped copy and hand it to their OAM process (RFC 9259 §2.1).
    pub const OAM: Self = Self(0x20);

    /// O is set.
    #[must_use]
    pub const fn is_oam(self) -> bool {
        self.0 & Self::OAM.0 != 0
    }
}

/// A Segment Routing Header as it lies in a packet.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Next Header  |  Hdr Ext Len  | Routing Type  | Segments Left |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Last Entry   |    |O|        |              Tag              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~             Segment List[0]: the last to visit                ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~             Segment List[Last Entry]                          ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~             TLVs                                              ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Srh<'a> {
    /// What follows it.
    pub next_header: Protocol,
    /// How many segments are still to be visited after the current one; with compressed SIDs, how
    /// many entries.
    pub segments_left: u8,
    /// Index of the last element of the list.
    pub last_entry: u8,
    /// Flags.
    pub flags: SrhFlags,
    /// What packets of one class have in common; zero when unused.
    pub tag: u16,
    list: &'a [u8],
    tlvs: &'a [u8],
}

impl<'a> Srh<'a> {
    /// Takes a header, TLVs included; they are cut when asked for.
    ///
    /// The checks are those that an endpoint makes before it goes on (RFC 8754 §4.3.1.1).
    ///
    /// # Errors
    ///
    /// [`SrhError::RoutingType`], [`SrhError::LastEntry`] when the list does not fit into the
    /// header, [`SrhError::SegmentsLeft`] when it points behind a list with its first segment left
    /// out, [`SrhError::Octets`] when the header is cut short.
    #[inline]
    pub fn parse(reader: &mut Reader<'a>) -> Result<Self, SrhError> {
        const FIELD: &str = "Segment Routing Header";
        let [next_header, header_length, routing_type, segments_left] = reader.take_array(FIELD)?;
        if routing_type != ROUTING_TYPE {
            return Err(SrhError::RoutingType { routing_type });
        }
        let [last_entry, flags] = reader.take_array(FIELD)?;
        let tag = reader.take_u16(FIELD)?;
        let room = header_length >> 1;
        if last_entry >= room {
            return Err(SrhError::LastEntry { last_entry, header_length, room });
        }
        if segments_left > last_entry.saturating_add(1) {
            return Err(SrhError::SegmentsLeft { segments_left, last_entry });
        }
        let whole = reader.take_slice(FIELD, usize::from(header_length) << 3)?;
        let list = usize::from(last_entry).saturating_add(1).saturating_mul(SEGMENT_OCTETS);
        Ok(Self {
            next_header: Protocol(next_header),
            segments_left,
            last_entry,
            flags: SrhFlags(flags),
            tag,
            list: peek_up_to(whole, 0..list),
            tlvs: peek_up_to(whole, list..whole.len()),
        })
    }

    /// The Segment List as it stands there: the last to visit first.
    pub fn list(&self) -> impl DoubleEndedIterator<Item = Sid> + ExactSizeIterator + use<'a> {
        let (segments, _) = self.list.as_chunks::<SEGMENT_OCTETS>();
        segments.iter().map(|octets| Sid(Ipv6Addr::from(*octets)))
    }

    /// The Segment List in travel order. What a reduced header leaves out is not in it.
    pub fn travel(&self) -> impl Iterator<Item = Sid> + use<'a> {
        self.list().rev()
    }

    /// The entry Segments Left points to; none when the first segment was left out and is the
    /// current one.
    #[must_use]
    pub fn current(&self) -> Option<Sid> {
        self.list().nth(usize::from(self.segments_left))
    }

    /// Segment List\[0\]: where the packet ends, and so what a checksum is made for, unless SIDs
    /// are compressed (RFC 8200 §8.1).
    #[must_use]
    pub fn last_segment(&self) -> Sid {
        self.list().next().unwrap_or(Sid(Ipv6Addr::UNSPECIFIED))
    }

    /// Its TLVs.
    #[must_use]
    pub const fn tlvs(&self) -> SrhTlvs<'a> {
        SrhTlvs::new(self.tlvs, SRH_FIXED_OCTETS.saturating_add(self.list.len()))
    }

    /// Octets of the whole header.
    #[must_use]
    pub const fn encoded_octets(&self) -> usize {
        SRH_FIXED_OCTETS.saturating_add(self.list.len()).saturating_add(self.tlvs.len())
    }

    /// Writes the header as it was read.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for it.
    pub fn emit(&self, writer: &mut crate::writer::Writer<'_>) -> Result<(), ParseError> {
        const FIELD: &str = "Segment Routing Header";
        let (needed, available) = (self.encoded_octets(), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: FIELD, needed, available });
        }
        // It was read from as many units as the octet can say.
        let units = needed.saturating_sub(SRH_FIXED_OCTETS) >> 3;
        let header_length = u8::try_from(units).unwrap_or(u8::MAX);
        writer.put(FIELD, [self.next_header.0, header_length, ROUTING_TYPE, self.segments_left])?;
        writer.put(FIELD, [self.last_entry, self.flags.0])?;
        writer.put(FIELD, self.tag.to_be_bytes())?;
        writer.put_slice(FIELD, self.list)?;
        writer.put_slice(FIELD, self.tlvs)
    }
}

#[cfg(test)]
mod tests;
