//! Session-Reflector workers: one thread each, one engine, one socket of every listener.

mod labels;
mod listener;
mod means;
mod members;
mod thread;

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use stamp_net::UdpSocket;
use stamp_session::clock::ClockState;
use stamp_session::reflector::{
    OneWayArrival, OneWayView, ProbeCounts, RateLimiter, Reflector, ReflectorConfig,
    ReflectorEvent, ReflectorSnapshot, SessionFilter, SessionView,
};
use stamp_session::statistics::{Buckets, Histogram};

use crate::error::WorkerError;
use crate::line::Line;
use crate::roll_call::RollCall;
use crate::traffic::TrafficWatch;
use thread::{Command, WorkerThread};

pub use means::reply_means;

/// Hears what reflector workers have to tell.
pub trait ReflectorObserver: Send + Sync {
    /// Called on the packet thread between two batches; must not block.
    fn notice(&self, event: ReflectorEvent);

    /// Called for each probe of a one-way measurement, which gets no reply; must not block.
    fn arrived(&self, arrival: &OneWayArrival) {
        let _ = arrival;
    }
}

/// Names a listener of a pool.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ListenerId(u32);

/// What a listener has done, on all workers.
#[derive(Clone, Debug)]
pub struct ListenerView {
    /// As it was called when it was added.
    pub name: Arc<str>,
    /// What became of its probes, since it was added.
    pub probes: ProbeCounts,
    /// Time between probes and their replies as T2 and T3 tell it.
    pub turnaround: Arc<Histogram>,
}

/// The listeners of a pool, in the order of their coming.
type Listeners = Arc<Mutex<Vec<(ListenerId, ListenerView)>>>;

/// Running reflector workers.
///
/// Dropping the pool stops the workers.
#[derive(Debug)]
pub struct ReflectorPool {
    workers: Vec<Worker>,
    next_listener: u32,
    listeners: Listeners,
    told: AllTold,
}

#[derive(Debug)]
struct Worker {
    line: Line<Command>,
    thread: Option<JoinHandle<ReflectorSnapshot>>,
}

impl ReflectorPool {
    /// Starts `workers` threads without any listener.
    ///
    /// Each gets an engine of its own, as a flow stays on its worker; what is counted per source is
    /// one `limiter` for all of them.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself or the kernel gives no thread or descriptor.
    pub fn start(
        workers: usize,
        config: &ReflectorConfig,
        limiter: &Arc<RateLimiter>,
        observer: &Arc<dyn ReflectorObserver>,
    ) -> Result<Self, WorkerError> {
        let workers_of_pool = Vec::with_capacity(workers);
        let listeners = Listeners::default();
        let told = Arc::new(Mutex::new(vec![WorkerCounts::default(); workers]));
        let mut pool = Self { workers: workers_of_pool, next_listener: 0, listeners, told };
        for number in 0..workers {
            let engine = Reflector::new(config.clone(), Arc::clone(limiter))?;
            let (commands, inbox) = mpsc::channel();
            let observer = Arc::clone(observer);
            let thread = WorkerThread::new(engine, config.clock, inbox, observer)?;
            let name = format!("reflector-{number}");
            let line = Line::new(name.as_str(), commands, thread.waker());
            let thread = std::thread::Builder::new()
                .name(name)
                .spawn(move || thread.run())
                .map_err(WorkerError::Thread)?;
            pool.workers.push(Worker { line, thread: Some(thread) });
        }
        Ok(pool)
    }

    /// Adds a listener that is called so: one socket for each worker, in their order.
    ///
    /// # Errors
    ///
    /// When there are more or fewer sockets than workers, or a worker has ended.
    pub fn add_listener(
        &mut self,
        name: &str,
        sockets: Vec<UdpSocket>,
    ) -> Result<ListenerId, WorkerError> {
        if sockets.len() != self.workers.len() {
            let (sockets, workers) = (sockets.len(), self.workers.len());
            return Err(WorkerError::Sockets { sockets, workers });
        }
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        let turnaround = Arc::new(Histogram::new(turnarounds()));
        for (worker, socket) in self.workers.iter().zip(sockets) {
            let turnaround = Arc::clone(&turnaround);
            worker.ask(|answer| Command::Listen { token: id.0, socket, turnaround, answer })??;
        }
        let view = ListenerView { name: name.into(), probes: ProbeCounts::default(), turnaround };
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push((id, view));
        Ok(id)
    }

    /// Closes the sockets of a listener, before it returns; packets still in their queues are lost.
    pub fn remove_listener(&self, id: ListenerId) {
        for worker in &self.workers {
            // A worker that has ended has closed them too.
            let _ = worker.ask(|answer| Command::Unlisten { token: id.0, answer });
        }
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|(known, _)| *known != id);
    }

    /// Replaces the configuration in every worker; sessions and counters of what stays are kept.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself: then no worker has taken it, because all judge
    /// the same configuration alike and the first refuses.
    pub fn reconfigure(&self, config: &ReflectorConfig) -> Result<(), WorkerError> {
        for worker in &self.workers {
            let config = Box::new(config.clone());
            worker.ask(|answer| Command::Reconfigure { config, answer })??;
        }
        Ok(())
    }

    /// Tells every worker how good the clock is.
    pub fn set_clock(&self, clock: ClockState) {
        for worker in &self.workers {
            worker.tell(Command::Clock(clock));
        }
    }

    /// Tells every worker where counters of real traffic are, for probes that ask (RFC 8972 §4.5).
    pub fn set_traffic(&self, watch: Option<&TrafficWatch>) {
        for worker in &self.workers {
            worker.tell(Command::Traffic(watch.cloned()));
        }
    }

    /// Asks for the counters, from any thread.
    #[must_use]
    pub fn asker(&self) -> ReflectorAsker {
        let lines: Vec<_> = self.workers.iter().map(|worker| worker.line.clone()).collect();
        let (told, listeners) = (Arc::clone(&self.told), Arc::clone(&self.listeners));
        ReflectorAsker { lines, told, listeners }
    }

    /// Number of workers.
    #[must_use]
    pub const fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Stops all workers and returns their counters added up.
    #[must_use]
    pub fn stop(mut self) -> ReflectorSnapshot {
        let threads: Vec<_> = self.workers.iter_mut().filter_map(Worker::stop).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .fold(ReflectorSnapshot::default(), |sum, part| sum.plus(&part))
    }
}

impl Drop for ReflectorPool {
    fn drop(&mut self) {
        for thread in self.workers.iter_mut().filter_map(Worker::stop) {
            // A worker that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// Asks the workers of a pool what they have counted, from any thread and for as long as they run.
///
/// A worker that has ended, or does not answer within seconds, counts as what it told last: no counter falls by it.
#[derive(Clone, Debug)]
pub struct ReflectorAsker {
    lines: Vec<Line<Command>>,
    told: AllTold,
    listeners: Listeners,
}

/// What each worker told last.
type AllTold = Arc<Mutex<Vec<WorkerCounts>>>;

/// What one worker has counted.
#[derive(Clone, Debug, Default)]
struct WorkerCounts {
    snapshot: ReflectorSnapshot,
    /// By the number of the listener.
    listeners: Vec<(u32, ProbeCounts)>,
    queue_drops: u64,
}

/// What a pool has counted.
#[derive(Clone, Debug)]
pub struct PoolCounts {
    /// Counters of all workers added up.
    pub snapshot: ReflectorSnapshot,
    /// What each listener has done, in the order of their coming.
    pub listeners: Vec<ListenerView>,
    /// Probes that the receive queues of this host dropped so far, before anyone saw them: the
    /// workers did not keep up, or the burst was larger than the queue.
    pub queue_drops: u64,
}

impl ReflectorAsker {
    /// Asks every worker whether it is there.
    #[must_use]
    pub fn call_roll(&self) -> RollCall {
        let mut roll = RollCall::default();
        self.lines.iter().for_each(|line| line.call(&mut roll, Command::Here));
        roll
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> PoolCounts {
        let parts = self.told();
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let summed = |(id, view): &(ListenerId, ListenerView)| {
            let here = parts.iter().flat_map(|part| &part.listeners);
            let here = here.filter(|(token, _)| *token == id.0);
            let probes = here.fold(view.probes, |sum, (_, part)| sum.plus(part));
            ListenerView { probes, ..view.clone() }
        };
        let snapshots = parts.iter().map(|part| &part.snapshot);
        PoolCounts {
            snapshot: snapshots.fold(ReflectorSnapshot::default(), |sum, part| sum.plus(part)),
            listeners: listeners.iter().map(summed).collect(),
            queue_drops: parts.iter().map(|part| part.queue_drops).sum(),
        }
    }

    /// Counters of all workers added up.
    #[must_use]
    pub fn snapshot(&self) -> ReflectorSnapshot {
        self.counts().snapshot
    }

    /// Live sessions of all workers; a stateless reflector has none.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        Line::ask_all(&self.lines, Command::Sessions).into_iter().flatten().flatten().collect()
    }

    /// Sessions of all workers whose probes want no reply.
    #[must_use]
    pub fn one_way(&self) -> Vec<OneWayView> {
        Line::ask_all(&self.lines, Command::OneWay).into_iter().flatten().flatten().collect()
    }

    /// Forgets sessions ([`Reflector::forget_sessions`]); how many. When it returns they are gone.
    ///
    /// [`Reflector::forget_sessions`]: stamp_session::reflector::Reflector::forget_sessions
    #[must_use]
    pub fn forget_sessions(&self, which: SessionFilter) -> usize {
        let forget = |answer| Command::Forget { which, answer };
        Line::ask_all(&self.lines, forget).into_iter().flatten().sum()
    }

    /// Lets no session begin from now on, or lets them again ([`Reflector::drain`]).
    ///
    /// [`Reflector::drain`]: stamp_session::reflector::Reflector::drain
    pub fn drain(&self, is_draining: bool) {
        // A worker that has ended begins none.
        let _ = Line::ask_all(&self.lines, |answer| Command::Drain { is_draining, answer });
    }

    /// What each worker answers, or has told last.
    fn told(&self) -> Vec<WorkerCounts> {
        // Held meanwhile, so that nothing older takes the place of what another has heard.
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Line::ask_all(&self.lines, Command::Counts);
        for (kept, told) in all.iter_mut().zip(told) {
            if let Some(told) = told {
                *kept = told;
            }
        }
        all.clone()
    }
}

/// From what a batch takes to what only a machine that was held up needs.
fn turnarounds() -> Buckets {
    const US: [u64; 16] =
        [2, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000];
    Buckets::rising(US.map(|us| us * 1_000))
}

impl Worker {
    fn tell(&self, command: Command) {
        self.line.tell(command);
    }

    fn ask<T>(&self, command: impl FnOnce(Sender<T>) -> Command) -> Result<T, WorkerError> {
        self.line.ask(command)
    }

    fn stop(&mut self) -> Option<JoinHandle<ReflectorSnapshot>> {
        self.tell(Command::Stop);
        self.thread.take()
    }
}
