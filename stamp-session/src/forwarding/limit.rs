//! A limit of packets per second, with a burst of a tenth of a second.

use crate::clock::MonotonicTime;

const SECOND_NS: u64 = 1_000_000_000;
/// How far packets may run ahead of the limit.
const BURST_NS: u64 = SECOND_NS / 10;

/// What is left of a limit: the instant at which the packets so far would have been sent, had they
/// kept to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Time between two packets; none without a limit.
    interval_ns: Option<u64>,
    due_ns: u64,
}

impl Budget {
    pub(super) fn new(packets_per_second: Option<u32>) -> Self {
        let interval = |limit: u32| SECOND_NS.checked_div(limit.into()).unwrap_or(u64::MAX);
        Self { interval_ns: packets_per_second.map(interval), due_ns: 0 }
    }

    /// One packet more, if there may be one.
    pub(super) fn take(&mut self, now: MonotonicTime) -> bool {
        let Some(interval) = self.interval_ns else { return true };
        let due = self.due_ns.max(now.ns());
        if due.saturating_sub(now.ns()) > BURST_NS {
            return false;
        }
        self.due_ns = due.saturating_add(interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limit: u32, times: impl Iterator<Item = u64>) -> usize {
        let mut budget = Budget::new(Some(limit));
        times.filter(|ns| budget.take(MonotonicTime::from_ns(*ns))).count()
    }

    #[test]
    fn without_a_limit_everything_passes() {
        let mut budget = Budget::new(None);
        assert!((0..1_000_000).all(|_| budget.take(MonotonicTime::from_ns(7))));
    }

    #[test]
    fn a_steady_flow_at_the_limit_passes_whole() {
        assert_eq!(taken(1_000, (0..5_000).map(|packet| packet * 1_000_000)), 5_000);
    }

    #[test]
    fn twice_the_limit_is_halved_but_for_the_burst() {
        let passed = taken(1_000, (0..10_000).map(|packet| packet * 500_000));
        assert!((5_000..=5_110).contains(&passed), "{passed}");
    }

    #[test]
    fn a_limit_of_zero_passes_what_the_burst_holds() {
        assert_eq!(taken(0, 0..100), 1);
    }
}
