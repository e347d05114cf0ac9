//! All sessions of a service: which of them run, which wait for what, and how a new file becomes the
//! one in force.

mod change;
mod member;
mod openers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stamp_proto::packet::Ssid;
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{ReportedArrival, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::statistics::{Buckets, Histogram};
use stamp_session::te::TeAdvertisement;
use stamp_worker::RollCall;
use stamp_worker::sender::{SenderAsker, SenderPool, Tuning};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::announced::Announced;
use super::board::Board;
use super::config::{Configuration, SessionSpec, in_words_of_a_file};
use super::far_end::{Broken, SessionKey};
use super::observer::{Notice, Observer, Place};
use super::opening::{self, Obstacle, Opened};
use crate::descriptors::Sockets;
use crate::exit::Failure;
use crate::happening::SessionInfo;
pub(super) use change::{Change, Changed, Known};
use member::{Life, Member, Running, UnderWay};
pub(super) use openers::{Attempt, Openers};

/// At least so long a probe that wants no reply is awaited where a Session-Reflector tells of it: it
/// gathers what it tells, and its word has a way of its own.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// The sessions of a service and the packet threads that they run on.
pub(super) struct Fleet {
    pools: Vec<SenderPool>,
    members: BTreeMap<String, Member>,
    /// Whose session runs at a place, and which one of its own.
    places: HashMap<Place, (String, usize)>,
    /// Those with this identifier: far ends know sessions by it.
    by_ssid: HashMap<Ssid, Vec<Place>>,
    /// Where Session-Reflectors are that tell of our probes.
    heard: BTreeSet<IpAddr>,
    openers: Openers,
    /// Sessions that were opened while others went on, and where they are handed in.
    attempts: UnboundedReceiver<Attempt>,
    attempted: UnboundedSender<Attempt>,
    /// Names of those that have ended since somebody asked.
    ended: Vec<String>,
    /// What others may see of it.
    board: Board,
    /// How much later than scheduled probes left.
    lag: Arc<Histogram>,
}

impl Fleet {
    /// Without sessions yet, on so many packet threads.
    ///
    /// # Errors
    ///
    /// When the kernel gives no thread or descriptor.
    pub(super) fn new(
        workers: usize,
        notices: &UnboundedSender<(Place, Notice)>,
        board: Board,
    ) -> Result<Self, Failure> {
        let pool = |worker| {
            let observer = Box::new(Observer::new(worker, notices.clone()));
            SenderPool::resident(&format!("sender-{worker}"), observer)
        };
        let pools = (0..workers).map(pool).collect::<Result<_, _>>()?;
        let (attempted, attempts) = unbounded_channel();
        Ok(Self {
            pools,
            members: BTreeMap::new(),
            places: HashMap::new(),
            by_ssid: HashMap::new(),
            heard: BTreeSet::new(),
            openers: Openers::default(),
            attempts,
            attempted,
            ended: Vec::new(),
            board,
            lag: Arc::new(Histogram::new(lags())),
        })
    }

    /// How much later than scheduled probes of all sessions leave.
    pub(super) fn lag(&self) -> Arc<Histogram> {
        Arc::clone(&self.lag)
    }

    /// Who can be asked about sessions, by worker.
    pub(super) fn askers(&self) -> Vec<SenderAsker> {
        self.pools.iter().map(SenderPool::asker).collect()
    }

    /// What a new configuration is held against.
    pub(super) fn known(&self) -> Known {
        let known = |member: &Member| (Arc::clone(&member.spec), member.inputs.clone());
        self.members.iter().map(|(name, member)| (name.clone(), known(member))).collect()
    }

    /// Who opens its sessions.
    pub(super) fn openers(&self) -> Openers {
        self.openers.clone()
    }

    /// Lets sessions have histograms, or none, as `configuration` says for so many. What runs on is told at once,
    /// what is opened later as it is.
    pub(super) fn switch_histograms(&mut self, configuration: &Configuration, sessions: usize) {
        if !self.board.switch_histograms(configuration.has_histograms(sessions)) {
            return;
        }
        if let Some(most) = configuration.too_many_for_histograms(sessions) {
            tracing::warn!(
                sessions,
                most,
                "no histograms of so many sessions: web.histograms = \"classic\" asks for them"
            );
        }
        let specs: Vec<_> = self.members.values().map(|it| Arc::clone(&it.spec)).collect();
        specs.into_iter().for_each(|spec| self.tune(spec));
    }

    /// Makes what was prepared the configuration in force. Sessions that it leaves as they are keep
    /// their state and counters. From here on nothing can fail as a whole.
    pub(super) fn put_in_force(
        &mut self,
        change: Change,
        opened: Vec<Attempt>,
        mut late: UnboundedReceiver<Attempt>,
    ) -> Changed {
        let changed = change.summary();
        for name in &change.removed {
            self.end(name);
            self.members.remove(name);
            self.board.dismiss(name);
        }
        change.kept.into_iter().for_each(|spec| self.keep(spec));
        change.tuned.into_iter().for_each(|spec| self.tune(spec));
        let mut opened: HashMap<_, _> =
            opened.into_iter().map(|(spec, result)| (spec.name.clone(), result)).collect();
        for spec in change.opened {
            self.end(&spec.name);
            self.members.insert(spec.name.clone(), Member::new(Arc::clone(&spec)));
            self.board.admit(&spec);
            if let Some(result) = opened.remove(&spec.name) {
                self.settle(spec, result);
            }
        }
        let attempted = self.attempted.clone();
        tokio::spawn(async move {
            while let Some(attempt) = late.recv().await {
                let _ = attempted.send(attempt);
            }
        });
        changed
    }

    /// Goes on with a session that is as it was, but may stand elsewhere in its file.
    fn keep(&mut self, spec: Arc<SessionSpec>) {
        // What is under way for it is not begun again: names that are slow would never be waited for.
        if let Some(member) = self.members.get_mut(&spec.name).filter(|it| it.under_way().is_none())
        {
            self.board.keep(&spec);
            member.spec = spec;
        }
    }

    /// Goes on with a session that probes as before.
    fn tune(&mut self, spec: Arc<SessionSpec>) {
        self.board.admit(&spec);
        let Some(member) = self.members.get_mut(&spec.name) else { return };
        if let Some(running) = member.running() {
            for (number, info) in running.numbers.clone().zip(&running.infos) {
                let Some(pool) = self.pools.get(running.worker) else { break };
                let histograms = self.board.histograms(&spec, &info.name);
                let (thresholds, window) = (spec.thresholds(), Some(spec.window));
                pool.tune(vec![number], &Tuning { thresholds, window, histograms });
            }
        }
        let name = spec.name.clone();
        if let Some(UnderWay { known }) = member.tune(Arc::clone(&spec)) {
            // What is under way is of the session as it was, and comes to nothing.
            self.openers.open(spec, known, self.attempted.clone());
        }
        self.post_announced(&name);
    }

    /// Tells the board what is announced of a session.
    fn post_announced(&self, name: &str) {
        let running = self.members.get(name).and_then(Member::running);
        for (branch, announced) in running.iter().flat_map(|it| it.announced.iter().enumerate()) {
            self.board.announces(name, branch, announced.state(), &[]);
        }
    }

    /// Whose session runs at a place, and what to tell about it; none that has gone.
    pub(super) fn at(&self, place: Place) -> Option<(&Member, &SessionInfo)> {
        let (name, branch) = self.places.get(&place)?;
        let member = self.members.get(name)?;
        Some((member, member.running()?.infos.get(*branch)?))
    }

    /// Our session that a Session-Reflector at one of these addresses knows by this. A NAT may have changed
    /// its address or its port, not both.
    pub(super) fn known_as(&self, key: &SessionKey, addresses: &[IpAddr]) -> Option<Place> {
        let is_it = |place: &&Place| {
            self.at(**place).is_some_and(|(_, info)| {
                let is_same = info.source.ip().to_canonical() == key.source.ip()
                    || info.source.port() == key.source.port();
                is_same && addresses.contains(&info.target.ip().to_canonical())
            })
        };
        self.by_ssid.get(&key.ssid)?.iter().find(is_it).copied()
    }

    /// Whether Session-Reflectors at these addresses tell of probes that want no reply, from now on.
    pub(super) fn hearing(&mut self, addresses: &[IpAddr], is_heard: bool) {
        for address in addresses {
            if is_heard {
                self.heard.insert(*address);
            } else {
                self.heard.remove(address);
            }
        }
        for running in self.members.values().filter_map(Member::running) {
            if addresses.contains(&running.target.ip().to_canonical())
                && let Some(pool) = self.pools.get(running.worker)
            {
                pool.hearing(running.numbers.clone().collect(), is_heard);
            }
        }
    }

    /// Probes of a session arrived.
    pub(super) fn arrived(&self, place: Place, arrivals: &[ReportedArrival]) {
        if let Some(pool) = self.pools.get(place.worker) {
            let arrivals = arrivals.iter().map(|arrival| (place.number, *arrival));
            pool.arrivals(arrivals.collect());
        }
    }

    /// Name of the session that runs at a place, and which of its paths does.
    pub(super) fn branch(&self, place: Place) -> Option<(&str, usize)> {
        self.places.get(&place).map(|(name, branch)| (name.as_str(), *branch))
    }

    /// Sessions that have ended since this was asked last, though others of their names may run.
    pub(super) fn take_ended(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ended)
    }

    /// A session told something.
    pub(super) fn event(&self, place: Place, event: &SenderEvent) {
        if let Some((name, branch)) = self.places.get(&place) {
            self.board.event(name, *branch, event);
        }
    }

    /// Which way a session is broken, if that is known.
    pub(super) fn broken(&self, place: Place, broken: Option<Broken>) {
        if let Some((name, branch)) = self.places.get(&place) {
            self.board.broken(name, *branch, broken.map(Broken::direction));
        }
    }

    /// All of them by name.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// A window of a session is complete; what follows from it for path computation.
    pub(super) fn window(
        &mut self,
        place: Place,
        measured: Box<SessionSnapshot>,
        end: MonotonicTime,
    ) -> Vec<TeAdvertisement> {
        let Some((name, branch)) = self.places.get(&place) else { return Vec::new() };
        let measured = Arc::from(measured);
        self.board.window(name, *branch, &measured);
        let Some(member) = self.members.get_mut(name) else { return Vec::new() };
        let made = member.window(*branch, measured, end);
        let announced = member.running().and_then(|running| running.announced.get(*branch));
        self.board.announces(name, *branch, announced.and_then(Announced::state), &made);
        made
    }

    /// A session cannot send any more as it is: its address has gone, or its interface.
    pub(super) fn reconsider(&mut self, place: Place, now: Instant) {
        let name = self.places.get(&place).map(|(name, _)| name.clone());
        if let Some(member) = name.and_then(|name| self.members.get_mut(&name)) {
            member.reconsider(now);
        }
    }

    /// Begins what is due: another try of sessions that wait, another look at names.
    pub(super) fn tend(&mut self, now: Instant) {
        for member in self.members.values_mut() {
            if let Some((spec, UnderWay { known })) = member.take_due(now) {
                self.openers.open(spec, known, self.attempted.clone());
            }
        }
    }

    /// Asks every packet thread whether it is there.
    pub(super) fn call_roll(&self) -> RollCall {
        SenderAsker::call_roll(&self.askers())
    }

    /// When [`Self::tend`] has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.members.values().filter_map(Member::due).min()
    }

    /// Waits for the end of an attempt and acts upon it.
    pub(super) async fn attempted(&mut self) {
        if let Some((spec, result)) = self.attempts.recv().await {
            self.settle(spec, result);
        }
    }

    /// Lets a session run, or wait.
    fn settle(&mut self, spec: Arc<SessionSpec>, result: Option<Result<Opened, Obstacle>>) {
        let Some(member) = self.members.get_mut(&spec.name) else { return };
        if !Arc::ptr_eq(&member.spec, &spec) {
            // Of a configuration that is no longer in force.
            return;
        }
        match result {
            None => member.has_not_moved(),
            Some(Ok(opened)) if member.is_at(&opened) => member.stays(),
            Some(Ok(opened)) => {
                self.end(&spec.name);
                self.start(&spec, opened);
            }
            Some(Err(obstacle)) => {
                member.wait(obstacle.reason(&spec));
                self.tell_waiting(&spec.name);
            }
        }
    }

    fn start(&mut self, spec: &SessionSpec, opened: Opened) {
        let Opened { mut setups, companions, infos, target } = opened;
        for (setup, info) in setups.iter_mut().zip(&infos) {
            setup.config.histograms = self.board.histograms(spec, &info.name);
            setup.config.lag = Some(Arc::clone(&self.lag));
            if setup.config.requests.wants_no_reply() {
                setup.config.timeout = setup.config.timeout.max(TOLD_WITHIN);
            }
        }
        let worker = self.least_busy();
        let Some(pool) = self.pools.get_mut(worker) else { return };
        let added = pool.add(setups, companions);
        let Some(member) = self.members.get_mut(&spec.name) else { return };
        match added {
            Ok(numbers) => {
                for ((branch, number), info) in numbers.clone().enumerate().zip(&infos) {
                    let place = Place { worker, number };
                    self.places.insert(place, (spec.name.clone(), branch));
                    self.by_ssid.entry(info.ssid).or_default().push(place);
                }
                if self.heard.contains(&target.ip().to_canonical()) {
                    pool.hearing(numbers.clone().collect(), true);
                }
                self.board.runs(spec, worker, numbers.clone(), &infos);
                member.run(Running::new(worker, numbers, infos, target, spec));
                self.post_announced(&spec.name);
            }
            Err(error) => {
                member.wait(in_words_of_a_file(&Failure::from(error).to_string()));
                self.tell_waiting(&spec.name);
            }
        }
    }

    fn tell_waiting(&self, name: &str) {
        if let Some(waiting) = self.members.get(name).and_then(Member::waiting) {
            self.board.waits(name, &waiting.reason);
        }
    }

    /// Ends what runs of a session.
    fn end(&mut self, name: &str) {
        let Some(member) = self.members.get_mut(name) else { return };
        let Life::Running(running, _) = member.leave() else { return };
        let Running { worker, numbers, infos, .. } = running;
        self.ended.push(name.to_owned());
        for number in numbers.clone() {
            self.places.remove(&Place { worker, number });
        }
        for (number, info) in numbers.clone().zip(&infos) {
            if let Some(places) = self.by_ssid.get_mut(&info.ssid) {
                places.retain(|place| *place != Place { worker, number });
            }
        }
        if let Some(pool) = self.pools.get(worker) {
            // What it has counted outlives it.
            self.board.ends(name, &pool.standings_of(numbers.clone().collect()));
            pool.remove(numbers.collect());
        }
    }

    fn least_busy(&self) -> usize {
        let mut busy = vec![0_usize; self.pools.len()];
        for place in self.places.keys() {
            if let Some(count) = busy.get_mut(place.worker) {
                *count += 1;
            }
        }
        let workers = busy.iter().enumerate().min_by_key(|(_, count)| **count);
        workers.map_or(0, |(worker, _)| worker)
    }
}

/// Sockets that all of them need.
pub(super) fn sockets_of(sessions: &[Arc<SessionSpec>]) -> Result<Sockets, Failure> {
    let mut sockets = Sockets::default();
    for spec in sessions {
        match opening::sockets(spec) {
            Ok(more) => sockets = sockets + more,
            Err(Obstacle::Lasting(failure)) if !spec.discovered => {
                return Err(spec.refused(failure));
            }
            Err(_) => sockets = sockets + Sockets { own: 1, shared: 0 },
        }
    }
    Ok(sockets)
}

/// From what a quiet processor needs to what is no schedule any more.
fn lags() -> Buckets {
    const US: [u64; 16] = [
        2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
        1_000_000,
    ];
    Buckets::rising(US.map(|us| us * 1_000))
}

#[cfg(test)]
mod tests;
