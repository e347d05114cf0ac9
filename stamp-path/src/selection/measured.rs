//! What is known of a list, and what follows from it.

use core::time::Duration;
use std::collections::BTreeMap;

use stamp_document::quantity::{Ratio, print_duration};

use crate::class::{Class, Measure, Requirement, Value};

/// Connectivity of a list, as its session has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ListState {
    /// No reply yet.
    #[default]
    Init,
    /// Replies arrive.
    Up,
    /// So many probes in a row were lost.
    Down,
}

/// How far one-way values can be trusted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ClockTrust {
    /// Both clocks are synchronised.
    pub synchronized: bool,
    /// Both error bounds together; none where nobody knows.
    pub error: Option<Duration>,
}

/// The latest window of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Connectivity.
    pub state: ListState,
    /// When the window was complete.
    pub at: Duration,
    /// Values in it.
    pub samples: u64,
    /// The same as a share of those expected.
    pub integrity: Ratio,
    /// Of both clocks.
    pub clock: ClockTrust,
    /// What was measured; what is missing is not known.
    pub values: BTreeMap<Measure, Value>,
}

/// Why what was measured says nothing.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unknown {
    #[error("nothing was measured yet")]
    Unmeasured,
    #[error("measured {} ago, at most {} ago counts", print_duration(*.age), print_duration(*.limit))]
    Stale { age: Duration, limit: Duration },
    #[error("the window has {integrity} of its values, less than {least}")]
    Thin { integrity: Ratio, least: Ratio },
    #[error("the window has {samples} values, fewer than {least}")]
    Few { samples: u64, least: u64 },
    #[error("{measure} needs synchronised clocks")]
    Clock { measure: Measure },
    #[error("clocks may differ by {}, too much for {requirement}", print_duration(*.error))]
    ClockError { error: Duration, requirement: Requirement },
    #[error("{measure} is not measured")]
    Missing { measure: Measure },
}

impl Unknown {
    /// Its name in metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unmeasured => "unmeasured",
            Self::Stale { .. } => "stale",
            Self::Thin { .. } | Self::Few { .. } => "thin",
            Self::Clock { .. } | Self::ClockError { .. } => "clock",
            Self::Missing { .. } => "missing",
        }
    }
}

/// A requirement that is not met, or not met by enough to come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} is {value}, {}", .requirement.measure, Needed(self))]
pub struct Violation {
    /// Which.
    pub requirement: Requirement,
    /// What was measured.
    pub value: Value,
    /// What would be good enough: the limit, or less where the limit was exceeded before.
    pub needed: Value,
}

struct Needed<'v>(&'v Violation);

impl core::fmt::Display for Needed<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Violation { requirement: Requirement { limit, .. }, needed, .. } = self.0;
        if needed == limit {
            write!(f, "at most {limit} is allowed")
        } else {
            write!(f, "{needed} or less is waited for since it was above {limit}")
        }
    }
}

/// What follows from what is known of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Every requirement is met.
    Good,
    /// One is not.
    Violates(Violation),
    /// Nobody can tell.
    Unknown(Unknown),
    /// It leads nowhere.
    Down,
}

/// Judges a list. What `has_violated` a requirement must be better than its limit by the margin.
pub(super) fn judge(
    class: &Class,
    measured: Option<&Measured>,
    now: Duration,
    has_violated: bool,
) -> Verdict {
    let Some(measured) = measured else { return Verdict::Unknown(Unknown::Unmeasured) };
    match measured.state {
        ListState::Down => return Verdict::Down,
        ListState::Init => return Verdict::Unknown(Unknown::Unmeasured),
        ListState::Up => {}
    }
    if let Some(unknown) = doubt(class, measured, now) {
        return Verdict::Unknown(unknown);
    }
    let mut missing = None;
    for requirement in &class.require {
        match known(class, measured, *requirement) {
            Ok(value) => {
                let limit = requirement.limit;
                let needed = if has_violated { limit.less(class.damping.margin) } else { limit };
                if value > needed {
                    let requirement = *requirement;
                    return Verdict::Violates(Violation { requirement, value, needed });
                }
            }
            Err(unknown) => missing = missing.or(Some(unknown)),
        }
    }
    missing.map_or(Verdict::Good, Verdict::Unknown)
}

/// What is wrong with the whole window.
fn doubt(class: &Class, measured: &Measured, now: Duration) -> Option<Unknown> {
    let trust = &class.trust;
    let age = now.saturating_sub(measured.at);
    if age > trust.age {
        return Some(Unknown::Stale { age, limit: trust.age });
    }
    if measured.samples < trust.samples {
        return Some(Unknown::Few { samples: measured.samples, least: trust.samples });
    }
    let (integrity, least) = (measured.integrity, trust.integrity);
    (integrity < least).then_some(Unknown::Thin { integrity, least })
}

/// The value that a requirement is about, if it can be trusted.
fn known(class: &Class, measured: &Measured, requirement: Requirement) -> Result<Value, Unknown> {
    let measure = requirement.measure;
    let value = value(measured, measure)?;
    let Value::Delay { ns: limit } = requirement.limit else { return Ok(value) };
    let share = i128::from(limit) * i128::from(class.trust.clock_error.billionths());
    match measured.clock.error.filter(|_| measure.needs_clocks()) {
        Some(error) if error.as_nanos() * 1_000_000_000 > share.unsigned_abs() => {
            Err(Unknown::ClockError { error, requirement })
        }
        _ => Ok(value),
    }
}

/// A value, where it is there and clocks allow it.
pub(super) fn value(measured: &Measured, measure: Measure) -> Result<Value, Unknown> {
    if measure.needs_clocks() && !measured.clock.synchronized {
        return Err(Unknown::Clock { measure });
    }
    measured.values.get(&measure).copied().ok_or(Unknown::Missing { measure })
}
