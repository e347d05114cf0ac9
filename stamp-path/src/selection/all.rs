//! All policies of a file, decided one after the other.

use core::time::Duration;
use std::collections::BTreeMap;

use super::{Admission, Candidate, Decision, Forbidden, List, Selector, admit, standby};
use crate::class::{Class, Touched};
use crate::policy::{CandidateFlaw, CandidateId, Policies, Policy};
use crate::topology::Topology;

/// A [`Selector`] for each policy of a file.
///
/// Who stays apart from a class is decided after it, so that its paths are known; else the policy of
/// the lower priority goes first (RFC 9256 §2.12).
#[derive(Clone, Debug)]
pub struct Selection {
    /// In the order of the file.
    chosen: Vec<Chosen>,
    /// Places in the file, in the order of decisions.
    order: Vec<usize>,
}

/// A policy with what chooses for it.
#[derive(Clone, Debug)]
struct Chosen {
    policy: String,
    class: Class,
    selector: Selector,
}

/// A candidate path as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Which of the policy's.
    pub id: CandidateId,
    /// The higher one goes first.
    pub preference: u32,
    /// Why it is invalid, where it is.
    pub flaw: Option<CandidateFlaw>,
    /// Its valid lists.
    pub lists: Vec<List>,
    /// What packets on any of its lists can touch; none where that cannot be proven.
    pub touched: Option<Touched>,
}

/// What was decided for a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Who carries what.
    pub decision: Decision,
    /// Who stands by, where the class wants that somebody does.
    pub standby: Option<CandidateId>,
    /// The class wants a standby, and there is none.
    pub is_unprotected: bool,
}

impl Selection {
    /// Nothing is in use yet.
    #[must_use]
    pub fn new(policies: &Policies) -> Self {
        let mut selection = Self { chosen: Vec::new(), order: Vec::new() };
        selection.reload(policies);
        selection
    }

    /// Goes on with other policies; those of the same name keep what is in use and what is remembered.
    pub fn reload(&mut self, policies: &Policies) {
        let known = core::mem::take(&mut self.chosen);
        let mut known: BTreeMap<String, Selector> =
            known.into_iter().map(|chosen| (chosen.policy, chosen.selector)).collect();
        let chosen = policies.policies.iter().map(|policy| {
            let class = policies.class_of(policy);
            let fresh = || Selector::new(class.clone(), policy.keeps_installed);
            let mut selector = known.remove(&policy.name).unwrap_or_else(fresh);
            selector.set_rules(class.clone(), policy.keeps_installed);
            Chosen { policy: policy.name.clone(), class, selector }
        });
        self.chosen = chosen.collect();
        let rank = |place: &usize| {
            let policy = &policies.policies[*place];
            (depth(policies, policy.class.as_deref()), policy.effective_priority(), *place)
        };
        self.order = (0..policies.policies.len()).collect();
        self.order.sort_by_key(rank);
    }

    /// Decides for all policies; `inputs` and outcomes stand in the order of the file.
    pub fn decide(
        &mut self,
        now: Duration,
        topology: &Topology,
        inputs: &[Vec<Input>],
    ) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; self.chosen.len()];
        let mut used: Vec<(String, Touched)> = Vec::new();
        for place in &self.order {
            let Some(inputs) = inputs.get(*place) else { continue };
            let Chosen { class, selector, .. } = &mut self.chosen[*place];
            let others: Vec<(&str, &Touched)> =
                used.iter().map(|(class, touched)| (class.as_str(), touched)).collect();
            let candidates: Vec<Candidate> =
                inputs.iter().map(|input| candidate(topology, class, input, &others)).collect();
            let decision = selector.decide(now, &candidates);
            let touched = |id: CandidateId| {
                inputs.iter().find(|input| input.id == id).and_then(|input| input.touched.clone())
            };
            let by = class.standby.filter(|_| decision.active.is_some());
            let standby = by.and_then(|by| standby(topology, by, &decision, touched));
            if let Some(touched) = decision.active.and_then(touched) {
                used.push((class.name.clone(), touched));
            }
            let is_unprotected = by.is_some() && standby.is_none();
            outcomes[*place] = Some(Outcome { decision, standby, is_unprotected });
        }
        outcomes.into_iter().flatten().collect()
    }
}

/// Of how many classes one after the other a class stays apart.
fn depth(policies: &Policies, class: Option<&str>) -> usize {
    let named = |name: &str| policies.classes.iter().find(|class| class.name == name);
    let apart = class.and_then(named).and_then(|class| class.apart.as_ref());
    // Reading has refused circles.
    let deepest = |apart: &crate::class::Apart| {
        apart.classes.iter().map(|other| depth(policies, Some(other))).max().unwrap_or(0) + 1
    };
    apart.map_or(0, deepest)
}

fn candidate(
    topology: &Topology,
    class: &Class,
    input: &Input,
    others: &[(&str, &Touched)],
) -> Candidate {
    let Input { id, preference, ref lists, .. } = *input;
    let admission = match &input.flaw {
        Some(flaw) => {
            Admission { forbidden: Some(Forbidden::Invalid(flaw.clone())), drained: None }
        }
        None => admit(topology, class, input.touched.as_ref(), others),
    };
    Candidate { id, preference, admission, lists: lists.clone() }
}

impl Input {
    /// A candidate path of a policy, without lists.
    #[must_use]
    pub fn of(policy: &Policy, id: CandidateId) -> Option<Self> {
        let candidate = policy.candidate(id)?;
        let preference = candidate.preference;
        Some(Self { id, preference, flaw: None, lists: Vec::new(), touched: None })
    }
}
