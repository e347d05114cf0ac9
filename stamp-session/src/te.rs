//! Measured values for path computation: what routers advertise of a link, and when (RFC 8570).
//!
//! Windows of measurement go in, announcements come out. Routers flood what they are told and compute
//! all paths anew, so a value is advertised when it changed enough and long enough after the one
//! before, at once when it changed much, and never from a window that is thin. Each sub-TLV is
//! announced on its own.

mod advertiser;
mod config;
mod damper;
mod units;
mod window;

pub use advertiser::{TeAdvertisement, TeAdvertiser, TeState, TeValues};
pub use config::{TeAnomaly, TeConfig, TeConfigError, TeDelta, TeMinMax, TeRule};
pub use units::{TeDelay, TeLoss};
pub use window::{TeDelays, TeMode, TeWindow};

use crate::statistics::{Counts, Reason};

/// A sub-TLV of IS-IS; OSPF and BGP-LS have the same ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TeSubTlv {
    /// Unidirectional Link Delay: the average (RFC 8570 §4.1).
    Delay,
    /// Min/Max Unidirectional Link Delay (RFC 8570 §4.2).
    MinMaxDelay,
    /// Unidirectional Delay Variation (RFC 8570 §4.3).
    DelayVariation,
    /// Unidirectional Link Loss (RFC 8570 §4.4).
    Loss,
}

impl TeSubTlv {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::MinMaxDelay => "min_max_delay",
            Self::DelayVariation => "delay_variation",
            Self::Loss => "loss",
        }
    }
}

/// One value of a sub-TLV.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TeMetric {
    /// Smallest delay.
    Min,
    /// Average delay.
    Avg,
    /// Largest delay.
    Max,
    /// Average delay variation.
    Variation,
    /// Loss.
    Loss,
}

/// Why something is announced.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TeReason {
    /// Nothing was advertised.
    First,
    /// The value moved, and the announcement before is long enough ago.
    Periodic(TeMetric),
    /// The value moved far, or below its lower bound.
    Accelerated(TeMetric),
    /// It rose above its upper bound: the A bit is set.
    Anomaly,
    /// It was below the reuse threshold long enough: the A bit is cleared.
    Reuse,
    /// Nothing was measured for too long: it is withdrawn.
    Timeout,
    /// It is not wanted any more: it is withdrawn.
    Unconfigured,
}

impl Reason for TeReason {
    const ALL: &'static [Self] = &[
        Self::First,
        Self::Periodic(TeMetric::Min),
        Self::Periodic(TeMetric::Avg),
        Self::Periodic(TeMetric::Max),
        Self::Periodic(TeMetric::Variation),
        Self::Periodic(TeMetric::Loss),
        Self::Accelerated(TeMetric::Min),
        Self::Accelerated(TeMetric::Avg),
        Self::Accelerated(TeMetric::Max),
        Self::Accelerated(TeMetric::Variation),
        Self::Accelerated(TeMetric::Loss),
        Self::Anomaly,
        Self::Reuse,
        Self::Timeout,
        Self::Unconfigured,
    ];

    fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Periodic(metric) => 1_usize.saturating_add(metric as usize),
            Self::Accelerated(metric) => 6_usize.saturating_add(metric as usize),
            Self::Anomaly => 11,
            Self::Reuse => 12,
            Self::Timeout => 13,
            Self::Unconfigured => 14,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Periodic(TeMetric::Min) => "periodic_min",
            Self::Periodic(TeMetric::Avg) => "periodic_avg",
            Self::Periodic(TeMetric::Max) => "periodic_max",
            Self::Periodic(TeMetric::Variation) => "periodic_variation",
            Self::Periodic(TeMetric::Loss) => "periodic_loss",
            Self::Accelerated(TeMetric::Min) => "accelerated_min",
            Self::Accelerated(TeMetric::Avg) => "accelerated_avg",
            Self::Accelerated(TeMetric::Max) => "accelerated_max",
            Self::Accelerated(TeMetric::Variation) => "accelerated_variation",
            Self::Accelerated(TeMetric::Loss) => "accelerated_loss",
            Self::Anomaly => "anomaly",
            Self::Reuse => "reuse",
            Self::Timeout => "timeout",
            Self::Unconfigured => "unconfigured",
        }
    }
}

/// Announcements by reason.
pub type TeCounts = Counts<TeReason, 15>;

#[cfg(test)]
mod tests;
