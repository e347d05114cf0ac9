//! The HMAC TLV: shows that the Segment List is the one its source wrote (RFC 8754 §2.1.2).
//!
//! Destination and Segments Left change on the way and are not covered, so the same digest verifies
//! at every endpoint.

use core::net::Ipv6Addr;

use super::tlv::SrhTlv;
use super::{Srh, SrhError};
use crate::auth::{Key, KeyId, KeyRing, equal};
use crate::reader::Reader;
use crate::sr::segment::Sid;
use crate::writer::patch_array;

/// Octets of an HMAC-SHA-256.
const DIGEST_OCTETS: usize = 32;

/// Octets of an HMAC TLV in front of its digest.
const BEFORE_DIGEST: usize = 8;

/// What the HMAC TLV of a header says about it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SrhIntegrity {
    /// There is none.
    Absent,
    /// The list is what a holder of this key wrote.
    Verified(KeyId),
    /// It is not, or the destination is not the current segment, or the key is not ours.
    Failed,
}

/// Writes the digest of the HMAC TLV of the header that `octets` hold, for a packet of `source`.
///
/// # Errors
///
/// [`SrhError::NoHmac`] when there is no such TLV, and why the octets are no header.
pub fn sign(octets: &mut [u8], source: Ipv6Addr, key: &Key) -> Result<(), SrhError> {
    let srh = Srh::parse(&mut Reader::new(octets))?;
    let (offset, tlv) = locate(&srh)?.ok_or(SrhError::NoHmac)?;
    let (reserved, key_id) = match tlv {
        SrhTlv::Hmac { reserved, key_id, digest } if digest.len() == DIGEST_OCTETS => {
            (reserved, key_id)
        }
        _ => return Err(SrhError::NoHmac),
    };
    let made = digest(&srh, source, reserved, key_id, key);
    patch_array(octets, offset.saturating_add(BEFORE_DIGEST), "SRH HMAC", made)?;
    Ok(())
}

/// Checks the first HMAC TLV of a header, as it arrived in a packet of `source` to `destination`.
///
/// The key is the one of the ring whose number is the Key ID. The order of the checks is that of
/// RFC 8754 §2.1.2.1: cheap ones first.
#[must_use]
pub fn verify(
    srh: &Srh<'_>,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    keys: &KeyRing,
) -> SrhIntegrity {
    let (tlv, reserved, key_id, carried) = match locate(srh) {
        Ok(None) => return SrhIntegrity::Absent,
        Ok(Some((_, tlv @ SrhTlv::Hmac { reserved, key_id, digest }))) => {
            (tlv, reserved, key_id, digest)
        }
        Ok(Some(_)) | Err(_) => return SrhIntegrity::Failed,
    };
    let left_out = tlv.skips_destination() && srh.segments_left > srh.last_entry;
    if !left_out && srh.current() != Some(Sid(destination)) {
        return SrhIntegrity::Failed;
    }
    let Some(key) = keys.get(KeyId(key_id)) else { return SrhIntegrity::Failed };
    let made = digest(srh, source, reserved, key_id, key);
    if equal(&made, carried) { SrhIntegrity::Verified(key.id()) } else { SrhIntegrity::Failed }
}

/// The first HMAC TLV and where in the header it starts; one that has no room for a digest of ours
/// counts as one.
fn locate<'a>(srh: &Srh<'a>) -> Result<Option<(usize, SrhTlv<'a>)>, SrhError> {
    let mut tlvs = srh.tlvs();
    loop {
        let offset = tlvs.offset();
        match tlvs.next() {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            Some(Ok(tlv @ (SrhTlv::Hmac { .. } | SrhTlv::Other { kind: SrhTlv::HMAC, .. }))) => {
                return Ok(Some((offset, tlv)));
            }
            Some(Ok(_)) => {}
        }
    }
}

/// Source, Last Entry, Flags, D and reserved bits, Key ID and the whole list.
fn digest(
    srh: &Srh<'_>,
    source: Ipv6Addr,
    reserved: u16,
    key_id: u32,
    key: &Key,
) -> [u8; DIGEST_OCTETS] {
    key.whole_digest(&[
        &source.octets(),
        &[srh.last_entry, srh.flags.0],
        &reserved.to_be_bytes(),
        &key_id.to_be_bytes(),
        srh.list,
    ])
}
