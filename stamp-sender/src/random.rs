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

/// The same, and none that `is_taken`; where all are, any.
#[must_use]
pub fn unused_u16(is_taken: impl Fn(u16) -> bool) -> u16 {
    let first = nonzero_u16();
    (first..=u16::MAX).chain(1..first).find(|value| !is_taken(*value)).unwrap_or(first)
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

    #[test]
    fn what_is_taken_is_not_drawn_again() {
        for left in [1, 7, u16::MAX] {
            assert_eq!(unused_u16(|value| value != left), left);
        }
        assert_ne!(unused_u16(|_| true), 0, "none is left");
    }
}
