//! Which lists there are, what they are called, and the session of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use stamp_metrics::policy::ListWords;
use stamp_net::interface;
use stamp_path::policy::{CandidateKind, Entry, Policies, Policy, Roster, Surveyed, survey};
use stamp_path::segments::Origin;
use stamp_path::topology::{NodeId, Topology};

use super::Circumstances;
use super::sessions::Lists;
use super::shown::words;
use crate::daemon::{Paths, SessionSpec, Shard};
use crate::exit::Failure;

/// A list, and what tells it from others wherever it is measured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// What it is called here.
    pub name: String,
    /// Name of its policy.
    pub policy: String,
    /// Name of its candidate path.
    pub candidate: String,
    /// What it is.
    pub words: ListWords,
}

/// Which lists there are. What is in it belongs together.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The network with what was measured of it and what is drained.
    pub topology: Arc<Topology>,
    /// Policies whose lists are imposed here.
    pub policies: Arc<Policies>,
    /// Their candidate paths, in the same order.
    pub(super) surveyed: Vec<Vec<Surveyed>>,
    /// Their lists by name.
    pub(super) roster: Arc<Roster>,
    /// The sessions of lists.
    pub sessions: Vec<Arc<SessionSpec>>,
    /// Lists without a session, and why.
    pub(super) unmeasured: BTreeMap<String, String>,
    /// Policies of other nodes.
    pub elsewhere: usize,
}

impl Plan {
    /// Of what the file says, under these circumstances. Of several senders that share it the policies
    /// that `shard` takes.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell the addresses of this host.
    pub fn make(
        paths: &Paths,
        circumstances: &Circumstances,
        shard: Option<Shard>,
    ) -> Result<Self, Failure> {
        if paths.policies.policies.is_empty() {
            return Ok(Self::default());
        }
        let file = &paths.topology;
        let topology = circumstances.drained.applied(circumstances.links.applied(file));
        let here = match paths.here {
            Some(here) => Some(here),
            None => own_node(&topology)?,
        };
        let (policies, elsewhere) = of_this_host(paths, here, shard);
        Ok(Self { elsewhere, ..Self::of(paths, circumstances, topology, policies) })
    }

    /// The same for all nodes of the network, whoever measures their lists.
    pub fn everywhere(paths: &Paths, circumstances: &Circumstances) -> Self {
        let file = &paths.topology;
        let topology = circumstances.drained.applied(circumstances.links.applied(file));
        let mut policies = Policies::clone(&paths.policies);
        for policy in &mut policies.policies {
            policy.headend = policy.headend.or(paths.here);
        }
        Self::of(paths, circumstances, topology, policies)
    }

    fn of(
        paths: &Paths,
        circumstances: &Circumstances,
        topology: Topology,
        policies: Policies,
    ) -> Self {
        let surveyed = survey(&topology, &policies);
        let (roster, carrying) = (&circumstances.roster, &circumstances.carrying);
        let roster = roster.next(&topology, &policies, &surveyed, carrying);
        let open = topology.undrained();
        let (sessions, unmeasured) = Lists::new(paths, &open, &policies).sessions(&roster);
        Self {
            topology: Arc::new(topology),
            policies: Arc::new(policies),
            surveyed,
            roster: Arc::new(roster),
            sessions,
            unmeasured,
            elsewhere: 0,
        }
    }

    /// Every list, and what it is.
    pub fn lists(&self) -> Vec<Listed> {
        let policies = self.policies.policies.iter();
        let candidates =
            policies.flat_map(|policy| policy.candidates.iter().map(move |it| (policy, it)));
        let lists = candidates.flat_map(|(policy, candidate)| {
            let entries = self.roster.of(policy, candidate).iter();
            entries.map(|entry| Listed {
                name: entry.name.clone(),
                policy: policy.name.clone(),
                candidate: candidate.name.clone(),
                words: words(entry),
            })
        });
        lists.collect()
    }

    /// Other values of links may lead to other paths.
    pub fn computes(&self) -> bool {
        let candidates = self.policies.policies.iter().flat_map(|policy| &policy.candidates);
        candidates.into_iter().any(|it| matches!(it.kind, CandidateKind::Dynamic(_)))
    }

    /// A list has this name.
    pub fn has(&self, name: &str) -> bool {
        self.list(name).is_some()
    }

    /// Lists that have no session, and had one or another reason in the plan before.
    pub fn news<'p>(&'p self, before: &'p Self) -> impl Iterator<Item = (&'p String, &'p String)> {
        let is_new =
            |(name, reason): &(&String, &String)| before.unmeasured.get(*name) != Some(*reason);
        self.unmeasured.iter().filter(is_new)
    }

    /// What cannot be used of the file as it stands: candidate paths that are invalid, lists that have no
    /// session; with the reason.
    pub fn notes(&self) -> Vec<(String, String)> {
        let both = self.policies.policies.iter().zip(&self.surveyed);
        let candidates = both.flat_map(|(policy, surveyed)| {
            let candidates = policy.candidates.iter().zip(surveyed);
            candidates.filter_map(move |(candidate, surveyed)| {
                let flaw = surveyed.flaw.as_ref()?;
                Some((format!("{}/{}", policy.name, candidate.name), flaw.to_string()))
            })
        });
        let lists = self.unmeasured.iter();
        candidates.chain(lists.map(|(name, reason)| (name.clone(), reason.clone()))).collect()
    }

    /// The list of this name.
    pub(super) fn list(&self, name: &str) -> Option<&Entry> {
        self.roster.entries().find(|entry| entry.name == name)
    }

    /// Lists that carried until others came in their place.
    pub(super) fn replaced(&self) -> impl Iterator<Item = &str> {
        let replaced = self.roster.entries().filter(|entry| entry.is_replaced);
        replaced.map(|entry| entry.name.as_str())
    }
}

/// The node that has an address of this host.
fn own_node(topology: &Topology) -> Result<Option<Origin>, Failure> {
    let own = interface::local_addresses()?;
    let is_here = |node: &NodeId| topology[*node].loopbacks.iter().any(|one| own.contains(one));
    Ok(topology.ids().find(is_here).map(Origin::Node))
}

/// The policies whose lists are imposed here, and how many there are of other nodes. Where nobody knows
/// where this host is, all of them are its own.
fn of_this_host(paths: &Paths, here: Option<Origin>, shard: Option<Shard>) -> (Policies, usize) {
    let node = |origin: Origin| match origin {
        Origin::Node(node) | Origin::Behind(node) | Origin::At(node) => node,
    };
    let is_here = |policy: &&Policy| {
        let headend = policy.imposed_at();
        headend.zip(here).is_none_or(|(headend, here)| headend == node(here))
    };
    let all = &paths.policies.policies;
    let mut policies: Vec<Policy> = all.iter().filter(is_here).cloned().collect();
    let elsewhere = all.len() - policies.len();
    for policy in &mut policies {
        policy.headend = policy.headend.or(here);
    }
    if let Some(shard) = shard {
        let units: Vec<String> = policies.iter().map(|policy| unit(policy, &policies)).collect();
        let mut units = units.iter();
        policies.retain(|_| units.next().is_some_and(|unit| shard.takes(unit)));
    }
    (Policies { classes: paths.policies.classes.clone(), policies }, elsewhere)
}

/// What has to be decided by one and the same sender: a policy that is made of others and these.
fn unit(policy: &Policy, policies: &[Policy]) -> String {
    let uses = |other: &&Policy| {
        let ends = (other.headend, other.endpoint) == (policy.headend, policy.endpoint);
        let mut kinds = other.candidates.iter().map(|candidate| &candidate.kind);
        ends && kinds.any(|kind| match kind {
            CandidateKind::Composite(parts) => parts.iter().any(|part| part.color == policy.color),
            _ => false,
        })
    };
    policies.iter().find(uses).unwrap_or(policy).name.clone()
}
