//! Which percentiles the table shows.

use super::record::DelayRecord;
use crate::percentile::column;

/// A percentile that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Percentile {
    /// The median.
    P50,
    /// 95 %.
    P95,
    /// 99 %.
    P99,
    /// 99.9 %.
    P99_9,
}

impl Percentile {
    /// All that are measured.
    pub const ALL: [Self; 4] = [Self::P50, Self::P95, Self::P99, Self::P99_9];

    /// Its heading.
    #[must_use]
    pub fn heading(self) -> String {
        column(self.percent())
    }

    /// Its value.
    #[must_use]
    pub const fn of(self, delay: &DelayRecord) -> Option<i64> {
        match self {
            Self::P50 => delay.p50,
            Self::P95 => delay.p95,
            Self::P99 => delay.p99,
            Self::P99_9 => delay.p99_9,
        }
    }

    const fn percent(self) -> f64 {
        match self {
            Self::P50 => 50.0,
            Self::P95 => 95.0,
            Self::P99 => 99.0,
            Self::P99_9 => 99.9,
        }
    }
}

/// Reads `--percentiles`.
///
/// # Errors
///
/// What is not measured, and what is.
pub fn percentiles(wanted: &[f64]) -> Result<Vec<Percentile>, String> {
    let find = |percent: &f64| {
        Percentile::ALL
            .into_iter()
            .find(|percentile| (percentile.percent() - percent).abs() < 1e-9)
            .ok_or_else(|| format!("{percent} is not measured; choose from 50, 95, 99 and 99.9"))
    };
    wanted.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_asked_for_is_kept() {
        assert_eq!(percentiles(&[99.9, 50.0]), Ok(vec![Percentile::P99_9, Percentile::P50]));
        assert_eq!(Percentile::P99_9.heading(), "p99.9");
    }

    #[test]
    fn what_is_not_measured_is_refused_with_what_is() {
        let error = percentiles(&[50.0, 97.5]).unwrap_err();
        assert_eq!(error, "97.5 is not measured; choose from 50, 95, 99 and 99.9");
    }
}
