//! Policies whose candidate paths stand in the file: what was decided, with what sessions say of it.

use stamp_metrics::policy::{CandidateView, ListView, PolicyView};
use stamp_session::policy::{PathState, PathSummary};

use super::{Candidate, Policy, Told, counted};
use crate::paths::ShownPolicy;

/// How it is, by the candidate path that was chosen; where none was, by one that is down.
pub(super) fn now(policy: Option<&Policy>, chosen: &ShownPolicy) -> (Told, PathSummary) {
    let active = chosen.active.clone();
    let summary = match &active {
        Some(name) => candidate(policy, name).map(Candidate::summary),
        None => {
            let all = policy.iter().flat_map(|policy| &policy.candidates);
            let summaries: Vec<PathSummary> = all.map(Candidate::summary).collect();
            let down = summaries.iter().find(|summary| summary.state == PathState::Down);
            down.or(summaries.first()).copied()
        }
    };
    let summary = summary.unwrap_or_default();
    (Told { state: summary.state, active }, summary)
}

pub(super) fn view(policy: Option<&Policy>, chosen: &ShownPolicy) -> PolicyView {
    let (_, summary) = now(policy, chosen);
    let candidates = chosen.candidates.iter().map(|shown| {
        let known = candidate(policy, &shown.name);
        let state = |session: &str| {
            let list = known.and_then(|it| it.lists.iter().find(|list| list.session == session));
            list.map(|list| list.summary().state).unwrap_or_default()
        };
        let lists = shown.lists.iter().map(|list| ListView {
            session: list.name.clone(),
            weight: list.weight,
            state: state(&list.name),
            carried: Some(list.carried),
            is_replaced: list.is_replaced,
            what: list.what.clone(),
        });
        CandidateView {
            name: shown.name.clone(),
            preference: shown.preference,
            is_active: chosen.active.as_ref() == Some(&shown.name),
            eligibility: Some(shown.eligibility.clone()),
            summary: known.map(Candidate::summary).unwrap_or_default(),
            lists: lists.collect(),
        }
    });
    PolicyView {
        name: chosen.name.clone(),
        summary,
        candidates: candidates.collect(),
        since: chosen.since,
        changes: counted(policy),
        choice: Some(chosen.choice.clone()),
    }
}

fn candidate<'p>(policy: Option<&'p Policy>, name: &str) -> Option<&'p Candidate> {
    policy?.candidates.iter().find(|candidate| candidate.name == name)
}
