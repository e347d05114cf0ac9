//! Numbers over many probes: delay, delay variation, loss.
//!
//! Count, minimum, mean, maximum and standard deviation are exact: they come from integer sums, not
//! from histogram cells. Quantiles come from histograms, whose error is stated by
//! [`QUANTILE_RELATIVE_ERROR`] and [`QUANTILE_ABSOLUTE_ERROR_NS`].
//!
//! A value may be negative: one-way delay is when a clock is wrong, and variation always can be.
//! It is kept as it is and counted, never cut off at zero.

mod buckets;
mod cells;
mod counts;
mod delay;
mod distribution;
mod exact;
mod loss;
mod variation;

pub use buckets::{Buckets, Counted, Histogram, MOST_BUCKETS};
pub use counts::{Counts, Reason};
pub use delay::{DelaySeries, DelaySummary, PdvSummary, Quantiles};
pub use distribution::{
    COARSE_HIGHEST_TRACKED_NS, COARSE_QUANTILE_RELATIVE_ERROR, HIGHEST_TRACKED_NS, Precision,
    QUANTILE_ABSOLUTE_ERROR_NS, QUANTILE_RELATIVE_ERROR,
};
pub use loss::{LossCharacter, LossPattern, LossSeries, Plateau, RateBins};
pub use variation::{VariationSeries, VariationSummary};
