//! How late probes of all sessions of a run left.

use stamp_session::statistics::{Buckets, Histogram, MOST_BUCKETS};

/// Bounds that rise by a fifth, from 2 us to a fifth of a second.
pub(crate) fn histogram() -> Histogram {
    let bounds = std::iter::successors(Some(2_000_f64), |bound| Some(bound * 1.2));
    let bounds: Vec<u64> = bounds.take(MOST_BUCKETS).map(|bound| bound as u64).collect();
    Histogram::new(Buckets::new(&bounds).expect("bounds that rise"))
}

/// The bound in microseconds below which so many of 1 000 values lie.
pub(crate) fn below_which(histogram: &Histogram, per_mille: u64) -> f64 {
    let counted = histogram.read();
    let most = counted.count - counted.count * (1_000 - per_mille) / 1_000;
    let mut bounds = histogram.buckets().bounds_ns().iter().zip(&counted.cumulative);
    let bound = bounds.find(|(_, below)| **below >= most).map(|(bound, _)| *bound as f64 / 1e3);
    bound.unwrap_or(f64::INFINITY)
}
