//! How many values lie below each of a few bounds, for as long as anybody counts.
//!
//! Unlike a [`DelaySeries`](super::DelaySeries) this has bounds that an operator chose, begins never
//! anew, and can be read while it is written: whoever measures adds, whoever shows it reads, and
//! neither waits for the other.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use stamp_proto::time::TimeDelta;

/// Most bounds of a histogram.
pub const MOST_BUCKETS: usize = 64;

/// Upper bounds of buckets, in rising order; a value on a bound lies below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Buckets(Arc<[u64]>);

impl Buckets {
    /// Bounds in nanoseconds.
    ///
    /// `None` unless there are 1 to [`MOST_BUCKETS`] of them, above zero and in rising order.
    #[must_use]
    pub fn new(bounds_ns: &[u64]) -> Option<Self> {
        let counted = (1..=MOST_BUCKETS).contains(&bounds_ns.len());
        let rises = bounds_ns.iter().zip(bounds_ns.iter().skip(1)).all(|(one, next)| one < next);
        let positive = bounds_ns.first().is_some_and(|first| *first > 0);
        (counted && rises && positive).then(|| Self(bounds_ns.into()))
    }

    /// Bounds that are known to be right; what is wrong among them is left out.
    #[must_use]
    pub fn rising<const N: usize>(bounds_ns: [u64; N]) -> Self {
        let mut latest = 0;
        let rises = bounds_ns.into_iter().take(MOST_BUCKETS).filter(|bound| {
            let rises = *bound > latest;
            latest = latest.max(*bound);
            rises
        });
        Self(rises.collect())
    }

    /// The bounds in nanoseconds.
    #[must_use]
    pub fn bounds_ns(&self) -> &[u64] {
        &self.0
    }
}

/// A count for each bucket and one for what lies beyond, with the sum of all values.
///
/// Values below zero, which only a wrong clock makes, are left out: the sum would fall.
#[derive(Debug)]
pub struct Histogram {
    buckets: Buckets,
    counts: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counted {
    /// Values up to each bound, those below the one before included.
    pub cumulative: Vec<u64>,
    /// All values.
    pub count: u64,
    /// Their sum in nanoseconds.
    pub sum_ns: u64,
}

impl Histogram {
    /// Without a value yet.
    #[must_use]
    pub fn new(buckets: Buckets) -> Self {
        let counts = buckets.0.iter().map(|_| AtomicU64::new(0));
        let counts = counts.chain([AtomicU64::new(0)]).collect();
        Self { buckets, counts, sum_ns: AtomicU64::new(0) }
    }

    /// Where its bounds lie.
    #[must_use]
    pub const fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Takes one value. Several threads may.
    pub fn record(&self, value: TimeDelta) {
        let Ok(ns) = u64::try_from(value.ns()) else { return };
        let index = self.buckets.0.partition_point(|bound| *bound < ns);
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum_ns.fetch_add(ns, Ordering::Relaxed);
        }
    }

    /// What it holds now. Each number is at least what it was when read before.
    #[must_use]
    pub fn read(&self) -> Counted {
        let sum_ns = self.sum_ns.load(Ordering::Relaxed);
        let mut count = 0_u64;
        let mut cumulative = Vec::with_capacity(self.counts.len());
        for bucket in &self.counts {
            count = count.saturating_add(bucket.load(Ordering::Relaxed));
            cumulative.push(count);
        }
        // All that is beyond the last bound has no bound.
        cumulative.truncate(self.buckets.0.len());
        Counted { cumulative, count, sum_ns }
    }

    /// Octets that it takes, but for the bounds, which many share.
    #[must_use]
    pub fn octets(&self) -> usize {
        size_of::<Self>().saturating_add(size_of_val(&*self.counts))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(bounds_ns: &[u64]) -> Histogram {
        Histogram::new(Buckets::new(bounds_ns).unwrap())
    }

    #[test]
    fn bounds_rise_from_above_zero_and_are_few() {
        assert!(Buckets::new(&[1, 2]).is_some());
        let many: Vec<u64> = (1..=65).collect();
        for wrong in [&[][..], &[0, 1], &[2, 2], &[2, 1], &many] {
            assert_eq!(Buckets::new(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_value_on_a_bound_lies_below_it_and_one_beyond_all_is_counted_too() {
        let histogram = histogram(&[10, 20]);
        for ns in [0, 10, 11, 20, 21] {
            histogram.record(TimeDelta::from_ns(ns));
        }
        let counted = Counted { cumulative: vec![2, 4], count: 5, sum_ns: 62 };
        assert_eq!(histogram.read(), counted);
    }

    #[test]
    fn values_below_zero_are_left_out() {
        let histogram = histogram(&[10]);
        histogram.record(TimeDelta::from_ns(-5));
        assert_eq!(histogram.read(), Counted { cumulative: vec![0], count: 0, sum_ns: 0 });
    }

    proptest! {
        #[test]
        fn each_bucket_counts_what_its_bound_says(
            values in prop::collection::vec(0_i64..1_000, 0..200),
            bounds in prop::collection::btree_set(1_u64..1_000, 1..20),
        ) {
            let bounds: Vec<u64> = bounds.into_iter().collect();
            let histogram = histogram(&bounds);
            values.iter().for_each(|ns| histogram.record(TimeDelta::from_ns(*ns)));
            let counted = histogram.read();
            for (bound, cumulative) in bounds.iter().zip(&counted.cumulative) {
                let below = values.iter().filter(|ns| ns.unsigned_abs() <= *bound).count() as u64;
                prop_assert_eq!(below, *cumulative);
            }
            prop_assert_eq!(counted.count, values.len() as u64);
            prop_assert_eq!(counted.sum_ns, values.iter().map(|ns| ns.unsigned_abs()).sum::<u64>());
        }
    }
}
