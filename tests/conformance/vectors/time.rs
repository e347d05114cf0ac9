//! Timestamps, their differences, and Error Estimates.

use stamp_proto::error::ParseError;
use stamp_proto::time::{ErrorEstimate, PtpUtcOffset, Timestamp, TimestampFormat, WallTime};

use super::{NTP, PTP};

fn field(octets: u64, format: TimestampFormat) -> Timestamp {
    Timestamp::from_octets(octets.to_be_bytes(), format)
}

/// Nanoseconds since 1970, NTP, PTP of UTC, PTP of TAI (37 s ahead since 2017, 32 s in 2000).
type Instant = (i64, u64, u64, Option<(i16, u64)>);

const INSTANTS: [Instant; 14] = [
    (0, 0x83aa_7e80_0000_0000, 0, None),
    (
        946_684_800_000_000_000,
        0xbc17_c200_0000_0000,
        0x386d_4380_0000_0000,
        Some((32, 0x386d_43a0_0000_0000)),
    ),
    (
        1_709_210_096_789_012_345,
        0xe98a_f870_c9fc_b68a,
        0x65e0_79f0_2f07_5f79,
        Some((37, 0x65e0_7a15_2f07_5f79)),
    ),
    (
        1_709_210_096_790_246_912,
        0xe98a_f870_ca4d_9f23,
        0x65e0_79f0_2f1a_3600,
        Some((37, 0x65e0_7a15_2f1a_3600)),
    ),
    (
        1_709_210_096_790_296_912,
        0xe98a_f870_ca50_e5ff,
        0x65e0_79f0_2f1a_f950,
        Some((37, 0x65e0_7a15_2f1a_f950)),
    ),
    (
        1_709_210_096_791_642_591,
        0xe98a_f870_caa9_16be,
        0x65e0_79f0_2f2f_81df,
        Some((37, 0x65e0_7a15_2f2f_81df)),
    ),
    (
        1_717_200_000_500_000_000,
        0xea04_e300_8000_0000,
        0x665a_6480_1dcd_6500,
        Some((37, 0x665a_64a5_1dcd_6500)),
    ),
    (
        1_717_200_000_000_000_001,
        0xea04_e300_0000_0004,
        0x665a_6480_0000_0001,
        Some((37, 0x665a_64a5_0000_0001)),
    ),
    (
        1_717_200_000_999_999_999,
        0xea04_e300_ffff_fffc,
        0x665a_6480_3b9a_c9ff,
        Some((37, 0x665a_64a5_3b9a_c9ff)),
    ),
    (2_085_978_495_999_999_999, 0xffff_ffff_ffff_fffc, 0x7c55_817f_3b9a_c9ff, None),
    (2_085_978_496_000_000_000, 0x0000_0000_0000_0000, 0x7c55_8180_0000_0000, None),
    (2_147_483_648_000_000_000, 0x03aa_7e80_0000_0000, 0x8000_0000_0000_0000, None),
    (4_294_967_295_000_000_000, 0x83aa_7e7f_0000_0000, 0xffff_ffff_0000_0000, None),
    (4_294_967_296_000_000_000, 0x83aa_7e80_0000_0000, 0x0000_0000_0000_0000, None),
];

#[test]
fn instants_are_written_and_read_as_the_table_says() {
    for (unix_ns, ntp, ptp, tai) in INSTANTS {
        let at = WallTime::from_unix_ns(unix_ns);
        for (octets, format) in [(ntp, NTP), (ptp, PTP)] {
            assert_eq!(Timestamp::from_wall(at, format), field(octets, format), "{unix_ns}");
            assert_eq!(field(octets, format).to_wall(at), Ok(at), "{unix_ns} {format}");
        }
        if let Some((seconds, octets)) = tai {
            let offset = PtpUtcOffset::from_seconds(seconds);
            assert_eq!(offset.timestamp(at, PTP), field(octets, PTP), "{unix_ns}");
            assert_eq!(offset.wall_time(field(octets, PTP), at), Ok(at), "{unix_ns}");
        }
    }
}

#[test]
fn fractions_are_rounded_both_ways() {
    const SECOND: i64 = 1_709_210_096_000_000_000;
    let read = |fraction: u32| {
        let at = field(0xe98a_f870_0000_0000 | u64::from(fraction), NTP);
        at.to_wall(WallTime::from_unix_ns(SECOND)).map(|at| at.unix_ns() - SECOND)
    };
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
        let written = Timestamp::from_wall(WallTime::from_unix_ns(SECOND + ns), NTP);
        assert_eq!(written, field(0xe98a_f870_0000_0000 | u64::from(fraction), NTP), "{ns}");
        assert_eq!(read(fraction), Ok(ns));
    }
    for (fraction, ns) in [
        (0x0000_0001, 0),
        (0x0000_0002, 0),
        (0x0000_0003, 1),
        (0xffff_fffb, 999_999_999),
        (0xffff_fffd, 999_999_999),
        (0xffff_fffe, 1_000_000_000),
        (0xffff_ffff, 1_000_000_000),
    ] {
        assert_eq!(read(fraction), Ok(ns), "{fraction:08x}");
    }
}

#[test]
fn differences_hold_across_the_wraps() {
    for (earlier, later, format, ns) in [
        (0xffff_ffff_8000_0000, 0x0000_0000_4000_0000, NTP, 750_000_000),
        (0xffff_ffff_3b9a_c9ff, 0x0000_0000_0000_0000, PTP, 1),
        (0xe98a_f870_ca4d_9f23, 0xe98a_f870_c9fc_b68a, NTP, -1_234_567),
    ] {
        let (earlier, later) = (field(earlier, format), field(later, format));
        assert_eq!(later.since(earlier).map(|delta| delta.ns()), Ok(ns));
        assert_eq!(earlier.since(later).map(|delta| delta.ns()), Ok(-ns));
    }
}

#[test]
fn nanoseconds_of_a_second_or_more_are_refused() {
    let malformed = field(0x65e0_79f0_3b9a_ca00, PTP);
    assert_eq!(
        malformed.to_wall(WallTime::from_unix_ns(0)),
        Err(ParseError::NanosecondsRange { value: 1_000_000_000 })
    );
}

/// Error in ns (`None`: not made from an error), S, format, bits, Scale, Multiplier, decoded ns.
type Estimate = (Option<u64>, bool, TimestampFormat, u16, u8, u8, u64);

const ESTIMATES: [Estimate; 13] = [
    (Some(0), true, NTP, 0x8001, 0, 1, 1),
    (Some(1), true, NTP, 0x8005, 0, 5, 2),
    (Some(100), true, PTP, 0xc1d7, 1, 215, 101),
    (Some(1_000), true, NTP, 0x8587, 5, 135, 1_006),
    (Some(1_000), false, PTP, 0x4587, 5, 135, 1_006),
    (Some(10_000), true, NTP, 0x88a8, 8, 168, 10_014),
    (Some(1_000_000), true, NTP, 0x8f84, 15, 132, 1_007_081),
    (Some(10_000_000), true, NTP, 0x92a4, 18, 164, 10_009_766),
    (Some(1_000_000_000), false, NTP, 0x1980, 25, 128, 1_000_000_000),
    (Some(16_000_000_000), true, NTP, 0x9d80, 29, 128, 16_000_000_000),
    (None, false, NTP, 0x3fff, 63, 255, u64::MAX),
    (None, true, NTP, 0x8500, 5, 0, u64::MAX),
    (None, false, NTP, 0x0001, 0, 1, 1),
];

#[test]
fn error_estimates_are_made_and_read_as_the_table_says() {
    for (error_ns, synchronized, format, bits, scale, multiplier, decoded_ns) in ESTIMATES {
        let estimate = ErrorEstimate::from_bits(bits);
        assert_eq!(estimate.synchronized(), synchronized, "{bits:04x}");
        assert_eq!(estimate.format(), format, "{bits:04x}");
        assert_eq!((estimate.scale(), estimate.multiplier()), (scale, multiplier), "{bits:04x}");
        assert_eq!(estimate.is_valid(), multiplier != 0, "{bits:04x}");
        assert_eq!(estimate.error_ns(), decoded_ns, "{bits:04x}");
        assert_eq!(estimate.bits(), bits);
        if let Some(error_ns) = error_ns {
            let made = ErrorEstimate::new(error_ns, synchronized, format);
            assert_eq!(made.bits(), bits, "{error_ns} ns: {:04x}", made.bits());
        }
    }
    assert_eq!(ErrorEstimate::unsynchronized(NTP).bits(), 0x1980);
}
