//! How delay changes from one probe to the next.

use stamp_proto::time::TimeDelta;

use super::exact::Exact;

/// IP Packet Delay Variation between consecutive probes (RFC 3393 §2), signed.
///
/// Defined for two probes that follow each other in the order of sending and both came back.
#[derive(Clone, Copy, Debug, Default)]
pub struct VariationSeries {
    signed: Exact,
    magnitudes: u128,
}

impl VariationSeries {
    /// Takes the difference between a delay and that of the probe sent before.
    pub fn record(&mut self, variation: TimeDelta) {
        self.signed.record(variation);
        let magnitude = variation.ns().unsigned_abs();
        self.magnitudes = self.magnitudes.saturating_add(magnitude.into());
    }

    /// All about them.
    #[must_use]
    pub fn summary(&self) -> VariationSummary {
        VariationSummary {
            count: self.signed.count(),
            min: self.signed.min(),
            mean: self.signed.mean(),
            max: self.signed.max(),
            mean_magnitude: self.mean_magnitude(),
            stddev: self.signed.stddev(),
        }
    }

    /// Rounded to the nearest nanosecond.
    fn mean_magnitude(&self) -> Option<TimeDelta> {
        let count = u128::from(self.signed.count());
        let half = count.checked_div(2)?;
        let mean = self.magnitudes.saturating_add(half).checked_div(count)?;
        i64::try_from(mean).ok().map(TimeDelta::from_ns)
    }
}

/// IPDV over many pairs of probes; `None` is unknown, never zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VariationSummary {
    /// Pairs of consecutive probes that both came back.
    pub count: u64,
    /// The largest decrease, exact.
    pub min: Option<TimeDelta>,
    /// Close to zero in any steady network: increases and decreases cancel out.
    pub mean: Option<TimeDelta>,
    /// The largest increase, exact.
    pub max: Option<TimeDelta>,
    /// Mean without the signs: what is often called jitter.
    pub mean_magnitude: Option<TimeDelta>,
    /// Standard deviation, exact to the nanosecond.
    pub stddev: Option<TimeDelta>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_cancel_in_the_mean_and_not_in_the_magnitude() {
        let mut series = VariationSeries::default();
        for ns in [100, -100, 300, -300] {
            series.record(TimeDelta::from_ns(ns));
        }
        let summary = series.summary();
        assert_eq!(summary.count, 4);
        assert_eq!(summary.min, Some(TimeDelta::from_ns(-300)));
        assert_eq!(summary.max, Some(TimeDelta::from_ns(300)));
        assert_eq!(summary.mean, Some(TimeDelta::ZERO));
        assert_eq!(summary.mean_magnitude, Some(TimeDelta::from_ns(200)));
    }
}
