//! Statistics of a list, by definition.

use stamp_proto::time::TimeDelta;
use stamp_session::snapshot::{DelaySummary, PdvSummary, VariationSummary};
use stamp_session::statistics::{
    COARSE_QUANTILE_RELATIVE_ERROR, HIGHEST_TRACKED_NS, QUANTILE_ABSOLUTE_ERROR_NS,
    QUANTILE_RELATIVE_ERROR,
};

fn ns(value: i64) -> Option<TimeDelta> {
    Some(TimeDelta::from_ns(value))
}

fn mean(values: &[i64]) -> f64 {
    // The first value is taken off so that a large offset costs no digits.
    let distance: f64 = values.iter().map(|value| (value - values[0]) as f64).sum();
    distance / values.len() as f64
}

fn assert_mean(what: &str, found: Option<TimeDelta>, values: &[i64]) {
    let found = (found.unwrap().ns() - values[0]) as f64;
    let expected = mean(values);
    assert!(
        (found - expected).abs() <= 0.51 + expected.abs() * 1e-12,
        "{what}: {found} {expected}"
    );
}

fn assert_stddev(what: &str, found: Option<TimeDelta>, values: &[i64]) {
    let mean = mean(values);
    let square = |value: &i64| ((value - values[0]) as f64 - mean).powi(2);
    let expected = (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt();
    let found = found.unwrap().ns() as f64;
    assert!((found - expected).abs() <= 1.1 + expected * 1e-9, "{what}: {found} {expected}");
}

/// Sorted, the value that so many per mille of `size` do not exceed, with its rank; the rest is
/// infinite.
fn quantile(sorted: &[i64], per_mille: usize, size: usize) -> Option<(usize, i64)> {
    let rank = (size * per_mille).div_ceil(1_000).max(1);
    Some((rank, *sorted.get(rank - 1)?))
}

/// How far a quantile may be off.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    relative: f64,
    /// Where small values lie.
    origin: i64,
}

impl Tolerance {
    pub(crate) const FINE: Self = Self { relative: QUANTILE_RELATIVE_ERROR, origin: 0 };
    pub(crate) const COARSE: Self = Self { relative: COARSE_QUANTILE_RELATIVE_ERROR, origin: 0 };

    /// Of values that lie around an offset of the clocks.
    pub(crate) fn around(origin: i64) -> Self {
        Self { origin, ..Self::FINE }
    }

    /// Values farther away are known by minimum and maximum only.
    fn is_tracked(self, value: i64) -> bool {
        value.abs_diff(self.origin) < HIGHEST_TRACKED_NS
    }

    /// In the cell where tracking ends.
    fn is_at_the_end(self, value: i64) -> bool {
        value.abs_diff(self.origin).abs_diff(HIGHEST_TRACKED_NS) < HIGHEST_TRACKED_NS / 100
    }

    fn of(self, value: i64) -> f64 {
        let relative = value.abs_diff(self.origin) as f64 * self.relative;
        relative.max(QUANTILE_ABSOLUTE_ERROR_NS as f64) + 2.0
    }
}

pub(crate) fn assert_delay(
    what: &str,
    found: &DelaySummary,
    values: &[i64],
    lost: u64,
    tolerance: Tolerance,
) {
    assert_eq!(found.count, values.len() as u64, "{what}: count");
    let negative = values.iter().filter(|value| **value < 0).count() as u64;
    assert_eq!(found.negative, negative, "{what}: negative");
    if values.is_empty() {
        assert_eq!(
            (found.min, found.mean, found.p50, found.stddev),
            (None, None, None, None),
            "{what}"
        );
        return;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    assert_eq!(found.min, ns(sorted[0]), "{what}: min");
    assert_eq!(found.max, ns(sorted[sorted.len() - 1]), "{what}: max");
    assert_mean(what, found.mean, values);
    assert_stddev(what, found.stddev, values);
    let size = sorted.len() + lost as usize;
    let all = &found.including_lost;
    for (per_mille, finite, including_lost) in [
        (500, found.p50, all.p50),
        (950, found.p95, all.p95),
        (990, found.p99, all.p99),
        (999, found.p99_9, all.p99_9),
    ] {
        let what = format!("{what}: {per_mille} per mille");
        for (found, size) in [(finite, sorted.len()), (including_lost, size)] {
            let expected = quantile(&sorted, per_mille, size);
            if expected.is_some_and(|(_, value)| tolerance.is_at_the_end(value)) {
                continue;
            }
            let known = |(rank, value): &(usize, i64)| {
                tolerance.is_tracked(*value) || *rank == sorted.len()
            };
            let expected = expected.filter(known).map(|(_, value)| value);
            assert_quantile(&what, found, expected, tolerance);
        }
    }
}

fn assert_quantile(
    what: &str,
    found: Option<TimeDelta>,
    expected: Option<i64>,
    tolerance: Tolerance,
) {
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some(expected)) => {
            let off = found.ns().abs_diff(expected) as f64;
            assert!(off <= tolerance.of(expected), "{what}: {found:?} for {expected}");
        }
        (found, expected) => panic!("{what}: {found:?} for {expected:?}"),
    }
}

pub(crate) fn assert_pdv(what: &str, found: &PdvSummary, values: &[i64]) {
    assert_eq!(found.count, values.len() as u64, "{what}: count");
    let Some(least) = values.iter().min() else {
        assert_eq!(found.max, None);
        return;
    };
    let above: Vec<i64> = values.iter().map(|value| value - least).collect();
    assert_eq!(found.max, ns(*above.iter().max().unwrap()), "{what}: max");
    assert_mean(what, found.mean, &above);
}

pub(crate) fn assert_variation(what: &str, found: &VariationSummary, values: &[i64]) {
    assert_eq!(found.count, values.len() as u64, "{what}: count");
    if values.is_empty() {
        assert_eq!((found.mean, found.max), (None, None), "{what}");
        return;
    }
    assert_eq!(found.min, ns(*values.iter().min().unwrap()), "{what}: min");
    assert_eq!(found.max, ns(*values.iter().max().unwrap()), "{what}: max");
    assert_mean(what, found.mean, values);
    assert_stddev(what, found.stddev, values);
    let magnitudes: Vec<i64> = values.iter().map(|value| value.abs()).collect();
    assert_mean(what, found.mean_magnitude, &magnitudes);
}
