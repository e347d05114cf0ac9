//! Reflected Test Packet Control TLV (RFC 10052 §3): how many replies a probe is to get, how long
//! and how far apart.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=12    |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Length of the Reflected Packet |Number of the Reflected Packets|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             Interval Between the Reflected Packets            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                           Sub-TLVs                            ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The value has room for one sub-TLV at least; where none is wanted an empty one of type 0 fills it.
//! Whether a Session-Reflector does what it is asked for is said by the flags of the TLV alone.

mod address_group;
mod packets;
mod request;

use super::sub_tlv::{self, SubTlvError, sub_type};
use super::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, Tlvs, TlvsMut, exactly};
use crate::error::ParseError;
use crate::reader::Reader;

pub use address_group::{AddressGroup, Layer2Group, Layer3Group};
pub use packets::ReflectedPackets;
pub use request::ReflectedTestPacketControlRequest;

/// Octets of the three fields.
pub const FIELD_OCTETS: usize = 8;

const TLV: &str = "Reflected Test Packet Control";

/// The least that a value has.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Edition {
    /// The three fields and the header of a sub-TLV: 12 octets.
    #[default]
    Published,
    /// The three fields: 8 octets, as the drafts had it before the RFC.
    Drafts,
}

impl Edition {
    /// Octets of the shortest value.
    #[must_use]
    pub const fn least_value_octets(self) -> usize {
        match self {
            Self::Published => FIELD_OCTETS + TLV_HEADER_OCTETS,
            Self::Drafts => FIELD_OCTETS,
        }
    }
}

/// What both ends have to agree on and no registry says.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ControlDialect {
    /// The least that a value has.
    pub edition: Edition,
    /// Type of the sub-TLV that asks for IPv6 extension headers in the replies
    /// (draft-ietf-ippm-stamp-ext-hdr); experimental, so `None` unless configured.
    pub extension_header_control: Option<TlvType>,
}

impl ControlDialect {
    /// Judges a sub-TLV.
    fn check(self, kind: TlvType, value: &[u8]) -> Result<(), ParseError> {
        if self.extension_header_control == Some(kind) {
            return exactly::<0>("IPv6 Extension Header Control", value).map(|_| ());
        }
        AddressGroup::check(kind, value)
    }

    fn is_extension_header_control(self, sub: &Tlv<'_>) -> bool {
        self.extension_header_control == Some(sub.kind)
    }
}

/// The value of the TLV, the same in both directions but for flags of sub-TLVs.
#[derive(Clone, Copy, Debug)]
pub struct ReflectedTestPacketControl<'a> {
    /// The replies that are wanted.
    pub packets: ReflectedPackets,
    dialect: ControlDialect,
    subs: &'a [u8],
}

impl<'a> ReflectedTestPacketControl<'a> {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`SubTlvError`] when it is shorter than the dialect has it or a sub-TLV is malformed; the TLV
    /// is malformed then.
    pub fn parse(value: &'a [u8], dialect: ControlDialect) -> Result<Self, SubTlvError> {
        check_least(value, dialect)?;
        let mut reader = Reader::new(value);
        let packets = ReflectedPackets {
            octets: reader.take_u16(TLV)?,
            count: reader.take_u16(TLV)?,
            interval_ns: reader.take_u32(TLV)?,
        };
        for sub in Tlvs::new(reader.rest()) {
            let sub = sub?;
            dialect.check(sub.kind, sub.value)?;
        }
        Ok(Self { packets, dialect, subs: reader.rest() })
    }

    /// Who alone is to reply. Where there are several, a caller decides whether a node has to be in one
    /// of them or in all.
    pub fn address_groups(&self) -> impl Iterator<Item = AddressGroup> + use<'a> {
        let subs = Tlvs::new(self.subs).filter_map(Result::ok);
        subs.filter_map(|sub| AddressGroup::parse(sub.kind, sub.value).ok().flatten())
    }

    /// The replies are to have the IPv6 extension headers of the probe. Asked for twice it counts as
    /// not asked for.
    #[must_use]
    pub fn asks_for_extension_headers(&self) -> bool {
        self.extension_header_control().is_some()
    }

    /// The Session-Reflector says that the replies have them.
    #[must_use]
    pub fn grants_extension_headers(&self) -> bool {
        let refused = TlvFlags::UNRECOGNIZED.with(TlvFlags::MALFORMED).with(TlvFlags::CONFORMANCE);
        self.extension_header_control().is_some_and(|sub| sub.flags.0 & refused.0 == 0)
    }

    /// The one sub-TLV that asks for them.
    fn extension_header_control(&self) -> Option<Tlv<'a>> {
        let subs = Tlvs::new(self.subs).filter_map(Result::ok);
        let mut asking = subs.filter(|sub| self.dialect.is_extension_header_control(sub));
        let first = asking.next();
        first.filter(|_| asking.next().is_none())
    }
}

/// Writes into the flags of each sub-TLV what a Session-Reflector made of it; the fields stay.
///
/// An address group gets none, what is unknown gets U, what fills the value stays as it was. IPv6
/// Extension Header Control gets none when `extension_headers` says that the replies have them, else
/// C, and so does each of several.
///
/// # Errors
///
/// As [`ReflectedTestPacketControl::parse`]; a malformed sub-TLV gets M, and nothing else is written.
pub fn reflect(
    value: &mut [u8],
    dialect: ControlDialect,
    extension_headers: bool,
) -> Result<(), SubTlvError> {
    check_least(value, dialect)?;
    let subs = value.get_mut(FIELD_OCTETS..).unwrap_or_default();
    sub_tlv::check(subs, |kind, value| dialect.check(kind, value))?;
    let asking = || {
        let asking = |sub: &Result<Tlv<'_>, _>| {
            sub.is_ok_and(|sub| dialect.is_extension_header_control(&sub))
        };
        Tlvs::new(subs).filter(asking).count()
    };
    let granted = extension_headers && asking() == 1;
    for mut sub in TlvsMut::new(subs).flatten() {
        sub.set_flags(match sub.kind {
            kind if dialect.extension_header_control == Some(kind) => match granted {
                true => TlvFlags::NONE,
                false => TlvFlags::CONFORMANCE,
            },
            sub_type::LAYER_2_ADDRESS_GROUP | sub_type::LAYER_3_ADDRESS_GROUP => TlvFlags::NONE,
            sub_type::RESERVED if sub.value.is_empty() => continue,
            _ => TlvFlags::UNRECOGNIZED,
        });
    }
    Ok(())
}

const fn check_least(value: &[u8], dialect: ControlDialect) -> Result<(), ParseError> {
    let (needed, available) = (dialect.edition.least_value_octets(), value.len());
    if available < needed {
        return Err(ParseError::Truncated { field: TLV, needed, available });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
