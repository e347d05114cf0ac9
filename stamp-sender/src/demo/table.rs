//! What was set, what the lab's wires really did, and what was measured, beside each other.

use std::fmt::Write as _;
use std::time::Duration;

use super::network::{DATA_PLANES, Network};
use super::tally::{Middles, Tally, middle};
use crate::output::duration::{delay, delay_or_dash, setting};
use crate::output::paint::Paint;

/// A change smaller than this is noise of this machine.
const NOTABLE_NS: i64 = 500_000;

/// One direction of a way, apart from the measurement.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Wire {
    /// The delay that was set.
    pub(super) set_ns: u64,
    /// How long packets were held in the middle.
    pub(super) held_ns: Option<i64>,
}

/// A way over one data plane.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) way: String,
    pub(super) over: &'static str,
    /// There, back.
    pub(super) wires: [Wire; 2],
    pub(super) middles: Middles,
    /// The lowest delays there and back, by which a change is told.
    pub(super) lowest: [Option<i64>; 2],
    /// Those of the phase before, if there was one.
    pub(super) earlier: [Option<i64>; 2],
    pub(super) lost: (u64, u64),
}

/// The rows of a phase. `skipped` packets of each direction belong to the phase before.
pub(super) fn rows(
    network: &Network,
    tallies: &[Tally],
    after: bool,
    skipped: &[[usize; 2]],
) -> Vec<Row> {
    let mut tallies = tallies.iter();
    let mut rows = Vec::new();
    for (number, path) in network.paths().iter().enumerate() {
        let (treatment, held) = (network.treatment(path), network.held(path));
        let wire = |way: usize| {
            let skip = skipped.get(number).map_or(0, |skipped| skipped[way]);
            let held: Vec<Duration> = held[way].iter().skip(skip).copied().collect();
            Wire {
                set_ns: u64::try_from(treatment[way].delay.as_nanos()).unwrap_or(u64::MAX),
                held_ns: middle(&held).and_then(|held| i64::try_from(held.as_nanos()).ok()),
            }
        };
        let wires = [wire(0), wire(1)];
        for (over, tally) in DATA_PLANES.into_iter().zip(&mut tallies) {
            rows.push(Row {
                way: path.name.clone(),
                over,
                wires,
                middles: tally.phase(after).middles(),
                lowest: tally.phase(after).lowest(),
                earlier: if after { tally.phase(false).lowest() } else { [None; 2] },
                lost: tally.phase(after).lost(),
            });
        }
    }
    rows
}

/// The rows as text, each line ended.
pub(super) fn print(rows: &[Row], paint: Paint) -> String {
    let mut text =
        format!("{:12}{}\n", "", paint.faint("  ------- forward -------  ------- backward ------"));
    text += &paint.strong(&format!(
        "way over    {:>9}{:>8}{:>9}{:>9}{:>8}{:>9}{:>12}{:>9}",
        "set", "held", "measured", "set", "held", "measured", "round trip", "lost"
    ));
    text.push('\n');
    for row in rows {
        let _infallible = write!(text, "{:<4}{:<8}", row.way, row.over);
        let measured = [row.middles.forward, row.middles.backward];
        let changes = [0, 1].map(|way| changed(row.lowest[way], row.earlier[way]));
        for ((wire, measured), change) in row.wires.iter().zip(measured).zip(changes) {
            let set = setting(wire.set_ns);
            let held = delay_or_dash(wire.held_ns);
            let shown = format!("{:>9}", delay_or_dash(measured));
            let shown = if change.is_some() { paint.odd(&shown) } else { shown };
            let _infallible = write!(text, "{set:>9}{held:>8}{shown}");
        }
        let (lost, known) = row.lost;
        let share = format!("{:>9}", format!("{lost}/{known}"));
        let share = if lost > 0 { paint.bad(&share) } else { share };
        let round_trip = delay_or_dash(row.middles.round_trip);
        let _infallible = write!(text, "{round_trip:>12}{share}");
        for (name, change) in ["forward", "backward"].into_iter().zip(changes) {
            if let Some(change) = change {
                let sign = if change > 0 { "+" } else { "" };
                let _infallible = write!(text, "  {name} {sign}{}", delay(change));
            }
        }
        text.push('\n');
    }
    text
}

/// The way with the lowest value of each kind, over either data plane.
pub(super) fn lowest(rows: &[Row]) -> String {
    let best = ["forward", "backward", "round trip"].into_iter().enumerate();
    let best = best.filter_map(|(kind, name)| {
        let known = rows.iter().filter_map(|row| Some((row.middles.all()[kind]?, &row.way)));
        let (value, way) = known.min()?;
        Some(format!("{name} {way} ({})", delay(value)))
    });
    best.collect::<Vec<_>>().join(", ")
}

fn changed(lowest: Option<i64>, earlier: Option<i64>) -> Option<i64> {
    let change = lowest?.saturating_sub(earlier?);
    (change.saturating_abs() >= NOTABLE_NS).then_some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: &str, forward: i64, backward: i64) -> Row {
        Row {
            way: way.to_owned(),
            over: DATA_PLANES[1],
            wires: [Wire { set_ns: 2_000_000, held_ns: Some(2_010_000) }, Wire::default()],
            middles: Middles {
                forward: Some(forward),
                backward: Some(backward),
                round_trip: Some(forward + backward),
            },
            lowest: [None; 2],
            earlier: [None; 2],
            lost: (1, 20),
        }
    }

    #[test]
    fn set_held_and_measured_stand_side_by_side() {
        let text = print(&[row("b", 2_040_000, 90_000)], Paint::PLAIN);
        let line = text.lines().nth(2).expect("a row");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            ["b", "SRv6", "2ms", "2.01ms", "2.04ms", "0ns", "-", "90.0us", "2.13ms", "1/20"]
        );
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    }

    #[test]
    fn only_what_has_changed_is_called_changed() {
        // The median back is that of a busy machine: it is shown, and is no change.
        let row = Row {
            lowest: [Some(8_000_000), Some(500_000)],
            earlier: [Some(2_000_000), Some(90_000)],
            ..row("b", 8_100_000, 5_000_000)
        };
        let text = print(&[row], Paint::PLAIN);
        assert!(text.ends_with("1/20  forward +6.00ms\n"), "{text}");
    }

    #[test]
    fn the_lowest_of_each_direction_may_be_another_way() {
        let rows = [row("a", 5_000_000, 1_000_000), row("c", 1_000_000, 9_000_000)];
        assert_eq!(lowest(&rows), "forward c (1.00ms), backward a (1.00ms), round trip a (6.00ms)");
    }
}
