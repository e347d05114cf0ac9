//! What a check is held against, and what a session measured of it.

use std::fmt;
use std::str::FromStr;

use stamp_config::Setting;
use stamp_config::quantity::{Ratio, duration_with_unit};
use stamp_proto::time::TimeDelta;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot};

/// Which value of a session a limit is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// A statistic of the delay of a direction.
    Delay(Direction, Statistic),
    /// Share of probes lost.
    Loss(Direction),
}

/// A direction of measurement.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From here to the far end.
    Forward,
    /// From the far end to here.
    Backward,
    /// There and back.
    RoundTrip,
}

/// Which of many delays.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Statistic {
    /// The smallest.
    Min,
    /// Their mean.
    Mean,
    /// Half of them are not larger.
    P50,
    /// 95 % of them are not larger.
    P95,
    /// 99 % of them are not larger.
    P99,
    /// The largest.
    Max,
}

const STATISTICS: [(&str, Statistic); 6] = [
    ("min", Statistic::Min),
    ("mean", Statistic::Mean),
    ("p50", Statistic::P50),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
    ("max", Statistic::Max),
];

impl Subject {
    fn read(text: &str) -> Option<Self> {
        match text {
            "loss" => return Some(Self::Loss(Direction::RoundTrip)),
            "forward-loss" => return Some(Self::Loss(Direction::Forward)),
            "backward-loss" => return Some(Self::Loss(Direction::Backward)),
            _ => {}
        }
        let statistic = |name| STATISTICS.iter().find(|(known, _)| *known == name);
        let (direction, statistic) = match text
            .rsplit_once('-')
            .zip(text.rsplit_once('-').and_then(|(_, last)| statistic(last)))
        {
            Some(((direction, _), (_, statistic))) => (direction, *statistic),
            None => (text, Statistic::P50),
        };
        let direction = match direction {
            "delay" | "round-trip" => Direction::RoundTrip,
            "forward" => Direction::Forward,
            "backward" => Direction::Backward,
            _ => return None,
        };
        Some(Self::Delay(direction, statistic))
    }

    /// What a session measured of it; `None` where that is not known.
    pub fn measured(self, session: &SessionSnapshot) -> Option<f64> {
        match self {
            Self::Delay(direction, statistic) => {
                if direction != Direction::RoundTrip && !session.clock.synchronized {
                    return None;
                }
                let summary = match direction {
                    Direction::Forward => &session.delay.forward,
                    Direction::Backward => &session.delay.backward,
                    Direction::RoundTrip => &session.delay.round_trip,
                };
                statistic.of(summary).map(|delay| delay.ns() as f64 / 1e9)
            }
            Self::Loss(Direction::RoundTrip) => session.packets.loss_ratio(),
            Self::Loss(Direction::Forward) => {
                session.packets.direction_ratio(session.packets.lost.forward)
            }
            Self::Loss(Direction::Backward) => {
                session.packets.direction_ratio(session.packets.lost.backward)
            }
        }
    }

    /// Why it may be unknown although probes were answered.
    pub const fn unknown_because(self) -> &'static str {
        match self {
            Self::Delay(..) => "the clocks are not synchronized",
            Self::Loss(_) => "only a stateful reflector tells",
        }
    }

    /// A value of it as people read it.
    pub fn words(self, value: f64) -> String {
        match self {
            Self::Delay(..) => crate::output::duration::delay((value * 1e9).round() as i64),
            Self::Loss(_) => format!("{}%", (value * 1e6).round() / 1e4),
        }
    }

    /// The unit of its performance data.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Delay(..) => "s",
            Self::Loss(_) => "%",
        }
    }

    /// A value of it in that unit.
    pub fn in_unit(self, value: f64) -> f64 {
        match self {
            Self::Delay(..) => value,
            Self::Loss(_) => value * 100.0,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = |direction: &Direction| match direction {
            Direction::Forward => "forward",
            Direction::Backward => "backward",
            Direction::RoundTrip => "round-trip",
        };
        match self {
            Self::Delay(way, statistic) => {
                let name = STATISTICS.iter().find(|(_, known)| known == statistic);
                write!(f, "{}-{}", direction(way), name.map_or("", |(name, _)| name))
            }
            Self::Loss(Direction::RoundTrip) => f.write_str("loss"),
            Self::Loss(way) => write!(f, "{}-loss", direction(way)),
        }
    }
}

impl Statistic {
    const fn of(self, summary: &DelaySummary) -> Option<TimeDelta> {
        match self {
            Self::Min => summary.min,
            Self::Mean => summary.mean,
            Self::P50 => summary.p50,
            Self::P95 => summary.p95,
            Self::P99 => summary.p99,
            Self::Max => summary.max,
        }
    }
}

/// What a limit may be about, as it completes "expected …".
const KEYS: &str = "delay (the round trip), forward or backward, each with -min, -mean, -p50 (the default), -p95, \
                    -p99 or -max behind it, or loss, forward-loss or backward-loss";

/// Limits by what they are about, in seconds or as a share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits(Vec<(Subject, f64)>);

impl Limits {
    /// The limit of a subject.
    pub fn of(&self, subject: Subject) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == subject).map(|(_, limit)| *limit)
    }

    /// What they are about.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.0.iter().map(|(subject, _)| *subject)
    }
}

impl FromStr for Limits {
    type Err = String;

    /// Reads `KEY=LIMIT`, separated by commas; what is wrong is told of the first part that is.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut limits: Vec<(Subject, f64)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (subject, limit) = limit(part)?;
            if limits.iter().any(|(known, _)| *known == subject) {
                return Err(format!("{part}: {subject} has a limit already"));
            }
            limits.push((subject, limit));
        }
        Ok(Self(limits))
    }
}

/// One `KEY=LIMIT`.
fn limit(part: &str) -> Result<(Subject, f64), String> {
    let expected = || {
        format!("\"{part}\": expected KEY=LIMIT, separated by commas, such as delay=10ms,loss=0.5%")
    };
    let (key, limit) = part.split_once('=').ok_or_else(expected)?;
    let (key, limit) = (key.trim(), limit.trim());
    let subject = Subject::read(key).ok_or_else(|| format!("\"{key}\": expected {KEYS}"))?;
    let (read, form) = match subject {
        Subject::Delay(..) => (
            duration_with_unit(limit).map(|limit| limit.as_secs_f64()),
            "a duration with its unit, such as 10ms",
        ),
        Subject::Loss(_) => {
            (Ratio::read(limit).map(|limit| f64::from(limit.billionths()) / 1e9), Ratio::EXPECTED)
        }
    };
    Ok((subject, read.ok_or_else(|| format!("{part}: expected {form}"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_about_a_statistic_of_a_direction_or_a_loss() {
        let limits =
            "delay=10ms, forward-p99=20ms,loss=0.5%,backward-loss=1%".parse::<Limits>().unwrap();
        let names: Vec<String> = limits.subjects().map(|subject| subject.to_string()).collect();
        assert_eq!(names, ["round-trip-p50", "forward-p99", "loss", "backward-loss"]);
        let delay = Subject::Delay(Direction::RoundTrip, Statistic::P50);
        assert_eq!(limits.of(delay), Some(0.01));
        assert_eq!(limits.of(Subject::Loss(Direction::RoundTrip)), Some(0.005));
        assert_eq!(limits.of(Subject::Loss(Direction::Forward)), None);
    }

    #[test]
    fn what_is_no_limit_is_refused_and_named() {
        for (text, said) in [
            ("", "\"\": expected KEY=LIMIT"),
            ("loss=1%,delay", "\"delay\": expected KEY=LIMIT"),
            ("delay=10", "delay=10: expected a duration with its unit"),
            ("delay=10%", "delay=10%: expected a duration with its unit"),
            ("delay=1ms, loss=5ms", "loss=5ms: expected a share from 0% to 100%"),
            ("loss=5", "loss=5: expected a share from 0% to 100%"),
            ("loss=1%,delay-p98=1ms", "\"delay-p98\": expected delay (the round trip), forward"),
            ("speed=1ms", "\"speed\": expected delay (the round trip), forward"),
            ("delay=1ms,delay=2ms", "delay=2ms: round-trip-p50 has a limit already"),
            ("delay=1ms,round-trip-p50=2ms", "round-trip-p50=2ms: round-trip-p50 has a limit"),
            ("delay=1ms,", "\"\": expected KEY=LIMIT"),
        ] {
            let error = text.parse::<Limits>().unwrap_err();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_reads_as_people_say_it() {
        let loss = Subject::Loss(Direction::RoundTrip);
        assert_eq!(loss.words(0.005), "0.5%");
        assert_eq!(loss.in_unit(0.005), 0.5);
        let delay = Subject::Delay(Direction::Forward, Statistic::Max);
        assert_eq!(delay.words(0.0123), "12.3ms");
    }
}
