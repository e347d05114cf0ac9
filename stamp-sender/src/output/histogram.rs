//! How often each delay was seen, in cells that grow with the delay, whatever their number.
//!
//! Cells are 1/32 of a power of two wide, so a value is known to about 3 %. Distances are counted
//! from an origin: zero, or the first value when that is no plausible delay because the clocks are
//! apart. So an offset of seconds does not hide microseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Cells in each power of two.
const CELLS: u64 = 32;
/// A first value above this, or below zero, is an offset between clocks and not a delay.
const PLAUSIBLE_NS: i64 = 1_000_000_000;

/// Counts by size of the value.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    origin: Option<i64>,
    cells: BTreeMap<i64, u64>,
}

impl Histogram {
    /// Takes one value in nanoseconds.
    pub fn record(&mut self, ns: i64) {
        let origin = *self
            .origin
            .get_or_insert_with(|| if (0..=PLAUSIBLE_NS).contains(&ns) { 0 } else { ns });
        *self.cells.entry(index(ns.saturating_sub(origin))).or_default() += 1;
    }

    /// All of it, smallest values first.
    #[must_use]
    pub fn record_of(&self) -> HistogramRecord {
        let origin = self.origin.unwrap_or(0);
        let cell = |(index, count): (&i64, &u64)| {
            let (low, high) = bounds(*index);
            Cell(origin.saturating_add(low), origin.saturating_add(high), *count)
        };
        HistogramRecord { cells: self.cells.iter().map(cell).collect() }
    }
}

/// Counts by size of the value, smallest first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct HistogramRecord {
    /// Cells with at least one value.
    pub cells: Vec<Cell>,
}

impl HistogramRecord {
    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.cells.iter().map(|cell| cell.2).sum()
    }

    /// The value in the middle; nothing of nothing.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let half = self.count().div_ceil(2);
        let mut seen = 0;
        self.cells.iter().find_map(|cell| {
            seen += cell.2;
            (seen >= half).then(|| cell.middle())
        })
    }
}

/// Lowest value of a cell, the value it ends before, and how many lie between.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cell(pub i64, pub i64, pub u64);

impl Cell {
    /// The value that stands for all of the cell.
    #[must_use]
    pub const fn middle(self) -> i64 {
        // Of a cell one nanosecond wide: its only value.
        self.0 + (self.1 - self.0 - 1) / 2
    }
}

/// Place of a distance: positive ones count up from zero, negative ones down from -1.
fn index(distance: i64) -> i64 {
    if distance < 0 {
        !index_up(distance.unsigned_abs() - 1)
    } else {
        index_up(distance.unsigned_abs())
    }
}

/// The first 64 cells are one nanosecond wide, each 32 that follow twice as wide as those before.
fn index_up(distance: u64) -> i64 {
    if distance < CELLS * 2 {
        return distance.cast_signed();
    }
    let shift = u64::from(distance.ilog2() - CELLS.ilog2());
    (shift * CELLS + (distance >> shift)).cast_signed()
}

/// Distances of a cell: the first, and the one after the last.
fn bounds(index: i64) -> (i64, i64) {
    if index < 0 {
        let (low, high) = bounds_up((!index).unsigned_abs());
        return (-high, -low);
    }
    bounds_up(index.unsigned_abs())
}

fn bounds_up(index: u64) -> (i64, i64) {
    if index < CELLS * 2 {
        return (index.cast_signed(), index.cast_signed() + 1);
    }
    let shift = index / CELLS - 1;
    let low = (index % CELLS + CELLS) << shift;
    let high = low.saturating_add(1 << shift).min(i64::MAX.cast_unsigned());
    (low.cast_signed(), high.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(values: &[i64]) -> HistogramRecord {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(*value);
        }
        histogram.record_of()
    }

    #[test]
    fn every_value_lies_in_its_cell_and_the_cell_is_narrow() {
        let mut ns = 1_i64;
        while ns < 4_000_000_000_000 {
            for value in [ns, -ns, 0, -1] {
                let (low, high) = bounds(index(value));
                assert!(low <= value && value < high, "{value} in {low}..{high}");
                assert!(high - low <= value.abs() / 31 + 1, "{value} in {low}..{high}");
            }
            ns += ns / 53 + 1;
        }
    }

    #[test]
    fn cells_neither_overlap_nor_leave_gaps() {
        for cell in -1_800..1_800 {
            assert_eq!(bounds(cell).1, bounds(cell + 1).0, "{cell}");
        }
    }

    #[test]
    fn values_are_counted_smallest_first() {
        let record = over(&[70_000, 50, 50, 60]);
        assert_eq!(record.count(), 4);
        assert_eq!(record.cells[0], Cell(50, 51, 2));
        assert_eq!(record.cells[1], Cell(60, 61, 1));
        assert_eq!(record.cells.len(), 3);
        assert_eq!(record.median(), Some(50));
        assert_eq!(over(&[]).median(), None);
    }

    #[test]
    fn an_offset_between_clocks_does_not_hide_microseconds() {
        let record = over(&[-37_000_000_000, -36_999_990_000, -37_000_010_000]);
        assert_eq!(record.cells.len(), 3);
        for (cell, value) in
            record.cells.iter().zip([-37_000_010_000, -37_000_000_000, -36_999_990_000_i64])
        {
            assert!((cell.middle() - value).abs() < 400, "{cell:?} for {value}");
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let record = over(&[0, i64::MAX, i64::MIN]);
        assert_eq!(record.count(), 3);
    }
}
