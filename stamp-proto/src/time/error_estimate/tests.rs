use proptest::prelude::*;

use super::*;
use crate::strategies::formats;

const NTP: TimestampFormat = TimestampFormat::Ntp;
const PTP: TimestampFormat = TimestampFormat::Ptp;

#[test]
fn errors_are_encoded_as_rfc_4656_says() {
    for (error_ns, synchronized, format, bits) in [
        (0, true, NTP, 0x8001),
        (1, true, NTP, 0x8005),
        (100, true, PTP, 0xc1d7),
        (1_000, true, NTP, 0x8587),
        (1_000, false, PTP, 0x4587),
        (10_000, true, NTP, 0x88a8),
        (1_000_000, true, NTP, 0x8f84),
        (10_000_000, true, NTP, 0x92a4),
        (1_000_000_000, false, NTP, 0x1980),
        (16_000_000_000, true, NTP, 0x9d80),
    ] {
        let estimate = ErrorEstimate::new(error_ns, synchronized, format);
        assert_eq!(estimate.bits(), bits, "{error_ns} ns: {:04x}", estimate.bits());
        assert_eq!(estimate, ErrorEstimate::from_bits(bits));
    }
}

#[test]
fn each_field_is_read_from_its_own_bits() {
    let synchronized = ErrorEstimate::from_bits(0x8000);
    assert!(synchronized.synchronized());
    assert_eq!(
        (synchronized.format(), synchronized.scale(), synchronized.multiplier()),
        (NTP, 0, 0)
    );
    let ptp = ErrorEstimate::from_bits(0x4000);
    assert!(!ptp.synchronized());
    assert_eq!((ptp.format(), ptp.scale(), ptp.multiplier()), (PTP, 0, 0));
    let scale = ErrorEstimate::from_bits(0x3f00);
    assert_eq!((scale.format(), scale.scale(), scale.multiplier()), (NTP, 63, 0));
    let multiplier = ErrorEstimate::from_bits(0x00ff);
    assert_eq!((multiplier.format(), multiplier.scale(), multiplier.multiplier()), (NTP, 0, 255));
}

#[test]
fn a_clock_nobody_knows_says_one_second() {
    let ntp = ErrorEstimate::unsynchronized(NTP);
    assert_eq!(ntp.bits(), 0x1980);
    assert_eq!(ntp.error_ns(), 1_000_000_000);
    assert_eq!(ErrorEstimate::unsynchronized(PTP).bits(), 0x5980);
}

#[test]
fn a_multiplier_of_zero_promises_nothing() {
    let corrupt = ErrorEstimate::from_bits(0x8500);
    assert!(!corrupt.is_valid());
    assert_eq!(corrupt.error_ns(), u64::MAX);
    assert!(ErrorEstimate::from_bits(0x8501).is_valid());
}

#[test]
fn the_error_is_rounded_up() {
    assert_eq!(ErrorEstimate::from_bits(0x8001).error_ns(), 1);
    assert_eq!(ErrorEstimate::from_bits(0x8005).error_ns(), 2);
    assert_eq!(ErrorEstimate::from_bits(0x8587).error_ns(), 1_006);
    assert_eq!(ErrorEstimate::from_bits(0x9980).error_ns(), 1_000_000_000);
    assert_eq!(ErrorEstimate::from_bits(0x3fff).error_ns(), u64::MAX);
}

#[test]
fn the_largest_error_fits() {
    let largest = ErrorEstimate::new(u64::MAX, true, NTP);
    assert_eq!(largest.error_ns(), u64::MAX);
    assert!(largest.is_valid());
}

proptest! {
    #[test]
    fn an_estimate_covers_the_error_it_was_made_from(
        error_ns in prop_oneof![any::<u64>(), 0_u64..10_000_000_000, 0_u64..1_000],
        synchronized in any::<bool>(),
        format in formats(),
    ) {
        let estimate = ErrorEstimate::new(error_ns, synchronized, format);
        prop_assert!(estimate.is_valid());
        prop_assert_eq!(estimate.synchronized(), synchronized);
        prop_assert_eq!(estimate.format(), format);
        prop_assert!(estimate.error_ns() >= error_ns);
        // Not by more than one step of the Multiplier and the rounding up to a nanosecond.
        prop_assert!(estimate.error_ns() <= error_ns.saturating_add(error_ns / 100).saturating_add(2));
    }

    #[test]
    fn an_estimate_survives_being_decoded_and_made_again(bits in any::<u16>()) {
        let estimate = ErrorEstimate::from_bits(bits);
        prop_assert_eq!(estimate.bits(), bits);
        prop_assume!(estimate.is_valid() && estimate.error_ns() < u64::MAX);
        let again =
            ErrorEstimate::new(estimate.error_ns(), estimate.synchronized(), estimate.format());
        prop_assert!(again.error_ns() >= estimate.error_ns());
    }
}
