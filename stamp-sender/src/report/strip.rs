//! Delay and loss over time on a few lines of text.

use super::curve::Curve;
use super::read::SavedSession;
use super::scale::Scale;
use crate::output::duration::{delay, stretch};
use crate::output::human::table::{pad_left, pad_right};
use crate::output::paint::Paint;
use crate::output::series::{SpreadRecord, StepRecord};

/// Most columns.
const WIDTH: usize = 48;
/// Columns in front of the strip.
const LABEL: usize = 12;
/// Heights.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One line for each direction and one for losses; nothing when nothing is known.
#[must_use]
pub fn text(session: &SavedSession, paint: Paint) -> String {
    let columns = columns(&session.series.steps);
    if columns.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", paint.strong("over time (largest of each column)"));
    for curve in Curve::all(session) {
        text.push_str(&delays(&curve, &columns));
    }
    text.push_str(&losses(&columns, paint));
    text.push_str(&times(&session.series.steps, columns.len(), paint));
    text
}

/// Steps that share a column.
fn columns(steps: &[StepRecord]) -> Vec<&[StepRecord]> {
    if steps.is_empty() {
        return Vec::new();
    }
    steps.chunks(steps.len().div_ceil(WIDTH)).collect()
}

fn delays(curve: &Curve, columns: &[&[StepRecord]]) -> String {
    let of_column = |steps: &&[StepRecord]| {
        let spreads = steps.iter().filter_map(|step| curve.at(step));
        spreads.reduce(|one, other| SpreadRecord {
            min: one.min.min(other.min),
            mean: one.mean,
            max: one.max.max(other.max),
        })
    };
    let spreads: Vec<Option<SpreadRecord>> = columns.iter().map(of_column).collect();
    let (Some(low), Some(high)) = (
        spreads.iter().flatten().map(|spread| spread.min).min(),
        spreads.iter().flatten().map(|spread| spread.max).max(),
    ) else {
        return String::new();
    };
    let mut tops: Vec<i64> = spreads.iter().flatten().map(|spread| spread.max).collect();
    tops.sort_unstable();
    let typical = tops[tops.len() / 2];
    let scale = match Scale::of_delays(low, high, typical) {
        logarithmic if logarithmic.is_logarithmic() => logarithmic,
        // From the smallest value on, else small changes of a long path are flat.
        _ => Scale::exact(low, high),
    };
    let strip: String = spreads
        .iter()
        .map(|spread| {
            spread.map_or(' ', |spread| BLOCKS[(scale.place(spread.max) * 7.99) as usize])
        })
        .collect();
    // Above a value that is said where there is room for it.
    let sign = if curve.offset == 0 { "" } else { "+" };
    format!(
        "{}{}  {sign}{} .. {sign}{}\n",
        pad_right(&curve.name(), LABEL),
        pad_right(&strip, columns.len()),
        delay(low),
        delay(high)
    )
}

fn losses(columns: &[&[StepRecord]], paint: Paint) -> String {
    let lost: Vec<u64> =
        columns.iter().map(|steps| steps.iter().map(|step| step.lost).sum()).collect();
    let mark = |lost: &u64| match lost {
        0 => '·',
        1..=9 => char::from_digit(*lost as u32, 10).unwrap_or('9'),
        _ => '#',
    };
    let strip: String = lost.iter().map(mark).collect();
    let total: u64 = lost.iter().sum();
    let strip = if total > 0 { paint.bad(&strip) } else { paint.faint(&strip) };
    format!("{}{strip}  {total} lost\n", pad_right("lost", LABEL))
}

fn times(steps: &[StepRecord], width: usize, paint: Paint) -> String {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return String::new() };
    let Ok(span) = u64::try_from(last.time.0.since(first.time.0).ns()) else {
        return String::new();
    };
    let end = stretch(span);
    let gap = width.saturating_sub(2);
    let line = format!("{}0s{}", " ".repeat(LABEL), pad_left(&end, gap.max(end.len() + 1)));
    format!("{}\n", paint.faint(&line))
}
