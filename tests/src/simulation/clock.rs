//! A wall clock that may be wrong, and may be set.

use stamp_proto::time::WallTime;

/// 2024-02-29 12:34:56.789012345 UTC, when virtual time begins.
const EPOCH_NS: i64 = 1_709_210_096_789_012_345;

/// A clock is set at an instant of virtual time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// When.
    pub at_ns: u64,
    /// By how much; positive is forward.
    pub by_ns: i64,
}

/// A wall clock over virtual time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// How far it is ahead from the start.
    pub offset_ns: i64,
    /// When it is set.
    pub steps: Vec<Step>,
}

impl Clock {
    /// How far it is ahead at `at_ns`.
    #[must_use]
    pub fn ahead_ns(&self, at_ns: u64) -> i64 {
        let stepped: i64 =
            self.steps.iter().filter(|step| step.at_ns <= at_ns).map(|step| step.by_ns).sum();
        self.offset_ns + stepped
    }

    /// What it shows at `at_ns`, in nanoseconds since 1970.
    #[must_use]
    pub fn unix_ns(&self, at_ns: u64) -> i64 {
        EPOCH_NS + at_ns as i64 + self.ahead_ns(at_ns)
    }

    /// What it shows at `at_ns`.
    #[must_use]
    pub fn wall(&self, at_ns: u64) -> WallTime {
        WallTime::from_unix_ns(self.unix_ns(at_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up_from_their_instant_on() {
        let steps = vec![Step { at_ns: 10, by_ns: 100 }, Step { at_ns: 20, by_ns: -300 }];
        let clock = Clock { offset_ns: 7, steps };
        assert_eq!([9, 10, 19, 20].map(|at_ns| clock.ahead_ns(at_ns)), [7, 107, 107, -193]);
    }
}
