//! HMAC TLV (RFC 8972 §4.8): the TLVs before it are those the Session-Sender sent.
//!
//! Checked before any TLV has an effect. The reply carries a digest of its own: over its own Sequence
//! Number and the TLVs as they are answered, flags included, even when the walk ended early at one
//! that is malformed; else the Session-Sender could not believe the flag M.
//!
//! Without keys nothing can be checked: the TLV is then answered like one of an unknown type.

use stamp_proto::auth::{Key, KeyId};
use stamp_proto::packet::{AuthenticationMode, HMAC_OCTETS};
use stamp_proto::tlv::hmac::{HmacTlvPlace, TlvIntegrity};
use stamp_proto::tlv::{TlvError, TlvFlags, TlvType, Tlvs, hmac};
use stamp_proto::writer::patch_array;

use super::{Exchange, Handler, Kind, Outcome};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::HMAC),
    governed: false,
    is_valid_length: |octets| octets == HMAC_OCTETS,
    sub_tlvs_from: None,
    reflect: |exchange, _, _| match exchange.keys {
        Some(_) => Outcome::Processed,
        None => Outcome::Unrecognized,
    },
    ask: None,
};

/// What the HMAC TLV of a probe, or its absence, says about the others.
pub(super) enum Integrity<'a> {
    /// There is none, and none is needed.
    Unchecked,
    /// They are what a holder of a key sent.
    Verified(Seal<'a>),
    /// They are not, or nobody knows although they should.
    Failed,
}

/// What it takes to protect the reply as the probe was.
pub(super) struct Seal<'a> {
    key: &'a Key,
    offset: usize,
}

impl Seal<'_> {
    /// The key that signed.
    pub(super) fn key_id(&self) -> KeyId {
        self.key.id()
    }

    /// Writes the digest of the reply; every flag and value before the HMAC TLV must be final.
    pub(super) fn renew(&self, sequence: u32, area: &mut [u8]) {
        // The TLV was found at this offset in this very area, so there is room.
        let flags = [TlvFlags::NONE.0];
        let _ = patch_array(area, self.offset, "TLV flags", flags);
        let _ = hmac::sign(self.key, sequence, area, self.offset);
    }
}

/// Checks the TLVs of a probe.
pub(super) fn check<'a>(exchange: &Exchange<'a>, area: &[u8]) -> Integrity<'a> {
    let Some(keys) = exchange.keys else {
        return Integrity::Unchecked;
    };
    let id = match hmac::verify(keys, exchange.probe_sequence, area) {
        TlvIntegrity::Verified(id) => id,
        TlvIntegrity::Absent if is_needed(exchange, area) => return Integrity::Failed,
        TlvIntegrity::Absent => return Integrity::Unchecked,
        TlvIntegrity::Failed => return Integrity::Failed,
    };
    let allowed = exchange.key_ids.is_none_or(|allowed| allowed.contains(&id));
    match (keys.get(id), hmac::locate(area)) {
        (Some(key), HmacTlvPlace::At(offset)) if allowed => {
            Integrity::Verified(Seal { key, offset })
        }
        _ => Integrity::Failed,
    }
}

/// An authenticated packet may have no TLV but Extra Padding without an HMAC TLV.
fn is_needed(exchange: &Exchange<'_>, area: &[u8]) -> bool {
    let mut kinds = Tlvs::new(area).filter_map(|tlv| match tlv {
        Ok(tlv) => Some(tlv.kind),
        Err(error) => TlvError::kind(&error),
    });
    exchange.mode == AuthenticationMode::Authenticated
        && kinds.any(|kind| kind != TlvType::EXTRA_PADDING)
}
