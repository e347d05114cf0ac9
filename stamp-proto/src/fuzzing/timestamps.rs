//! Timestamps and Error Estimates.

use crate::error::ParseError;
use crate::reader::Reader;
use crate::time::{ErrorEstimate, PtpUtcOffset, TimeDelta, Timestamp, TimestampFormat, WallTime};

/// Half of the seconds field, and a second for what is rounded.
const HALF_ERA: i64 = 2_147_483_649_000_000_000;

/// Two timestamps (8 octets each), an instant to read them near (8), an Error Estimate (2).
pub fn check(octets: &[u8]) {
    let mut reader = Reader::new(octets);
    let (Ok(early), Ok(late), Ok(near), Ok(bits)) = (
        reader.take_array("earlier timestamp"),
        reader.take_array("later timestamp"),
        reader.take_array("instant"),
        reader.take_u16("error estimate"),
    ) else {
        return;
    };
    let near = WallTime::from_unix_ns(i64::from_be_bytes(near));
    for format in [TimestampFormat::Ntp, TimestampFormat::Ptp] {
        check_instant(near, format);
        check_field(early, near, format);
        check_difference(
            Timestamp::from_octets(early, format),
            Timestamp::from_octets(late, format),
            near,
        );
    }
    check_estimate(bits, near.unix_ns().unsigned_abs());
}

/// Every instant comes back from either form.
fn check_instant(at: WallTime, format: TimestampFormat) {
    let written = Timestamp::from_wall(at, format);
    assert_eq!(written.to_wall(at), Ok(at));
    assert_eq!(written.since(written), Ok(TimeDelta::ZERO));
    assert_eq!(PtpUtcOffset::UTC.timestamp(at, format), written);
}

/// Every field keeps its octets, and is read as the instant it is.
fn check_field(octets: [u8; 8], near: WallTime, format: TimestampFormat) {
    let field = Timestamp::from_octets(octets, format);
    assert_eq!(field.octets(), octets);
    assert_eq!(field.is_zero(), octets == [0; 8]);
    match field.to_wall(near) {
        Ok(at) => {
            assert!(at.since(near).abs().ns() <= HALF_ERA);
            let again = Timestamp::from_wall(at, format);
            assert_eq!(again.since(field).map(|delta| delta.ns()), Ok(0));
            assert!(format == TimestampFormat::Ntp || again == field);
        }
        Err(ParseError::NanosecondsRange { value }) => {
            assert!(format == TimestampFormat::Ptp && value >= 1_000_000_000);
        }
        Err(ParseError::TimeRange { unix_seconds }) => {
            assert!(unix_seconds.unsigned_abs() >= 9_223_372_036);
        }
        Err(other) => unreachable!("a field is read or out of range: {other}"),
    }
}

/// A difference has one size from both sides, and is that of the instants.
fn check_difference(early: Timestamp, late: Timestamp, near: WallTime) {
    let (Ok(forward), Ok(backward)) = (late.since(early), early.since(late)) else {
        assert!(late.to_wall(near).is_err() || early.to_wall(near).is_err());
        return;
    };
    // Exactly half an era away is behind on both sides; half a nanosecond rounds up on both.
    let both = forward.ns().saturating_add(backward.ns());
    assert!((0..=1).contains(&both) || forward.ns() <= -HALF_ERA.saturating_sub(2_000_000_000));
    if let (Ok(early), Ok(late)) = (early.to_wall(near), late.to_wall(near)) {
        let instants = late.since(early).ns();
        let distance = instants.saturating_sub(forward.ns()).saturating_abs();
        // The two may have been put into eras on either side of `near`.
        let era = 4_294_967_296_000_000_000;
        assert!(distance <= 1 || distance.abs_diff(era) <= 1);
    }
}

/// An Error Estimate covers what it was made from, and says what its bits say.
fn check_estimate(bits: u16, error_ns: u64) {
    let estimate = ErrorEstimate::from_bits(bits);
    assert_eq!(estimate.bits(), bits);
    let made = ErrorEstimate::new(error_ns, estimate.synchronized(), estimate.format());
    assert!(made.is_valid() && made.error_ns() >= error_ns);
    assert_eq!(made.synchronized(), estimate.synchronized());
    assert_eq!(made.format(), estimate.format());
    if estimate.is_valid() && estimate.error_ns() < u64::MAX {
        let again =
            ErrorEstimate::new(estimate.error_ns(), estimate.synchronized(), estimate.format());
        assert!(again.error_ns() >= estimate.error_ns());
    }
}
