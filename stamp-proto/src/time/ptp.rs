//! PTPv2 truncated timestamps (RFC 8186 §2.3): the low 32 bits of the seconds, then nanoseconds.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            Seconds since 1970-01-01, modulo 2^32              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 Nanoseconds, 0 to 999 999 999                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{NS_PER_SECOND, TimeDelta, Timestamp, TimestampFormat, WallTime};
use crate::error::ParseError;

/// The nanoseconds field, unless it says a second or more.
pub(super) const fn checked_ns(value: u32) -> Result<i64, ParseError> {
    if (value as i64) < NS_PER_SECOND {
        Ok(value as i64)
    } else {
        Err(ParseError::NanosecondsRange { value })
    }
}

/// Seconds by which the time scale of PTP timestamps is ahead of UTC.
///
/// IEEE 1588 counts TAI, but no STAMP document says which scale the field has and implementations
/// differ; so it is configuration. NTP timestamps are UTC and never moved.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PtpUtcOffset(i16);

impl PtpUtcOffset {
    /// The seconds field holds UTC.
    pub const UTC: Self = Self(0);
    /// The seconds field holds TAI, as it has been since 2017.
    pub const TAI: Self = Self(37);

    /// PTP timestamps run `seconds` ahead of UTC.
    #[must_use]
    pub const fn from_seconds(seconds: i16) -> Self {
        Self(seconds)
    }

    /// Seconds ahead of UTC.
    #[must_use]
    pub const fn seconds(self) -> i16 {
        self.0
    }

    /// How an instant is written: moved when the format is PTP, as it is when NTP.
    #[must_use]
    pub const fn timestamp(self, at: WallTime, format: TimestampFormat) -> Timestamp {
        match format {
            TimestampFormat::Ntp => Timestamp::from_wall(at, format),
            TimestampFormat::Ptp => {
                Timestamp::from_wall(at.saturating_add(self.as_delta()), format)
            }
        }
    }

    /// The instant a timestamp was written for; the inverse of [`Self::timestamp`].
    ///
    /// # Errors
    ///
    /// As [`Timestamp::to_wall`].
    pub fn wall_time(self, written: Timestamp, near: WallTime) -> Result<WallTime, ParseError> {
        match written.format() {
            TimestampFormat::Ntp => written.to_wall(near),
            TimestampFormat::Ptp => {
                let ahead = written.to_wall(near.saturating_add(self.as_delta()))?;
                Ok(ahead.saturating_add(self.as_delta().saturating_neg()))
            }
        }
    }

    const fn as_delta(self) -> TimeDelta {
        TimeDelta::from_ns((self.0 as i64).wrapping_mul(NS_PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAP_DAY: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);

    #[test]
    fn a_second_of_nanoseconds_is_no_nanosecond() {
        assert_eq!(checked_ns(999_999_999), Ok(999_999_999));
        assert_eq!(
            checked_ns(1_000_000_000),
            Err(ParseError::NanosecondsRange { value: 1_000_000_000 })
        );
        assert_eq!(checked_ns(u32::MAX), Err(ParseError::NanosecondsRange { value: u32::MAX }));
    }

    #[test]
    fn the_offset_moves_ptp_only() {
        let ptp = PtpUtcOffset::TAI.timestamp(LEAP_DAY, TimestampFormat::Ptp);
        assert_eq!(ptp.octets(), [0x65, 0xe0, 0x7a, 0x15, 0x2f, 0x07, 0x5f, 0x79]);
        let ntp = PtpUtcOffset::TAI.timestamp(LEAP_DAY, TimestampFormat::Ntp);
        assert_eq!(ntp, Timestamp::from_wall(LEAP_DAY, TimestampFormat::Ntp));
        assert_eq!(PtpUtcOffset::default(), PtpUtcOffset::UTC);
    }

    #[test]
    fn what_the_offset_moved_it_moves_back() {
        for offset in [PtpUtcOffset::UTC, PtpUtcOffset::TAI, PtpUtcOffset::from_seconds(-3)] {
            for format in [TimestampFormat::Ntp, TimestampFormat::Ptp] {
                let written = offset.timestamp(LEAP_DAY, format);
                assert_eq!(offset.wall_time(written, LEAP_DAY), Ok(LEAP_DAY));
            }
        }
        assert_eq!(PtpUtcOffset::from_seconds(-3).seconds(), -3);
    }
}
