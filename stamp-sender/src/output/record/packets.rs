//! What became of the probes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of probes and replies.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PacketsRecord {
    /// Probes that left.
    pub sent: u64,
    /// Probes that never left; not part of `sent`, never loss.
    pub unsent: u64,
    /// Probes answered in time.
    pub received: u64,
    /// Further replies to the same probe.
    pub duplicate: u64,
    /// Replies that overtook another.
    pub reordered: u64,
    /// Replies after the timeout; their probes count as lost.
    pub late: u64,
    /// Datagrams that were not taken for a reply.
    pub rejected: u64,
    /// Probes without reply in time.
    pub lost: LostRecord,
    /// Probes whose time has not come yet.
    pub outstanding: u64,
    /// `reordered` by direction.
    pub reordered_by_direction: ReorderedRecord,
    /// `unsent` by reason.
    pub unsent_by_reason: BTreeMap<String, u64>,
    /// `rejected` by reason.
    pub rejected_by_reason: BTreeMap<String, u64>,
}

/// Probes without reply in time.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct LostRecord {
    /// All of them.
    pub round_trip: u64,
    /// Lost on the way to the reflector; known with a stateful one only.
    pub forward: Option<u64>,
    /// Lost on the way back.
    pub backward: Option<u64>,
    /// Dropped by this host's own receive queue; part of `round_trip`, left out of every ratio.
    pub local: u64,
    /// Longest run of consecutive losses.
    pub longest_run: u64,
}

/// Reordering by direction; one-way counts need a stateful reflector.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ReorderedRecord {
    /// On the way to the reflector.
    pub forward: Option<u64>,
    /// On the way back.
    pub backward: Option<u64>,
}

/// How losses are spread.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct LossRecord {
    /// Lost of decided, 0 to 1, local drops left out of both.
    pub ratio: RatiosRecord,
    /// Probes whose fate is known.
    pub decided: u64,
    /// Runs of consecutive losses, single ones included.
    pub bursts: u64,
    /// As often in a row as chance makes it, or more often; unknown with too few losses.
    pub character: Option<Character>,
    /// What came through while losses went on was a flat rate: a policer.
    pub policed: bool,
    /// Probes a second that came through while losses went on.
    pub plateau_per_second: Option<u64>,
}

/// Shares of the decided probes, 0 to 1.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RatiosRecord {
    /// Lost anywhere.
    pub round_trip: Option<f64>,
    /// Lost on the way to the reflector.
    pub forward: Option<f64>,
    /// Lost on the way back.
    pub backward: Option<f64>,
}

/// Whether losses come alone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Character {
    /// As chance makes them.
    Even,
    /// In bursts.
    Bursty,
}
