//! Delay against an absolute limit, and against what it was in the window before.

use stamp_proto::time::TimeDelta;

use super::latch::{Latch, Run};
use super::report::DelayThresholdReport;
use super::{DelayThreshold, MeasuredDirection, ThresholdState};
use crate::clock::Now;

/// Delay crossed its threshold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DelayChange {
    /// Which delay.
    pub direction: MeasuredDirection,
    /// Where it is: [`ThresholdState::Exceeded`], or not any more.
    pub to: ThresholdState,
    /// Which limit the latest sample exceeds; none after it was cleared.
    pub criterion: Option<DelayCriterion>,
    /// When it was noticed.
    pub at: Now,
    /// Delay of the latest sample.
    pub value: TimeDelta,
    /// What it was compared with.
    pub limit: TimeDelta,
    /// Samples in a row that led here.
    pub run: u32,
    /// First of them.
    pub first: u32,
    /// Last of them.
    pub last: u32,
    /// Both clocks were synchronised.
    pub clock_synchronized: bool,
}

impl DelayChange {
    /// Where it was.
    #[must_use]
    pub const fn from(&self) -> ThresholdState {
        self.to.before()
    }
}

/// Which of two limits is exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DelayCriterion {
    /// The absolute one.
    Absolute,
    /// The percentage.
    Percent,
    /// Both.
    Both,
}

impl DelayCriterion {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Absolute => "absolute_limit",
            Self::Percent => "percent_limit",
            Self::Both => "both_limits",
        }
    }
}

/// Delay of one sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) sequence: u32,
    pub(super) delay: TimeDelta,
    pub(super) synchronized: bool,
    pub(super) at: Now,
}

/// Watches one delay.
#[derive(Clone, Copy, Debug)]
pub(super) struct DelayWatch {
    direction: MeasuredDirection,
    threshold: DelayThreshold,
    latch: Latch,
    reference: Option<TimeDelta>,
    /// Smallest of the window that is not complete yet.
    lowest: Option<TimeDelta>,
    latest: ThresholdState,
    withheld: u64,
}

impl DelayWatch {
    pub(super) const fn new(direction: MeasuredDirection, threshold: DelayThreshold) -> Self {
        Self {
            direction,
            threshold,
            latch: Latch::new(threshold.count()),
            reference: None,
            lowest: None,
            latest: ThresholdState::NoValue,
            withheld: 0,
        }
    }

    /// Compares one sample; the change, if it made one.
    pub(super) fn observe(&mut self, sample: Measured) -> Option<DelayChange> {
        if self.direction.is_one_way() && !sample.synchronized {
            self.latest = ThresholdState::Withheld;
            self.withheld = self.withheld.saturating_add(1);
            return None;
        }
        let lowest = self.lowest.unwrap_or(sample.delay);
        self.lowest = Some(lowest.min(sample.delay));
        let Some(limit) = self.limit() else {
            self.latest = ThresholdState::NoValue;
            return None;
        };
        let run = self.latch.observe(sample.sequence, sample.delay > limit);
        self.latest = ThresholdState::after(self.latch.is_latched());
        Some(self.change(run?, sample, limit))
    }

    pub(super) const fn threshold(&self) -> DelayThreshold {
        self.threshold
    }

    pub(super) const fn close_window(&mut self) {
        // A window without a value leaves the reference of the one before.
        if let Some(lowest) = self.lowest.take() {
            self.reference = Some(lowest);
        }
    }

    pub(super) fn begin_anew(&mut self) {
        self.reference = None;
        self.lowest = None;
        self.latch.interrupt();
    }

    pub(super) fn report(&self) -> DelayThresholdReport {
        DelayThresholdReport {
            threshold: self.threshold,
            limit: self.limit(),
            reference: self.reference,
            state: self.latest,
            latched: self.latch.is_latched(),
            transitions: self.latch.transitions(),
            withheld: self.withheld,
        }
    }

    fn limit(&self) -> Option<TimeDelta> {
        self.threshold.effective_limit(self.reference)
    }

    fn change(&self, run: Run, sample: Measured, limit: TimeDelta) -> DelayChange {
        DelayChange {
            direction: self.direction,
            to: ThresholdState::after(run.exceeds),
            criterion: self.criterion(sample.delay),
            at: sample.at,
            value: sample.delay,
            limit,
            run: run.samples,
            first: run.first,
            last: run.last,
            clock_synchronized: sample.synchronized,
        }
    }

    /// After clearing, one of two limits may still be exceeded; that is no reason any more.
    fn criterion(&self, delay: TimeDelta) -> Option<DelayCriterion> {
        let exceeds = |limit: Option<TimeDelta>| limit.is_some_and(|limit| delay > limit);
        let absolute = exceeds(self.threshold.limit());
        let percent = exceeds(self.threshold.relative_limit(self.reference));
        match (absolute, percent) {
            _ if !self.latch.is_latched() => None,
            (true, true) => Some(DelayCriterion::Both),
            (true, false) => Some(DelayCriterion::Absolute),
            (false, true) => Some(DelayCriterion::Percent),
            (false, false) => None,
        }
    }

    /// As if the window had this smallest delay, without a sample that is compared.
    #[cfg(test)]
    pub(super) const fn set_lowest(&mut self, delay: TimeDelta) {
        self.lowest = Some(delay);
    }

    /// Samples in a row that exceed the limit.
    #[cfg(test)]
    pub(super) const fn exceeding(&self) -> u32 {
        let run = self.latch.run();
        if run.exceeds { run.samples } else { 0 }
    }
}
