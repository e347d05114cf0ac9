//! Unpredictable numbers from the kernel: SSIDs and seeds (RFC 9415 advises against counters).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 64 unpredictable bits.
///
/// The standard library keys each hasher from the kernel's random source and varies the key with
/// every new one; hashing nothing under it gives bits nobody can foresee.
#[must_use]
pub fn u64() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// 16 unpredictable bits, not all zero: zero means "no SSID" (RFC 8972 §3).
#[must_use]
pub fn nonzero_u16() -> u16 {
    // 65 535 values from 64 bits: the bias is below 2^-47.
    u16::try_from(u64() % 65_535).map_or(1, |value| value + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_are_not_zero() {
        let drawn: std::collections::HashSet<u64> = (0..100).map(|_| u64()).collect();
        assert_eq!(drawn.len(), 100);
        assert!((0..1_000).all(|_| nonzero_u16() != 0));
    }
}
