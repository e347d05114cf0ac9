//! Two that decide over the same sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stamp_metrics::SessionCounters;
use stamp_metrics::catalogue::RUNNING;
use stamp_metrics::program::Program;
use stamp_metrics::sender::{Announced, Identity, Now as SessionNow, Sender, Session, Window};
use stamp_proto::time::WallTime;
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::sender::SessionState;
use stamp_session::snapshot::{SessionSnapshot, SessionStanding};
use stamp_session::statistics::{Buckets, Histogram};
use stamp_session::te::{TeAdvertiser, TeConfig, TeCounts, TeWindow};

use super::Told;
use super::exposed::{Exposed, scraped};
use crate::daemon::Paths;
use crate::output::ndjson::path::PathEntry;
use crate::paths::{self, Chooser, Drain, Known, LinkNews, Moved, Plan, ShownPolicy};
use crate::policies::Policies;
use crate::select::answer::{Answer, Sample};
use crate::select::decider::Decider;
use crate::select::query::READING;
use crate::select::readings::Readings;

const WINDOW: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(100);
const TARGET: [(&str, &str); 2] = [("instance", "127.0.0.1:9862"), ("job", "stamp-sender")];

/// What somebody has decided.
#[derive(Debug, PartialEq)]
pub struct Decided {
    pub moved: Vec<String>,
    pub rows: Vec<String>,
    pub shown: Vec<ShownPolicy>,
}

/// A session as its daemon has it.
struct Running {
    state: SessionState,
    runs: bool,
    latest: Option<(SystemTime, Arc<SessionSnapshot>)>,
    advertiser: TeAdvertiser,
}

/// A daemon, and somebody who asks Prometheus.
pub struct Twins {
    paths: Paths,
    chooser: Chooser,
    sessions: BTreeMap<String, Running>,
    decider: Decider,
    policies: Policies,
    pub now: Now,
}

impl Twins {
    pub fn new(paths: &Paths) -> Self {
        let mut chooser = Chooser::default();
        chooser.put_in_force(Plan::everywhere(paths, &chooser.circumstances()));
        let mut twins = Self {
            paths: paths.clone(),
            chooser,
            sessions: BTreeMap::new(),
            decider: Decider::new(paths.clone(), Duration::from_secs(90)),
            policies: Policies::default(),
            now: Now::default(),
        };
        twins.pass(Duration::from_secs(1_000));
        // A plan that comes into force is decided about at once.
        let [near, far] = twins.decide();
        assert_eq!(near, far);
        twins
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(time);
        let ns = i64::try_from(self.now.monotonic.ns()).unwrap();
        self.now.wall = WallTime::from_unix_ns(ns);
    }

    /// One for each list, from the first on as often as there are lists.
    pub fn tell(&mut self, told: &[Told]) {
        let lists: Vec<String> =
            self.chooser.plan().lists().into_iter().map(|it| it.name).collect();
        for (list, told) in lists.iter().zip(told.iter().cycle()) {
            self.tell_one(list, told);
        }
    }

    pub fn tell_named(&mut self, told: impl Fn(&str) -> Told) {
        for list in self.chooser.plan().lists() {
            self.tell_one(&list.name, &told(&list.name));
        }
    }

    /// As the daemon hears it from a packet thread.
    fn tell_one(&mut self, list: &str, told: &Told) {
        let session = self.sessions.entry(list.to_owned()).or_insert_with(|| Running {
            state: SessionState::Init,
            runs: true,
            latest: None,
            advertiser: TeAdvertiser::new(TeConfig::default()).unwrap(),
        });
        match told {
            Told::Silent => {}
            Told::Ends => {
                (session.state, session.runs, session.latest) = (SessionState::Init, false, None);
                self.chooser.ends(list);
            }
            Told::Down => {
                (session.state, session.runs) = (SessionState::Down, true);
                self.chooser.state(list, 0, SessionState::Down);
            }
            Told::Window(exposed) => self.window(list, exposed),
        }
    }

    fn window(&mut self, list: &str, exposed: &Exposed) {
        let end = self.now.monotonic;
        let Some(session) = self.sessions.get_mut(list) else { return };
        let snapshot = exposed.snapshot();
        (session.state, session.runs) = (snapshot.state, true);
        let window = paths::window(&snapshot, (WINDOW, end), INTERVAL);
        let known = Known { state: snapshot.state, window: Some(window) };
        self.chooser.window((list, 0), known);
        let start = MonotonicTime::from_ns(end.ns() - u64::try_from(WINDOW.as_nanos()).unwrap());
        let told = session.advertiser.handle_window(&TeWindow::of(&snapshot, start, end, INTERVAL));
        for news in told.filter_map(|told| LinkNews::of(&told)) {
            self.chooser.announced(list, news);
        }
        let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(end.ns());
        session.latest = Some((at, Arc::new(snapshot)));
    }

    /// Somebody tells both of them what is drained.
    pub fn drain(&mut self, drain: &Drain, is_drained: bool) {
        let near = self.chooser.drain(&self.paths.topology, drain.clone(), is_drained);
        assert_eq!(near, self.decider.drain(drain.clone(), is_drained));
        if self.chooser.takes_plan() {
            let circumstances = self.chooser.circumstances();
            self.chooser.put_in_force(Plan::everywhere(&self.paths, &circumstances));
        }
    }

    /// Both decide, each by what it has been told.
    pub fn decide(&mut self) -> [Decided; 2] {
        // What is exposed is of before the decision, as is what a daemon decides over.
        let readings = Readings::of(&self.answer());
        let near = self.decide_near();
        let moved = self.decider.decide(&readings, &mut self.policies, self.now);
        let (shown, rows) = self.decider.shown(self.now, None);
        let rows = rows.into_iter().map(|row| row.object).collect();
        [near, Decided { moved: words(moved), rows, shown }]
    }

    fn decide_near(&mut self) -> Decided {
        let mut moved = Vec::new();
        loop {
            moved.extend(self.chooser.decide(self.now));
            if !self.chooser.takes_plan() {
                break;
            }
            let circumstances = self.chooser.circumstances();
            self.chooser.put_in_force(Plan::everywhere(&self.paths, &circumstances));
        }
        let plan = Arc::clone(self.chooser.plan());
        self.sessions.retain(|list, _| plan.has(list));
        let shown = self.chooser.shown(self.now);
        let rows = self.chooser.rows(&shown);
        let rows = rows.into_iter().map(|row| row.object).collect();
        Decided { moved: words(moved), rows, shown }
    }

    /// What Prometheus knows of the daemon now.
    pub fn answer(&self) -> Answer {
        let mut policies = Policies::default();
        policies.configure(self.chooser.plan().sessions.iter());
        policies.choose(self.chooser.shown(self.now));
        let sender = Sender {
            program: Program::default(),
            running: 0,
            waiting: 0,
            has_histograms: false,
            lag: Arc::new(Histogram::new(Buckets::rising([1_000]))),
            shard: None,
            discovery: Vec::new(),
            policies: policies.all(),
            sessions: self.sessions.iter().map(|(name, it)| it.exposed(name)).collect(),
        };
        let text: Vec<u8> = sender.shared().exposition().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        let mut samples = scraped(&text, &TARGET);
        let at = Duration::from_nanos(self.now.monotonic.ns()).as_secs_f64();
        let times: Vec<Sample> = samples
            .iter()
            .filter(|sample| sample.label("__name__") == RUNNING.name)
            .map(|sample| {
                let mut labels = sample.labels.clone();
                labels.remove("__name__");
                labels.insert(READING.to_owned(), "scraped".to_owned());
                Sample { labels, value: at }
            })
            .collect();
        samples.extend(times);
        Answer { at, samples }
    }

    pub fn state_of(&self, list: &str) -> SessionState {
        self.sessions[list].state
    }

    /// Segments of the lists of a candidate path.
    pub fn segments_of(&self, candidate: &str) -> Vec<String> {
        let lists = self.decider.in_force().lists();
        let lists = lists.into_iter().filter(|list| list.name.starts_with(candidate));
        lists.map(|list| list.words.segments).collect()
    }
}

impl Running {
    fn exposed(&self, name: &str) -> Session {
        let plain = Exposed { ms: 1, lost: 0, sent: 1, clock: 0 }.snapshot();
        let now = SessionSnapshot { state: self.state, ..plain };
        let window = self
            .latest
            .clone()
            .map(|(end, measured)| Window { end, ..Window::ended(measured).due(WINDOW, INTERVAL) });
        let announced = Announced { state: self.advertiser.state(), counts: TeCounts::default() };
        Session {
            identity: Arc::new(Identity { name: name.to_owned(), ..Identity::default() }),
            counters: SessionCounters::default(),
            now: self.runs.then(|| SessionNow::from(SessionStanding::from(&now))),
            window,
            histograms: None,
            announced: Some(announced),
            broken: None,
        }
    }
}

fn words(moved: Vec<Moved>) -> Vec<String> {
    let entries = moved.into_iter().map(PathEntry::from);
    entries
        .map(|it| {
            let carried: Vec<String> =
                it.lists.iter().map(|list| format!("{} {}", list.name, list.weight)).collect();
            format!(
                "{} {:?} -> {:?} {} {:?} {:?} {:?} {}",
                it.policy,
                it.from,
                it.to,
                it.reason,
                it.because,
                it.before,
                it.after,
                carried.join(",")
            )
        })
        .collect()
}
