//! The 64 bits of a timestamp field, read by the Z bit that governs it.

use core::fmt;

use super::{NS_PER_SECOND, TimeDelta, WallTime, ntp, ptp};
use crate::error::ParseError;

/// How the 64 bits of a timestamp are read: the Z bit of the Error Estimate (RFC 8186 §2.3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TimestampFormat {
    /// NTP, Z = 0; the default of RFC 8762 §4.2.1.
    #[default]
    Ntp,
    /// Truncated PTPv2, Z = 1.
    Ptp,
}

impl fmt::Display for TimestampFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ntp => "ntp",
            Self::Ptp => "ptp",
        })
    }
}

/// A timestamp field, kept bit for bit, with the format it is to be read by.
///
/// Equality is that of the octets: two fields that round to one nanosecond may still differ.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Timestamp {
    seconds: u32,
    /// NTP: units of 2^-32 second. PTP: nanoseconds, whatever a peer sent.
    subseconds: u32,
    format: TimestampFormat,
}

impl Timestamp {
    /// Writes an instant; for PTP on the time scale of `at`, see
    /// [`PtpUtcOffset`](super::PtpUtcOffset).
    #[must_use]
    pub const fn from_wall(at: WallTime, format: TimestampFormat) -> Self {
        let (seconds, ns) = at.split();
        let seconds = low_half(seconds);
        match format {
            TimestampFormat::Ntp => Self {
                seconds: seconds.wrapping_add(ntp::UNIX_EPOCH),
                subseconds: ntp::fraction_from_ns(ns),
                format,
            },
            TimestampFormat::Ptp => Self { seconds, subseconds: ns, format },
        }
    }

    /// The field as received; never fails, so that it can be copied unread.
    #[must_use]
    pub const fn from_octets(octets: [u8; 8], format: TimestampFormat) -> Self {
        let [a, b, c, d, e, f, g, h] = octets;
        Self {
            seconds: u32::from_be_bytes([a, b, c, d]),
            subseconds: u32::from_be_bytes([e, f, g, h]),
            format,
        }
    }

    /// The field as sent: exactly what [`Self::from_octets`] was given.
    #[must_use]
    pub const fn octets(self) -> [u8; 8] {
        let [a, b, c, d] = self.seconds.to_be_bytes();
        let [e, f, g, h] = self.subseconds.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }

    /// The format the octets are to be read by.
    #[must_use]
    pub const fn format(self) -> TimestampFormat {
        self.format
    }

    /// All 64 bits are zero: nobody wrote an instant here.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.seconds == 0 && self.subseconds == 0
    }

    /// The instant, taken from the era that puts it within 68 years of `near`.
    ///
    /// NTP seconds start again in 2036, PTP seconds in 2106; the octets do not say how often.
    ///
    /// # Errors
    ///
    /// [`ParseError::NanosecondsRange`] for PTP nanoseconds of a second or more,
    /// [`ParseError::TimeRange`] for an instant that [`WallTime`] cannot hold.
    pub fn to_wall(self, near: WallTime) -> Result<WallTime, ParseError> {
        let (seconds, ns) = match self.format {
            TimestampFormat::Ntp => {
                (self.seconds.wrapping_sub(ntp::UNIX_EPOCH), ntp::ns_from_fraction(self.subseconds))
            }
            TimestampFormat::Ptp => (self.seconds, ptp::checked_ns(self.subseconds)?),
        };
        let (near_seconds, _) = near.split();
        let ahead = seconds.wrapping_sub(low_half(near_seconds)).cast_signed();
        let unix_seconds = near_seconds.saturating_add(i64::from(ahead));
        // In 128 bits: the seconds alone may pass the end although the sum does not.
        let unix_ns = i128::from(unix_seconds)
            .saturating_mul(i128::from(NS_PER_SECOND))
            .saturating_add(i128::from(ns));
        i64::try_from(unix_ns)
            .map(WallTime::from_unix_ns)
            .map_err(|_| ParseError::TimeRange { unix_seconds })
    }

    /// How much later this is than `earlier`, when both are of one clock and within 68 years.
    ///
    /// Taken modulo the field, so that it holds across an era. NTP: rounded to the nearest
    /// nanosecond, exact when both were written from whole nanoseconds.
    ///
    /// # Errors
    ///
    /// [`ParseError::FormatMismatch`] when one is NTP and one PTP,
    /// [`ParseError::NanosecondsRange`] for PTP nanoseconds of a second or more.
    pub const fn since(self, earlier: Self) -> Result<TimeDelta, ParseError> {
        match (self.format, earlier.format) {
            (TimestampFormat::Ntp, TimestampFormat::Ntp) => {
                let units = self.bits().wrapping_sub(earlier.bits()).cast_signed();
                Ok(TimeDelta::from_ns(ntp::ns_from_units(units)))
            }
            (TimestampFormat::Ptp, TimestampFormat::Ptp) => self.ptp_since(earlier),
            _ => Err(ParseError::FormatMismatch),
        }
    }

    const fn ptp_since(self, earlier: Self) -> Result<TimeDelta, ParseError> {
        let seconds = self.seconds.wrapping_sub(earlier.seconds).cast_signed() as i64;
        let (late_ns, early_ns) =
            match (ptp::checked_ns(self.subseconds), ptp::checked_ns(earlier.subseconds)) {
                (Ok(late), Ok(early)) => (late, early),
                (Err(error), _) | (_, Err(error)) => return Err(error),
            };
        let ns = seconds.wrapping_mul(NS_PER_SECOND).wrapping_add(late_ns.wrapping_sub(early_ns));
        Ok(TimeDelta::from_ns(ns))
    }

    const fn bits(self) -> u64 {
        ((self.seconds as u64) << 32) | self.subseconds as u64
    }
}

/// Seconds modulo 2^32, as both formats carry them.
const fn low_half(seconds: i64) -> u32 {
    seconds as u32
}

#[cfg(test)]
mod tests;
