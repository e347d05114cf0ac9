//! What sessions have told of their lists.

use std::collections::BTreeMap;
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_path::class::{Direction, Measure, Quantile, Value};
use stamp_path::selection::{ClockTrust, ListState, Measured};
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::SessionState;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot, VariationSummary};
use stamp_session::te::TeWindow;

/// What the session of a list has told, over each of its equal paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Vec<Branch>);

#[derive(Clone, Debug, Default)]
struct Branch {
    state: SessionState,
    window: Option<Measured>,
}

impl Heard {
    fn branch(&mut self, branch: usize) -> &mut Branch {
        if self.0.len() <= branch {
            self.0.resize_with(branch + 1, Branch::default);
        }
        &mut self.0[branch]
    }

    /// One of its paths came up or went down.
    pub(super) fn state(&mut self, branch: usize, to: SessionState) {
        self.branch(branch).state = to;
    }

    /// A window of one of its paths is complete.
    pub(super) fn window(&mut self, branch: usize, window: Measured, state: SessionState) {
        *self.branch(branch) = Branch { state, window: Some(window) };
    }

    /// All of them together: packets may take any, so the worst counts. It is down when all are.
    pub(super) fn measured(&self) -> Option<Measured> {
        let mut states = self.0.iter().map(|branch| branch.state);
        if !self.0.is_empty() && states.all(|state| state == SessionState::Down) {
            let latest = self.0.iter().find_map(|branch| branch.window.clone()).unwrap_or_default();
            return Some(Measured { state: ListState::Down, ..latest });
        }
        // Before there is a window of each, nobody knows the worst.
        let windows = self.0.iter().map(|branch| branch.window.as_ref());
        let windows: Vec<&Measured> = windows.collect::<Option<_>>()?;
        let (first, rest) = windows.split_first()?;
        let is_up = self.0.iter().any(|branch| branch.state == SessionState::Up);
        let state = if is_up { ListState::Up } else { ListState::Init };
        let together = rest.iter().fold((*first).clone(), |one, other| worse(one, other));
        Some(Measured { state, ..together })
    }
}

/// What can be relied upon where packets take either.
fn worse(one: Measured, other: &Measured) -> Measured {
    let values = one.values.iter().filter_map(|(measure, value)| {
        let other = other.values.get(measure)?;
        Some((*measure, (*value).max(*other)))
    });
    let error = one.clock.error.zip(other.clock.error).map(|(one, other)| one.max(other));
    Measured {
        state: one.state,
        at: one.at.min(other.at),
        samples: one.samples.min(other.samples),
        integrity: one.integrity.min(other.integrity),
        clock: ClockTrust {
            synchronized: one.clock.synchronized && other.clock.synchronized,
            error,
        },
        values: values.collect(),
    }
}

/// A window that ended at `end`, of a session that sends a probe each `interval`; `hops` are the links
/// of its list where these are known.
///
/// Of a window that lost much nobody says that it is thin: fates count, not delays.
pub(super) fn window(
    measured: &SessionSnapshot,
    (length, end): (Duration, MonotonicTime),
    interval: Duration,
    hops: Option<u8>,
) -> Measured {
    let start = MonotonicTime::from_ns(end.ns().saturating_sub(nanos(length)));
    let te = TeWindow::of(measured, start, end, interval);
    let packets = &measured.packets;
    let samples = te.loss.map_or(0, |share| share.decided());
    let mut values = BTreeMap::new();
    let delay = &measured.delay;
    let ipdv = &measured.ipdv;
    delays(&mut values, Direction::Forward, &delay.forward, &ipdv.forward);
    delays(&mut values, Direction::Backward, &delay.backward, &ipdv.backward);
    delays(&mut values, Direction::RoundTrip, &delay.round_trip, &ipdv.round_trip);
    let lost = packets.lost;
    for (direction, ratio) in [
        (Direction::Forward, packets.direction_ratio(lost.forward)),
        (Direction::Backward, packets.direction_ratio(lost.backward)),
        (Direction::RoundTrip, packets.loss_ratio()),
    ] {
        values.extend(ratio.map(|ratio| (Measure::Loss(direction), Value::Share(share(ratio)))));
    }
    values.extend(hops.map(|hops| (Measure::Hops, Value::Count(hops))));
    Measured {
        state: ListState::Up,
        at: Duration::from_nanos(end.ns()),
        samples,
        integrity: Ratio::from_billionths(te.loss_integrity().saturating_mul(10_000_000))
            .unwrap_or_default(),
        clock: ClockTrust {
            synchronized: measured.clock.synchronized,
            error: measured.clock.error_bound_ns.map(Duration::from_nanos),
        },
        values,
    }
}

fn delays(
    values: &mut BTreeMap<Measure, Value>,
    direction: Direction,
    summary: &DelaySummary,
    variation: &VariationSummary,
) {
    let ns = |delay: TimeDelta| Value::Delay { ns: delay.ns() };
    for (quantile, delay) in [
        (Quantile::P50, summary.p50),
        (Quantile::P95, summary.p95),
        (Quantile::P99, summary.p99),
        (Quantile::Max, summary.max),
        (Quantile::Mean, summary.mean),
    ] {
        values.extend(delay.map(|delay| (Measure::Delay(direction, quantile), ns(delay))));
    }
    let variation = variation.mean_magnitude;
    values.extend(variation.map(|delay| (Measure::Variation(direction), ns(delay))));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio from 0 to 1 in billionths"
)]
fn share(ratio: f64) -> Ratio {
    Ratio::from_billionths((ratio * 1e9).round() as u32).unwrap_or_default()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::rehearsal::{Fate, Plot, play};

    /// What was measured of probes, one each second for ten seconds.
    fn heard(fate: fn(u64) -> Fate) -> Measured {
        let snapshot = play(&Plot { count: 10, fate, ..Plot::default() }).snapshot;
        let window = (Duration::from_secs(10), MonotonicTime::from_ns(60_000_000_000));
        window_of(&snapshot, window)
    }

    fn window_of(snapshot: &SessionSnapshot, window: (Duration, MonotonicTime)) -> Measured {
        super::window(snapshot, window, Duration::from_secs(1), Some(3))
    }

    fn quick(_: u64) -> Fate {
        Fate::Passes(58_000, 61_000)
    }

    fn slow_and_lossy(probe: u64) -> Fate {
        if probe > 2 { Fate::LostForward } else { Fate::Passes(90_000, 61_000) }
    }

    const P99: Measure = Measure::Delay(Direction::Forward, Quantile::P99);

    fn number(measured: &Measured, measure: Measure) -> i64 {
        measured.values[&measure].number()
    }

    #[test]
    fn a_window_says_delay_loss_and_links_and_how_much_of_it_there_is() {
        let measured = heard(quick);
        assert_eq!((measured.samples, measured.integrity.billionths()), (10, 1_000_000_000));
        assert_eq!(measured.at, Duration::from_secs(60));
        assert!((57_000..60_000).contains(&number(&measured, P99)), "{measured:?}");
        assert_eq!(number(&measured, Measure::Loss(Direction::RoundTrip)), 0);
        assert_eq!(number(&measured, Measure::Hops), 3);
        assert!(measured.clock.synchronized);
    }

    #[test]
    fn a_window_that_lost_much_is_not_thin() {
        let measured = heard(slow_and_lossy);
        assert_eq!((measured.samples, measured.integrity.billionths()), (10, 1_000_000_000));
        let lost = number(&measured, Measure::Loss(Direction::RoundTrip));
        assert!(lost >= 700_000_000, "{lost}");
    }

    #[test]
    fn of_several_ways_the_worst_counts_and_all_have_to_be_down() {
        use SessionState::{Down, Up};
        let mut both = Heard::default();
        assert_eq!(both.measured(), None);
        both.state(0, Up);
        assert_eq!(both.measured(), None, "nothing was measured yet");
        both.window(0, heard(quick), Up);
        both.window(1, heard(slow_and_lossy), Down);
        let measured = both.measured().unwrap();
        assert_eq!(measured.state, ListState::Up);
        assert!(number(&measured, P99) >= 89_000, "{measured:?}");
        assert!(number(&measured, Measure::Loss(Direction::RoundTrip)) >= 700_000_000);
        both.state(0, Down);
        assert_eq!(both.measured().unwrap().state, ListState::Down);
    }
}
