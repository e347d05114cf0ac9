//! `histogram-buckets`: where the buckets of histograms lie.

use std::sync::LazyLock;
use std::time::Duration;

use stamp_config::document::{Problem, Section};
use stamp_config::quantity::LinkDelay;
use stamp_session::statistics::{Buckets, MOST_BUCKETS};

const KEY: &str = "histogram-buckets";

/// From a hop to a satellite and back, finest where paths between cities lie.
pub static DEFAULT: LazyLock<Buckets> = LazyLock::new(|| {
    const US: [u64; 20] = [
        20, 50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000,
        50_000, 100_000, 150_000, 200_000, 500_000, 1_000_000,
    ];
    Buckets::rising(US.map(|us| us * 1_000))
});

/// What a section says.
pub fn read(section: &Section<'_>) -> Option<Buckets> {
    let bounds: Vec<LinkDelay> = section.list(KEY)?;
    let bounds = bounds.iter().map(|bound| u64::try_from(bound.0.as_nanos()).unwrap_or(u64::MAX));
    let buckets = Buckets::new(&bounds.collect::<Vec<_>>());
    if buckets.is_none() {
        let reason =
            format!("1 to {MOST_BUCKETS} bounds above zero, each larger than the one before");
        section.problem(KEY, Problem::Contradiction { reason });
    }
    buckets
}

/// The bounds as they are written.
pub fn bounds(buckets: &Buckets) -> impl Iterator<Item = Duration> {
    buckets.bounds_ns().iter().map(|ns| Duration::from_nanos(*ns))
}
