//! NTP 64-bit timestamps (RFC 5905 §6): seconds since 1900 modulo 2^32, then a binary fraction.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |               Seconds since 1900-01-01, modulo 2^32           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  Fraction, unit 2^-32 second                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A nanosecond is 4.29 units, so rounding to nearest both ways gives every nanosecond back;
//! cutting off instead loses up to one.

use super::NS_PER_SECOND;

/// 1970-01-01 in seconds since 1900.
pub(super) const UNIX_EPOCH: u32 = 2_208_988_800;

const HALF_UNIT: u64 = 1 << 31;
const NS: u64 = NS_PER_SECOND.unsigned_abs();

/// The fraction nearest to `ns` nanoseconds, which are fewer than a second.
pub(super) const fn fraction_from_ns(ns: u32) -> u32 {
    let scaled = ((ns as u64) << 32).wrapping_add(NS / 2);
    // Below 2^32 for less than a second.
    (scaled / NS) as u32
}

/// The nanoseconds nearest to a fraction: 0 to 1 000 000 000, a whole second for the last two.
pub(super) const fn ns_from_fraction(fraction: u32) -> i64 {
    let ns = (fraction as u64).wrapping_mul(NS).wrapping_add(HALF_UNIT) >> 32;
    ns.cast_signed()
}

/// The nanoseconds nearest to a difference counted in units of 2^-32 second.
pub(super) const fn ns_from_units(units: i64) -> i64 {
    let seconds = units >> 32;
    seconds.wrapping_mul(NS_PER_SECOND).wrapping_add(ns_from_fraction(units as u32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_are_rounded_to_the_nearest_unit() {
        for (ns, fraction) in [
            (0, 0x0000_0000),
            (1, 0x0000_0004),
            (2, 0x0000_0009),
            (233, 0x0000_03e9),
            (500_000_000, 0x8000_0000),
            (789_012_345, 0xc9fc_b68a),
            (790_296_912, 0xca50_e5ff),
            (999_999_999, 0xffff_fffc),
        ] {
            assert_eq!(fraction_from_ns(ns), fraction, "{ns}");
            assert_eq!(ns_from_fraction(fraction), i64::from(ns), "{fraction:08x}");
        }
    }

    #[test]
    fn fractions_no_nanosecond_makes_are_rounded_too() {
        for (fraction, ns) in [
            (0x0000_0001, 0),
            (0x0000_0002, 0),
            (0x0000_0003, 1),
            (0xffff_fffb, 999_999_999),
            (0xffff_fffd, 999_999_999),
            (0xffff_fffe, 1_000_000_000),
            (0xffff_ffff, 1_000_000_000),
        ] {
            assert_eq!(ns_from_fraction(fraction), ns, "{fraction:08x}");
        }
    }

    #[test]
    fn differences_round_to_nearest_on_both_sides_of_zero() {
        assert_eq!(ns_from_units(0), 0);
        assert_eq!(ns_from_units(3 << 32), 3_000_000_000);
        assert_eq!(ns_from_units(-(1 << 31)), -500_000_000);
        assert_eq!(ns_from_units(-4), -1);
        assert_eq!(ns_from_units(-1), 0);
        assert_eq!(ns_from_units(i64::MIN), -2_147_483_648_000_000_000);
        assert_eq!(ns_from_units(i64::MAX), 2_147_483_648_000_000_000);
    }

    proptest! {
        #[test]
        fn every_nanosecond_survives_the_fraction(ns in 0_u32..1_000_000_000) {
            prop_assert_eq!(ns_from_fraction(fraction_from_ns(ns)), i64::from(ns));
        }

        #[test]
        fn a_difference_equals_the_exact_quotient_rounded(units in any::<i64>()) {
            let exact = i128::from(units) * i128::from(NS_PER_SECOND);
            let rounded = (exact + (1 << 31)) >> 32;
            prop_assert_eq!(i128::from(ns_from_units(units)), rounded);
        }
    }
}
