//! `delay-threshold` and `loss-threshold`: what a session is held against.

use std::time::Duration;

use stamp_config::document::{Problem, Section};
use stamp_config::quantity::LinkDelay;
use stamp_config::{Form, Setting};
use stamp_proto::time::TimeDelta;
use stamp_session::sender::{ByDirection, Combine, DelayThreshold, LossThreshold, Thresholds};

/// Which way a value is measured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// From here to the far end.
    Forward,
    /// From the far end to here.
    Backward,
    /// There and back.
    #[default]
    RoundTrip,
}

impl Direction {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::RoundTrip => "round-trip",
        }
    }
}

impl Setting for Direction {
    const EXPECTED: &'static str = "forward, backward or round-trip";
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "forward" => Self::Forward,
            "backward" => Self::Backward,
            "round-trip" => Self::RoundTrip,
            _ => return None,
        })
    }
}

/// `delay-threshold`: TH, absolute and in percent, and M.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelayLimits {
    /// Longest delay on the way there.
    pub forward: Option<Duration>,
    /// Longest delay on the way back.
    pub backward: Option<Duration>,
    /// Longest round trip.
    pub round_trip: Option<Duration>,
    /// How far above the smallest delay of the window before, in percent.
    pub percent: Option<u32>,
    /// Both of the limits have to be exceeded where there are two, not one of them.
    pub all: bool,
    /// M: so many samples in a row.
    pub count: u32,
}

/// A share above something, in percent.
pub(super) struct Percent(pub(super) u32);

impl Setting for Percent {
    const EXPECTED: &'static str = "percent from 1 to 100000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|percent| (1..=100_000).contains(percent)).map(Self)
    }
}

/// How many in a row.
struct InARow(u32);

impl Setting for InARow {
    const EXPECTED: &'static str = "a count from 1 to 1000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1..=1_000).contains(count)).map(Self)
    }
}

/// How two limits go together.
struct All(bool);

impl Setting for All {
    const EXPECTED: &'static str = "any or all";
    fn read(text: &str) -> Option<Self> {
        match text {
            "any" => Some(Self(false)),
            "all" => Some(Self(true)),
            _ => None,
        }
    }
}

impl DelayLimits {
    fn threshold(&self, limit: Option<Duration>, percent_alone: bool) -> Option<DelayThreshold> {
        let combine = if self.all { Combine::All } else { Combine::Any };
        let limit = limit.and_then(|limit| i64::try_from(limit.as_nanos()).ok());
        let limit = limit.map(TimeDelta::from_ns);
        let threshold = match (limit, self.percent) {
            (Some(limit), Some(percent)) => {
                DelayThreshold::both(limit, percent, combine, self.count)
            }
            (Some(limit), None) => DelayThreshold::absolute(limit, self.count),
            (None, Some(percent)) if percent_alone => DelayThreshold::percent(percent, self.count),
            (None, _) => return None,
        };
        // Reading it has let nothing through that the engine refuses.
        threshold.ok()
    }

    /// What a section says of delay.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        const KEY: &str = "delay-threshold";
        let limits = section.section(KEY, |table| {
            let limit = |key| table.get(key).map(|limit: LinkDelay| limit.0);
            Self {
                forward: limit("forward"),
                backward: limit("backward"),
                round_trip: limit("round-trip"),
                percent: table.get("percent").map(|percent: Percent| percent.0),
                all: table.get("combine").is_some_and(|all: All| all.0),
                count: table.get("count").map_or(1, |count: InARow| count.0),
            }
        })?;
        let none = [limits.forward, limits.backward, limits.round_trip].iter().all(Option::is_none);
        if none && limits.percent.is_none() {
            let reason = "no limit: give forward, backward, round-trip or percent".to_owned();
            section.problem(KEY, Problem::Contradiction { reason });
        }
        Some(limits)
    }
}

/// `loss-threshold`: X of Y.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossLimit {
    /// X: so many lost.
    pub lost: u32,
    /// Y: among so many probes.
    pub of: u32,
    /// Where they are lost.
    pub direction: Direction,
}

/// Probes that are looked back on.
struct Probes(u32);

impl Setting for Probes {
    const EXPECTED: &'static str = "a count from 1 to 100000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1..=100_000).contains(count)).map(Self)
    }
}

impl Setting for LossLimit {
    const EXPECTED: &'static str = "LOST/PROBES, such as 3/100, of at most 100000 probes, or \
                                    { lost = 3, of = 100, direction = \"round-trip\" }";
    fn read(text: &str) -> Option<Self> {
        let (lost, of) = text.split_once('/')?;
        let (lost, of) = (Probes::read(lost.trim())?.0, Probes::read(of.trim())?.0);
        (lost <= of).then_some(Self { lost, of, direction: Direction::RoundTrip })
    }
}

impl LossLimit {
    /// What a section says of loss.
    pub(super) fn read_from(section: &Section<'_>) -> Option<Self> {
        const KEY: &str = "loss-threshold";
        if !section.is_table(KEY) {
            return section.get(KEY);
        }
        let limit = section.section(KEY, |table| {
            let count = |key| table.require(key).map(|count: Probes| count.0);
            let direction = table.get("direction").unwrap_or_default();
            let (lost, of) = (count("lost"), count("of"));
            Some(Self { lost: lost?, of: of?, direction })
        })??;
        if limit.lost > limit.of {
            let reason = format!("{} of {} can never be lost", limit.lost, limit.of);
            section.problem(KEY, Problem::Contradiction { reason });
        }
        Some(limit)
    }
}

/// What an engine is to watch for these limits.
///
/// A percentage goes with every absolute limit; alone, it is a limit of every direction.
pub(super) fn of(delay: Option<&DelayLimits>, loss: Option<LossLimit>) -> Option<Thresholds> {
    let mut thresholds = Thresholds::default();
    if let Some(limits) = delay {
        let alone =
            [limits.forward, limits.backward, limits.round_trip].iter().all(Option::is_none);
        let threshold = |limit: Option<Duration>| limits.threshold(limit, alone);
        thresholds.delay = ByDirection {
            forward: threshold(limits.forward),
            backward: threshold(limits.backward),
            round_trip: threshold(limits.round_trip),
        };
    }
    if let Some(limit) = loss {
        // Reading it has let nothing through that the engine refuses.
        let threshold = LossThreshold::new(limit.lost, limit.of).ok();
        match limit.direction {
            Direction::Forward => thresholds.loss.forward = threshold,
            Direction::Backward => thresholds.loss.backward = threshold,
            Direction::RoundTrip => thresholds.loss.round_trip = threshold,
        }
    }
    (!thresholds.is_empty()).then_some(thresholds)
}
