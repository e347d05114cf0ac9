//! Where the values of a series lie, in a fixed amount of memory.

use hdrhistogram::Histogram;
use stamp_proto::time::TimeDelta;

/// Largest relative error of a quantile of a [`Precision::Fine`] series: half a cell.
pub const QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 256.0;
/// The same of a [`Precision::Coarse`] series.
pub const COARSE_QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 32.0;
/// Error of a quantile in nanoseconds where that is more than the relative one: half the smallest
/// cell.
pub const QUANTILE_ABSOLUTE_ERROR_NS: u64 = 64;
/// Quantiles of a [`Precision::Fine`] series beyond this are unknown; minimum and maximum are not.
pub const HIGHEST_TRACKED_NS: u64 = 10_000_000_000;
/// The same of a [`Precision::Coarse`] series.
pub const COARSE_HIGHEST_TRACKED_NS: u64 = 1_000_000_000;

/// The smallest cell; each halving costs half a KiB.
const LOWEST_TRACKED_NS: u64 = 128;

/// How finely a series tells values apart, and what that costs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precision {
    /// No quantiles, no memory.
    #[default]
    None,
    /// One digit: quantiles within [`COARSE_QUANTILE_RELATIVE_ERROR`], 1.4 KiB.
    Coarse,
    /// Two digits: quantiles within [`QUANTILE_RELATIVE_ERROR`], 10.6 KiB.
    Fine,
}

/// Two histograms of distances from an origin: one for each sign, made when first needed.
#[derive(Debug, Default)]
pub(super) struct Distribution {
    precision: Precision,
    origin: TimeDelta,
    above: Option<Box<Histogram<u32>>>,
    below: Option<Box<Histogram<u32>>>,
    above_count: u64,
    below_count: u64,
}

impl Distribution {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }

    pub(super) const fn precision(&self) -> Precision {
        self.precision
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

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        let of = |histogram: &Option<Box<Histogram<u32>>>| {
            histogram.as_deref().map_or(0, |histogram| {
                let cells = histogram.distinct_values().saturating_mul(size_of::<u32>());
                cells.saturating_add(size_of::<Histogram<u32>>())
            })
        };
        of(&self.above).saturating_add(of(&self.below))
    }

    /// The value of rank `rank`, 1 for the smallest; `None` when it is too far from the origin to
    /// be told.
    pub(super) fn at_rank(&self, rank: u64) -> Option<TimeDelta> {
        if rank <= self.below_count {
            // Magnitudes run the other way.
            let from_origin = self.below_count.saturating_sub(rank).saturating_add(1);
            let magnitude = magnitude_at(self.below.as_deref()?, from_origin)?;
            return Some(self.origin.saturating_sub(magnitude));
        }
        let rank = rank.saturating_sub(self.below_count);
        let magnitude = magnitude_at(self.above.as_deref()?, rank)?;
        Some(self.origin.saturating_add(magnitude))
    }
}

fn empty(precision: Precision) -> Option<Box<Histogram<u32>>> {
    // One cell more than is promised, because the last one takes whatever lies beyond it as well.
    let (highest, digits) = match precision {
        Precision::None => return None,
        Precision::Coarse => {
            (COARSE_HIGHEST_TRACKED_NS.saturating_add(COARSE_HIGHEST_TRACKED_NS / 16), 1)
        }
        Precision::Fine => (HIGHEST_TRACKED_NS.saturating_add(HIGHEST_TRACKED_NS / 128), 2),
    };
    Histogram::new_with_bounds(LOWEST_TRACKED_NS, highest, digits).ok().map(Box::new)
}

/// The middle of the cell that holds the value of this rank, unless that cell is the last one.
///
/// By counting, as `value_at_quantile` would have to be asked with a fraction that rounds.
fn magnitude_at(histogram: &Histogram<u32>, rank: u64) -> Option<TimeDelta> {
    let mut seen = 0_u64;
    for cell in histogram.iter_recorded() {
        seen = seen.saturating_add(cell.count_since_last_iteration());
        if seen >= rank {
            let value = cell.value_iterated_to();
            // Everything beyond was put there as well.
            let last = histogram.lowest_equivalent(histogram.high());
            let middle = i64::try_from(histogram.median_equivalent(value)).ok()?;
            return (value < last).then(|| TimeDelta::from_ns(middle));
        }
    }
    None
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
        let places: Vec<i64> =
            (1..=4).map(|rank| distribution.at_rank(rank).unwrap().ns()).collect();
        for (place, value) in places.iter().zip([-7_000, -3_000, 1_000, 5_000]) {
            assert!((place - value).abs() <= 64, "{place} for {value}");
        }
        assert_eq!(distribution.at_rank(5), None);
    }

    #[test]
    fn the_highest_tracked_value_is_known() {
        for (precision, highest) in
            [(Precision::Fine, HIGHEST_TRACKED_NS), (Precision::Coarse, COARSE_HIGHEST_TRACKED_NS)]
        {
            let mut distribution = Distribution::new(precision);
            distribution.record(TimeDelta::from_ns(highest.try_into().unwrap()));
            assert!(distribution.at_rank(1).is_some(), "{precision:?}");
        }
    }

    #[test]
    fn histograms_are_made_when_needed_only() {
        let distribution = over(&[5_000]);
        assert!(distribution.above.is_some() && distribution.below.is_none());
        let distribution = over(&[-5_000]);
        assert!(distribution.above.is_none() && distribution.below.is_some());
    }

    #[test]
    fn values_out_of_range_are_unknown_and_no_error() {
        let distribution = over(&[i64::MAX, i64::MIN, 10_500_000_000, 1_000]);
        assert_eq!(distribution.at_rank(1), None);
        assert!(distribution.at_rank(2).is_some());
        assert_eq!(distribution.at_rank(3), None);
        assert_eq!(distribution.at_rank(4), None);
    }

    #[test]
    fn an_origin_keeps_a_large_offset_from_hiding_small_variation() {
        let mut distribution = Distribution::new(Precision::Fine);
        distribution.set_origin(TimeDelta::from_ns(37_000_000_000));
        for ns in [37_000_001_000, 37_000_002_000, 36_999_999_000] {
            distribution.record(TimeDelta::from_ns(ns));
        }
        let smallest = distribution.at_rank(1).unwrap();
        assert!((smallest.ns() - 36_999_999_000).abs() <= 64);
    }
}
