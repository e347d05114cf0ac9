//! The network with the ways of policies, to be drawn.

use std::collections::BTreeSet;
use std::sync::Arc;

use stamp_path::drawing::{self, Way};
use stamp_path::path::Hop;
use stamp_path::policy::{CandidatePath, Policy};
use stamp_path::topology::Topology;

use super::Chooser;

/// Ways in one picture: more would not be told apart.
pub const WAYS: usize = 7;

/// What there is to draw.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    topology: Arc<Topology>,
    policies: Vec<Drawn>,
}

/// The candidate paths of a policy.
#[derive(Clone, Debug)]
struct Drawn {
    policy: String,
    candidates: Vec<Candidate>,
}

/// All that packets can touch by a candidate path.
#[derive(Clone, Debug)]
struct Candidate {
    name: String,
    hops: Vec<Hop>,
    /// It carries the traffic.
    carries: bool,
}

impl Chooser {
    /// The network with the candidate paths of all policies, as it was decided last.
    pub fn drawing(&self) -> Drawing {
        let plan = self.plan();
        let both = plan.policies.policies.iter().zip(&self.outcomes);
        let policies = both.map(|(policy, outcome)| {
            let active = outcome.decision.active;
            let candidate = |candidate: &CandidatePath| {
                let carries = active == Some(candidate.id);
                let shares = outcome.decision.shares.iter().map(|share| share.list.as_str());
                let lists: Vec<&str> = match carries {
                    true => shares.collect(),
                    false => self.lists(policy, candidate),
                };
                Candidate { name: candidate.name.clone(), hops: self.hops(&lists), carries }
            };
            let candidates = policy.candidates.iter().map(candidate).collect();
            Drawn { policy: policy.name.clone(), candidates }
        });
        Drawing { topology: Arc::clone(&plan.topology), policies: policies.collect() }
    }

    fn lists(&self, policy: &Policy, candidate: &CandidatePath) -> Vec<&str> {
        let entries = self.plan().roster.of(policy, candidate).iter();
        let lasting = entries.filter(|entry| !entry.is_replaced);
        lasting.map(|entry| entry.name.as_str()).collect()
    }

    /// Every link that packets can take by these lists, as far as the topology tells.
    fn hops(&self, lists: &[&str]) -> Vec<Hop> {
        let lists = lists.iter().filter_map(|name| self.plan().list(name));
        let touched = lists.filter_map(|entry| entry.list.touched.as_ref());
        let hops: BTreeSet<Hop> =
            touched.flat_map(|touched| touched.hops.iter().copied()).collect();
        hops.into_iter().collect()
    }
}

impl Drawing {
    /// Policies are there to be drawn.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The paths that carry traffic: those of the first of these policies that there is room for.
    pub fn active<'a>(&self, policies: impl Iterator<Item = &'a str>) -> String {
        let mut ways = Vec::new();
        for name in policies {
            let Some(drawn) = self.policies.iter().find(|drawn| drawn.policy == name) else {
                continue;
            };
            let carrying = drawn.candidates.iter().filter(|it| it.carries && !it.hops.is_empty());
            ways.extend(carrying.map(|it| (format!("{name}: {}", it.name), it)));
        }
        self.picture(&ways)
    }

    /// The candidate paths of one policy, if there is such a one.
    pub fn of(&self, policy: &str) -> Option<String> {
        let drawn = self.policies.iter().find(|drawn| drawn.policy == policy)?;
        let ways = drawn.candidates.iter().filter(|it| !it.hops.is_empty());
        let word = |it: &Candidate| if it.carries { ", carries the traffic" } else { "" };
        let ways: Vec<_> = ways.map(|it| (format!("{}{}", it.name, word(it)), it)).collect();
        Some(self.picture(&ways))
    }

    fn picture(&self, ways: &[(String, &Candidate)]) -> String {
        let ways = ways.iter().take(WAYS);
        let ways: Vec<Way<'_>> =
            ways.map(|(name, it)| Way { name, hops: &it.hops, is_idle: !it.carries }).collect();
        drawing::svg(&self.topology, &ways)
    }
}
