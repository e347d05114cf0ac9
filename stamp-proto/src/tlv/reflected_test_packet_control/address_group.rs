//! Sub-TLVs that say which nodes are to reply to a probe that many get (RFC 10052 §3).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::ParseError;
use crate::reader::Reader;
use crate::tlv::destination_node_address::{parse_address, with_octets};
use crate::tlv::sub_tlv::sub_type;
use crate::tlv::{TLV_HEADER_OCTETS, TlvFlags, TlvType, emit_header};
use crate::writer::Writer;

/// Octets of the longest address of a link.
const MOST: usize = 8;

/// Octets in front of a prefix: its length, and three reserved.
const PREFIX_HEADER_OCTETS: usize = 4;

/// The nodes that are to reply.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AddressGroup {
    /// Those with such an address of a link.
    Layer2(Layer2Group),
    /// Those with such an IP address.
    Layer3(Layer3Group),
}

impl AddressGroup {
    /// Reads a sub-TLV; `None` when it is of another type.
    pub(super) fn parse(kind: TlvType, value: &[u8]) -> Result<Option<Self>, ParseError> {
        Ok(match kind {
            sub_type::LAYER_2_ADDRESS_GROUP => Some(Self::Layer2(Layer2Group::parse(value)?)),
            sub_type::LAYER_3_ADDRESS_GROUP => Some(Self::Layer3(Layer3Group::parse(value)?)),
            _ => None,
        })
    }

    /// Whether [`Self::parse`] can read it: what is only to be judged need not be made.
    pub(super) fn check(kind: TlvType, value: &[u8]) -> Result<(), ParseError> {
        let sound = match (kind, value) {
            (sub_type::LAYER_2_ADDRESS_GROUP, value) => matches!(value.len(), 4 | 12 | 16),
            (sub_type::LAYER_3_ADDRESS_GROUP, [bits, rest @ ..]) => {
                matches!((rest.len(), bits), (7, ..=32) | (19, ..=128))
            }
            (sub_type::LAYER_3_ADDRESS_GROUP, []) => false,
            _ => true,
        };
        // It alone knows what is wrong.
        if sound { Ok(()) } else { Self::parse(kind, value).map(|_| ()) }
    }

    /// Octets of the whole sub-TLV.
    pub(super) const fn encoded_octets(&self) -> usize {
        TLV_HEADER_OCTETS.saturating_add(self.value_octets())
    }

    pub(super) fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let octets = self.value_octets();
        match self {
            Self::Layer2(group) => {
                emit_header(writer, TlvFlags::REQUEST, sub_type::LAYER_2_ADDRESS_GROUP, octets)?;
                writer.put_slice("Layer 2 mask", group.mask())?;
                writer.put_slice("Layer 2 group", group.group())
            }
            Self::Layer3(group) => {
                emit_header(writer, TlvFlags::REQUEST, sub_type::LAYER_3_ADDRESS_GROUP, octets)?;
                writer.put("Layer 3 prefix length", [group.bits, 0, 0, 0])?;
                with_octets(group.prefix, |octets| writer.put_slice("Layer 3 prefix", octets))
            }
        }
    }

    const fn value_octets(&self) -> usize {
        match self {
            Self::Layer2(group) => (group.octets as usize).saturating_mul(2),
            Self::Layer3(Layer3Group { prefix: IpAddr::V4(_), .. }) => PREFIX_HEADER_OCTETS + 4,
            Self::Layer3(Layer3Group { prefix: IpAddr::V6(_), .. }) => PREFIX_HEADER_OCTETS + 16,
        }
    }
}

/// Addresses of a link whose bits under a mask are those of a group.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Layer2Group {
    mask: [u8; MOST],
    group: [u8; MOST],
    /// How many of them are there: 2, 6 or 8.
    octets: u8,
}

impl Layer2Group {
    /// The group of a mask and the bits under it, both of 2, 6 or 8 octets.
    ///
    /// # Errors
    ///
    /// [`ParseError::Layer2GroupLength`], counting both, when they have not.
    pub fn new(mask: &[u8], group: &[u8]) -> Result<Self, ParseError> {
        let octets = match (mask.len(), group.len()) {
            (2, 2) => 2,
            (6, 6) => 6,
            (8, 8) => 8,
            (one, other) => {
                return Err(ParseError::Layer2GroupLength { octets: one.saturating_add(other) });
            }
        };
        let mut own = Self { mask: [0; MOST], group: [0; MOST], octets };
        own.mask.iter_mut().zip(mask).for_each(|(to, from)| *to = *from);
        own.group.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
        Ok(own)
    }

    fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let octets = value.len();
        // Mask and group are halves; an odd octet makes the second one longer, which is refused.
        let (mask, group) =
            value.split_at_checked(octets / 2).ok_or(ParseError::Layer2GroupLength { octets })?;
        Self::new(mask, group)
    }

    /// The bits that are compared.
    #[must_use]
    pub fn mask(&self) -> &[u8] {
        self.mask.get(..usize::from(self.octets)).unwrap_or_default()
    }

    /// What they are compared with.
    #[must_use]
    pub fn group(&self) -> &[u8] {
        self.group.get(..usize::from(self.octets)).unwrap_or_default()
    }

    /// A node with the address `mac` is to reply.
    #[must_use]
    pub fn contains(&self, mac: &[u8]) -> bool {
        let masked = mac.iter().zip(self.mask()).map(|(octet, mask)| octet & mask);
        mac.len() == usize::from(self.octets) && masked.eq(self.group().iter().copied())
    }
}

/// IP addresses of a prefix.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Layer3Group {
    prefix: IpAddr,
    bits: u8,
}

impl Layer3Group {
    /// The prefix of the first `bits` bits of an address; the others do not count.
    ///
    /// # Errors
    ///
    /// [`ParseError::PrefixLength`] when the address has not so many.
    pub const fn new(prefix: IpAddr, bits: u8) -> Result<Self, ParseError> {
        let most = match prefix {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        if bits > most {
            return Err(ParseError::PrefixLength { bits, most });
        }
        Ok(Self { prefix, bits })
    }

    fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(value);
        let bits = reader.take_u8("Layer 3 prefix length")?;
        reader.skip::<3>("Layer 3 reserved")?;
        Self::new(parse_address(reader.rest())?, bits)
    }

    /// An address of the prefix.
    #[must_use]
    pub const fn prefix(&self) -> IpAddr {
        self.prefix
    }

    /// How many bits of it count.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// A node with the address `address` is to reply.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.prefix, address) {
            (IpAddr::V4(prefix), IpAddr::V4(address)) => {
                let foreign = Ipv4Addr::BITS.saturating_sub(u32::from(self.bits));
                let differing = prefix.to_bits() ^ address.to_bits();
                differing.checked_shr(foreign).unwrap_or(0) == 0
            }
            (IpAddr::V6(prefix), IpAddr::V6(address)) => {
                let foreign = Ipv6Addr::BITS.saturating_sub(u32::from(self.bits));
                let differing = prefix.to_bits() ^ address.to_bits();
                differing.checked_shr(foreign).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}
