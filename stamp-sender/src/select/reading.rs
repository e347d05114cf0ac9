//! What the series of one session say.

use std::collections::BTreeMap;
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_metrics::catalogue::{
    DOWN, RUNNING, TE_DELAY_MIN, TE_DERIVED, TE_LOSS, UP, WINDOW_CLOCK_ERROR, WINDOW_DECIDED,
    WINDOW_DELAY, WINDOW_DELAY_MAX, WINDOW_DELAY_MEAN, WINDOW_END, WINDOW_INTEGRITY, WINDOW_LOSS,
    WINDOW_SYNCHRONIZED, WINDOW_VARIATION_MEAN,
};
use stamp_path::class::{Direction, Measure, Quantile, Value};
use stamp_path::selection::{ClockTrust, ListState, Measured};
use stamp_proto::time::TimeDelta;
use stamp_session::sender::SessionState;
use stamp_session::te::TeSubTlv;

use super::answer::Sample;
use super::query::READING;
use crate::paths::{Known, LinkNews, share};
use crate::policies::Standing;

/// The latest of each.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Figures that stand alone, by the names of their metrics.
    figures: BTreeMap<String, f64>,
    /// Whether what is announced was taken from the round trip, by what it is.
    derived: BTreeMap<String, bool>,
    values: BTreeMap<Measure, Value>,
    /// When all of it was scraped, in seconds since 1970.
    scraped: Option<f64>,
}

impl Reading {
    pub(super) fn take(&mut self, sample: &Sample) {
        let value = sample.value;
        if !sample.label(READING).is_empty() {
            self.scraped = Some(value);
            return;
        }
        let name = sample.label("__name__");
        let direction = direction(sample.label("direction"));
        let measure = |measure: fn(Direction) -> Measure| direction.map(measure);
        let measured = if name == WINDOW_DELAY.name {
            let quantile = quantile(sample.label("percentile"));
            direction.zip(quantile).map(|(way, quantile)| Measure::Delay(way, quantile))
        } else if name == WINDOW_DELAY_MEAN.name {
            measure(|way| Measure::Delay(way, Quantile::Mean))
        } else if name == WINDOW_DELAY_MAX.name {
            measure(|way| Measure::Delay(way, Quantile::Max))
        } else if name == WINDOW_VARIATION_MEAN.name {
            measure(Measure::Variation)
        } else if name == WINDOW_LOSS.name {
            measure(Measure::Loss)
        } else if name == TE_DERIVED.name {
            self.derived.insert(sample.label("sub_tlv").to_owned(), value > 0.0);
            return;
        } else {
            self.figures.insert(name.to_owned(), value);
            return;
        };
        let value = match measured {
            Some(Measure::Loss(_)) => Value::Share(share(value)),
            _ => Value::Delay { ns: nanoseconds(value) },
        };
        self.values.extend(measured.map(|measure| (measure, value)));
    }

    fn figure(&self, metric: &stamp_metrics::catalogue::Metric) -> Option<f64> {
        self.figures.get(metric.name).copied()
    }

    fn is(&self, metric: &stamp_metrics::catalogue::Metric) -> bool {
        self.figure(metric).is_some_and(|value| value > 0.0)
    }

    pub(super) fn is_running(&self) -> bool {
        self.is(&RUNNING)
    }

    /// When it was scraped, in seconds since 1970.
    pub(super) const fn scraped(&self) -> Option<f64> {
        self.scraped
    }

    /// When the latest window ended, in seconds since 1970.
    pub(super) fn end(&self) -> Option<f64> {
        self.figure(&WINDOW_END)
    }

    fn state(&self) -> SessionState {
        match (self.is(&UP), self.is(&DOWN)) {
            (_, true) => SessionState::Down,
            (true, false) => SessionState::Up,
            (false, false) => SessionState::Init,
        }
    }

    /// The same as a daemon has it; its window ended `at`.
    pub fn known(&self, at: Option<Duration>) -> Known {
        let error = self.figure(&WINDOW_CLOCK_ERROR);
        let window = at.map(|at| Measured {
            state: ListState::Up,
            at,
            samples: count(self.figure(&WINDOW_DECIDED)),
            integrity: integrity(self.figure(&WINDOW_INTEGRITY)),
            clock: ClockTrust {
                synchronized: self.is(&WINDOW_SYNCHRONIZED),
                error: error.map(|error| {
                    Duration::from_nanos(u64::try_from(nanoseconds(error)).unwrap_or(0))
                }),
            },
            values: self.values.clone(),
        });
        Known { state: self.state(), window }
    }

    /// What is announced of it.
    pub fn links(&self) -> [LinkNews; 2] {
        let is_one_way = |sub_tlv: TeSubTlv| self.derived.get(sub_tlv.label()) == Some(&false);
        let delay = self.figure(&TE_DELAY_MIN).filter(|_| is_one_way(TeSubTlv::MinMaxDelay));
        let loss = self.figure(&TE_LOSS).filter(|_| is_one_way(TeSubTlv::Loss));
        let delay = delay.and_then(|delay| u64::try_from(nanoseconds(delay)).ok());
        [LinkNews::Delay(delay.map(Duration::from_nanos)), LinkNews::Loss(loss.map(share))]
    }

    /// What it says of its list among others of its policy.
    pub fn standing(&self) -> Standing {
        let delay = |way| match self.values.get(&Measure::Delay(way, Quantile::Mean)) {
            Some(Value::Delay { ns }) => Some(*ns),
            _ => None,
        };
        let loss = |way| match self.values.get(&Measure::Loss(way)) {
            Some(Value::Share(share)) => Some(f64::from(share.billionths()) / 1e9),
            _ => None,
        };
        let forward = delay(Direction::Forward).filter(|_| self.is(&WINDOW_SYNCHRONIZED));
        let half = || delay(Direction::RoundTrip).map(|ns| ns.div_euclid(2));
        let loss = loss(Direction::Forward).or_else(|| loss(Direction::RoundTrip));
        Standing::new(self.state(), forward.or_else(half).map(TimeDelta::from_ns), loss)
    }
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "forward" => Some(Direction::Forward),
        "backward" => Some(Direction::Backward),
        "round_trip" => Some(Direction::RoundTrip),
        _ => None,
    }
}

fn quantile(percentile: &str) -> Option<Quantile> {
    match percentile {
        "50" => Some(Quantile::P50),
        "95" => Some(Quantile::P95),
        "99" => Some(Quantile::P99),
        _ => None,
    }
}

/// As many whole nanoseconds as there are in so many seconds.
#[expect(clippy::cast_possible_truncation, reason = "what is too long stays the longest")]
fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that a program told"
)]
fn count(value: Option<f64>) -> u64 {
    value.unwrap_or_default().max(0.0) as u64
}

/// Whole hundredths, as they were told.
fn integrity(ratio: Option<f64>) -> Ratio {
    share((ratio.unwrap_or_default() * 100.0).round() / 100.0)
}
