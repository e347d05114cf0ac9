//! What can be asked of a path.

use core::fmt;
use core::time::Duration;

use stamp_document::quantity::Ratio;

/// Billionths of the whole.
const WHOLE: i128 = 1_000_000_000;

/// Which way something is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From the headend.
    Forward,
    /// Back to it.
    Backward,
    /// There and back.
    RoundTrip,
}

/// Which of the delays of a window.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Quantile {
    /// Half of them are no longer.
    P50,
    /// 95 of a hundred are no longer.
    P95,
    /// 99 of a hundred are no longer.
    P99,
    /// None is longer.
    Max,
    /// Their mean.
    Mean,
}

/// Something that is measured of a path, of which less is better.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Measure {
    /// Delay.
    Delay(Direction, Quantile),
    /// Delay variation: mean of the change from packet to packet.
    Variation(Direction),
    /// Loss.
    Loss(Direction),
    /// Links.
    Hops,
}

impl Measure {
    /// All of them, as they are written.
    pub(crate) const WORDS: [(&'static str, Self); 22] = {
        use Direction::{Backward, Forward, RoundTrip};
        use Quantile::{Max, Mean, P50, P95, P99};
        [
            ("forward-p50", Self::Delay(Forward, P50)),
            ("forward-p95", Self::Delay(Forward, P95)),
            ("forward-p99", Self::Delay(Forward, P99)),
            ("forward-max", Self::Delay(Forward, Max)),
            ("forward-mean", Self::Delay(Forward, Mean)),
            ("backward-p50", Self::Delay(Backward, P50)),
            ("backward-p95", Self::Delay(Backward, P95)),
            ("backward-p99", Self::Delay(Backward, P99)),
            ("backward-max", Self::Delay(Backward, Max)),
            ("backward-mean", Self::Delay(Backward, Mean)),
            ("round-trip-p50", Self::Delay(RoundTrip, P50)),
            ("round-trip-p95", Self::Delay(RoundTrip, P95)),
            ("round-trip-p99", Self::Delay(RoundTrip, P99)),
            ("round-trip-max", Self::Delay(RoundTrip, Max)),
            ("round-trip-mean", Self::Delay(RoundTrip, Mean)),
            ("forward-variation", Self::Variation(Forward)),
            ("backward-variation", Self::Variation(Backward)),
            ("variation", Self::Variation(RoundTrip)),
            ("forward-loss", Self::Loss(Forward)),
            ("backward-loss", Self::Loss(Backward)),
            ("loss", Self::Loss(RoundTrip)),
            ("hops", Self::Hops),
        ]
    };

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words.find(|(_, measure)| *measure == self).map_or("", |(word, _)| word)
    }

    /// It is a delay.
    #[must_use]
    pub const fn is_delay(self) -> bool {
        matches!(self, Self::Delay(..))
    }

    /// It compares the clocks of both ends: a difference of the way there or back.
    #[must_use]
    pub const fn needs_clocks(self) -> bool {
        matches!(self, Self::Delay(Direction::Forward | Direction::Backward, _))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How much there is of a measure. Values of one measure can be compared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// Of a delay or its variation. One way it is below zero where clocks differ by more.
    Delay {
        /// In nanoseconds.
        ns: i64,
    },
    /// Of a loss.
    Share(Ratio),
    /// Of links.
    Count(u8),
}

impl Value {
    /// A delay.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self::Delay { ns: i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX) }
    }

    /// This value less a share of it: what is better by so much lies below.
    #[must_use]
    pub fn less(self, margin: Ratio) -> Self {
        let part = |whole: i64| {
            let kept = WHOLE - i128::from(margin.billionths());
            let kept = i128::from(whole) * kept / WHOLE;
            i64::try_from(kept).unwrap_or(whole)
        };
        match self {
            // Of what is below zero there is no share that is better.
            Self::Delay { ns } if ns <= 0 => self,
            Self::Delay { ns } => Self::Delay { ns: part(ns) },
            Self::Share(_) | Self::Count(_) => self.with_number(part(self.number())),
        }
    }

    /// Another value of the same kind, as close to the number as it has one.
    pub(crate) fn with_number(self, number: i64) -> Self {
        match self {
            Self::Delay { .. } => Self::Delay { ns: number },
            Self::Share(_) => {
                let billionths = u32::try_from(number).unwrap_or(0);
                Self::Share(Ratio::from_billionths(billionths).unwrap_or_default())
            }
            Self::Count(_) => Self::Count(u8::try_from(number).unwrap_or(u8::MAX)),
        }
    }

    /// As a number: nanoseconds, billionths, links.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Delay { ns } => ns,
            Self::Share(share) => share.billionths().into(),
            Self::Count(count) => count.into(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay { ns } => {
                let sign = if *ns < 0 { "-" } else { "" };
                let text = format!("{:?}", Duration::from_nanos(legible(ns.unsigned_abs())));
                write!(f, "{sign}{}", text.replace('µ', "u"))
            }
            Self::Share(share) => legible_share(*share).fmt(f),
            Self::Count(count) => count.fmt(f),
        }
    }
}

/// From a millisecond on nobody reads nanoseconds.
const fn legible(ns: u64) -> u64 {
    if ns < 1_000_000 { ns } else { ns.saturating_add(500) / 1_000 * 1_000 }
}

/// From a thousandth on nobody reads more than a hundred-thousandth.
fn legible_share(share: Ratio) -> Ratio {
    let billionths = share.billionths();
    let rounded = billionths.saturating_add(5_000) / 10_000 * 10_000;
    if billionths < 1_000_000 { share } else { Ratio::from_billionths(rounded).unwrap_or(share) }
}

/// A limit: exactly it is met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Requirement {
    /// Of what.
    pub measure: Measure,
    /// The most there may be.
    pub limit: Value,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of at most {}", self.measure, self.limit)
    }
}
