//! Sessions of one run beside each other: what each segment adds, and how many paths a list has.

mod lag;

use std::fmt::Write as _;

use stamp_session::snapshot::SessionSnapshot;
use stamp_session::statistics::DelaySummary;

use crate::command_line::SteeringFlags;
use crate::explain::percent;
use crate::happening::SessionInfo;
use crate::output::duration::{delay, delay_or_dash};

/// Delays of two paths that are closer than this are one path's.
const SMALLEST_GAP_NS: i64 = 50_000;
/// How many times the usual spread within a session lies between two paths at least.
const SPREADS: i64 = 4;

/// What the flags ask to see beside the sessions themselves; nothing when they do not.
#[must_use]
pub fn text(
    flags: &SteeringFlags,
    infos: &[SessionInfo],
    sessions: &[SessionSnapshot],
) -> Option<String> {
    if flags.per_segment {
        return Some(per_segment(infos, sessions));
    }
    if infos.iter().any(|info| info.member.is_some()) {
        return Some(lag::lag(infos, sessions));
    }
    flags.entropy_sweep.map(|_| sweep(infos, sessions))
}

/// A row for the loop to each segment: its round trip and loss, and how much more that is than to
/// the segment before.
fn per_segment(infos: &[SessionInfo], sessions: &[SessionSnapshot]) -> String {
    let mut text = format!(
        "{:<44}{:>12}{:>12}{:>9}{:>9}\n",
        "per segment", "round trip", "added", "lost", "added"
    );
    let mut before: Option<(i64, f64)> = None;
    let mut shorter = false;
    for (info, session) in infos.iter().zip(sessions) {
        // The list of another host begins anew.
        before = before.filter(|_| info.steering.segments.len() > 1);
        let middle = session.delay.round_trip.p50.map(|delta| delta.ns());
        let loss = session.packets.loss_ratio();
        let (earlier, earlier_loss) = before.unwrap_or((0, 0.0));
        let added = middle.map(|middle| middle - earlier);
        let added_loss = loss.map(|loss| (loss - earlier_loss).max(0.0));
        let share = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), percent);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<44}{:>12}{:>12}{:>9}{:>9}",
            info.name,
            delay_or_dash(middle),
            delay_or_dash(added),
            share(loss),
            share(added_loss)
        );
        shorter |= added.is_some_and(|added| added < 0);
        before = middle.zip(loss).or(before);
    }
    if shorter {
        text.push_str(
            "Less than to the segment before: each loop comes back by the route of its own last \
             node.\n",
        );
    }
    text
}

/// How far apart the sessions are, and how many paths that suggests.
fn sweep(infos: &[SessionInfo], sessions: &[SessionSnapshot]) -> String {
    let summaries: Vec<&DelaySummary> =
        sessions.iter().map(|session| &session.delay.round_trip).collect();
    let mut middles: Vec<i64> =
        summaries.iter().filter_map(|summary| Some(summary.p50?.ns())).collect();
    middles.sort_unstable();
    let varied =
        infos.first().and_then(|info| info.steering.entropy.as_deref()).map_or("entropy", kind_of);
    let (Some(least), Some(most)) = (middles.first(), middles.last()) else {
        return format!("sweep      {} sessions, none answered\n", infos.len());
    };
    // Below the median: above it a busy host adds as much as it likes.
    let spreads = summaries
        .iter()
        .filter_map(|summary| Some(summary.p50?.ns().saturating_sub(summary.min?.ns())))
        .collect();
    format!(
        "sweep      {} sessions by {varied}: round trip {} to {} at p50, spread {}; the delays \
         suggest {}\n",
        infos.len(),
        delay(*least),
        delay(*most),
        delay(most - least),
        match paths(&middles, spreads) {
            1 => "one path, or several alike".to_owned(),
            paths => format!("{paths} paths"),
        }
    )
}

/// What is varied, without its value in the first session.
fn kind_of(entropy: &str) -> &str {
    match entropy.rsplit_once(' ') {
        Some((kind, value)) if value.starts_with(|c: char| c.is_ascii_digit()) => kind,
        _ => entropy,
    }
}

/// Groups of medians, in order, that lie farther apart than delays within a session do.
fn paths(middles: &[i64], mut spreads: Vec<i64>) -> usize {
    spreads.sort_unstable();
    let usual = spreads.get(spreads.len() / 2).copied().unwrap_or(0);
    let gap = usual.saturating_mul(SPREADS).max(SMALLEST_GAP_NS);
    let apart = middles.windows(2).filter(|pair| pair[1] - pair[0] > gap).count();
    if middles.is_empty() { 0 } else { apart + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn delays_that_differ_by_more_than_their_spread_are_different_paths() {
        let spread = vec![20_000; 6];
        let middles = [MS, MS + 10_000, 2 * MS, 2 * MS + 5_000, 9 * MS, 9 * MS + 40_000];
        assert_eq!(paths(&middles, spread.clone()), 3);
        assert_eq!(paths(&middles, vec![3 * MS; 6]), 1, "lost in the noise");
        assert_eq!(paths(&[MS], spread), 1);
        assert_eq!(paths(&[], Vec::new()), 0);
    }

    #[test]
    fn what_is_varied_is_named_without_its_value() {
        assert_eq!(kind_of("entropy label 983040"), "entropy label");
        assert_eq!(kind_of("flow label 0x9e377"), "flow label");
        assert_eq!(kind_of("source port"), "source port");
    }

    #[test]
    fn differences_that_no_path_explains_are_none() {
        assert_eq!(paths(&[MS, MS + 49_000], vec![100; 2]), 1);
        assert_eq!(paths(&[MS, MS + 51_000], vec![100; 2]), 2);
    }
}
