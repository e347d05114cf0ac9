//! Where thresholds stand, as plain data.

use stamp_proto::time::TimeDelta;

use super::{ByDirection, DelayThreshold, LossThreshold, ThresholdState};

/// Every threshold of a session; `None` where there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ThresholdReport {
    /// On delay.
    pub delay: ByDirection<Option<DelayThresholdReport>>,
    /// On loss.
    pub loss: ByDirection<Option<LossThresholdReport>>,
}

/// How often a threshold was crossed, each way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Transitions {
    /// It was exceeded.
    pub exceeded: u64,
    /// It was cleared.
    pub cleared: u64,
}

impl Transitions {
    pub(super) fn add(&mut self, exceeded: bool) {
        let count = if exceeded { &mut self.exceeded } else { &mut self.cleared };
        *count = count.saturating_add(1);
    }
}

/// One threshold on delay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DelayThresholdReport {
    /// What was configured.
    pub threshold: DelayThreshold,
    /// What it comes to now; `None` while a percentage has no reference.
    pub limit: Option<TimeDelta>,
    /// Smallest delay of the previous window, which percentages are of.
    pub reference: Option<TimeDelta>,
    /// Where the latest samples stand.
    pub state: ThresholdState,
    /// The latest notification said "exceeded". It stays in force while samples are withheld.
    pub latched: bool,
    /// How often it was crossed.
    pub transitions: Transitions,
    /// Samples that were compared with nothing, as clocks were not synchronised.
    pub withheld: u64,
}

/// One threshold on loss.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossThresholdReport {
    /// What was configured.
    pub threshold: LossThreshold,
    /// Losses among the probes it looks back on.
    pub lost: u32,
    /// How many those are; fewer than configured at first.
    pub decided: u32,
    /// Where they stand.
    pub state: ThresholdState,
    /// The latest notification said "exceeded".
    pub latched: bool,
    /// How often it was crossed.
    pub transitions: Transitions,
}

impl LossThresholdReport {
    /// The limit as a share of probes.
    #[must_use]
    pub fn limit_ratio(&self) -> f64 {
        f64::from(self.threshold.lost()) / f64::from(self.threshold.of())
    }
}
