//! How calmly a path may change, and which measurements count.

use core::time::Duration;

use stamp_document::quantity::Ratio;

/// Limits on changes. A path that is down is left whatever they say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Damping {
    /// Least time between two changes; also how long a path has to be good before traffic comes back.
    pub hold: Duration,
    /// By which part a path must be better than the one in use, and below a limit it has violated.
    pub margin: Ratio,
    /// Most changes within an hour.
    pub changes_per_hour: u32,
}

impl Default for Damping {
    fn default() -> Self {
        let margin = Ratio::from_billionths(100_000_000).unwrap_or_default();
        Self { hold: Duration::from_secs(30), margin, changes_per_hour: 6 }
    }
}

/// Which measurements count; others are as good as none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trust {
    /// No older than this.
    pub age: Duration,
    /// Of a window that has at least this share of its values.
    pub integrity: Ratio,
    /// And at least so many.
    pub samples: u64,
    /// One way, of clocks whose error bounds are together at most this share of the limit.
    pub clock_error: Ratio,
}

impl Default for Trust {
    fn default() -> Self {
        let share = |percent: u32| Ratio::from_billionths(percent * 10_000_000).unwrap_or_default();
        let (integrity, clock_error) = (share(50), share(25));
        Self { age: Duration::from_secs(120), integrity, samples: 1, clock_error }
    }
}
