//! Which lists carry traffic, by what their sessions tell: on the control side, never on a packet thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stamp_path::class::{Measure, Touched, Value};
use stamp_path::policy::{CandidateId, CandidatePath, Policies, Policy, Surveyed};
use stamp_path::selection::{
    Change, ChangeReason, Decision, Eligibility, Input, List, Outcome, Selection, Share, Standing,
};
use stamp_path::topology::Topology;
use stamp_proto::time::WallTime;
use stamp_session::clock::Now;
use stamp_session::sender::SessionState;

use super::heard::{Heard, Known};
use super::links::LinkNews;
use super::{Circumstances, Drain, Plan, composite};

/// How long a window may wait for others.
const TOGETHER: Duration = Duration::from_millis(20);

/// Chooses for all policies of a plan.
pub struct Chooser {
    plan: Arc<Plan>,
    selection: Selection,
    /// What the sessions of lists have told, by their names.
    heard: BTreeMap<String, Heard>,
    /// What was decided last, in the order of policies.
    pub(super) outcomes: Vec<Outcome>,
    /// What is remembered of each policy.
    pub(super) histories: BTreeMap<String, History>,
    circumstances: Circumstances,
    /// Something was told since the last decision that does not wait.
    is_urgent: bool,
    /// Since when something was told that does for a moment, so that many windows are one decision.
    news: Option<Instant>,
    /// Another plan is wanted, and not under way yet.
    wants_plan: bool,
    /// The same for lists that are needed no more, which is asked for once.
    has_tidied: bool,
}

/// What became of a policy so far.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Since when its candidate path is the one.
    pub(super) since: Option<WallTime>,
    /// Why it became that.
    pub(super) reason: Option<ChangeReason>,
    /// How often traffic moved, by reason.
    pub(super) changes: BTreeMap<ChangeReason, u64>,
}

/// Traffic of a policy has moved.
#[derive(Clone, Debug)]
pub struct Moved {
    pub policy: String,
    pub class: Option<String>,
    pub change: Change,
    /// Names of the candidate paths.
    pub from: Option<String>,
    pub to: Option<String>,
    /// What is said of the former path now.
    pub because: Option<String>,
    /// What is compared.
    pub measure: Option<Measure>,
    /// Lists that carry from now on.
    pub shares: Vec<Share>,
    pub standing: &'static str,
    pub at: Now,
}

impl Default for Chooser {
    fn default() -> Self {
        Self {
            plan: Arc::default(),
            selection: Selection::new(&Policies::default()),
            heard: BTreeMap::new(),
            outcomes: Vec::new(),
            histories: BTreeMap::new(),
            circumstances: Circumstances::default(),
            is_urgent: false,
            news: None,
            wants_plan: false,
            has_tidied: false,
        }
    }
}

impl Chooser {
    /// Goes on by another plan. What is in use stays so until it is decided otherwise.
    pub fn put_in_force(&mut self, plan: Plan) {
        let gone = |name: &String| plan.list(name).is_none();
        let (topology, links) = (&self.plan.topology, &mut self.circumstances.links);
        for entry in self.plan.roster.entries().filter(|entry| gone(&entry.name)) {
            let hop = entry.list.touched.as_ref().and_then(Touched::only_link);
            // Nobody measures it any more.
            if let Some(hop) = hop {
                links.forget(topology, hop);
            }
        }
        self.heard.retain(|name, _| plan.list(name).is_some());
        self.selection.reload(&plan.policies);
        let is_there = |name: &str| plan.policies.policies.iter().any(|it| it.name == name);
        self.histories.retain(|name, _| is_there(name));
        self.circumstances.roster = Arc::clone(&plan.roster);
        // Outcomes stand in the order of policies, which may be another one now.
        let known = std::mem::take(&mut self.outcomes);
        let names = self.plan.policies.policies.iter().map(|policy| policy.name.as_str());
        let mut known: BTreeMap<&str, Outcome> = names.zip(known).collect();
        let outcomes = plan.policies.policies.iter();
        self.outcomes =
            outcomes.map(|it| known.remove(it.name.as_str()).unwrap_or_else(undecided)).collect();
        self.plan = Arc::new(plan);
        self.is_urgent = true;
        self.has_tidied = false;
    }

    /// What is in force.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What another plan depends on.
    pub fn circumstances(&self) -> Circumstances {
        self.circumstances.clone()
    }

    /// The session of a list came up or went down.
    pub fn state(&mut self, session: &str, branch: usize, to: SessionState) {
        if self.plan.list(session).is_some() {
            self.heard.entry(session.to_owned()).or_default().state(branch, to);
            self.is_urgent = true;
        }
    }

    /// A window of the session of a list is complete.
    pub fn window(&mut self, (session, branch): (&str, usize), known: Known) {
        let Some(known) = self.counted(session, known) else { return };
        self.heard.entry(session.to_owned()).or_default().window(branch, known);
        self.news = self.news.or_else(|| Some(Instant::now()));
    }

    /// This is all that is known of a list, over each of its equal paths: nothing where there is none.
    pub fn knows(&mut self, session: &str, branches: Vec<Known>) {
        let counted = branches.into_iter().filter_map(|known| self.counted(session, known));
        let heard = Heard::of(counted.collect());
        let is_new = match heard == Heard::default() {
            true => self.heard.remove(session).is_some(),
            false => self.heard.insert(session.to_owned(), heard.clone()) != Some(heard),
        };
        self.is_urgent |= is_new;
    }

    /// With the links of its list, where these are known.
    fn counted(&self, session: &str, mut known: Known) -> Option<Known> {
        let entry = self.plan.list(session)?;
        let hops = entry.list.touched.as_ref().and_then(|touched| {
            let starts = touched.ends.iter();
            let ways = starts.flat_map(|from| touched.ends.iter().map(move |to| (*from, *to)));
            let mut ways = ways.filter(|(from, to)| from != to);
            ways.find_map(|(from, to)| touched.only_way(&self.plan.topology, from, to))
        });
        let hops = hops.and_then(|path| u8::try_from(path.hops().len()).ok());
        if let Some((window, hops)) = known.window.as_mut().zip(hops) {
            window.values.insert(Measure::Hops, Value::Count(hops));
        }
        Some(known)
    }

    /// Something is announced of a session; it may be worth another plan.
    pub fn announced(&mut self, session: &str, news: LinkNews) {
        let Some(entry) = self.plan.list(session) else { return };
        let Some(hop) = entry.list.touched.as_ref().and_then(Touched::only_link) else { return };
        let links = &mut self.circumstances.links;
        let is_new = links.announced(&self.plan.topology, hop, news);
        self.wants_plan |= is_new && self.plan.computes();
    }

    /// A session probes no longer: nothing is known of its list.
    pub fn ends(&mut self, session: &str) {
        self.is_urgent |= self.heard.remove(session).is_some();
    }

    /// Something is drained, or no longer: whoever makes the next plan takes that in.
    ///
    /// # Errors
    ///
    /// There is no such thing in this topology.
    pub fn drain(
        &mut self,
        topology: &Topology,
        drain: Drain,
        is_drained: bool,
    ) -> Result<(), String> {
        if !drain.is_in(topology) {
            return Err(format!("there is no {drain} in the topology"));
        }
        if self.circumstances.drained.set(drain.clone(), is_drained) {
            tracing::info!(%drain, is_drained, "what is drained has changed");
            self.wants_plan = true;
        }
        Ok(())
    }

    /// Whether somebody should make another plan: asked once for each reason.
    pub fn takes_plan(&mut self) -> bool {
        let carrying = &self.circumstances.carrying;
        // Whatever was replaced and carries no longer need not be measured any more.
        let is_idle = |name: &str| !carrying.contains(name);
        let tidies = !self.has_tidied && self.plan.replaced().any(is_idle);
        self.has_tidied |= tidies;
        std::mem::take(&mut self.wants_plan) || tidies
    }

    /// When a decision would be another one though nobody tells anything.
    pub fn due(&self) -> Option<Instant> {
        let next = self.outcomes.iter().filter_map(|outcome| outcome.decision.next).min();
        let now = Duration::from_nanos(stamp_worker::now().monotonic.ns());
        let next = next.map(|next| Instant::now() + next.saturating_sub(now));
        next.into_iter().chain(self.news.map(|since| since + TOGETHER)).min()
    }

    /// There is something to decide about.
    pub fn has_news(&self) -> bool {
        let is_due = || self.due().is_some_and(|due| due <= Instant::now());
        self.is_urgent || is_due()
    }

    /// Decides for all policies; what has moved.
    pub fn decide(&mut self, now: Now) -> Vec<Moved> {
        (self.is_urgent, self.news) = (false, None);
        let plan = Arc::clone(&self.plan);
        let at = Duration::from_nanos(now.monotonic.ns());
        let mut changes: Vec<Option<Change>> = vec![None; plan.policies.policies.len()];
        // What is made of other policies follows these.
        let rounds = if plan.policies.policies.iter().any(Policy::is_composite) { 3 } else { 1 };
        for _ in 0..rounds {
            let inputs = self.inputs();
            let outcomes = self.selection.decide(at, &plan.topology, &inputs);
            let shares = |outcomes: &[Outcome]| -> Vec<Vec<Share>> {
                outcomes.iter().map(|outcome| outcome.decision.shares.clone()).collect()
            };
            let is_settled = shares(&outcomes) == shares(&self.outcomes);
            for (change, outcome) in changes.iter_mut().zip(&outcomes) {
                let is_first = change.is_none();
                *change = if is_first { outcome.decision.change.clone() } else { change.take() };
            }
            self.outcomes = outcomes;
            if is_settled {
                break;
            }
        }
        let carrying = self.outcomes.iter().flat_map(|outcome| &outcome.decision.shares);
        self.circumstances.carrying = carrying.map(|share| share.list.clone()).collect();
        let policies = plan.policies.policies.iter().zip(changes).zip(0..);
        let moved = policies
            .filter_map(|((policy, change), place)| self.moved(policy, place, change?, now));
        moved.collect::<Vec<_>>()
    }

    fn moved(&mut self, policy: &Policy, place: usize, change: Change, at: Now) -> Option<Moved> {
        let decision = &self.outcomes.get(place)?.decision;
        let history = self.histories.entry(policy.name.clone()).or_default();
        let count = history.changes.entry(change.reason).or_default();
        *count = count.saturating_add(1);
        if change.from != change.to {
            history.since = change.to.map(|_| at.wall);
            history.reason = Some(change.reason);
        }
        let assessed = |id: CandidateId| decision.candidates.iter().find(|it| it.id == id);
        // Of a path that is as good as before there is nothing to say.
        let because = change.from.and_then(assessed).map(|it| &it.eligibility);
        let because = because.filter(|it| **it != Eligibility::Eligible).map(ToString::to_string);
        Some(Moved {
            policy: policy.name.clone(),
            class: policy.class.clone(),
            from: change.from.and_then(|id| name(policy, id)),
            to: change.to.and_then(|id| name(policy, id)),
            because,
            measure: self.plan.policies.class_of(policy).compared(),
            shares: decision.shares.clone(),
            standing: decision.standing.label(),
            change,
            at,
        })
    }

    fn inputs(&self) -> Vec<Vec<Input>> {
        let both = self.plan.policies.policies.iter().zip(&self.plan.surveyed);
        both.map(|(policy, surveyed)| {
            let candidates = policy.candidates.iter().zip(surveyed);
            candidates
                .map(|(candidate, surveyed)| self.input(policy, candidate, surveyed))
                .collect()
        })
        .collect()
    }

    fn input(&self, policy: &Policy, candidate: &CandidatePath, surveyed: &Surveyed) -> Input {
        let measured = |name: &str| self.heard.get(name).and_then(Heard::measured);
        let lists = if surveyed.parts.is_empty() {
            let entries = self.plan.roster.of(policy, candidate).iter();
            let list = |entry: &stamp_path::policy::Entry| List {
                name: entry.name.clone(),
                weight: entry.list.list.weight,
                is_replaced: entry.is_replaced,
                measured: measured(&entry.name),
            };
            entries.map(list).collect()
        } else {
            composite::lists(&surveyed.parts, &self.outcomes, measured)
        };
        Input {
            id: candidate.id,
            preference: candidate.preference,
            flaw: surveyed.flaw.clone(),
            touched: self.touched(&lists),
            lists,
        }
    }

    /// What packets can touch with the lists that stay.
    fn touched(&self, lists: &[List]) -> Option<Touched> {
        let mut all = Touched::default();
        for list in lists.iter().filter(|list| !list.is_replaced) {
            all.extend(self.plan.list(&list.name)?.list.touched.clone()?);
        }
        Some(all)
    }
}

/// Before the first decision.
const fn undecided() -> Outcome {
    let decision = Decision {
        at: Duration::ZERO,
        active: None,
        since: None,
        shares: Vec::new(),
        standing: Standing::Waiting,
        candidates: Vec::new(),
        change: None,
        held: None,
        next: None,
    };
    Outcome { decision, standby: None, is_unprotected: false }
}

/// What a candidate path is called.
pub(super) fn name(policy: &Policy, id: CandidateId) -> Option<String> {
    policy.candidate(id).map(|candidate| candidate.name.clone())
}
