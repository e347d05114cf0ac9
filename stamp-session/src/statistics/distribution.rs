//! Where the values of a series lie, in a fixed amount of memory.

use hdrhistogram::Histogram;
use stamp_proto::time::TimeDelta;

/// Largest relative error of a quantile of a [`Precision::Fine`] series: half a cell.
pub const QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 256.0;
/// The same of a [`Precision::Coarse`] series.
pub const COARSE_QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 32.0;
/// Error of a quantile in nanoseconds where that is more than the relative one: half the smallest
/// cell.
pub const QUANTILE_ABSOLUTE_ERROR_NS: u64 = 32;
/// Values beyond this are told apart only by minimum and maximum.
pub const HIGHEST_TRACKED_NS: u64 = 10_000_000_000;

const LOWEST_TRACKED_NS: u64 = 100;

/// How finely a series tells values apart, and what that costs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precision {
    /// No quantiles, no memory.
    #[default]
    None,
    /// One digit: quantiles within [`COARSE_QUANTILE_RELATIVE_ERROR`], 1.7 KiB.
    Coarse,
    /// Two digits: quantiles within [`QUANTILE_RELATIVE_ERROR`], 11 KiB.
    Fine,
}

/// Two histograms of distances from an origin: one for each sign, made when first needed.
#[derive(Debug, Default)]
pub(super) struct Distribution {
    precision: Precision,
    origin: TimeDelta,
    above: Option<Histogram<u32>>,
    below: Option<Histogram<u32>>,
    above_count: u64,
    below_count: u64,
}

impl Distribution {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }

    /// Values are kept as distances from here, so that an offset of the clocks costs no precision.
    ///
    /// Only before the first value.
    pub(super) fn set_origin(&mut self, origin: TimeDelta) {
        if self.above_count == 0 && self.below_count == 0 {
            self.origin = origin;
        }
    }

    pub(super) fn record(&mut self, value: TimeDelta) {
        if self.precision == Precision::None {
            return;
        }
        let distance = value.saturating_sub(self.origin);
        let (histogram, count) = if distance.is_negative() {
            (&mut self.below, &mut self.below_count)
        } else {
            (&mut self.above, &mut self.above_count)
        };
        *count = count.saturating_add(1);
        if histogram.is_none() {
            *histogram = empty(self.precision);
        }
        if let Some(histogram) = histogram {
            histogram.saturating_record(distance.ns().unsigned_abs());
        }
    }

    /// The value of rank `rank`, 1 for the smallest.
    ///
    /// `Extreme` when it is so far from the origin that the histogram does not know.
    pub(super) fn at_rank(&self, rank: u64) -> Option<Place> {
        if rank <= self.below_count {
            // Magnitudes run the other way.
            let from_origin = self.below_count.saturating_sub(rank).saturating_add(1);
            let magnitude = magnitude_at(self.below.as_ref()?, from_origin)?;
            return Some(if magnitude >= HIGHEST_TRACKED_NS {
                Place::LowExtreme
            } else {
                Place::At(self.origin.saturating_sub(delta(magnitude)))
            });
        }
        let rank = rank.saturating_sub(self.below_count);
        let magnitude = magnitude_at(self.above.as_ref()?, rank)?;
        Some(if magnitude >= HIGHEST_TRACKED_NS {
            Place::HighExtreme
        } else {
            Place::At(self.origin.saturating_add(delta(magnitude)))
        })
    }
}

/// Where a value of a given rank lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    LowExtreme,
    At(TimeDelta),
    HighExtreme,
}

fn empty(precision: Precision) -> Option<Histogram<u32>> {
    let digits = match precision {
        Precision::None => return None,
        Precision::Coarse => 1,
        Precision::Fine => 2,
    };
    Histogram::new_with_bounds(LOWEST_TRACKED_NS, HIGHEST_TRACKED_NS, digits).ok()
}

/// The middle of the cell that holds the value of this rank.
///
/// By counting, as `value_at_quantile` would have to be asked with a fraction that rounds.
fn magnitude_at(histogram: &Histogram<u32>, rank: u64) -> Option<u64> {
    let mut seen = 0_u64;
    for cell in histogram.iter_recorded() {
        seen = seen.saturating_add(cell.count_since_last_iteration());
        if seen >= rank {
            let value = cell.value_iterated_to();
            return Some(if histogram.equivalent(value, HIGHEST_TRACKED_NS) {
                HIGHEST_TRACKED_NS
            } else {
                histogram.median_equivalent(value)
            });
        }
    }
    None
}

fn delta(magnitude: u64) -> TimeDelta {
    TimeDelta::from_ns(i64::try_from(magnitude).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(values: &[i64]) -> Distribution {
        let mut distribution = Distribution::new(Precision::Fine);
        for value in values {
            distribution.record(TimeDelta::from_ns(*value));
        }
        distribution
    }

    #[test]
    fn ranks_run_from_the_most_negative_value_to_the_largest() {
        let distribution = over(&[5_000, -3_000, 1_000, -7_000]);
        let places: Vec<i64> = (1..=4)
            .map(|rank| match distribution.at_rank(rank) {
                Some(Place::At(value)) => value.ns(),
                other => panic!("{other:?}"),
            })
            .collect();
        for (place, value) in places.iter().zip([-7_000, -3_000, 1_000, 5_000]) {
            assert!((place - value).abs() <= 32, "{place} for {value}");
        }
        assert_eq!(distribution.at_rank(5), None);
    }

    #[test]
    fn histograms_are_made_when_needed_only() {
        let distribution = over(&[5_000]);
        assert!(distribution.above.is_some() && distribution.below.is_none());
        let distribution = over(&[-5_000]);
        assert!(distribution.above.is_none() && distribution.below.is_some());
    }

    #[test]
    fn values_out_of_range_are_extremes_not_errors() {
        let distribution = over(&[i64::MAX, i64::MIN, 10_500_000_000, 1_000]);
        assert_eq!(distribution.at_rank(1), Some(Place::LowExtreme));
        assert_eq!(distribution.at_rank(3), Some(Place::HighExtreme));
        assert_eq!(distribution.at_rank(4), Some(Place::HighExtreme));
    }

    #[test]
    fn an_origin_keeps_a_large_offset_from_hiding_small_variation() {
        let mut distribution = Distribution::new(Precision::Fine);
        distribution.set_origin(TimeDelta::from_ns(37_000_000_000));
        for ns in [37_000_001_000, 37_000_002_000, 36_999_999_000] {
            distribution.record(TimeDelta::from_ns(ns));
        }
        let Some(Place::At(smallest)) = distribution.at_rank(1) else {
            panic!("the value is near the origin");
        };
        assert!((smallest.ns() - 36_999_999_000).abs() <= 32);
    }
}
