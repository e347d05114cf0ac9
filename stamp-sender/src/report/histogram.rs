//! How often each delay was seen, as bars of text.

use super::curve::Curve;
use super::read::SavedSession;
use super::scale::round_step;
use crate::output::duration::delay;
use crate::output::histogram::Cell;
use crate::output::human::table::{pad_left, pad_right};
use crate::output::paint::Paint;

/// Most rows of one direction.
const ROWS: u32 = 14;
/// Columns of the longest bar.
const BAR: usize = 40;
/// Values this many times apart get rows that grow with the value.
const WIDE: i64 = 4;
/// Eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The three distributions; nothing when nothing was answered.
#[must_use]
pub fn text(session: &SavedSession, paint: Paint) -> String {
    Curve::all(session).iter().map(|curve| one(curve, session, paint)).collect()
}

fn one(curve: &Curve, session: &SavedSession, paint: Paint) -> String {
    let rows = rows(&curve.cells(session));
    let total: u64 = rows.iter().map(|row| row.count).sum();
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0);
    let title = format!("{} ({total} samples)", curve.label());
    let mut text = format!("\n{}\n", paint.strong(&title));
    let mut empty = 0;
    for row in &rows {
        if row.count == 0 {
            empty += 1;
            continue;
        }
        if empty > 0 {
            text.push_str(&paint.faint("        ...\n"));
            empty = 0;
        }
        let share = match row.count as f64 * 100.0 / total as f64 {
            small if small < 0.1 => "<0.1%".to_owned(),
            share => format!("{share:.1}%"),
        };
        text.push_str(&format!(
            "{} - {}  {}{}{}\n",
            pad_left(&delay(row.low), 8),
            pad_left(&delay(row.high), 7),
            pad_right(&bar(row.count, most), BAR),
            pad_left(&row.count.to_string(), 10),
            pad_left(&share, 9),
        ));
    }
    text
}

struct Row {
    low: i64,
    high: i64,
    count: u64,
}

/// Rows between round values: equally wide, or wider and wider when values are far apart.
fn rows(cells: &[Cell]) -> Vec<Row> {
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return Vec::new() };
    let (low, high) = (first.middle(), last.middle());
    let lower = quantile(cells, 10);
    let edges = if low > 0 && high / low >= WIDE {
        growing(low, high)
    } else if low >= 0 && lower > 0 && high / lower >= WIDE * WIDE {
        // From zero on: the few below the others share the first row.
        let mut edges = growing(lower, high);
        edges[0] = 0;
        edges
    } else {
        equal(low, high, cells)
    };
    let mut rows: Vec<Row> =
        edges.windows(2).map(|edge| Row { low: edge[0], high: edge[1], count: 0 }).collect();
    let mut place = 0;
    for cell in cells {
        while place + 1 < rows.len() && cell.middle() >= rows[place].high {
            place += 1;
        }
        if let Some(row) = rows.get_mut(place) {
            row.count += cell.2;
        }
    }
    rows
}

/// The value that so many in a hundred do not exceed.
fn quantile(cells: &[Cell], percent: u64) -> i64 {
    let wanted = cells.iter().map(|cell| cell.2).sum::<u64>() * percent / 100;
    let mut seen = 0;
    let found = cells.iter().find(|cell| {
        seen += cell.2;
        seen > wanted
    });
    found.map_or(0, |cell| cell.middle())
}

/// No row is so narrow that the cells behind it would show through.
fn equal(low: i64, high: i64, cells: &[Cell]) -> Vec<i64> {
    let widest = cells.iter().map(|cell| cell.1 - cell.0).max().unwrap_or(1);
    let mut step = (round_step((high - low + 1) as f64, ROWS - 2) as i64).max(1);
    if widest > 1 && step < 2 * widest {
        step = round_step((2 * widest) as f64, 1) as i64;
    }
    let first = low.div_euclid(step);
    let last = high.div_euclid(step) + 1;
    (first..=last).map(|index| index * step).collect()
}

/// Edges at preferred numbers of every power of ten, as finely as the rows allow.
fn growing(low: i64, high: i64) -> Vec<i64> {
    const DIGITS: [&[i64]; 5] = [
        &[
            10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75,
            82, 91,
        ],
        &[10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82],
        &[10, 15, 20, 30, 50, 70],
        &[10, 20, 50],
        &[10],
    ];
    let mut edges = Vec::new();
    for digits in DIGITS {
        edges = all_edges(digits)
            .skip_while(|edge| *edge <= low)
            .take_while(|edge| *edge <= high)
            .collect();
        if edges.len() <= ROWS as usize - 2 {
            let below = all_edges(digits).take_while(|edge| *edge <= low).last();
            let above = all_edges(digits).find(|edge| *edge > high);
            edges.insert(0, below.unwrap_or(0));
            edges.push(above.unwrap_or(i64::MAX));
            return edges;
        }
    }
    edges
}

/// Every edge from 1 ns to the end of time.
fn all_edges(digits: &'static [i64]) -> impl Iterator<Item = i64> {
    let ones = (1..10).filter(|one| digits.contains(&(one * 10)));
    let powers = (0..17).map(|power| 10_i64.pow(power));
    ones.chain(powers.flat_map(move |power| digits.iter().map(move |digit| digit * power)))
}

/// At least a sliver of anything that is there.
fn bar(count: u64, most: u64) -> String {
    let eighths = (count as f64 / most.max(1) as f64 * (BAR * 8) as f64).round() as usize;
    let eighths = eighths.max(usize::from(count > 0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(cells: &[Cell]) -> Vec<(i64, i64, u64)> {
        rows(cells).iter().map(|row| (row.low, row.high, row.count)).collect()
    }

    #[test]
    fn values_of_one_size_get_equal_rows_between_round_edges() {
        let cells = [Cell(52_000, 52_001, 3), Cell(58_000, 58_001, 7), Cell(71_000, 71_001, 1)];
        let rows = spans(&cells);
        assert_eq!(rows.first(), Some(&(52_000, 54_000, 3)));
        assert_eq!(rows.last(), Some(&(70_000, 72_000, 1)));
        assert_eq!(rows.iter().map(|row| row.2).sum::<u64>(), 11);
    }

    #[test]
    fn values_far_apart_get_rows_that_grow() {
        let cells = [
            Cell(52_000, 52_001, 90),
            Cell(900_000, 900_001, 9),
            Cell(140_000_000, 140_000_001, 1),
        ];
        let rows = spans(&cells);
        assert_eq!(rows.first(), Some(&(50_000, 100_000, 90)));
        assert_eq!(rows.last(), Some(&(100_000_000, 200_000_000, 1)));
        assert!(rows.len() <= ROWS as usize, "{rows:?}");
    }

    #[test]
    fn no_value_falls_between_rows() {
        for scale in [1_i64, 17, 4_001, 1_000_003] {
            for spread in [1_i64, 2, 5, 40, 3_000] {
                let cells: Vec<Cell> = (0..50_i64)
                    .map(|n| (n * n * spread + 1) * scale)
                    .map(|low| Cell(low, low + 1, 1))
                    .collect();
                let rows = spans(&cells);
                assert_eq!(rows.iter().map(|row| row.2).sum::<u64>(), 50);
                assert!(rows.len() <= ROWS as usize, "{} rows", rows.len());
                for pair in rows.windows(2) {
                    assert_eq!(pair[0].1, pair[1].0);
                }
            }
        }
    }

    #[test]
    fn negative_values_have_rows_as_well() {
        let rows = spans(&[Cell(-30, -29, 1), Cell(10, 11, 1)]);
        assert!(rows[0].0 <= -30 && rows[0].2 == 1, "{rows:?}");
    }

    #[test]
    fn cells_do_not_show_through_rows() {
        let cells: Vec<Cell> =
            (0..5).map(|n| Cell(60_416 + n * 1_024, 61_440 + n * 1_024, 10)).collect();
        for row in rows(&cells) {
            assert!(row.high - row.low >= 2_048, "{} to {}", row.low, row.high);
        }
    }

    #[test]
    fn values_above_zero_with_outliers_keep_their_shape() {
        let cells = [
            Cell(0, 1, 1),
            Cell(900, 901, 50),
            Cell(1_800, 1_801, 40),
            Cell(2_540_000, 2_540_001, 1),
        ];
        let rows = spans(&cells);
        assert_eq!(rows.first().map(|row| row.0), Some(0));
        assert!(rows.iter().filter(|row| row.2 > 0).count() >= 3, "{rows:?}");
    }

    #[test]
    fn the_longest_bar_is_full_and_the_smallest_is_seen() {
        assert_eq!(bar(1_000, 1_000), "█".repeat(BAR));
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 10), "");
    }
}
