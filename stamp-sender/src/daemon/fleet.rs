//! All sessions of a service: which of them run, which wait for what, and how a new file becomes the
//! one in force.

mod change;
mod member;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::te::TeAdvertisement;
use stamp_worker::sender::{SenderAsker, SenderPool, Tuning};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::board::Board;
use super::config::{Configuration, SessionSpec};
use super::observer::{Notice, Observer, Place};
use super::opening::{self, Obstacle, Opened};
use crate::descriptors;
use crate::exit::Failure;
use crate::happening::SessionInfo;
use change::Change;
pub(super) use change::Changed;
use member::{Life, Member, Running};

/// A session that was opened, or why not; nothing where its far end is where it was.
type Attempt = (Arc<SessionSpec>, Option<Result<Opened, Obstacle>>);

/// The sessions of a service and the packet threads that they run on.
pub(super) struct Fleet {
    pools: Vec<SenderPool>,
    members: BTreeMap<String, Member>,
    /// Whose session runs at a place, and which one of its own.
    places: HashMap<Place, (String, usize)>,
    /// Sessions that are being opened while others go on.
    attempts: JoinSet<Attempt>,
    /// What others may see of it.
    board: Board,
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
        let pool = |worker| SenderPool::resident(Box::new(Observer::new(worker, notices.clone())));
        let pools = (0..workers).map(pool).collect::<Result<_, _>>()?;
        Ok(Self {
            pools,
            members: BTreeMap::new(),
            places: HashMap::new(),
            attempts: JoinSet::new(),
            board,
        })
    }

    /// Who can be asked about sessions, by worker.
    pub(super) fn askers(&self) -> Vec<SenderAsker> {
        self.pools.iter().map(SenderPool::asker).collect()
    }

    /// Makes `configuration` the one in force. Sessions that it leaves as they are keep their state
    /// and counters.
    ///
    /// # Errors
    ///
    /// What can never be; then nothing has changed.
    pub(super) async fn apply(
        &mut self,
        configuration: &Configuration,
    ) -> Result<Changed, Failure> {
        let change = Change::between(&self.members, configuration);
        descriptors::ensure(sockets_of(configuration)?)?;
        let mut opened = Vec::with_capacity(change.opened.len());
        let mut opening = JoinSet::new();
        for spec in &change.opened {
            let spec = Arc::clone(spec);
            opening.spawn_blocking(move || attempt(spec, None));
        }
        while let Some(attempt) = opening.join_next().await {
            let (spec, result) =
                attempt.map_err(|_| Failure::Input("a look-up broke down".into()))?;
            if let Some(Err(Obstacle::Lasting(failure))) = result {
                let (name, source) = (spec.name.clone(), Box::new(failure));
                return Err(Failure::Session { name, source });
            }
            opened.push((spec, result));
        }
        Ok(self.put_in_force(change, opened))
    }

    /// From here on nothing can fail as a whole.
    fn put_in_force(&mut self, change: Change, opened: Vec<Attempt>) -> Changed {
        let changed = change.summary();
        for name in &change.removed {
            self.end(name);
            self.members.remove(name);
            self.board.dismiss(name);
        }
        change.tuned.into_iter().for_each(|spec| self.tune(spec));
        for (spec, result) in opened {
            self.end(&spec.name);
            self.members.insert(spec.name.clone(), Member::new(Arc::clone(&spec)));
            self.board.admit(&spec);
            self.settle(spec, result);
        }
        changed
    }

    /// Goes on with a session that probes as before.
    fn tune(&mut self, spec: Arc<SessionSpec>) {
        self.board.admit(&spec);
        let Some(member) = self.members.get_mut(&spec.name) else { return };
        if let Some(running) = member.running() {
            let tuning = Tuning { thresholds: spec.thresholds(), window: Some(spec.window) };
            if let Some(pool) = self.pools.get(running.worker) {
                pool.tune(running.numbers.clone().collect(), &tuning);
            }
        }
        member.tune(spec);
    }

    /// Whose session runs at a place, and what to tell about it; none that has gone.
    pub(super) fn at(&self, place: Place) -> Option<(&Member, &SessionInfo)> {
        let (name, branch) = self.places.get(&place)?;
        let member = self.members.get(name)?;
        Some((member, member.running()?.infos.get(*branch)?))
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
        member.window(*branch, measured, end)
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
            if let Some((spec, known)) = member.take_due(now) {
                self.attempts.spawn_blocking(move || attempt(spec, known));
            }
        }
    }

    /// Waits until every packet thread has answered.
    pub(super) fn hear_from_workers(&self) {
        for pool in &self.pools {
            let _nothing = pool.snapshots_of(Vec::new());
        }
    }

    /// When [`Self::tend`] has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.members.values().filter_map(Member::due).min()
    }

    /// Waits for the end of an attempt and acts upon it; for ever while there is none.
    pub(super) async fn attempted(&mut self) {
        match self.attempts.join_next().await {
            Some(Ok((spec, result))) => self.settle(spec, result),
            Some(Err(_)) => {}
            None => std::future::pending().await,
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
            None => member.stays(),
            Some(Ok(opened)) if member.is_at(&opened) => member.stays(),
            Some(Ok(opened)) => {
                self.end(&spec.name);
                self.start(&spec, opened);
            }
            Some(Err(obstacle)) => {
                member.wait(obstacle.failure());
                self.tell_waiting(&spec.name);
            }
        }
    }

    fn start(&mut self, spec: &SessionSpec, opened: Opened) {
        let Opened { setups, companions, infos, target } = opened;
        let worker = self.least_busy();
        let Some(pool) = self.pools.get_mut(worker) else { return };
        let added = pool.add(setups, companions);
        let Some(member) = self.members.get_mut(&spec.name) else { return };
        match added {
            Ok(numbers) => {
                for (branch, number) in numbers.clone().enumerate() {
                    let place = Place { worker, number };
                    self.places.insert(place, (spec.name.clone(), branch));
                }
                self.board.runs(spec, worker, numbers.clone(), &infos);
                member.run(Running::new(worker, numbers, infos, target, spec));
            }
            Err(error) => {
                member.wait(&error.into());
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
        let Running { worker, numbers, .. } = running;
        for number in numbers.clone() {
            self.places.remove(&Place { worker, number });
        }
        if let Some(pool) = self.pools.get(worker) {
            // What it has counted outlives it.
            self.board.ends(name, &pool.snapshots_of(numbers.clone().collect()));
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

/// Opens a session, unless its far end is `known` and has not moved.
fn attempt(spec: Arc<SessionSpec>, known: Option<SocketAddr>) -> Attempt {
    let moved = known.is_none_or(|known| {
        // A name server that does not answer moves nobody.
        opening::whereabouts(&spec).is_ok_and(|target| target != known)
    });
    let result = moved.then(|| opening::open(&spec));
    (spec, result)
}

/// Sockets that a whole configuration needs.
fn sockets_of(configuration: &Configuration) -> Result<usize, Failure> {
    let mut sockets = 0_usize;
    for spec in &configuration.sessions {
        match opening::sockets(spec) {
            Ok(count) => sockets = sockets.saturating_add(count),
            Err(Obstacle::Passing(_)) => sockets = sockets.saturating_add(1),
            Err(Obstacle::Lasting(failure)) => {
                let (name, source) = (spec.name.clone(), Box::new(failure));
                return Err(Failure::Session { name, source });
            }
        }
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests;
