use std::string::ToString;

use proptest::prelude::*;

use super::*;
use crate::strategies::{formats, wall_times};
use crate::time::PtpUtcOffset;

const NTP: TimestampFormat = TimestampFormat::Ntp;
const PTP: TimestampFormat = TimestampFormat::Ptp;

/// 2036-02-07T06:28:16Z, where NTP seconds start again.
const NTP_WRAP: i64 = 2_085_978_496_000_000_000;
/// 2106-02-07T06:28:16Z, where PTP seconds start again.
const PTP_WRAP: i64 = 4_294_967_296_000_000_000;
const YEAR: i64 = 31_556_952_000_000_000;

fn wall(unix_ns: i64) -> WallTime {
    WallTime::from_unix_ns(unix_ns)
}

fn written(unix_ns: i64, format: TimestampFormat) -> u64 {
    u64::from_be_bytes(Timestamp::from_wall(wall(unix_ns), format).octets())
}

fn field(octets: u64, format: TimestampFormat) -> Timestamp {
    Timestamp::from_octets(octets.to_be_bytes(), format)
}

#[test]
fn an_instant_is_written_in_either_form() {
    assert_eq!(written(1_709_210_096_789_012_345, NTP), 0xe98a_f870_c9fc_b68a);
    assert_eq!(written(1_709_210_096_789_012_345, PTP), 0x65e0_79f0_2f07_5f79);
    assert_eq!(written(0, NTP), 0x83aa_7e80_0000_0000);
    assert_eq!(written(0, PTP), 0);
    assert_eq!(written(-1, NTP), 0x83aa_7e7f_ffff_fffc);
    assert_eq!(written(-1, PTP), 0xffff_ffff_3b9a_c9ff);
}

#[test]
fn seconds_start_again_in_2036_and_in_2106() {
    assert_eq!(written(NTP_WRAP - 1, NTP), 0xffff_ffff_ffff_fffc);
    assert_eq!(written(NTP_WRAP, NTP), 0);
    assert_eq!(written(PTP_WRAP - 1_000_000_000, PTP), 0xffff_ffff_0000_0000);
    assert_eq!(written(PTP_WRAP, PTP), 0);
}

#[test]
fn the_era_is_the_one_nearest_to_our_own_clock() {
    let era_0 = wall(NTP_WRAP - YEAR);
    let era_1 = wall(NTP_WRAP + YEAR);
    let first_of_era_1 = field(1, NTP);
    let last_of_era_0 = field(0xffff_ffff_ffff_fffc, NTP);
    for near in [era_0, era_1] {
        assert_eq!(first_of_era_1.to_wall(near), Ok(wall(NTP_WRAP)));
        assert_eq!(last_of_era_0.to_wall(near), Ok(wall(NTP_WRAP - 1)));
    }
    // Seen from 1970, the second zero of NTP is 1900.
    assert_eq!(first_of_era_1.to_wall(wall(-20 * YEAR)), Ok(wall(-2_208_988_800_000_000_000)));
}

#[test]
fn ptp_seconds_are_read_by_our_own_clock_too() {
    let zero = field(0, PTP);
    assert_eq!(zero.to_wall(wall(PTP_WRAP - YEAR)), Ok(wall(PTP_WRAP)));
    assert_eq!(zero.to_wall(wall(PTP_WRAP + YEAR)), Ok(wall(PTP_WRAP)));
    assert_eq!(zero.to_wall(wall(YEAR)), Ok(wall(0)));
}

#[test]
fn the_last_fractions_of_a_second_carry() {
    let carried = field(0xe98a_f870_ffff_fffe, NTP).to_wall(wall(1_709_210_096_000_000_000));
    assert_eq!(carried, Ok(wall(1_709_210_097_000_000_000)));
}

#[test]
fn a_second_of_nanoseconds_is_refused_wherever_it_is_read() {
    let bad = field(0x65e0_79f0_3b9a_ca00, PTP);
    let good = field(0x65e0_79f0_3b9a_c9ff, PTP);
    let error = ParseError::NanosecondsRange { value: 1_000_000_000 };
    assert_eq!(bad.to_wall(wall(0)), Err(error));
    assert_eq!(bad.since(good), Err(error));
    assert_eq!(good.since(bad), Err(error));
    assert_eq!(bad.octets(), [0x65, 0xe0, 0x79, 0xf0, 0x3b, 0x9a, 0xca, 0x00]);
}

#[test]
fn an_instant_beyond_our_range_is_refused() {
    let near = wall(i64::MAX);
    let (end, _) = near.split();
    // 2262-04-11T23:47:16.854775807Z is the end; the next nanosecond is not an instant.
    let at_the_end = (u64::try_from(end).unwrap() & 0xffff_ffff) << 32 | 854_775_807;
    assert_eq!(field(at_the_end, PTP).to_wall(near), Ok(near));
    assert_eq!(
        field(at_the_end + 1, PTP).to_wall(near),
        Err(ParseError::TimeRange { unix_seconds: end })
    );
    let begin = wall(i64::MIN);
    assert_eq!(Timestamp::from_wall(begin, PTP).to_wall(begin), Ok(begin));
    assert_eq!(
        field(u64::from(low_half(begin.split().0)) << 32, PTP).to_wall(begin),
        Err(ParseError::TimeRange { unix_seconds: begin.split().0 })
    );
}

#[test]
fn differences_hold_across_the_wraps() {
    let delta = |late, early, format| field(late, format).since(field(early, format));
    assert_eq!(
        delta(0x0000_0000_4000_0000, 0xffff_ffff_8000_0000, NTP),
        Ok(TimeDelta::from_ns(750_000_000))
    );
    assert_eq!(delta(0, 0xffff_ffff_3b9a_c9ff, PTP), Ok(TimeDelta::from_ns(1)));
    assert_eq!(delta(0xffff_ffff_3b9a_c9ff, 0, PTP), Ok(TimeDelta::from_ns(-1)));
    assert_eq!(
        delta(0xe98a_f870_c9fc_b68a, 0xe98a_f870_ca4d_9f23, NTP),
        Ok(TimeDelta::from_ns(-1_234_567))
    );
}

#[test]
fn the_largest_differences_fit() {
    assert_eq!(
        field(1 << 63, NTP).since(field(0, NTP)),
        Ok(TimeDelta::from_ns(-2_147_483_648_000_000_000))
    );
    assert_eq!(
        field(0x7fff_ffff_3b9a_c9ff, PTP).since(field(0, PTP)),
        Ok(TimeDelta::from_ns(2_147_483_647_999_999_999))
    );
    assert_eq!(
        field(0x8000_0000_0000_0000, PTP).since(field(0x3b9a_c9ff, PTP)),
        Ok(TimeDelta::from_ns(-2_147_483_648_999_999_999))
    );
}

#[test]
fn two_formats_have_no_difference() {
    let mismatch = Err(ParseError::FormatMismatch);
    assert_eq!(field(5, NTP).since(field(5, PTP)), mismatch);
    assert_eq!(field(5, PTP).since(field(5, NTP)), mismatch);
    assert_ne!(field(5, NTP), field(5, PTP));
}

#[test]
fn formats_are_shown_as_configuration_spells_them() {
    assert_eq!(NTP.to_string(), "ntp");
    assert_eq!(PTP.to_string(), "ptp");
}

#[test]
fn only_64_zero_bits_are_zero() {
    assert!(field(0, NTP).is_zero());
    assert!(!field(1, NTP).is_zero());
    assert!(!field(1 << 63, PTP).is_zero());
}

proptest! {
    #[test]
    fn octets_are_kept_bit_for_bit(octets in any::<[u8; 8]>(), format in formats()) {
        let timestamp = Timestamp::from_octets(octets, format);
        prop_assert_eq!(timestamp.octets(), octets);
        prop_assert_eq!(timestamp.format(), format);
    }

    #[test]
    fn every_instant_comes_back_exactly(
        at in wall_times(),
        away in -2_147_000_000_000_000_000_i64..2_147_000_000_000_000_000,
        format in formats(),
    ) {
        let near = at.saturating_add(TimeDelta::from_ns(away));
        prop_assert_eq!(Timestamp::from_wall(at, format).to_wall(near), Ok(at));
    }

    #[test]
    fn every_instant_comes_back_through_every_offset(
        at in wall_times(), seconds in any::<i16>(), format in formats(),
    ) {
        let offset = PtpUtcOffset::from_seconds(seconds);
        prop_assert_eq!(offset.wall_time(offset.timestamp(at, format), at), Ok(at));
    }

    #[test]
    fn a_difference_of_instants_is_exact(
        early in wall_times(),
        ns in -2_147_483_647_000_000_000_i64..2_147_483_647_000_000_000,
        format in formats(),
    ) {
        let late = wall(early.unix_ns().saturating_add(ns));
        let delta = Timestamp::from_wall(late, format).since(Timestamp::from_wall(early, format));
        prop_assert_eq!(delta, Ok(late.since(early)));
    }

    #[test]
    fn whatever_arrives_is_read_near_our_own_clock(
        octets in any::<[u8; 8]>(), near in wall_times(), format in formats(),
    ) {
        match Timestamp::from_octets(octets, format).to_wall(near) {
            Ok(at) => {
                prop_assert!(at.since(near).abs().ns() <= 2_147_483_649_000_000_000);
                if format == PTP {
                    prop_assert_eq!(Timestamp::from_wall(at, format).octets(), octets);
                }
            }
            Err(error) => {
                let is_range = matches!(error, ParseError::NanosecondsRange { .. });
                prop_assert!(is_range && format == PTP, "{}", error);
            }
        }
    }
}
