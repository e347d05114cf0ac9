//! The area behind the base packet, cut into TLVs (RFC 8972 §4).
//!
//! A broken area is a result, not an error of the packet: a Session-Reflector echoes it with a flag.

pub mod access_report;
mod area;
pub mod class_of_service;
pub mod destination_node_address;
pub mod direct_measurement;
pub mod extra_padding;
pub mod follow_up_telemetry;
pub mod hmac;
pub mod location;
pub mod micro_session_id;
pub mod private_use;
pub mod reflected_fixed_header_data;
mod reflected_header;
pub mod reflected_ipv6_extension_header_data;
pub mod reflected_test_packet_control;
mod registry;
pub mod return_path;
pub mod sub_tlv;
pub mod timestamp_information;

use crate::error::ParseError;
use crate::writer::Writer;

pub use area::{MalformedTlv, TlvError, TlvMut, Tlvs, TlvsMut, are_more_than};
pub use reflected_header::{HeaderMatch, HeadersTold, ReceivedHeaders};
pub use registry::{TlvFlags, TlvType};

/// Octets of the header in front of every value.
pub const TLV_HEADER_OCTETS: usize = 4;

/// The least octets behind a base packet that can hold a TLV; fewer are padding.
pub const MIN_TLV_AREA: usize = TLV_HEADER_OCTETS;

/// One TLV or sub-TLV (RFC 8972 §4).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |U|M|I|C|R R R R|     Type      |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                             Value                             ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tlv<'a> {
    /// What became of it; see [`TlvFlags`].
    pub flags: TlvFlags,
    /// What the value means.
    pub kind: TlvType,
    /// Its octets, as many as the Length field says.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// A TLV as a Session-Sender sends it: U set, everything else clear (RFC 8972 §4).
    #[must_use]
    pub const fn request(kind: TlvType, value: &'a [u8]) -> Self {
        Self { flags: TlvFlags::REQUEST, kind, value }
    }

    /// Octets it takes, header included.
    #[must_use]
    pub const fn encoded_octets(&self) -> usize {
        self.value.len().saturating_add(TLV_HEADER_OCTETS)
    }

    /// Writes header and value.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueTooLong`] when the Length field cannot say it, [`ParseError::Truncated`]
    /// when the writer has no room; then nothing is written.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let needed = self.encoded_octets();
        if writer.available() < needed {
            let available = writer.available();
            return Err(ParseError::Truncated { field: "TLV", needed, available });
        }
        emit_header(writer, self.flags, self.kind, self.value.len())?;
        writer.put_slice("TLV value", self.value)
    }
}

/// The first octet has the flag that a Session-Sender sets in every TLV, so these are TLVs.
///
/// RFC 8972 gives no other sign that tells TLVs from the padding of TWAMP Light.
#[must_use]
pub const fn looks_like_tlvs(area: &[u8]) -> bool {
    match area.first() {
        Some(flags) => TlvFlags(*flags).is_unrecognized(),
        None => false,
    }
}

fn emit_header(
    writer: &mut Writer<'_>,
    flags: TlvFlags,
    kind: TlvType,
    octets: usize,
) -> Result<(), ParseError> {
    let length = u16::try_from(octets).map_err(|_| ParseError::ValueTooLong { octets })?;
    let [upper, lower] = length.to_be_bytes();
    writer.put("TLV header", [flags.0, kind.0, upper, lower])
}

/// A value that has exactly `N` octets, or the reason why it is malformed.
fn exactly<const N: usize>(tlv: &'static str, value: &[u8]) -> Result<[u8; N], ParseError> {
    let octets = value.len();
    value.try_into().map_err(|_| ParseError::ValueLength { tlv, octets, expected: N })
}

/// As [`exactly`], to be answered in place.
fn exactly_mut<'v, const N: usize>(
    tlv: &'static str,
    value: &'v mut [u8],
) -> Result<&'v mut [u8; N], ParseError> {
    let octets = value.len();
    value.try_into().map_err(|_| ParseError::ValueLength { tlv, octets, expected: N })
}

#[cfg(test)]
mod tests;
