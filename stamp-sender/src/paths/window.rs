//! From a window as a session has it to what decisions are made of.

use std::collections::BTreeMap;
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_path::class::{Direction, Measure, Quantile, Value};
use stamp_path::selection::{ClockTrust, ListState, Measured};
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot, VariationSummary};
use stamp_session::te::TeWindow;

/// A window that ended at `end`, of a session that sends a probe each `interval`.
///
/// Of a window that lost much nobody says that it is thin: fates count, not delays.
pub fn window(
    measured: &SessionSnapshot,
    (length, end): (Duration, MonotonicTime),
    interval: Duration,
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

/// A ratio from 0 to 1 as far as billionths tell it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio from 0 to 1 in billionths"
)]
pub fn share(ratio: f64) -> Ratio {
    Ratio::from_billionths((ratio * 1e9).round() as u32).unwrap_or_default()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::output::rehearsal::{Fate, Plot, play};

    /// What was measured of probes, one each second for ten seconds.
    pub fn heard(fate: fn(u64) -> Fate) -> Measured {
        let snapshot = play(&Plot { count: 10, fate, ..Plot::default() }).snapshot;
        let window = (Duration::from_secs(10), MonotonicTime::from_ns(60_000_000_000));
        window_of(&snapshot, window)
    }

    fn window_of(snapshot: &SessionSnapshot, window: (Duration, MonotonicTime)) -> Measured {
        super::window(snapshot, window, Duration::from_secs(1))
    }

    pub fn quick(_: u64) -> Fate {
        Fate::Passes(58_000, 61_000)
    }

    pub fn slow_and_lossy(probe: u64) -> Fate {
        if probe > 2 { Fate::LostForward } else { Fate::Passes(90_000, 61_000) }
    }

    const P99: Measure = Measure::Delay(Direction::Forward, Quantile::P99);

    pub fn number(measured: &Measured, measure: Measure) -> i64 {
        measured.values[&measure].number()
    }

    #[test]
    fn a_window_says_delay_and_loss_and_how_much_of_it_there_is() {
        let measured = heard(quick);
        assert_eq!((measured.samples, measured.integrity.billionths()), (10, 1_000_000_000));
        assert_eq!(measured.at, Duration::from_secs(60));
        assert!((57_000..60_000).contains(&number(&measured, P99)), "{measured:?}");
        assert_eq!(number(&measured, Measure::Loss(Direction::RoundTrip)), 0);
        assert!(measured.clock.synchronized);
    }

    #[test]
    fn a_window_that_lost_much_is_not_thin() {
        let measured = heard(slow_and_lossy);
        assert_eq!((measured.samples, measured.integrity.billionths()), (10, 1_000_000_000));
        let lost = number(&measured, Measure::Loss(Direction::RoundTrip));
        assert!(lost >= 700_000_000, "{lost}");
    }
}
