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
    patch_array(area, offset.saturating_add(TLV_HEADER_OCTETS), "HMAC TLV", digest)
}

/// Appends an HMAC TLV to an area that a Session-Sender is writing; it covers all that the writer
/// holds, so the writer must have started where the TLVs do.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for 20 octets.
pub fn append(key: &Key, sequence: u32, area: &mut Writer<'_>) -> Result<(), ParseError> {
    let digest = key.tlv_digest(sequence, area.written());
    Tlv { flags: TlvFlags::REQUEST, kind: TlvType::HMAC, value: &digest }.emit(area)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    const PADDING: &[u8] = &[0x80, 1, 0, 2, 5, 5];
    const MEASUREMENT: &[u8] = &[0x80, 3, 0, 4, 0, 0, 0, 0];

    fn ring() -> KeyRing {
        KeyRing::new(vec![Key::new(KeyId(1), b"secret").unwrap()]).unwrap()
    }

    /// An area with `before`, a right HMAC TLV for Sequence Number 5, and `behind`.
    fn area(before: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut octets = [0; 100];
        let mut writer = Writer::new(&mut octets);
        writer.put_slice("before", before).unwrap();
        append(ring().signing(), 5, &mut writer).unwrap();
        writer.put_slice("behind", behind).unwrap();
        writer.into_written().to_vec()
    }

    #[test]
    fn the_tlvs_before_it_are_covered_with_the_sequence_number() {
        let mut area = area(MEASUREMENT, PADDING);
        assert_eq!(locate(&area), HmacTlvPlace::At(8));
        assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Verified(KeyId(1)));
        assert_eq!(verify(&ring(), 6, &area), TlvIntegrity::Failed);
        // All but octet 8: the flags of the HMAC TLV itself are not covered.
        for place in (0..8).chain(9..28) {
            area[place] ^= 0x01;
            assert_ne!(verify(&ring(), 5, &area), TlvIntegrity::Verified(KeyId(1)), "{place}");
            area[place] ^= 0x01;
        }
        area[32] ^= 0x01;
        assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Verified(KeyId(1)));
    }

    #[test]
    fn it_may_cover_nothing_but_the_sequence_number() {
        assert_eq!(verify(&ring(), 5, &area(&[], &[])), TlvIntegrity::Verified(KeyId(1)));
    }

    #[test]
    fn padding_may_stand_on_both_sides() {
        let area = area(PADDING, &[PADDING, PADDING].concat());
        assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Verified(KeyId(1)));
    }

    #[test]
    fn another_tlv_behind_it_fails_even_with_a_right_digest() {
        for behind in [MEASUREMENT, &area(&[], &[]), &[0x80, 3, 0, 9, 0], &[0x80, 8, 0, 9]] {
            let area = area(PADDING, behind);
            assert_eq!(locate(&area), HmacTlvPlace::Misplaced);
            assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Failed);
        }
    }

    #[test]
    fn broken_padding_behind_it_is_left_to_the_malformed_flag() {
        for behind in [&[0x80, 1, 0, 9, 0][..], &[0x80, 1], &[0]] {
            let area = area(MEASUREMENT, behind);
            assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Verified(KeyId(1)));
        }
    }

    #[test]
    fn a_wrong_length_fails() {
        let short = [0x80, 8, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(locate(&short), HmacTlvPlace::Misplaced);
        assert_eq!(verify(&ring(), 5, &short), TlvIntegrity::Failed);
        assert_eq!(verify(&ring(), 5, &[0x80, 8, 0, 16, 1]), TlvIntegrity::Failed);
    }

    #[test]
    fn an_area_without_one_has_none() {
        for area in [&[][..], PADDING, MEASUREMENT, &[0x80, 3, 0, 9, 0], &[0x80]] {
            assert_eq!(verify(&ring(), 5, area), TlvIntegrity::Absent);
        }
        let hidden = [&[0x80, 3, 0, 99][..], &area(&[], &[])].concat();
        assert_eq!(locate(&hidden), HmacTlvPlace::Absent);
    }

    #[test]
    fn a_reflector_signs_what_it_changed() {
        let mut area = area(MEASUREMENT, PADDING);
        let HmacTlvPlace::At(offset) = locate(&area) else { panic!("no HMAC TLV") };
        area[0] = 0;
        area[4] = 2;
        area[offset] = 0;
        sign(ring().signing(), 9, &mut area, offset).unwrap();
        assert_eq!(verify(&ring(), 9, &area), TlvIntegrity::Verified(KeyId(1)));
        assert_eq!(verify(&ring(), 5, &area), TlvIntegrity::Failed);
    }

    #[test]
    fn there_must_be_room_for_it() {
        let mut octets = [0; HMAC_TLV_OCTETS];
        let key = ring();
        let mut short = Writer::new(&mut octets[..19]);
        assert_eq!(
            append(key.signing(), 5, &mut short),
            Err(ParseError::Truncated { field: "TLV", needed: 20, available: 19 })
        );
        assert!(sign(key.signing(), 5, &mut octets, 0).is_ok());
        assert_eq!(
            sign(key.signing(), 5, &mut octets, 1),
            Err(ParseError::Truncated { field: "HMAC TLV", needed: 21, available: 20 })
        );
    }
}
