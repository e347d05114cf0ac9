//! HMAC TLV (RFC 8972 §4.8): shows that the TLVs before it are those the peer sent.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=8     |           Length=16           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                             HMAC                              ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Only Extra Padding may stand behind it, and is not covered then.

use super::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, Tlvs};
use crate::auth::{Key, KeyId, KeyRing};
use crate::error::ParseError;
use crate::packet::HMAC_OCTETS;
use crate::reader::{peek_array, peek_up_to};
use crate::writer::{Writer, patch_array};

/// Octets of the whole TLV.
pub const HMAC_TLV_OCTETS: usize = TLV_HEADER_OCTETS + HMAC_OCTETS;

/// What the HMAC TLV of an area says about it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlvIntegrity {
    /// There is no HMAC TLV that can be reached.
    Absent,
    /// The TLVs before it are what a holder of this key sent.
    Verified(KeyId),
    /// They are not, or the HMAC TLV has a wrong Length or a TLV other than Extra Padding behind it.
    Failed,
}

/// Where the HMAC TLV of an area is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HmacTlvPlace {
    /// There is none that can be reached: a malformed TLV before it ends the area.
    Absent,
    /// Its header starts here; this many octets are covered.
    At(usize),
    /// It is there, but not where or as long as RFC 8972 §4.8 wants it.
    Misplaced,
}

/// Looks for the HMAC TLV.
///
/// A malformed TLV behind it is left to the flag M, as it is not covered, unless it claims to be
/// something other than Extra Padding.
#[must_use]
pub fn locate(area: &[u8]) -> HmacTlvPlace {
    let mut found = HmacTlvPlace::Absent;
    let mut tlvs = Tlvs::new(area);
    loop {
        let offset = tlvs.offset();
        let (kind, octets) = match tlvs.next() {
            None => return found,
            Some(Ok(tlv)) => (tlv.kind, tlv.value.len()),
            Some(Err(error)) => match error.kind() {
                Some(kind) => (kind, usize::MAX),
                None => return found,
            },
        };
        found = match (found, kind) {
            (_, TlvType::EXTRA_PADDING) => found,
            (HmacTlvPlace::Absent, TlvType::HMAC) if octets == HMAC_OCTETS => {
                HmacTlvPlace::At(offset)
            }
            (HmacTlvPlace::Absent, kind) if kind != TlvType::HMAC => found,
            _ => return HmacTlvPlace::Misplaced,
        };
    }
}

/// Checks the HMAC TLV of an area, as received, with the Sequence Number of its packet.
#[must_use]
pub fn verify(keys: &KeyRing, sequence: u32, area: &[u8]) -> TlvIntegrity {
    let offset = match locate(area) {
        HmacTlvPlace::Absent => return TlvIntegrity::Absent,
        HmacTlvPlace::Misplaced => return TlvIntegrity::Failed,
        HmacTlvPlace::At(offset) => offset,
    };
    let Ok(digest) = peek_array(area, offset.saturating_add(TLV_HEADER_OCTETS), "HMAC TLV") else {
        return TlvIntegrity::Failed;
    };
    match keys.verify_tlv(sequence, peek_up_to(area, 0..offset), &digest) {
        Some(id) => TlvIntegrity::Verified(id),
        None => TlvIntegrity::Failed,
    }
}

/// Writes the digest into the HMAC TLV whose header starts at `offset`, over all that is before it.
///
/// To be called when every flag and value before it is final.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the area has no such TLV.
pub fn sign(key: &Key, sequence: u32, area: &mut [u8], offset: usize) -> Result<(), ParseError> {
    let digest = key.tlv_digest(sequence, peek_up_to(area, 0..offset));
    patch_array(
        area,
        offset.saturating_add(TLV_HEADER_OCTETS),
        "HMAC TLV",
        digest,
    )
}

/// Appends an HMAC TLV to an area that a Session-Sender is writing; it covers all that the writer
/// holds, so the writer must have started where the TLVs do.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for 20 octets.
pub fn append(key: &Key, sequence: u32, area: &mut Writer<'_>) -> Result<(), ParseError> {
    let digest = key.tlv_digest(sequence, area.written());
    Tlv {
        flags: TlvFlags::REQUEST,
        kind: TlvType::HMAC,
        value: &digest,
    }
    .emit(area)
}
