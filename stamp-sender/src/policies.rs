//! Policies: what the sessions of one policy say together. Each session measures a segment list of one
//! candidate path; of the candidate paths that are up the policy takes the one of the highest preference.

mod chosen;
mod page;
mod standing;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stamp_metrics::policy::{CandidateView, ListView, PolicyView};
use stamp_session::clock::Now;
use stamp_session::policy::{PathState, PathSummary, summarize};
use stamp_session::sender::SessionState;

use crate::daemon::SessionSpec;
use crate::output::ndjson::policy::PolicyEntry;
use crate::paths::ShownPolicy;
pub use page::page;
pub use standing::Standing;

/// Why a policy can have another state, or take another of its candidate paths.
const REASONS: [&str; 5] =
    ["session_up", "session_down", "session_ended", "reconfigured", "path_chosen"];

/// All of them.
#[derive(Debug, Default)]
pub struct Policies {
    policies: BTreeMap<String, Policy>,
    /// The policy of each session that has one.
    of_session: BTreeMap<String, String>,
    /// Policies that may have changed since they were told last, and why.
    touched: BTreeMap<String, &'static str>,
    /// What was decided for those whose candidate paths stand in the file.
    chosen: BTreeMap<String, ShownPolicy>,
}

/// One policy.
#[derive(Clone, Debug, Default)]
struct Policy {
    /// The best first.
    candidates: Vec<Candidate>,
    /// What was told last.
    told: Told,
    since: Option<Now>,
    changes: BTreeMap<&'static str, u64>,
}

/// What there is to tell of a policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Told {
    state: PathState,
    active: Option<String>,
}

/// A candidate path.
#[derive(Clone, Debug)]
struct Candidate {
    name: String,
    preference: u32,
    lists: Vec<List>,
}

/// A segment list, and the session that measures it.
#[derive(Clone, Debug)]
struct List {
    session: String,
    weight: u32,
    /// Of each of its equal paths.
    branches: Vec<Standing>,
}

impl Policies {
    /// These sessions are in force; what is known of those that stay is kept.
    pub fn configure<'s>(&mut self, sessions: impl Iterator<Item = &'s Arc<SessionSpec>>) {
        let known = std::mem::take(&mut self.policies);
        let mut standings: BTreeMap<String, Vec<Standing>> = BTreeMap::new();
        for policy in known.values() {
            let lists = policy.candidates.iter().flat_map(|candidate| &candidate.lists);
            standings.extend(lists.map(|list| (list.session.clone(), list.branches.clone())));
        }
        self.of_session.clear();
        for spec in sessions {
            let Some(membership) = &spec.policy else { continue };
            let name = &membership.policy;
            self.of_session.insert(spec.name.clone(), name.clone());
            let policy = self.policies.entry(name.clone()).or_insert_with(|| {
                let known = known.get(name).cloned().unwrap_or_default();
                Policy { candidates: Vec::new(), ..known }
            });
            policy.add(
                membership.candidate(),
                membership.preference,
                List {
                    session: spec.name.clone(),
                    weight: membership.weight,
                    branches: standings.remove(&spec.name).unwrap_or_default(),
                },
            );
        }
        for (name, policy) in &mut self.policies {
            policy.candidates.sort_by_key(|candidate| Reverse(candidate.preference));
            self.touched.entry(name.clone()).or_insert("reconfigured");
        }
    }

    /// One path of a session came up or went down.
    pub fn state(&mut self, session: &str, branch: usize, to: SessionState) {
        let reason = if to == SessionState::Down { "session_down" } else { "session_up" };
        self.touch(session, reason, |list| list.branch(branch).state = to);
    }

    /// A window of one path of a session is complete.
    pub fn window(&mut self, session: &str, branch: usize, standing: Standing) {
        if let Some(list) = self.list(session) {
            let state = list.branch(branch).state;
            *list.branch(branch) = Standing { state, ..standing };
        }
    }

    /// This is all that is known of a session, over each of its equal paths: nothing where there is none.
    pub fn knows(&mut self, session: &str, branches: Vec<Standing>) {
        let Some(list) = self.list(session) else { return };
        let states = |branches: &[Standing]| -> Vec<SessionState> {
            branches.iter().map(|branch| branch.state).collect()
        };
        let (before, after) = (states(&list.branches), states(&branches));
        list.branches = branches;
        if before != after {
            let reason = match after.as_slice() {
                [] => "session_ended",
                states if states.contains(&SessionState::Down) => "session_down",
                _ => "session_up",
            };
            self.touch(session, reason, |_| {});
        }
    }

    /// A session probes no longer: nothing is known of its segment list.
    pub fn ends(&mut self, session: &str) {
        self.touch(session, "session_ended", |list| list.branches.clear());
    }

    /// This was decided for the policies of the file.
    pub fn choose(&mut self, shown: Vec<ShownPolicy>) {
        for shown in &shown {
            let active = |known: &ShownPolicy| known.active.clone();
            if self.chosen.get(&shown.name).and_then(active) != shown.active {
                self.touched.entry(shown.name.clone()).or_insert("path_chosen");
            }
        }
        self.chosen = shown.into_iter().map(|shown| (shown.name.clone(), shown)).collect();
    }

    /// What has changed since this was asked last.
    pub fn changes(&mut self, at: Now) -> Vec<PolicyEntry> {
        let touched = std::mem::take(&mut self.touched);
        let change = |(name, reason): (String, &'static str)| {
            let chosen = self.chosen.get(&name);
            self.policies.get_mut(&name)?.change(&name, chosen, reason, at)
        };
        touched.into_iter().filter_map(change).collect()
    }

    /// All of them, as they are now.
    pub fn all(&self) -> Vec<PolicyView> {
        let names: BTreeSet<&String> = self.policies.keys().chain(self.chosen.keys()).collect();
        let view = |name: &String| match (self.policies.get(name), self.chosen.get(name)) {
            (Some(policy), None) => policy.view(name),
            (policy, Some(chosen)) => chosen::view(policy, chosen),
            // Every name is of one of them.
            (None, None) => Policy::default().view(name),
        };
        names.into_iter().map(view).collect()
    }

    fn list(&mut self, session: &str) -> Option<&mut List> {
        let policy = self.of_session.get(session).and_then(|name| self.policies.get_mut(name));
        policy.and_then(|policy| policy.list(session))
    }

    fn touch(&mut self, session: &str, reason: &'static str, change: impl FnOnce(&mut List)) {
        let Some(name) = self.of_session.get(session) else { return };
        if let Some(list) = self.policies.get_mut(name).and_then(|policy| policy.list(session)) {
            change(list);
            self.touched.insert(name.clone(), reason);
        }
    }
}

impl Policy {
    fn add(&mut self, candidate: String, preference: u32, list: List) {
        match self.candidates.iter_mut().find(|known| known.name == candidate) {
            Some(known) => known.lists.push(list),
            None => {
                self.candidates.push(Candidate { name: candidate, preference, lists: vec![list] });
            }
        }
    }

    /// What has changed since it was told last.
    fn change(
        &mut self,
        name: &str,
        chosen: Option<&ShownPolicy>,
        reason: &'static str,
        at: Now,
    ) -> Option<PolicyEntry> {
        let (now, summary) = match chosen {
            Some(chosen) => chosen::now(Some(&*self), chosen),
            None => self.now(),
        };
        if now == self.told {
            return None;
        }
        let count = self.changes.entry(reason).or_default();
        *count = count.saturating_add(1);
        self.since = Some(at);
        let before = std::mem::replace(&mut self.told, now);
        let states = (before.state, self.told.state);
        let candidates = (before.active, self.told.active.clone());
        Some(PolicyEntry::new(name, candidates, states, &summary, (reason, at)))
    }

    fn list(&mut self, session: &str) -> Option<&mut List> {
        let mut lists = self.candidates.iter_mut().flat_map(|candidate| &mut candidate.lists);
        lists.find(|list| list.session == session)
    }

    /// How it is, by the candidate that carries traffic; where none can, by one that is down.
    fn now(&self) -> (Told, PathSummary) {
        let mut summaries = Vec::with_capacity(self.candidates.len());
        for candidate in &self.candidates {
            let summary = candidate.summary();
            if summary.state.is_up() {
                let active = Some(candidate.name.clone());
                return (Told { state: summary.state, active }, summary);
            }
            summaries.push(summary);
        }
        let down = summaries.iter().find(|summary| summary.state == PathState::Down);
        let summary = down.or(summaries.first()).copied().unwrap_or_default();
        (Told { state: summary.state, active: None }, summary)
    }

    fn view(&self, name: &str) -> PolicyView {
        let (now, summary) = self.now();
        let candidates = self.candidates.iter().map(|candidate| CandidateView {
            name: candidate.name.clone(),
            preference: candidate.preference,
            is_active: now.active.as_ref() == Some(&candidate.name),
            eligibility: None,
            summary: candidate.summary(),
            lists: candidate.lists.iter().map(List::view).collect(),
        });
        PolicyView {
            name: name.to_owned(),
            summary,
            candidates: candidates.collect(),
            since: self.since.map(|since| since.wall),
            changes: counted(Some(self)),
            choice: None,
        }
    }
}

/// How often it has changed for each reason; never before it is known.
fn counted(policy: Option<&Policy>) -> Vec<(&'static str, u64)> {
    let count = |reason| policy.and_then(|policy| policy.changes.get(reason)).copied();
    REASONS.map(|reason| (reason, count(reason).unwrap_or_default())).to_vec()
}

impl Candidate {
    fn summary(&self) -> PathSummary {
        let of_list = |list: &List| standing::of(&list.summary()).member(list.weight);
        summarize(&self.lists.iter().map(of_list).collect::<Vec<_>>())
    }
}

impl List {
    fn branch(&mut self, branch: usize) -> &mut Standing {
        if self.branches.len() <= branch {
            self.branches.resize(branch + 1, Standing::default());
        }
        &mut self.branches[branch]
    }

    fn summary(&self) -> PathSummary {
        summarize(&self.branches.iter().map(|branch| branch.member(1)).collect::<Vec<_>>())
    }

    fn view(&self) -> ListView {
        let state = self.summary().state;
        let (session, weight) = (self.session.clone(), self.weight);
        ListView { session, weight, state, carried: None, is_replaced: false, what: None }
    }
}

#[cfg(test)]
mod tests;
