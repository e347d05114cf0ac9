//! The summary of a session: both directions first, then what they are worth.

mod facts;

use super::findings;
use super::table::{Table, width};
use crate::explain::percent;
use crate::output::columns::Percentile;
use crate::output::duration::{delay_or_dash, stretch};
use crate::output::paint::Paint;
use crate::output::record::{DelayRecord, SessionRecord, VariationRecord};

/// How summaries look.
#[derive(Clone, Debug)]
pub struct Look {
    /// With or without colour.
    pub paint: Paint,
    /// Columns between mean and maximum.
    pub percentiles: Vec<Percentile>,
}

impl Default for Look {
    fn default() -> Self {
        Self { paint: Paint::PLAIN, percentiles: Percentile::ALL.to_vec() }
    }
}

/// Width of the rule in the heading.
const RULE: usize = 80;

/// A summary of one session after `elapsed_ns`, findings included.
#[must_use]
pub fn session(record: &SessionRecord, elapsed_ns: Option<u64>, look: &Look) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line(&look.paint.strong(&heading(record, elapsed_ns)));
    if record.answered {
        for (row, cells) in delays(record, look).lines().iter().enumerate() {
            line(&if row == 0 { look.paint.faint(cells) } else { cells.clone() });
        }
    }
    for fact in facts::all(record, look.paint) {
        line(&fact);
    }
    if !record.findings.is_empty() {
        text.push('\n');
        text.push_str(&findings::text(record, look.paint));
    }
    text
}

/// Who, what was sent and what came back.
fn heading(record: &SessionRecord, elapsed_ns: Option<u64>) -> String {
    let packets = &record.packets;
    let share = record
        .loss
        .ratio
        .round_trip
        .map_or_else(String::new, |ratio| format!(" ({})", percent(ratio)));
    let took = elapsed_ns.map_or_else(String::new, |ns| format!(" in {}", stretch(ns)));
    let title = format!("--- {} ", record.title());
    let counts = format!(
        "{} sent, {} received, {} lost{share}{took}",
        packets.sent, packets.received, packets.lost.round_trip
    );
    let rule = "-".repeat(RULE.saturating_sub(width(&title)));
    format!("{title}{rule}\n{counts}")
}

fn delays(record: &SessionRecord, look: &Look) -> Table {
    let columns: Vec<String> = look.percentiles.iter().map(|one| one.heading()).collect();
    let mut heading = vec!["min", "mean"];
    heading.extend(columns.iter().map(String::as_str));
    heading.extend(["max", "stddev", "n"]);
    let mut table = Table::new(&heading);
    let mark = one_way_mark(record);
    let delays = &record.delay_ns;
    let measured = Measured::of(record);
    let rows = [
        (measured.forward, format!("forward{mark}"), &delays.forward),
        (measured.backward, format!("backward{mark}"), &delays.backward),
        (true, "round trip".to_owned(), &delays.round_trip),
        (measured.residence, "residence".to_owned(), &delays.residence),
    ];
    for (_, label, delay) in rows.iter().filter(|(measured, ..)| *measured) {
        table.row(label, delay_cells(delay, look));
    }
    let ipdv = &record.ipdv_ns;
    if ipdv.round_trip.count > 0 {
        table.row("IPDV", Vec::new());
        let rows = [
            (measured.forward, " forward", &ipdv.forward),
            (measured.backward, " backward", &ipdv.backward),
            (true, " round trip", &ipdv.round_trip),
        ];
        for (_, label, variation) in rows.into_iter().filter(|(measured, ..)| *measured) {
            table.row(label, variation_cells(variation, look));
        }
    }
    table
}

/// What a mode measures at all; a row of nothing would ask why.
struct Measured {
    forward: bool,
    backward: bool,
    residence: bool,
}

impl Measured {
    fn of(record: &SessionRecord) -> Self {
        match record.mode.as_str() {
            "one-way" => Self { forward: true, backward: false, residence: true },
            "loopback" => Self { forward: false, backward: false, residence: false },
            "enhanced-loopback" => Self { forward: true, backward: true, residence: false },
            _ => Self { forward: true, backward: true, residence: true },
        }
    }
}

/// `?` behind one-way values that nobody vouches for.
#[must_use]
pub fn one_way_mark(record: &SessionRecord) -> &'static str {
    if record.answered && !record.clock.one_way.synchronized { "?" } else { "" }
}

fn delay_cells(delay: &DelayRecord, look: &Look) -> Vec<String> {
    let mut cells = vec![delay_or_dash(delay.min), delay_or_dash(delay.mean)];
    cells.extend(look.percentiles.iter().map(|one| delay_or_dash(one.of(delay))));
    cells.extend([delay_or_dash(delay.max), delay_or_dash(delay.stddev), delay.count.to_string()]);
    cells
}

/// IPDV has a sign; its quantiles are not measured.
fn variation_cells(variation: &VariationRecord, look: &Look) -> Vec<String> {
    let mut cells = vec![delay_or_dash(variation.min), delay_or_dash(variation.mean)];
    cells.extend(look.percentiles.iter().map(|_| String::new()));
    cells.extend([
        delay_or_dash(variation.max),
        delay_or_dash(variation.stddev),
        variation.count.to_string(),
    ]);
    cells
}

#[cfg(test)]
mod tests;
