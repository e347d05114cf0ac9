//! The three delays of a session as they are drawn.

use super::read::SavedSession;
use crate::output::duration::delay;
use crate::output::histogram::{Cell, HistogramRecord};
use crate::output::series::{SpreadRecord, StepRecord};

/// A one-way delay this many times the round trip can only be an offset between clocks.
const IMPLAUSIBLE: i64 = 3;

/// One of the three delays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// There.
    Forward,
    /// Back.
    Backward,
    /// Both.
    RoundTrip,
}

impl Which {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Forward, Self::Backward, Self::RoundTrip];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::RoundTrip => "round trip",
        }
    }

    /// Its values in a step.
    #[must_use]
    pub const fn of_step(self, step: &StepRecord) -> Option<SpreadRecord> {
        match self {
            Self::Forward => step.delay_ns.forward,
            Self::Backward => step.delay_ns.backward,
            Self::RoundTrip => step.delay_ns.round_trip,
        }
    }

    fn histogram(self, session: &SavedSession) -> &HistogramRecord {
        match self {
            Self::Forward => &session.histogram.forward,
            Self::Backward => &session.histogram.backward,
            Self::RoundTrip => &session.histogram.round_trip,
        }
    }
}

/// One delay as it is drawn.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Which of the three.
    pub which: Which,
    /// What is taken off every value: the smallest, when the clocks are so far apart that the
    /// values themselves mean nothing.
    pub offset: i64,
    /// One-way values that nobody vouches for.
    pub doubtful: bool,
}

impl Curve {
    /// The three curves of a session; none when nothing was answered.
    #[must_use]
    pub fn all(session: &SavedSession) -> Vec<Self> {
        let doubtful =
            session.record.as_ref().is_some_and(|record| !record.clock.one_way.synchronized);
        Which::ALL
            .into_iter()
            .filter(|which| which.histogram(session).count() > 0)
            .map(|which| Self {
                which,
                offset: offset(which, session),
                doubtful: doubtful && which != Which::RoundTrip,
            })
            .collect()
    }

    /// Its name, marked when nobody vouches for it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", self.which.name(), if self.doubtful { "?" } else { "" })
    }

    /// Its name, and above which value it is shown.
    #[must_use]
    pub fn label(&self) -> String {
        if self.offset == 0 {
            return self.name();
        }
        format!("{} above {}", self.name(), delay(self.offset))
    }

    /// Its distribution, smallest first.
    #[must_use]
    pub fn cells(&self, session: &SavedSession) -> Vec<Cell> {
        let shifted = |cell: &Cell| Cell(cell.0 - self.offset, cell.1 - self.offset, cell.2);
        self.which.histogram(session).cells.iter().map(shifted).collect()
    }

    /// Its values in a step.
    #[must_use]
    pub fn at(&self, step: &StepRecord) -> Option<SpreadRecord> {
        let spread = self.which.of_step(step)?;
        Some(SpreadRecord {
            min: spread.min - self.offset,
            mean: spread.mean - self.offset,
            max: spread.max - self.offset,
        })
    }
}

/// Zero, or the smallest value of a one-way delay that is an offset between clocks.
fn offset(which: Which, session: &SavedSession) -> i64 {
    if which == Which::RoundTrip {
        return 0;
    }
    let one_way = [&session.histogram.forward, &session.histogram.backward];
    let round_trip = session.histogram.round_trip.median().unwrap_or(0).max(1);
    let apart = one_way.iter().any(|histogram| {
        let smallest = histogram.cells.first().map_or(0, |cell| cell.0);
        let median = histogram.median().unwrap_or(0);
        smallest < -round_trip || median > round_trip.saturating_mul(IMPLAUSIBLE)
    });
    if !apart {
        return 0;
    }
    let smallest = session.series.steps.iter().filter_map(|step| which.of_step(step));
    smallest.map(|spread| spread.min).min().unwrap_or(0)
}
