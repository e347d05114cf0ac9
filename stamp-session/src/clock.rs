//! Time as the engines see it: values that a shell read from its clocks.

use core::time::Duration;

use stamp_proto::time::WallTime;

/// Instant of a clock that never steps, in nanoseconds since an origin the shell chose.
///
/// Schedules live on this clock; it never reaches the wire.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MonotonicTime(u64);

impl MonotonicTime {
    /// The origin itself.
    pub const ZERO: Self = Self(0);

    /// The instant `ns` nanoseconds after the origin.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// This instant moved by `later`, or the end of time.
    #[must_use]
    pub fn saturating_add(self, later: Duration) -> Self {
        let ns = u64::try_from(later.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ns))
    }

    /// Time elapsed since `earlier`; zero when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Now {
    /// For schedules and deadlines.
    pub monotonic: MonotonicTime,
    /// For the wire.
    pub wall: WallTime,
}

/// How good one end's wall clock is, and who says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClockState {
    /// Synchronised to UTC from an outside source (the S bit, RFC 4656 §4.1.2).
    pub synchronized: bool,
    /// Largest error of the clock in nanoseconds; `None` when nobody knows.
    pub error_bound_ns: Option<u64>,
    /// Stated by the operator instead of read from the kernel.
    pub declared: bool,
}

impl ClockState {
    /// Nothing is known: not synchronised, no bound.
    pub const UNKNOWN: Self = Self { synchronized: false, error_bound_ns: None, declared: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_a_later_instant_is_zero() {
        let early = MonotonicTime::from_ns(5);
        let late = early.saturating_add(Duration::from_nanos(7));
        assert_eq!(late.since(early), Duration::from_nanos(7));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        assert_eq!(MonotonicTime::ZERO.saturating_add(Duration::MAX), MonotonicTime(u64::MAX));
    }
}
