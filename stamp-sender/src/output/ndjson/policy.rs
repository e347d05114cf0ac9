//! A policy as an event.

use serde::{Deserialize, Serialize};
use stamp_proto::time::TimeDelta;
use stamp_session::clock::Now;
use stamp_session::policy::{PathState, PathSummary};

use super::Entry;
use crate::output::instant::Instant;

/// A policy has another state, or another of its candidates carries traffic.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PolicyEntry {
    /// When it was noticed.
    pub time: Instant,
    /// The same on the clock that never steps.
    pub monotonic_ns: Option<u64>,
    /// None: it concerns all of its sessions.
    pub session: Option<String>,
    /// Name of the policy.
    pub policy: String,
    /// State until now: `init`, `up`, `degraded` or `down`.
    pub from: String,
    /// State from now on.
    pub to: String,
    /// The candidate that carried traffic; none where none could.
    pub candidate_from: Option<String>,
    /// The candidate that carries it from now on.
    pub candidate_to: Option<String>,
    /// Segment lists of that candidate that are up.
    pub up: u32,
    /// Those that are down.
    pub down: u32,
    /// The largest delay of those that are up.
    pub highest_delay_ns: Option<i64>,
    /// What traffic meets on average, by weight.
    pub weighted_delay_ns: Option<i64>,
    /// Why: `session_up`, `session_down`, `session_ended`, `reconfigured` or `path_chosen`.
    pub reason: String,
}

impl PolicyEntry {
    /// What has changed, why, and when.
    #[must_use]
    pub fn new(
        policy: &str,
        candidates: (Option<String>, Option<String>),
        states: (PathState, PathState),
        summary: &PathSummary,
        (reason, at): (&str, Now),
    ) -> Self {
        Self {
            time: Instant(at.wall),
            monotonic_ns: Some(at.monotonic.ns()),
            session: None,
            policy: policy.to_owned(),
            from: states.0.label().to_owned(),
            to: states.1.label().to_owned(),
            candidate_from: candidates.0,
            candidate_to: candidates.1,
            up: summary.up,
            down: summary.down,
            highest_delay_ns: summary.highest_delay.map(TimeDelta::ns),
            weighted_delay_ns: summary.weighted_delay.map(TimeDelta::ns),
            reason: reason.to_owned(),
        }
    }
}

impl From<PolicyEntry> for Entry {
    fn from(entry: PolicyEntry) -> Self {
        Self::Policy(Box::new(entry))
    }
}
