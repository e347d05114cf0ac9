//! What others see of a choice.

use std::time::Duration;

use stamp_metrics::policy::{Choice, Held, ListWords};
use stamp_path::policy::{CandidateId, Entry, Policy, Resolved};
use stamp_path::selection::{self, ChangeReason, Outcome};
use stamp_path::topology::Topology;
use stamp_proto::time::WallTime;
use stamp_session::clock::Now;

use super::chooser::{Chooser, History, name};

/// A policy with what was decided for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownPolicy {
    pub name: String,
    /// The candidate path that carries traffic, and since when.
    pub active: Option<String>,
    pub since: Option<WallTime>,
    /// Why nobody decides now, where that is so.
    pub frozen: Option<String>,
    pub choice: Choice,
    /// In the order of the file.
    pub candidates: Vec<ShownCandidate>,
}

/// A candidate path, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownCandidate {
    pub name: String,
    pub preference: u32,
    /// Whether it may carry traffic, as a name and in words.
    pub eligibility: (&'static str, String),
    pub lists: Vec<ShownList>,
}

/// A list of a candidate path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShownList {
    /// The list, and so the session that measures it.
    pub name: String,
    pub weight: u32,
    /// By which weight it carries traffic; none is 0.
    pub carried: u32,
    pub is_replaced: bool,
    /// What it is; not of lists that belong to another policy.
    pub what: Option<ListWords>,
}

impl Chooser {
    /// All policies, as they were decided last.
    pub fn shown(&self, now: Now) -> Vec<ShownPolicy> {
        let plan = self.plan();
        let both = plan.policies.policies.iter().zip(&self.outcomes);
        both.map(|(policy, outcome)| {
            let history = self.histories.get(&policy.name).cloned().unwrap_or_default();
            let decision = &outcome.decision;
            ShownPolicy {
                name: policy.name.clone(),
                active: decision.active.and_then(|id| name(policy, id)),
                since: history.since,
                frozen: None,
                choice: choice(&plan.topology, policy, outcome, &history, now),
                candidates: self.candidates(policy, outcome),
            }
        })
        .collect()
    }

    fn candidates(&self, policy: &Policy, outcome: &Outcome) -> Vec<ShownCandidate> {
        let decision = &outcome.decision;
        let carried = |id: CandidateId, list: &str| {
            let shares = decision.shares.iter().filter(|_| decision.active == Some(id));
            shares.filter(|share| share.list == list).map(|share| share.weight).sum()
        };
        let each = policy.candidates.iter().zip(&decision.candidates);
        each.map(|(candidate, assessed)| {
            let entries = self.plan().roster.of(policy, candidate).iter();
            let list = |entry: &Entry| ShownList {
                name: entry.name.clone(),
                weight: entry.list.list.weight,
                carried: carried(candidate.id, &entry.name),
                is_replaced: entry.is_replaced,
                what: Some(words(entry)),
            };
            let mut lists: Vec<ShownList> = entries.map(list).collect();
            // What is made of other policies has lists of theirs.
            if lists.is_empty() && decision.active == Some(candidate.id) {
                let of_others = |share: &selection::Share| ShownList {
                    name: share.list.clone(),
                    weight: share.weight,
                    carried: share.weight,
                    is_replaced: false,
                    what: None,
                };
                lists.extend(decision.shares.iter().map(of_others));
            }
            let eligibility = &assessed.eligibility;
            ShownCandidate {
                name: candidate.name.clone(),
                preference: candidate.preference,
                eligibility: (eligibility.label(), eligibility.to_string()),
                lists,
            }
        })
        .collect()
    }
}

fn choice(
    topology: &Topology,
    policy: &Policy,
    outcome: &Outcome,
    history: &History,
    now: Now,
) -> Choice {
    let decision = &outcome.decision;
    let moves = |reason: ChangeReason| {
        (reason.label(), history.changes.get(&reason).copied().unwrap_or_default())
    };
    Choice {
        color: policy.color.value(),
        endpoint: policy.endpoint,
        headend: policy.imposed_at().map(|node| topology[node].name.clone()),
        class: policy.class.clone(),
        standing: decision.standing.label(),
        reason: decision.active.and(history.reason).map(ChangeReason::label),
        held: decision.held.map(|held| Held {
            to: name(policy, held.to).unwrap_or_default(),
            reason: held.reason.label(),
            by: held.by.label(),
            until: held.until.map(|until| wall(until, now)),
        }),
        standby: outcome.standby.and_then(|id| name(policy, id)),
        is_unprotected: outcome.is_unprotected,
        moves: ChangeReason::ALL.map(moves).to_vec(),
    }
}

/// What a list is, in words.
pub(super) fn words(entry: &Entry) -> ListWords {
    let segments = &entry.list.list.segments;
    let imposed = match &entry.list.resolution.imposed {
        Resolved::Labels(labels) => joined(labels),
        Resolved::Sids(sids) => joined(sids),
    };
    ListWords { segments: joined(segments), imposed }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A moment of the clock that never steps, by the other one as it is now.
fn wall(at: Duration, now: Now) -> WallTime {
    let at = i64::try_from(at.as_nanos()).unwrap_or(i64::MAX);
    let present = i64::try_from(now.monotonic.ns()).unwrap_or(i64::MAX);
    WallTime::from_unix_ns(now.wall.unix_ns().saturating_add(at.saturating_sub(present)))
}
