//! One delay over many probes.

use stamp_proto::time::TimeDelta;

use super::distribution::{Distribution, Precision};
use super::exact::Exact;

/// The values of one delay: forward, backward, round trip or residence.
#[derive(Debug, Default)]
pub struct DelaySeries {
    exact: Exact,
    negative: u64,
    distribution: Distribution,
}

impl DelaySeries {
    /// No values yet.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self { distribution: Distribution::new(precision), ..Self::default() }
    }

    /// Makes room now for the values that will come, so that taking one never waits for memory.
    pub fn prepare(&mut self) {
        self.distribution.prepare();
    }

    /// Forgets all values, and keeps the room for others.
    pub fn clear(&mut self) {
        self.exact = Exact::default();
        self.negative = 0;
        self.distribution.clear();
    }

    /// Declares that values will lie around `origin` instead of a little above zero, as one-way
    /// delays do when a clock is wrong. Without effect after the first value.
    ///
    /// The error of quantiles is then relative to the distance from there.
    pub fn set_origin(&mut self, origin: TimeDelta) {
        self.distribution.set_origin(origin);
    }

    /// Takes one value.
    pub fn record(&mut self, value: TimeDelta) {
        self.exact.record(value);
        if value.is_negative() {
            self.negative = self.negative.saturating_add(1);
        }
        self.distribution.record(value);
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.exact.count()
    }

    /// Quantiles are kept beside the exact figures.
    #[must_use]
    pub fn has_quantiles(&self) -> bool {
        self.distribution.precision() != Precision::None
    }

    /// Octets on the heap.
    #[must_use]
    pub fn heap_octets(&self) -> usize {
        self.distribution.heap_octets()
    }

    /// The smallest value.
    #[must_use]
    pub fn min(&self) -> Option<TimeDelta> {
        self.exact.min()
    }

    /// Largest value so far.
    #[must_use]
    pub fn max(&self) -> Option<TimeDelta> {
        self.exact.max()
    }

    /// All about them; `lost` is how many probes have no value because they were lost.
    #[must_use]
    pub fn summary(&self, lost: u64) -> DelaySummary {
        let received = self.quantiles(self.exact.count());
        let including_lost = match lost {
            0 => received,
            _ => self.quantiles(self.exact.count().saturating_add(lost)),
        };
        DelaySummary {
            count: self.exact.count(),
            negative: self.negative,
            min: self.exact.min(),
            mean: self.exact.mean(),
            p50: received.p50,
            p95: received.p95,
            p99: received.p99,
            p99_9: received.p99_9,
            max: self.exact.max(),
            stddev: self.exact.stddev(),
            including_lost,
        }
    }

    /// Of a sample of `size` of which only the recorded values are finite.
    fn quantiles(&self, size: u64) -> Quantiles {
        let ranks = [500, 950, 990, 999].map(|per_mille| rank(size, per_mille));
        let bounds = self.exact.min().zip(self.exact.max()).filter(|_| self.has_quantiles());
        let Some((min, max)) = bounds else { return Quantiles::default() };
        let values = self.distribution.at_ranks(ranks);
        let at = |index: usize| {
            if ranks.get(index) == Some(&self.exact.count()) {
                return Some(max);
            }
            // The middle of a cell may lie outside of all that was recorded in it.
            values.get(index).copied().flatten().map(|value| value.clamp(min, max))
        };
        Quantiles { p50: at(0), p95: at(1), p99: at(2), p99_9: at(3) }
    }
}

/// The place of a quantile among so many values, 1 for the smallest.
fn rank(size: u64, per_mille: u64) -> u64 {
    let rank = u128::from(size).saturating_mul(u128::from(per_mille)).div_ceil(1_000);
    u64::try_from(rank).unwrap_or(u64::MAX).max(1)
}

/// A delay over many probes; `None` is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DelaySummary {
    /// Probes with a value; lost ones have none.
    pub count: u64,
    /// How many values are below zero, which only a wrong clock can make.
    pub negative: u64,
    /// Smallest value, exact.
    pub min: Option<TimeDelta>,
    /// Mean of the values, exact to the nanosecond.
    pub mean: Option<TimeDelta>,
    /// Half of the values are not larger; see [`QUANTILE_RELATIVE_ERROR`](super::QUANTILE_RELATIVE_ERROR).
    pub p50: Option<TimeDelta>,
    /// 95 % of the values are not larger.
    pub p95: Option<TimeDelta>,
    /// 99 % of the values are not larger.
    pub p99: Option<TimeDelta>,
    /// 99.9 % of the values are not larger.
    pub p99_9: Option<TimeDelta>,
    /// Largest value, exact.
    pub max: Option<TimeDelta>,
    /// Standard deviation of the values, exact to the nanosecond.
    pub stddev: Option<TimeDelta>,
    /// Quantiles over all probes, a lost one counted as infinitely late (RFC 7679 §5.1).
    pub including_lost: Quantiles,
}

/// The quantiles of [`DelaySummary`]; `None` is unknown or infinite.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quantiles {
    /// Half of the values are not larger.
    pub p50: Option<TimeDelta>,
    /// 95 % of the values are not larger.
    pub p95: Option<TimeDelta>,
    /// 99 % of the values are not larger.
    pub p99: Option<TimeDelta>,
    /// 99.9 % of the values are not larger.
    pub p99_9: Option<TimeDelta>,
}

/// Packet Delay Variation: delay less the smallest delay of the same period (RFC 5481 §4.2).
///
/// Never negative, and free of any constant offset between the clocks. Quantiles have the error that
/// the quantiles of the delay have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PdvSummary {
    /// Probes with a value.
    pub count: u64,
    /// Mean, exact to the nanosecond.
    pub mean: Option<TimeDelta>,
    /// Half of the values are not larger.
    pub p50: Option<TimeDelta>,
    /// 95 % of the values are not larger.
    pub p95: Option<TimeDelta>,
    /// 99 % of the values are not larger.
    pub p99: Option<TimeDelta>,
    /// 99.9 % of the values are not larger; what a de-jitter buffer has to hold.
    pub p99_9: Option<TimeDelta>,
    /// Largest value, exact.
    pub max: Option<TimeDelta>,
}

impl From<DelaySummary> for PdvSummary {
    fn from(delay: DelaySummary) -> Self {
        let above_min = |value: Option<TimeDelta>| {
            value.zip(delay.min).map(|(value, min)| value.saturating_sub(min))
        };
        Self {
            count: delay.count,
            mean: above_min(delay.mean),
            p50: above_min(delay.p50),
            p95: above_min(delay.p95),
            p99: above_min(delay.p99),
            p99_9: above_min(delay.p99_9),
            max: above_min(delay.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::{
        COARSE_QUANTILE_RELATIVE_ERROR, QUANTILE_ABSOLUTE_ERROR_NS, QUANTILE_RELATIVE_ERROR,
    };

    fn over(precision: Precision, values: &[i64]) -> DelaySeries {
        let mut series = DelaySeries::new(precision);
        for value in values {
            series.record(TimeDelta::from_ns(*value));
        }
        series
    }

    /// By definition, from the values themselves.
    fn sorted_quantile(values: &[i64], per_mille: usize) -> i64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted[(values.len() * per_mille).div_ceil(1_000).max(1) - 1]
    }

    fn within(estimate: i64, exact: i64, relative: f64) -> bool {
        let allowed =
            (exact.unsigned_abs() as f64 * relative).ceil().max(QUANTILE_ABSOLUTE_ERROR_NS as f64);
        estimate.abs_diff(exact) as f64 <= allowed
    }

    fn assert_within_stated_error(precision: Precision, relative: f64, values: &[i64]) {
        let summary = over(precision, values).summary(0);
        for (name, per_mille, estimate) in [
            ("p50", 500, summary.p50),
            ("p95", 950, summary.p95),
            ("p99", 990, summary.p99),
            ("p99.9", 999, summary.p99_9),
        ] {
            let exact = sorted_quantile(values, per_mille);
            let estimate = estimate.unwrap().ns();
            assert!(within(estimate, exact, relative), "{name}: {estimate} for {exact}");
        }
    }

    #[test]
    fn nothing_recorded_is_nothing_known() {
        let summary = DelaySeries::new(Precision::Fine).summary(3);
        assert_eq!(summary, DelaySummary::default());
        assert_eq!(PdvSummary::from(summary), PdvSummary::default());
    }

    #[test]
    fn without_precision_everything_but_quantiles_is_known() {
        let summary = over(Precision::None, &[10, 30]).summary(0);
        assert_eq!(summary.mean, Some(TimeDelta::from_ns(20)));
        assert_eq!(summary.max, Some(TimeDelta::from_ns(30)));
        assert_eq!(summary.p50, None);
    }

    #[test]
    fn negative_values_are_kept_and_counted() {
        let summary = over(Precision::Fine, &[-5_000_000, -4_000_000, 1_000_000]).summary(0);
        assert_eq!(summary.negative, 2);
        assert_eq!(summary.min, Some(TimeDelta::from_ns(-5_000_000)));
        assert!(within(summary.p50.unwrap().ns(), -4_000_000, QUANTILE_RELATIVE_ERROR));
    }

    #[test]
    fn a_quantile_never_leaves_what_was_recorded() {
        let summary = over(Precision::Fine, &[1_000_001; 9]).summary(0);
        assert_eq!(summary.p50, Some(TimeDelta::from_ns(1_000_001)));
        assert_eq!(summary.p99_9, Some(TimeDelta::from_ns(1_000_001)));
    }

    #[test]
    fn lost_probes_count_as_infinitely_late() {
        let values: Vec<i64> = (1..=96).map(|i| i * 1_000_000).collect();
        let summary = over(Precision::Fine, &values).summary(4);
        assert!(within(summary.p99.unwrap().ns(), 96_000_000, QUANTILE_RELATIVE_ERROR));
        let all = summary.including_lost;
        assert!(within(all.p50.unwrap().ns(), 50_000_000, QUANTILE_RELATIVE_ERROR));
        assert!(within(all.p95.unwrap().ns(), 95_000_000, QUANTILE_RELATIVE_ERROR));
        assert_eq!((all.p99, all.p99_9), (None, None));
    }

    #[test]
    fn values_beyond_the_histogram_are_unknown_unless_they_are_the_maximum() {
        let (near, far, farthest) = (1_000, 20_000_000_000, 30_000_000_000);
        let summary = over(Precision::Fine, &[near, far]).summary(0);
        assert_eq!(summary.p99, Some(TimeDelta::from_ns(far)));
        let summary = over(Precision::Fine, &[near, far, farthest]).summary(0);
        assert_eq!((summary.p50, summary.p99), (None, Some(TimeDelta::from_ns(farthest))));
    }

    #[test]
    fn an_origin_gives_offset_values_the_precision_of_small_ones() {
        let mut series = DelaySeries::new(Precision::Fine);
        series.set_origin(TimeDelta::from_ns(-37_000_000_000));
        for us in 1..=1_000 {
            series.record(TimeDelta::from_ns(-37_000_000_000 + us * 1_000));
        }
        let pdv = PdvSummary::from(series.summary(0));
        assert!(within(pdv.p50.unwrap().ns(), 499_000, 2.0 * QUANTILE_RELATIVE_ERROR));
        assert!(within(pdv.p99.unwrap().ns(), 989_000, 2.0 * QUANTILE_RELATIVE_ERROR));
        assert_eq!(pdv.max, Some(TimeDelta::from_ns(999_000)));
    }

    #[test]
    fn pdv_is_measured_from_the_smallest_delay() {
        let delay = over(Precision::Fine, &[20_000_000, 21_000_000, 35_000_000]).summary(0);
        let pdv = PdvSummary::from(delay);
        assert_eq!(pdv.max, Some(TimeDelta::from_ns(15_000_000)));
        assert_eq!(pdv.mean, Some(TimeDelta::from_ns(5_333_333)));
        assert_eq!(pdv.count, 3);
    }

    /// From below a microsecond to the end of the range, each magnitude as likely as another.
    fn delays(highest: i64) -> impl Strategy<Value = Vec<i64>> {
        let magnitude = (0_u32..34).prop_flat_map(move |bits| 0_i64..=(1_i64 << bits).min(highest));
        let value = (magnitude, any::<bool>())
            .prop_map(|(magnitude, negative)| if negative { -magnitude } else { magnitude });
        prop::collection::vec(value, 1..400)
    }

    proptest! {
        #[test]
        fn fine_quantiles_keep_their_stated_error(values in delays(10_000_000_000)) {
            assert_within_stated_error(Precision::Fine, QUANTILE_RELATIVE_ERROR, &values);
        }

        #[test]
        fn coarse_quantiles_keep_their_stated_error(values in delays(1_000_000_000)) {
            assert_within_stated_error(Precision::Coarse, COARSE_QUANTILE_RELATIVE_ERROR, &values);
        }
    }
}
