//! Count, minimum, mean, maximum and standard deviation without a rounding error on the way.

use stamp_proto::time::TimeDelta;

/// Integer sums over signed values in nanoseconds.
///
/// Sums are of distances from the first value: one-way delays between unsynchronised clocks are
/// years large and microseconds apart, and the square of a year in nanoseconds is no sum to start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exact {
    count: u64,
    first: i64,
    min: i64,
    max: i64,
    sum: i128,
    squares: u128,
}

impl Exact {
    pub(super) fn record(&mut self, value: TimeDelta) {
        let ns = value.ns();
        if self.count == 0 {
            (self.first, self.min, self.max) = (ns, ns, ns);
        }
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(ns);
        self.max = self.max.max(ns);
        let distance = i128::from(ns).saturating_sub(i128::from(self.first));
        self.sum = self.sum.saturating_add(distance);
        let magnitude = distance.unsigned_abs();
        self.squares = self.squares.saturating_add(magnitude.saturating_mul(magnitude));
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn min(&self) -> Option<TimeDelta> {
        (self.count > 0).then(|| TimeDelta::from_ns(self.min))
    }

    pub(super) fn max(&self) -> Option<TimeDelta> {
        (self.count > 0).then(|| TimeDelta::from_ns(self.max))
    }

    /// Rounded to the nearest nanosecond.
    pub(super) fn mean(&self) -> Option<TimeDelta> {
        let count = i128::from(self.count);
        let half = count.checked_div(2)?;
        let distance = self.sum.saturating_add(half).checked_div_euclid(count)?;
        let mean = i128::from(self.first).saturating_add(distance);
        Some(TimeDelta::from_ns(saturate(mean)))
    }

    /// Of the values themselves (divided by their count), cut to whole nanoseconds.
    ///
    /// `None` too when values are centuries apart, whose squares no longer fit.
    pub(super) fn stddev(&self) -> Option<TimeDelta> {
        if self.squares == u128::MAX {
            return None;
        }
        let count = u128::from(self.count);
        let sum = self.sum.unsigned_abs();
        let scaled = count
            .checked_mul(self.squares)
            .zip(sum.checked_mul(sum))
            .map(|(squares, square)| squares.saturating_sub(square).isqrt());
        let deviation = match scaled {
            Some(scaled) => scaled.checked_div(count)?,
            // More than 10^38: divide first, a nanosecond does not matter there.
            None => {
                let mean = sum.checked_div(count)?;
                let mean_square = self.squares.checked_div(count)?;
                mean_square.saturating_sub(mean.saturating_mul(mean)).isqrt()
            }
        };
        Some(TimeDelta::from_ns(i64::try_from(deviation).unwrap_or(i64::MAX)))
    }
}

fn saturate(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn over(values: &[i64]) -> Exact {
        let mut exact = Exact::default();
        for value in values {
            exact.record(TimeDelta::from_ns(*value));
        }
        exact
    }

    #[test]
    fn nothing_recorded_is_nothing_known() {
        let none = Exact::default();
        assert_eq!((none.count(), none.min(), none.max()), (0, None, None));
        assert_eq!((none.mean(), none.stddev()), (None, None));
    }

    #[test]
    fn a_small_sample_by_hand() {
        let exact = over(&[2, 4, 4, 4, 5, 5, 7, 9]);
        assert_eq!(exact.mean(), Some(TimeDelta::from_ns(5)));
        assert_eq!(exact.stddev(), Some(TimeDelta::from_ns(2)));
        assert_eq!(exact.min(), Some(TimeDelta::from_ns(2)));
        assert_eq!(exact.max(), Some(TimeDelta::from_ns(9)));
    }

    #[test]
    fn a_mean_between_two_nanoseconds_is_rounded_upwards() {
        assert_eq!(over(&[1, 2]).mean(), Some(TimeDelta::from_ns(2)));
        assert_eq!(over(&[-1, -2]).mean(), Some(TimeDelta::from_ns(-1)));
    }

    #[test]
    fn decades_of_offset_do_not_blur_microseconds() {
        let offset = 1_700_000_000_000_000_000;
        let values: Vec<i64> = (0..10_000).map(|i| offset + (i % 2) * 2_000).collect();
        let exact = over(&values);
        assert_eq!(exact.mean(), Some(TimeDelta::from_ns(offset + 1_000)));
        assert_eq!(exact.stddev(), Some(TimeDelta::from_ns(1_000)));
    }

    #[test]
    fn the_largest_values_saturate_instead_of_wrapping() {
        let exact = over(&[i64::MIN, i64::MAX, i64::MIN, i64::MAX]);
        assert_eq!(exact.min(), Some(TimeDelta::from_ns(i64::MIN)));
        assert_eq!(exact.max(), Some(TimeDelta::from_ns(i64::MAX)));
        assert!(exact.mean().is_some_and(|mean| mean.ns().abs() <= 1));
        assert_eq!(exact.stddev(), None);
    }

    proptest! {
        #[test]
        fn sums_agree_with_floating_point(values in prop::collection::vec(-1_000_000_i64..1_000_000_000, 1..200)) {
            let exact = over(&values);
            let count = values.len() as f64;
            let mean = values.iter().map(|value| *value as f64).sum::<f64>() / count;
            let variance = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / count;
            prop_assert!((exact.mean().unwrap().ns() as f64 - mean).abs() <= 0.51);
            prop_assert!((exact.stddev().unwrap().ns() as f64 - variance.sqrt()).abs() <= 1.01);
            prop_assert_eq!(exact.min().unwrap().ns(), *values.iter().min().unwrap());
            prop_assert_eq!(exact.max().unwrap().ns(), *values.iter().max().unwrap());
        }
    }
}
