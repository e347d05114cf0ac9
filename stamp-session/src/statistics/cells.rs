//! Cells of a histogram, as small as what they count allows.

use hdrhistogram::Histogram;

use super::distribution::Precision;

/// How many values lie in each cell: two octets each until one of them might be full, then four.
///
/// A window seldom has as many values as two octets count, and thousands of sessions have thousands
/// of these.
#[derive(Debug)]
pub(super) enum Cells {
    /// At most [`u16::MAX`] values in all.
    Narrow(Histogram<u16>),
    /// More of them.
    Wide(Histogram<u32>),
}

impl Cells {
    /// All of them empty; none where nothing is to be told apart.
    pub(super) fn empty(precision: Precision) -> Option<Self> {
        let (lowest, highest, digits) = precision.bounds()?;
        Histogram::new_with_bounds(lowest, highest, digits).ok().map(Self::Narrow)
    }

    /// How many values there are.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Narrow(narrow) => narrow.len(),
            Self::Wide(wide) => wide.len(),
        }
    }

    pub(super) fn record(&mut self, value: u64) {
        match self {
            Self::Narrow(narrow) if narrow.len() < u16::MAX.into() => {
                narrow.saturating_record(value);
            }
            Self::Narrow(narrow) => {
                if let Some(mut wide) = widened(narrow) {
                    wide.saturating_record(value);
                    *self = Self::Wide(wide);
                }
            }
            Self::Wide(wide) => wide.saturating_record(value),
        }
    }

    /// Forgets all values and keeps the memory, and its width: the next period has as many.
    pub(super) fn reset(&mut self) {
        // Not where nothing is to be wiped out: it is in no cache.
        match self {
            Self::Narrow(narrow) if !narrow.is_empty() => narrow.reset(),
            Self::Wide(wide) if !wide.is_empty() => wide.reset(),
            Self::Narrow(_) | Self::Wide(_) => {}
        }
    }

    /// Cells that hold values, from the lowest: the highest value of each, and how many it holds.
    pub(super) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (narrow, wide) = match self {
            Self::Narrow(narrow) => (Some(narrow), None),
            Self::Wide(wide) => (None, Some(wide)),
        };
        let narrow = narrow.into_iter().flat_map(Histogram::iter_recorded);
        let wide = wide.into_iter().flat_map(Histogram::iter_recorded);
        let of_narrow = narrow.map(|it| (it.value_iterated_to(), it.count_since_last_iteration()));
        of_narrow.chain(wide.map(|it| (it.value_iterated_to(), it.count_since_last_iteration())))
    }

    /// Lowest value of the cell that a value lies in.
    pub(super) fn lowest_equivalent(&self, value: u64) -> u64 {
        match self {
            Self::Narrow(narrow) => narrow.lowest_equivalent(value),
            Self::Wide(wide) => wide.lowest_equivalent(value),
        }
    }

    /// Its middle.
    pub(super) fn median_equivalent(&self, value: u64) -> u64 {
        match self {
            Self::Narrow(narrow) => narrow.median_equivalent(value),
            Self::Wide(wide) => wide.median_equivalent(value),
        }
    }

    /// Values above this lie in no cell of their own.
    pub(super) fn high(&self) -> u64 {
        match self {
            Self::Narrow(narrow) => narrow.high(),
            Self::Wide(wide) => wide.high(),
        }
    }

    /// Octets of it, those of cells included.
    pub(super) fn octets(&self) -> usize {
        let of_cells = match self {
            Self::Narrow(narrow) => narrow.distinct_values().saturating_mul(size_of::<u16>()),
            Self::Wide(wide) => wide.distinct_values().saturating_mul(size_of::<u32>()),
        };
        of_cells.saturating_add(size_of::<Self>())
    }
}

/// The same values in wider cells.
fn widened(narrow: &Histogram<u16>) -> Option<Histogram<u32>> {
    let (lowest, highest) = (narrow.low(), narrow.high());
    let mut wide = Histogram::new_with_bounds(lowest, highest, narrow.sigfig()).ok()?;
    for recorded in narrow.iter_recorded() {
        let count = recorded.count_at_value().into();
        wide.saturating_record_n(recorded.value_iterated_to(), count);
    }
    Some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_values_than_two_octets_count_are_all_counted() {
        let mut cells = Cells::empty(Precision::Fine).unwrap();
        let narrow = cells.octets();
        for _ in 0..u16::MAX {
            cells.record(1_000);
        }
        assert_eq!((cells.len(), cells.octets()), (u16::MAX.into(), narrow));
        for value in [1_000, 5_000, u64::MAX] {
            cells.record(value);
        }
        assert_eq!(cells.len(), 65_538);
        assert!(cells.octets() > narrow * 18 / 10, "{} and {narrow}", cells.octets());
        let recorded: Vec<(u64, u64)> = cells.recorded().collect();
        let counts: Vec<u64> = recorded.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [65_536, 1, 1], "{recorded:?}");
        let cell = |value| cells.lowest_equivalent(value);
        assert_eq!((cell(recorded[0].0), cell(recorded[1].0)), (cell(1_000), cell(5_000)));
        let wide = cells.octets();
        cells.reset();
        assert_eq!((cells.len(), cells.octets(), cells.recorded().count()), (0, wide, 0));
    }

    #[test]
    fn values_are_in_the_same_cells_before_and_after() {
        for precision in [Precision::Coarse, Precision::Fine] {
            let mut cells = Cells::empty(precision).unwrap();
            let values = (0..60).map(|bits| (1_u64 << bits).wrapping_mul(7) / 5);
            let rounds = usize::from(u16::MAX).div_ceil(60);
            let mut last = Vec::new();
            for value in (0..rounds).flat_map(|_| values.clone()) {
                let before: Vec<u64> = cells.recorded().map(|(value, _)| value).collect();
                let was_narrow = matches!(cells, Cells::Narrow(_));
                cells.record(value);
                if was_narrow && matches!(cells, Cells::Wide(_)) {
                    last = before;
                    break;
                }
            }
            assert!(!last.is_empty(), "it became wide");
            let after: Vec<u64> = cells.recorded().map(|(value, _)| value).collect();
            assert_eq!(after, last, "{precision:?}");
        }
    }
}
