//! Delay, its variation and their quantiles, in nanoseconds.

use serde::{Deserialize, Serialize};

/// One thing for each direction.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Directions<T> {
    /// Towards the reflector.
    pub forward: T,
    /// Back from it.
    pub backward: T,
    /// Both, without the time inside the reflector.
    pub round_trip: T,
}

/// Delay of each direction, and the time between probe and reply inside the reflector.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct DelaysRecord {
    /// T2 - T1.
    pub forward: DelayRecord,
    /// T4 - T3.
    pub backward: DelayRecord,
    /// (T4 - T1) - (T3 - T2).
    pub round_trip: DelayRecord,
    /// T3 - T2.
    pub residence: DelayRecord,
}

/// A delay over many probes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct DelayRecord {
    /// Probes with a value.
    pub count: u64,
    /// Smallest value.
    pub min: Option<i64>,
    /// Mean.
    pub mean: Option<i64>,
    /// Median.
    pub p50: Option<i64>,
    /// 95 % are not larger.
    pub p95: Option<i64>,
    /// 99 % are not larger.
    pub p99: Option<i64>,
    /// 99.9 % are not larger.
    pub p99_9: Option<i64>,
    /// Largest value.
    pub max: Option<i64>,
    /// Standard deviation.
    pub stddev: Option<i64>,
    /// Values below zero, which only a wrong clock can make.
    pub negative: u64,
    /// Quantiles with lost probes as infinitely late (RFC 7679 §5.1); infinite is null.
    pub including_lost: QuantilesRecord,
}

/// Quantiles.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct QuantilesRecord {
    /// Median.
    pub p50: Option<i64>,
    /// 95 % are not larger.
    pub p95: Option<i64>,
    /// 99 % are not larger.
    pub p99: Option<i64>,
    /// 99.9 % are not larger.
    pub p99_9: Option<i64>,
}

/// Change of delay between probes that follow each other, signed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct VariationRecord {
    /// Pairs of probes.
    pub count: u64,
    /// Largest decrease.
    pub min: Option<i64>,
    /// Mean of the signed values.
    pub mean: Option<i64>,
    /// Largest increase.
    pub max: Option<i64>,
    /// Mean without signs.
    pub mean_magnitude: Option<i64>,
    /// Standard deviation.
    pub stddev: Option<i64>,
}

/// Delay above the smallest delay of the same period.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PdvRecord {
    /// Probes with a value.
    pub count: u64,
    /// Mean.
    pub mean: Option<i64>,
    /// Median.
    pub p50: Option<i64>,
    /// 95 % are not larger.
    pub p95: Option<i64>,
    /// 99 % are not larger.
    pub p99: Option<i64>,
    /// 99.9 % are not larger.
    pub p99_9: Option<i64>,
    /// Largest value.
    pub max: Option<i64>,
}
