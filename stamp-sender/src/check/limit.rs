//! What a check is held against, and what a session measured of it.

use std::fmt;

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

impl Setting for Limits {
    const EXPECTED: &'static str = "KEY=LIMIT, separated by commas, such as delay=10ms,loss=0.5%; keys: \
                                    delay (the round trip), forward and backward, each with -min, -mean, \
                                    -p50 (the default), -p95, -p99 or -max behind it, and loss, \
                                    forward-loss and backward-loss";
    fn read(text: &str) -> Option<Self> {
        let mut limits: Vec<(Subject, f64)> = Vec::new();
        for word in text.split(',') {
            let (key, limit) = word.trim().split_once('=')?;
            let subject = Subject::read(key.trim())?;
            let limit = match subject {
                Subject::Delay(..) => duration_with_unit(limit.trim())?.as_secs_f64(),
                Subject::Loss(_) => f64::from(Ratio::read(limit.trim())?.billionths()) / 1e9,
            };
            if limits.iter().any(|(known, _)| *known == subject) {
                return None;
            }
            limits.push((subject, limit));
        }
        Some(Self(limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_about_a_statistic_of_a_direction_or_a_loss() {
        let limits =
            Limits::read("delay=10ms, forward-p99=20ms,loss=0.5%,backward-loss=1%").unwrap();
        let names: Vec<String> = limits.subjects().map(|subject| subject.to_string()).collect();
        assert_eq!(names, ["round-trip-p50", "forward-p99", "loss", "backward-loss"]);
        let delay = Subject::Delay(Direction::RoundTrip, Statistic::P50);
        assert_eq!(limits.of(delay), Some(0.01));
        assert_eq!(limits.of(Subject::Loss(Direction::RoundTrip)), Some(0.005));
        assert_eq!(limits.of(Subject::Loss(Direction::Forward)), None);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "delay",
            "delay=10",
            "delay=10%",
            "loss=5ms",
            "loss=5",
            "delay-p98=1ms",
            "speed=1ms",
            "delay=1ms,delay=2ms",
            "delay=1ms,round-trip-p50=2ms",
            "delay=1ms,",
        ] {
            assert_eq!(Limits::read(text), None, "{text}");
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
