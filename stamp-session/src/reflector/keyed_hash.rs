//! A hash whose result nobody can foresee who does not know the seed.

use core::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

/// SipHash keyed with a random seed.
///
/// What strangers choose, such as their address, decides where it lands in a table; without the key
/// they could choose to land all in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyedHash {
    seed: [u64; 2],
}

impl KeyedHash {
    pub(super) const fn new(seed: [u64; 2]) -> Self {
        Self { seed }
    }

    pub(super) fn of(&self, octets: &[u8]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(octets);
        hasher.finish()
    }

    pub(super) fn of_address(&self, bits: u128, kind: bool) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write_u128(bits);
        hasher.write_u8(kind.into());
        hasher.finish()
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        let [first, second] = self.seed;
        SipHasher13::new_with_keys(first, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        let hash = KeyedHash::new([1, 2]);
        assert_eq!(hash.of(b"192.0.2.1"), KeyedHash::new([1, 2]).of(b"192.0.2.1"));
        assert_ne!(hash.of(b"192.0.2.1"), KeyedHash::new([1, 3]).of(b"192.0.2.1"));
        assert_ne!(hash.of(b"192.0.2.1"), hash.of(b"192.0.2.2"));
    }
}
