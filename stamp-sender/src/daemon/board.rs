//! What others may see of the service at any time, though the control side is busy: who the sessions
//! are, where they run, their latest windows, and their counters over all their lives.

mod news;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stamp_metrics::program::Reloads;
use stamp_metrics::sender::{Announced, Identity, Window};
use stamp_metrics::{Ledger, SessionCounters};
use stamp_session::sender::{MeasuredDirection, SenderEvent, SessionHistograms};
use stamp_session::snapshot::{SessionSnapshot, SessionStanding};
use stamp_session::te::{TeAdvertisement, TeState};

use super::config::{Configuration, Probing, Service, SessionSpec};
use super::discovery::States;
use super::observer::Place;
use crate::happening::SessionInfo;
use crate::output::gather::address;
use crate::output::ndjson::policy::PolicyEntry;
use crate::paths::{Drawing, ShownPolicy};
use crate::policies::{Policies, Standing};
pub(super) use news::{Limit, News};

/// Windows of a branch whose delay is remembered, to be drawn.
const COURSE: usize = 60;

/// The control side writes on it, whoever has a copy reads.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<Posted>>);

/// What stands on it.
#[derive(Default)]
pub(super) struct Posted {
    /// Sessions by their names in the file.
    pub(super) sessions: BTreeMap<String, Entry>,
    /// What the file says besides sessions.
    pub(super) service: Service,
    /// What became of the file; nothing before it is in force for the first time.
    pub(super) reloads: Option<Reloads>,
    /// Sessions have histograms; nobody has said before there is a file.
    pub(super) has_histograms: Option<bool>,
    /// What sessions say together.
    pub(super) policies: Policies,
    /// The same to be drawn.
    pub(super) drawing: Arc<Drawing>,
    /// What others may have measured once.
    pub(super) probing: Option<Arc<Probing>>,
    /// Where targets are discovered, and how that goes.
    pub(super) discovery: States,
    /// Layers of the sandbox, and whether each is in force.
    pub(super) layers: Vec<(&'static str, bool)>,
}

/// A session of the file.
pub(super) struct Entry {
    pub(super) spec: Arc<SessionSpec>,
    /// What it waits for, if it does.
    pub(super) waits: Option<String>,
    /// One, or one for each of equal paths.
    pub(super) branches: Vec<Branch>,
    /// Where values of its branches lie, by their names.
    pub(super) histograms: BTreeMap<String, Arc<SessionHistograms>>,
}

/// What is measured and told by a name of its own.
pub(super) struct Branch {
    pub(super) identity: Arc<Identity>,
    /// Where it runs, and what to tell about it.
    pub(super) runs: Option<(Place, Arc<SessionInfo>)>,
    pub(super) window: Option<Window>,
    pub(super) news: News,
    /// Median round trips of its latest windows, in microseconds.
    pub(super) course: VecDeque<u64>,
    pub(super) ledger: Ledger<Place>,
    pub(super) announced: Option<Announced>,
    /// Which way it is broken, while it is down and that is known.
    pub(super) broken: Option<MeasuredDirection>,
}

impl Board {
    pub(super) fn read(&self) -> MutexGuard<'_, Posted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session is as it was.
    pub(super) fn keep(&self, spec: &Arc<SessionSpec>) {
        if let Some(entry) = self.read().sessions.get_mut(&spec.name) {
            entry.spec = Arc::clone(spec);
        }
    }

    /// A session is in the file, as it was or as another. Its counters go on.
    pub(super) fn admit(&self, spec: &Arc<SessionSpec>) {
        let mut posted = self.read();
        let entry = posted.sessions.entry(spec.name.clone()).or_insert_with(|| {
            let branches = vec![Branch::new(spec, Arc::new(identity(spec, None)))];
            let histograms = BTreeMap::new();
            Entry { spec: Arc::clone(spec), waits: None, branches, histograms }
        });
        entry.spec = Arc::clone(spec);
        for branch in &mut entry.branches {
            let known = (*branch.identity).clone();
            // One that goes on as it probes may be called otherwise; any other may wait for long
            // before it runs as it is told now.
            branch.identity = Arc::new(match branch.runs {
                Some(_) => Identity {
                    profile: spec.profile.clone().unwrap_or_default(),
                    policy: policy(spec),
                    labels: spec.labels.clone(),
                    ..known
                },
                None => Identity { name: known.name, ..identity(spec, None) },
            });
        }
    }

    /// A session is no longer in the file.
    pub(super) fn dismiss(&self, name: &str) {
        self.read().sessions.remove(name);
    }

    /// A session probes.
    pub(super) fn runs(
        &self,
        spec: &SessionSpec,
        worker: usize,
        numbers: Range<usize>,
        infos: &[SessionInfo],
    ) {
        let mut posted = self.read();
        let Some(entry) = posted.sessions.get_mut(&spec.name) else { return };
        let mut known = std::mem::take(&mut entry.branches);
        entry.histograms.retain(|name, _| infos.iter().any(|info| info.name == *name));
        entry.waits = None;
        entry.branches = numbers
            .zip(infos)
            .map(|(number, info)| {
                let identity = Arc::new(identity(spec, Some(info)));
                let same = known.iter().position(|known| known.identity.name == info.name);
                let mut branch = match same {
                    Some(index) => Branch { identity, ..known.swap_remove(index) },
                    None => Branch::new(spec, identity),
                };
                let place = Place { worker, number };
                branch.ledger.begin(place);
                branch.runs = Some((place, Arc::new(info.clone())));
                branch
            })
            .collect();
    }

    /// A session cannot be opened now.
    pub(super) fn waits(&self, name: &str, reason: &str) {
        if let Some(entry) = self.read().sessions.get_mut(name) {
            entry.waits = Some(reason.to_owned());
        }
    }

    /// A session probes no longer; these were the last words of its branches.
    pub(super) fn ends(&self, name: &str, last: &[Option<SessionStanding>]) {
        let mut posted = self.read();
        posted.policies.ends(name);
        let Some(entry) = posted.sessions.get_mut(name) else { return };
        let last = last.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        for (branch, last) in entry.branches.iter_mut().zip(last) {
            branch.ledger.end(last.map(SessionCounters::of).as_ref());
            branch.runs = None;
            branch.window = None;
            branch.broken = None;
            branch.news = News::default();
            branch.announce(None, &[]);
        }
    }

    /// What is announced of a branch now, and what was announced on the way there.
    pub(super) fn announces(
        &self,
        name: &str,
        branch: usize,
        state: Option<TeState>,
        made: &[TeAdvertisement],
    ) {
        let mut posted = self.read();
        if let Some(branch) = posted.branch(name, branch) {
            branch.announce(state, made);
        }
    }

    /// Sessions have histograms from now on, or none; whether that is new.
    pub(super) fn switch_histograms(&self, on: bool) -> bool {
        self.read().has_histograms.replace(on) != Some(on)
    }

    /// Where the values of a branch are to be counted: with those of its lives before.
    pub(super) fn histograms(
        &self,
        spec: &SessionSpec,
        branch: &str,
    ) -> Option<Arc<SessionHistograms>> {
        let mut posted = self.read();
        let on = posted.has_histograms == Some(true);
        let entry = posted.sessions.get_mut(&spec.name)?;
        if !on {
            entry.histograms.clear();
            return None;
        }
        let fresh = || Arc::new(SessionHistograms::new(&spec.buckets));
        let known = entry.histograms.entry(branch.to_owned()).or_insert_with(fresh);
        if *known.buckets() != spec.buckets {
            *known = fresh();
        }
        Some(Arc::clone(known))
    }

    /// A window of a branch is complete.
    pub(super) fn window(&self, name: &str, branch: usize, measured: &Arc<SessionSnapshot>) {
        let mut posted = self.read();
        posted.policies.window(name, branch, Standing::of_window(measured));
        let Some(entry) = posted.sessions.get_mut(name) else { return };
        let length = entry.spec.window;
        if let Some(branch) = entry.branches.get_mut(branch) {
            let interval = branch.runs.as_ref().map(|(_, info)| info.schedule.mean_interval());
            let window = Window::ended(Arc::clone(measured));
            branch.window = Some(match interval {
                Some(interval) => window.due(length, interval),
                None => window,
            });
            branch.news = News::default();
            branch.remember(measured);
        }
    }

    /// A branch told something.
    pub(super) fn event(&self, name: &str, branch: usize, event: &SenderEvent) {
        let mut posted = self.read();
        if let SenderEvent::State(change) = event {
            posted.policies.state(name, branch, change.to);
        }
        if let Some(branch) = posted.branch(name, branch) {
            branch.news.take(event);
        }
    }

    /// Which way a branch is broken, if that is known.
    pub(super) fn broken(&self, name: &str, branch: usize, broken: Option<MeasuredDirection>) {
        let mut posted = self.read();
        if let Some(branch) = posted.branch(name, branch) {
            branch.broken = broken;
        }
    }

    /// All sessions of the file are there, and belong to the policies that it says.
    pub(super) fn group(&self) {
        let mut posted = self.read();
        let Posted { sessions, policies, .. } = &mut *posted;
        policies.configure(sessions.values().map(|entry| &entry.spec));
    }

    /// This was decided for the policies of the file.
    pub(super) fn chooses(&self, shown: Vec<ShownPolicy>) {
        self.read().policies.choose(shown);
    }

    /// The network with the ways of these policies.
    pub(super) fn draws(&self, drawing: Drawing) {
        self.read().drawing = Arc::new(drawing);
    }

    /// What has changed of policies since this was asked last.
    pub(super) fn policy_changes(&self) -> Vec<PolicyEntry> {
        self.read().policies.changes(stamp_worker::now())
    }

    /// The service runs as this says.
    pub(super) fn serves(&self, configuration: &Configuration) {
        let mut posted = self.read();
        posted.service.clone_from(&configuration.service);
        posted.probing = configuration.probing.clone().map(Arc::new);
    }

    /// This is how discovery goes.
    pub(super) fn discovered(&self, states: &States) {
        self.read().discovery.clone_from(states);
    }

    /// What the process has given away.
    pub(super) fn sandboxed(&self, layers: Vec<(&'static str, bool)>) {
        self.read().layers = layers;
    }

    /// A file was put in force, or refused.
    pub(super) fn reloaded(&self, successful: bool) {
        let mut posted = self.read();
        match &mut posted.reloads {
            Some(reloads) => reloads.add(successful),
            reloads @ None => *reloads = Some(Reloads::started()),
        }
    }
}

impl Posted {
    fn branch(&mut self, name: &str, branch: usize) -> Option<&mut Branch> {
        self.sessions.get_mut(name)?.branches.get_mut(branch)
    }
}

impl Branch {
    fn new(spec: &SessionSpec, identity: Arc<Identity>) -> Self {
        let ledger = match spec.settings.get("stateful") {
            Some("true") => Ledger::by_direction(),
            _ => Ledger::default(),
        };
        Self {
            identity,
            runs: None,
            window: None,
            news: News::default(),
            course: VecDeque::new(),
            ledger,
            announced: None,
            broken: None,
        }
    }

    fn remember(&mut self, measured: &SessionSnapshot) {
        let Some(p50) = measured.delay.round_trip.p50 else { return };
        if self.course.len() == COURSE {
            self.course.pop_front();
        }
        self.course.push_back(p50.ns().unsigned_abs() / 1_000);
    }

    fn announce(&mut self, state: Option<TeState>, made: &[TeAdvertisement]) {
        let mut announced = match (self.announced, state) {
            (None, None) => return,
            (known, _) => known.unwrap_or_default(),
        };
        announced.state = state.unwrap_or_default();
        made.iter().for_each(|advertisement| announced.counts.add(advertisement.reason, 1));
        self.announced = Some(announced);
    }
}

fn policy(spec: &SessionSpec) -> String {
    spec.policy.as_ref().map(|membership| membership.policy.clone()).unwrap_or_default()
}

fn identity(spec: &SessionSpec, info: Option<&SessionInfo>) -> Identity {
    let words = |words: &[String]| words.join(",");
    let or_empty = |of: fn(&SessionInfo) -> String| info.map(of).unwrap_or_default();
    Identity {
        name: info.map_or_else(|| spec.name.clone(), |info| info.name.clone()),
        target: spec.target.clone(),
        address: or_empty(|info| address(info.target)),
        source: or_empty(|info| address(info.source)),
        profile: spec.profile.clone().unwrap_or_default(),
        policy: policy(spec),
        mode: info.map_or("", |info| info.measurement.label()),
        dscp: or_empty(|info| info.traffic_class.0.to_string()),
        segments: info.map(|info| words(&info.steering.segments)).unwrap_or_default(),
        return_segments: info.map(|info| words(&info.steering.return_segments)).unwrap_or_default(),
        labels: spec.labels.clone(),
    }
}

#[cfg(test)]
mod tests;
