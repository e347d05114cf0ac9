//! What one window of measurement says.

use core::time::Duration;

use stamp_proto::time::TimeDelta;

use crate::clock::MonotonicTime;
use crate::policy::LossShare;
use crate::snapshot::SessionSnapshot;
use crate::statistics::{DelaySummary, VariationSummary};

/// How a one-way value was come by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TeMode {
    /// Measured.
    OneWay,
    /// Taken from the round trip: half of its delay, or all of its loss. Clocks are not synchronised,
    /// or the Session-Reflector does not count.
    Derived,
}

impl TeMode {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneWay => "one_way",
            Self::Derived => "derived",
        }
    }
}

/// Delays of a window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeDelays {
    /// How many there were.
    pub count: u64,
    /// The smallest.
    pub min: TimeDelta,
    /// Their mean.
    pub avg: TimeDelta,
    /// The largest.
    pub max: TimeDelta,
}

/// One window; what is `None` was not measured in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeWindow {
    /// When it began.
    pub start: MonotonicTime,
    /// When it was complete.
    pub end: MonotonicTime,
    /// Probes whose fate should be known by its end.
    pub expected: u64,
    /// How delays were come by.
    pub delay_mode: TeMode,
    /// Delay.
    pub delay: Option<TeDelays>,
    /// Mean of its change from probe to probe, without sign.
    pub variation: Option<TimeDelta>,
    /// How loss was come by.
    pub loss_mode: TeMode,
    /// Loss.
    pub loss: Option<LossShare>,
}

impl TeWindow {
    /// Of what a session measured from `start` to `end`, a probe each `interval`.
    ///
    /// Delay one way only if both clocks are synchronised; loss one way only if the far end counts.
    #[must_use]
    pub fn of(
        measured: &SessionSnapshot,
        start: MonotonicTime,
        end: MonotonicTime,
        interval: Duration,
    ) -> Self {
        let expected = end.since(start).as_nanos().checked_div(interval.as_nanos()).unwrap_or(0);
        let is_one_way = measured.clock.synchronized && measured.delay.forward.count > 0;
        let (delay_mode, delay, variation) = if is_one_way {
            let variation = magnitude(&measured.ipdv.forward);
            (TeMode::OneWay, delays(&measured.delay.forward), variation)
        } else {
            let round_trip = delays(&measured.delay.round_trip).map(TeDelays::halved);
            let variation = magnitude(&measured.ipdv.round_trip).map(half);
            (TeMode::Derived, round_trip, variation)
        };
        let packets = &measured.packets;
        let network = packets.lost.round_trip.saturating_sub(packets.lost.local);
        let decided = packets.received.saturating_add(network);
        let (loss_mode, lost) = match packets.lost.forward {
            // A loss may be told in the window after its own.
            Some(forward) => (TeMode::OneWay, forward.min(decided)),
            None => (TeMode::Derived, network),
        };
        Self {
            start,
            end,
            expected: u64::try_from(expected).unwrap_or(u64::MAX),
            delay_mode,
            delay,
            variation,
            loss_mode,
            loss: LossShare::new(lost, decided),
        }
    }

    /// Share of the expected delays that there are, in percent.
    #[must_use]
    pub fn delay_integrity(&self) -> u32 {
        self.percent(self.delay.map_or(0, |delay| delay.count))
    }

    /// Share of the expected fates that are known, in percent: loss itself makes no window thin.
    #[must_use]
    pub fn loss_integrity(&self) -> u32 {
        self.percent(self.loss.map_or(0, LossShare::decided))
    }

    fn percent(&self, count: u64) -> u32 {
        let expected = u128::from(self.expected.max(1));
        let percent = u128::from(count).saturating_mul(100).checked_div(expected).unwrap_or(0);
        u32::try_from(percent.min(100)).unwrap_or(100)
    }
}

impl TeDelays {
    fn halved(self) -> Self {
        let Self { count, min, avg, max } = self;
        Self { count, min: half(min), avg: half(avg), max: half(max) }
    }
}

fn delays(summary: &DelaySummary) -> Option<TeDelays> {
    Some(TeDelays {
        count: summary.count,
        min: summary.min?,
        avg: summary.mean?,
        max: summary.max?,
    })
}

const fn magnitude(summary: &VariationSummary) -> Option<TimeDelta> {
    summary.mean_magnitude
}

const fn half(delay: TimeDelta) -> TimeDelta {
    TimeDelta::from_ns(delay.ns().div_euclid(2))
}
