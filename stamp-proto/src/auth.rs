//! Keys, and the HMAC of base packets and TLVs (RFC 8762 §4.4, RFC 8972 §4.8).
//!
//! HMAC-SHA-256 (RFC 2104), cut to its first 16 octets. A [`Key`] keeps the two hash states that
//! RFC 2104 §4 allows to compute in advance, never the secret.

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

use crate::error::ParseError;
use crate::packet::{AUTHENTICATED_BASE_OCTETS, HMAC_OCTETS, HMAC_OFFSET};
use crate::reader::Reader;
use crate::writer::patch_array;

/// A shorter secret is weaker than the 16 octets of HMAC that it makes (RFC 4868 §2.1.1).
const SHORT_SECRET_OCTETS: usize = 16;

/// The number an operator gives a key; it reaches the wire in the HMAC TLV of an SRH only.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why keys are refused.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum KeyError {
    #[error("key {id} is empty")]
    Empty { id: KeyId },
    #[error("two keys have the number {id}")]
    DuplicateId { id: KeyId },
    #[error("a key ring needs at least one key")]
    NoKeys,
}

/// One shared secret, ready to sign.
///
/// Wiped from memory when dropped; `Debug` shows its number only.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    short: bool,
    state: Hmac<Sha256>,
}

/// Compiles only while a dropped hash state is wiped; an HMAC is nothing but two of them.
const fn wiped_on_drop<T: ZeroizeOnDrop>() {}
const _: () = wiped_on_drop::<Sha256>();

impl ZeroizeOnDrop for Key {}

impl Key {
    /// Prepares a secret of any length; RFC 2104 §2 hashes one of more than 64 octets.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`] when there is no secret.
    pub fn new(id: KeyId, secret: &[u8]) -> Result<Self, KeyError> {
        if secret.is_empty() {
            return Err(KeyError::Empty { id });
        }
        let short = secret.len() < SHORT_SECRET_OCTETS;
        // HMAC takes every length, so this error does not happen; it needs no variant of its own.
        let state = Hmac::new_from_slice(secret).map_err(|_| KeyError::Empty { id })?;
        Ok(Self { id, short, state })
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The secret has fewer than 16 octets; an operator should be warned.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.short
    }

    /// Writes the HMAC of an authenticated base packet; T3 must be in place (RFC 8762 §4.4).
    ///
    /// Octets 0 to 95 are covered and 96 to 111 written; what follows is neither.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when `packet` is shorter than 112 octets.
    #[inline]
    pub fn sign(&self, packet: &mut [u8]) -> Result<(), ParseError> {
        let (covered, _) = split_signed(packet)?;
        let digest = self.digest(&[covered]);
        patch_array(packet, HMAC_OFFSET, "HMAC", digest)
    }

    /// The digest of an HMAC TLV: over the Sequence Number of its packet and every TLV before it,
    /// as transmitted in that direction (RFC 8972 §4.8).
    #[must_use]
    #[inline]
    pub fn tlv_digest(&self, sequence: u32, preceding: &[u8]) -> [u8; HMAC_OCTETS] {
        self.digest(&[&sequence.to_be_bytes(), preceding])
    }

    /// All 32 octets of HMAC-SHA-256, as a Segment Routing Header carries them.
    pub(crate) fn whole_digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut state = self.state.clone();
        for part in parts {
            state.update(part);
        }
        state.finalize().into_bytes().into()
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; HMAC_OCTETS] {
        let whole = self.whole_digest(parts);
        let (digest, _) = whole.split_at(HMAC_OCTETS);
        digest.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys of a session or a listener: the first one signs, all of them verify.
///
/// More than one is for the time in which a key is replaced.
#[derive(Clone, Debug)]
pub struct KeyRing {
    signing: Key,
    others: Vec<Key>,
}

impl KeyRing {
    /// A ring that signs with the first of `keys`.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoKeys`] for an empty list, [`KeyError::DuplicateId`] when a number comes twice.
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|earlier| earlier.id == key.id) {
                return Err(KeyError::DuplicateId { id: key.id });
            }
        }
        let mut keys = keys.into_iter();
        let signing = keys.next().ok_or(KeyError::NoKeys)?;
        Ok(Self { signing, others: keys.collect() })
    }

    /// The key that signs.
    #[must_use]
    pub const fn signing(&self) -> &Key {
        &self.signing
    }

    /// The key of a number.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&Key> {
        self.iter().find(|key| key.id == id)
    }

    /// All keys, the signing one first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        core::iter::once(&self.signing).chain(&self.others)
    }

    /// The key that signed an authenticated base packet, if any of the ring did.
    ///
    /// Tries all keys and compares in constant time: how long it takes tells nothing but the size
    /// of the ring.
    #[must_use]
    #[inline]
    pub fn verify(&self, packet: &[u8]) -> Option<KeyId> {
        let (covered, carried) = split_signed(packet).ok()?;
        self.matching(&[covered], &carried)
    }

    /// The key that made the digest of an HMAC TLV; see [`Key::tlv_digest`] and [`Self::verify`].
    #[must_use]
    #[inline]
    pub fn verify_tlv(
        &self,
        sequence: u32,
        preceding: &[u8],
        digest: &[u8; HMAC_OCTETS],
    ) -> Option<KeyId> {
        self.matching(&[&sequence.to_be_bytes(), preceding], digest)
    }

    fn matching(&self, parts: &[&[u8]], carried: &[u8; HMAC_OCTETS]) -> Option<KeyId> {
        let mut found = Choice::from(0);
        let mut id = 0;
        for key in self.iter() {
            let equal = key.digest(parts).ct_eq(carried);
            id.conditional_assign(&key.id.0, equal & !found);
            found |= equal;
        }
        bool::from(found).then_some(KeyId(id))
    }
}

/// Compares two digests in constant time.
pub(crate) fn equal(made: &[u8], carried: &[u8]) -> bool {
    made.ct_eq(carried).into()
}

/// What the HMAC of an authenticated base packet covers, and the HMAC.
fn split_signed(packet: &[u8]) -> Result<(&[u8], [u8; HMAC_OCTETS]), ParseError> {
    let mut reader = Reader::new(packet);
    let truncated = ParseError::Truncated {
        field: "HMAC",
        needed: AUTHENTICATED_BASE_OCTETS,
        available: packet.len(),
    };
    let covered = reader.take_slice("HMAC", HMAC_OFFSET).map_err(|_| truncated)?;
    let carried = reader.take_array("HMAC").map_err(|_| truncated)?;
    Ok((covered, carried))
}

#[cfg(test)]
mod tests;
