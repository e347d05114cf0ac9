//! From what Prometheus knows to the lists that carry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use stamp_metrics::table::Row;
use stamp_path::selection::Standing;
use stamp_session::clock::Now;

use super::readings::{Readings, Silence, seconds};
use crate::daemon::Paths;
use crate::paths::{Chooser, Drain, Drawing, Known, Listed, Moved, Plan, ShownPolicy};
use crate::policies::Policies;

/// Decides for all policies of a file as a daemon would that measured all of it itself.
pub struct Decider {
    paths: Paths,
    chooser: Chooser,
    /// The lists of the plan that is in force.
    lists: Vec<Listed>,
    stale_after: Duration,
    /// When the latest window of a session ended, as it says and by our clock that never steps.
    ends: BTreeMap<String, (f64, Duration)>,
    /// Lists that nothing is known of, and why.
    silences: BTreeMap<String, Silence>,
}

/// How often paths may be computed anew within one decision: values of links, then what carries nothing
/// any more.
const ROUNDS: usize = 4;

impl Decider {
    /// Values that were scraped longer ago than `stale_after` say nothing.
    pub fn new(paths: Paths, stale_after: Duration) -> Self {
        let mut decider = Self {
            paths,
            chooser: Chooser::default(),
            lists: Vec::new(),
            stale_after,
            ends: BTreeMap::new(),
            silences: BTreeMap::new(),
        };
        decider.plan();
        decider
    }

    /// Goes on with another file. What is in use stays so until it is decided otherwise.
    pub fn reload(&mut self, paths: Paths) {
        self.paths = paths;
        self.plan();
    }

    /// Something is drained, or no longer; the next decision is by that.
    ///
    /// # Errors
    ///
    /// There is no such thing in the topology.
    pub fn drain(&mut self, drain: Drain, is_drained: bool) -> Result<(), String> {
        self.chooser.drain(&self.paths.topology, drain, is_drained)?;
        if self.chooser.takes_plan() {
            self.plan();
        }
        Ok(())
    }

    /// What is in force.
    pub fn in_force(&self) -> &Plan {
        self.chooser.plan()
    }

    /// Decides by what is known now; what has moved. `policies` are told what their sessions say.
    pub fn decide(&mut self, readings: &Readings, policies: &mut Policies, now: Now) -> Vec<Moved> {
        let mut moved = Vec::new();
        for _ in 0..ROUNDS {
            self.hear(readings, policies, now);
            moved.extend(self.chooser.decide(now));
            if !self.chooser.takes_plan() {
                break;
            }
            self.plan();
            policies.configure(self.in_force().sessions.iter());
        }
        policies.choose(self.chooser.shown(now));
        moved
    }

    /// When a decision would be another one though nothing new is known.
    pub fn due(&self) -> Option<Instant> {
        self.chooser.due()
    }

    /// Policies and the table of them, as they were decided last; `frozen` says why nobody decides now.
    pub fn shown(&self, now: Now, frozen: Option<&str>) -> (Vec<ShownPolicy>, Vec<Row>) {
        let mut shown = self.chooser.shown(now);
        for policy in shown.iter_mut().filter(|_| frozen.is_some()) {
            policy.frozen = frozen.map(str::to_owned);
            if policy.active.is_some() {
                policy.choice.standing = Standing::Frozen.label();
            }
        }
        let rows = self.chooser.rows(&shown);
        (shown, rows)
    }

    /// The network with the paths that were chosen last.
    pub fn drawing(&self) -> Drawing {
        self.chooser.drawing()
    }

    /// Each list, and why nothing is known of it where that is so.
    pub fn lists(&self) -> impl Iterator<Item = (&str, Option<&Silence>)> {
        self.lists.iter().map(|list| (list.name.as_str(), self.silences.get(&list.name)))
    }

    fn plan(&mut self) {
        let plan = Plan::everywhere(&self.paths, &self.chooser.circumstances());
        self.lists = plan.lists();
        self.chooser.put_in_force(plan);
        let names: BTreeSet<&str> = self.lists.iter().map(|list| list.name.as_str()).collect();
        self.silences.retain(|name, _| names.contains(name.as_str()));
        // Senders may number lists of a candidate path otherwise.
        let candidates: BTreeSet<&str> = names.iter().filter_map(|name| stem(name)).collect();
        self.ends.retain(|session, _| stem(session).is_some_and(|it| candidates.contains(it)));
    }

    /// Tells the chooser, and whoever shows policies, what is known of each list.
    fn hear(&mut self, readings: &Readings, policies: &mut Policies, now: Now) {
        let present = Duration::from_nanos(now.monotonic.ns());
        for list in &self.lists {
            let found = readings.of_list(list, self.stale_after);
            let branches = found.as_deref().unwrap_or_default();
            let mut known: Vec<Known> = Vec::with_capacity(branches.len());
            for (session, reading) in branches {
                // A clock that is ahead keeps no value fresh: a window is as old as it has been known, at
                // least.
                let at = reading.end().map(|end| match self.ends.get(*session) {
                    Some((known, at)) if known.to_bits() == end.to_bits() => *at,
                    _ => {
                        let at = present.saturating_sub(seconds(readings.at - end));
                        self.ends.insert((*session).to_owned(), (end, at));
                        at
                    }
                });
                known.push(reading.known(at));
                if *session == branches[0].0 {
                    for news in reading.links() {
                        self.chooser.announced(&list.name, news);
                    }
                }
            }
            self.chooser.knows(&list.name, known);
            let standings = branches.iter().map(|(_, reading)| reading.standing());
            policies.knows(&list.name, standings.collect());
            note(&mut self.silences, &list.name, found.err());
        }
    }
}

/// Policy and candidate path in the name of a list.
fn stem(name: &str) -> Option<&str> {
    name.rsplit_once('/').map(|(stem, _)| stem)
}

/// Remembers why nothing is known of a list, and says it where that is news.
fn note(silences: &mut BTreeMap<String, Silence>, list: &str, silence: Option<Silence>) {
    let before = silences.get(list);
    match (&silence, before) {
        (Some(silence), Some(before)) if silence.is_like(before) => {}
        (Some(silence), _) => tracing::warn!(list, reason = %silence, "nothing is known of it"),
        (None, Some(_)) => tracing::info!(list, "it is known again"),
        (None, None) => {}
    }
    match silence {
        Some(silence) => drop(silences.insert(list.to_owned(), silence)),
        None => drop(silences.remove(list)),
    }
}
