//! Instants, and the two forms in which a test packet carries them.
//!
//! [`WallTime`] is what the toolkit computes with. NTP and PTPv2 exist only as the 64 bits of a
//! [`Timestamp`]; they are kept bit for bit, because a Session-Reflector copies T1 unread.

mod error_estimate;
mod ntp;
mod ptp;
mod timestamp;

use core::fmt;
use core::ops::Neg;

pub use error_estimate::ErrorEstimate;
pub use ptp::PtpUtcOffset;
pub use timestamp::{Timestamp, TimestampFormat};

const NS_PER_SECOND: i64 = 1_000_000_000;

/// Instant of a wall clock in nanoseconds since 1970-01-01 UTC, from the year 1677 to 2262.
///
/// A wall clock may step. Schedules and deadlines belong on a monotonic clock instead.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WallTime(i64);

impl WallTime {
    /// The instant `ns` nanoseconds after 1970-01-01 UTC.
    #[must_use]
    pub const fn from_unix_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn unix_ns(self) -> i64 {
        self.0
    }

    /// This instant moved by `delta`, or the end of time.
    #[must_use]
    pub const fn saturating_add(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.0))
    }

    /// How much later this instant is than `earlier`; negative when it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970 and the nanoseconds behind them, 0 to 999 999 999.
    const fn split(self) -> (i64, u32) {
        let seconds = self.0.div_euclid(NS_PER_SECOND);
        // Euclidean: not negative and below a billion.
        (seconds, self.0.rem_euclid(NS_PER_SECOND) as u32)
    }
}

/// Signed difference of two instants in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TimeDelta(i64);

impl TimeDelta {
    /// No difference.
    pub const ZERO: Self = Self(0);

    /// A difference of `ns` nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// The difference in nanoseconds.
    #[must_use]
    pub const fn ns(self) -> i64 {
        self.0
    }

    /// The difference without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// The difference seen from the other side; the same as the operator `-`.
    #[must_use]
    pub const fn saturating_neg(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, or the largest difference of that sign.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This difference less `other`, or the largest difference of that sign.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for TimeDelta {
    type Output = Self;

    fn neg(self) -> Self {
        self.saturating_neg()
    }
}

/// Who read the clock for an instant, least precise first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum StampSource {
    /// This program, beside the system call.
    #[default]
    User,
    /// The kernel, at the edge of the network stack.
    Kernel,
    /// The network interface, at the wire.
    Hardware,
}

impl fmt::Display for StampSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::User => "user",
            Self::Kernel => "kernel",
            Self::Hardware => "hardware",
        })
    }
}

/// An instant and who read the clock for it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Stamp {
    /// The instant.
    pub time: WallTime,
    /// Who read the clock.
    pub source: StampSource,
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn instants_before_1970_split_towards_the_past() {
        assert_eq!(WallTime::from_unix_ns(-1).split(), (-1, 999_999_999));
        assert_eq!(WallTime::from_unix_ns(0).split(), (0, 0));
        assert_eq!(WallTime::from_unix_ns(1_000_000_001).split(), (1, 1));
        assert_eq!(WallTime::from_unix_ns(i64::MIN).split(), (-9_223_372_037, 145_224_192));
    }

    #[test]
    fn a_difference_has_a_sign() {
        let early = WallTime::from_unix_ns(5);
        let late = early.saturating_add(TimeDelta::from_ns(7));
        assert_eq!(late.since(early), TimeDelta::from_ns(7));
        assert_eq!(early.since(late), TimeDelta::from_ns(-7));
        assert!(early.since(late).is_negative());
        assert!(!late.since(early).is_negative());
        assert!(!TimeDelta::ZERO.is_negative());
        assert_eq!(-early.since(late), late.since(early));
        assert_eq!(early.since(late).abs(), TimeDelta::from_ns(7));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let end = WallTime::from_unix_ns(i64::MAX);
        assert_eq!(end.saturating_add(TimeDelta::from_ns(1)), end);
        assert_eq!(end.since(WallTime::from_unix_ns(-1)), TimeDelta::from_ns(i64::MAX));
        let least = TimeDelta::from_ns(i64::MIN);
        assert_eq!(least.abs(), TimeDelta::from_ns(i64::MAX));
        assert_eq!(-least, TimeDelta::from_ns(i64::MAX));
        assert_eq!(least.saturating_sub(TimeDelta::from_ns(1)), least);
        assert_eq!(least.saturating_add(TimeDelta::from_ns(-1)), least);
    }

    #[test]
    fn sources_are_shown_as_configuration_and_reports_spell_them() {
        assert_eq!(StampSource::User.to_string(), "user");
        assert_eq!(StampSource::Kernel.to_string(), "kernel");
        assert_eq!(StampSource::Hardware.to_string(), "hardware");
    }
}
