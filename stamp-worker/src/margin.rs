//! How much too early to wake, so that a probe leaves on time.
//!
//! A processor that was idle comes back late: the longer it slept, the later, on virtual machines
//! by 50 to 170 µs. Sleeping until shortly before the deadline and spinning the rest takes this
//! out of the pace. How shortly is learned: the 95th percentile of the lateness seen so far.

use core::time::Duration;

/// Smallest margin: below it the spin ends before the sleeper is back.
const LEAST: Duration = Duration::from_micros(20);
/// Largest margin: beyond it the spin costs more processor time than the pace is worth.
const MOST: Duration = Duration::from_micros(250);
/// The spin may take at most this share of an interval: one part in …
const SHARE_OF_INTERVAL: u32 = 25;
/// How far one observation moves the estimate.
const STEP_NS: u64 = 4_000;

/// Learned margin between waking up and the deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WakeMargin {
    /// Estimate of the 95th percentile of lateness, in ns.
    estimate_ns: u64,
}

impl Default for WakeMargin {
    fn default() -> Self {
        Self { estimate_ns: 120_000 }
    }
}

impl WakeMargin {
    /// Notes how long after the time asked for the thread woke up.
    ///
    /// A quantile is followed by stepping up for what lies above it and down for what lies below,
    /// in the ratio of their probabilities: no samples are kept.
    pub(crate) fn observe(&mut self, lateness: Duration) {
        let late_ns = u64::try_from(lateness.as_nanos()).unwrap_or(u64::MAX);
        self.estimate_ns = if late_ns > self.estimate_ns {
            self.estimate_ns + STEP_NS * 19 / 20
        } else {
            self.estimate_ns.saturating_sub(STEP_NS / 20)
        };
        let bounds = (LEAST.as_nanos() as u64, MOST.as_nanos() as u64);
        self.estimate_ns = self.estimate_ns.clamp(bounds.0, bounds.1);
    }

    /// How much before a deadline to wake when deadlines are `interval` apart.
    #[must_use]
    pub(crate) fn margin(&self, interval: Duration) -> Duration {
        let most = (interval / SHARE_OF_INTERVAL).clamp(LEAST, MOST);
        Duration::from_nanos(self.estimate_ns).clamp(LEAST, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_margin_settles_near_the_95th_percentile_of_lateness() {
        let mut margin = WakeMargin::default();
        // 0, 1, … 99 µs in a scrambled order: the 95th percentile is 95 µs.
        for n in 0..20_000_u64 {
            margin.observe(Duration::from_micros(n * 37 % 100));
        }
        let settled = margin.margin(SECOND);
        assert!((85..=99).contains(&settled.as_micros()), "{settled:?}");
    }

    #[test]
    fn the_margin_stays_within_its_bounds() {
        let mut margin = WakeMargin::default();
        for _ in 0..1_000 {
            margin.observe(Duration::from_millis(4));
        }
        assert_eq!(margin.margin(SECOND), MOST);
        for _ in 0..100_000 {
            margin.observe(Duration::ZERO);
        }
        assert_eq!(margin.margin(SECOND), LEAST);
    }

    #[test]
    fn the_spin_takes_a_small_share_of_the_interval() {
        let mut margin = WakeMargin::default();
        for _ in 0..1_000 {
            margin.observe(Duration::from_millis(4));
        }
        assert_eq!(margin.margin(Duration::from_micros(3_300)), Duration::from_micros(132));
    }
}
