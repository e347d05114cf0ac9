//! Session-Sender worker: one thread, one engine and one port for each session.

mod agenda;
mod asker;
mod commons;
mod companion;
mod place;
mod port;
mod session;
mod stamps;
mod thread;

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use stamp_net::{IcmpKind, SendFailure};
use stamp_session::sender::{
    Outcome, ReportedArrival, SenderConfig, SenderEvent, SessionHistograms, Thresholds,
};
use stamp_session::snapshot::{SessionSnapshot, SessionStanding};

use crate::error::WorkerError;
use crate::line::Line;
use crate::traffic::TrafficWatch;
pub use asker::SenderAsker;
pub use companion::{Companion, Nobody};
use place::Group;
use port::SharedSockets;
pub use port::{FramePort, FrameWay, Homecoming, LoopPort, PlainSegments, Port, Rings};
use thread::{Command, Tenure, WorkerThread};

/// Gap between two probes below which a timer is too coarse and the worker spins throughout.
pub const SPIN_BELOW: Duration = Duration::from_micros(200);

/// Frames that each ring holds which the sessions of a run read: what comes back in a moment of inattention.
const RING_FRAMES: usize = 512;
/// The same where there may be thousands of sessions.
const RESIDENT_RING_FRAMES: usize = 2_048;

/// One session and the port it probes through.
#[derive(Debug)]
pub struct SessionSetup {
    /// Where its probes leave and what comes of them arrives.
    pub port: Port,
    /// What to send, when, and how to judge what comes back.
    pub config: SenderConfig,
    /// When no probe is left to send: wait for stragglers at most this many times the longest
    /// round trip seen instead of the whole timeout.
    pub linger_round_trips: Option<u32>,
    /// Counters of real traffic, where its probes tell them.
    pub traffic: Option<TrafficWatch>,
    /// Tells of each period of this length by itself ([`SenderObserver::window`]).
    pub window: Option<Duration>,
}

impl SessionSetup {
    /// A session that waits for every straggler and tells nothing but its end.
    #[must_use]
    pub fn new(port: impl Into<Port>, config: SenderConfig) -> Self {
        let port = port.into();
        Self { port, config, linger_round_trips: None, traffic: None, window: None }
    }
}

/// What of a session can change while it goes on.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// Limits on delay and loss ([`SenderConfig::thresholds`]).
    pub thresholds: Option<Arc<Thresholds>>,
    /// Length of its windows ([`SessionSetup::window`]).
    pub window: Option<Duration>,
    /// Where its values are counted ([`SenderConfig::histograms`]).
    pub histograms: Option<Arc<SessionHistograms>>,
}

/// What happened to a session beside its packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// An ICMP error quoted one of its probes.
    Icmp {
        /// What it says.
        kind: IcmpKind,
        /// Who says it.
        offender: Option<core::net::IpAddr>,
        /// Sequence number of the quoted probe, if enough was quoted.
        sequence: Option<u32>,
        /// The MTU it names.
        mtu: Option<u32>,
        /// Largest UDP payload that fits this MTU, in octets.
        largest_payload: Option<usize>,
    },
    /// The kernel did not take a probe.
    NotSent {
        /// The probe.
        sequence: u32,
        /// Why.
        failure: SendFailure,
    },
}

/// Hears what a sender worker has to tell. Called on the packet thread: must not block.
pub trait SenderObserver: Send {
    /// A datagram came in and was judged.
    fn outcome(&mut self, session: usize, outcome: &Outcome);
    /// Something happened beside a reply.
    fn event(&mut self, session: usize, event: SenderEvent);
    /// The network or the kernel complained.
    fn trouble(&mut self, session: usize, trouble: Trouble);
    /// A window has ended ([`SessionSetup::window`]).
    fn window(&mut self, session: usize, window: SessionSnapshot);
}

/// A running sender worker.
///
/// Dropping the pool stops it at once.
#[derive(Debug)]
pub struct SenderPool {
    line: Line<Command>,
    thread: Option<JoinHandle<Vec<SessionSnapshot>>>,
    spins: bool,
    /// Number of the next session that is added.
    next: usize,
    /// What several sessions have together.
    shared: SharedSockets,
}

impl SenderPool {
    /// Starts probing in all `sessions`, evenly shifted within their interval, and ends with the last
    /// of them.
    ///
    /// # Errors
    ///
    /// When a configuration contradicts itself or the kernel gives no thread or descriptor.
    pub fn start(
        sessions: Vec<SessionSetup>,
        observer: Box<dyn SenderObserver>,
    ) -> Result<Self, WorkerError> {
        Self::with_companions(sessions, Vec::new(), observer)
    }

    /// The same with sessions beside them, from which they learn their far clock.
    ///
    /// # Errors
    ///
    /// Those of [`Self::start`].
    pub fn with_companions(
        sessions: Vec<SessionSetup>,
        companions: Vec<Companion>,
        observer: Box<dyn SenderObserver>,
    ) -> Result<Self, WorkerError> {
        let rate: f64 = sessions
            .iter()
            .map(|setup| 1.0 / setup.config.schedule.mean_interval().as_secs_f64())
            .sum();
        let spins = rate * SPIN_BELOW.as_secs_f64() > 1.0;
        let shared = SharedSockets::new(RING_FRAMES);
        let group = Group::new(0, sessions, companions, &shared)?;
        Self::run("sender", (Tenure::Sessions, Some(group)), (shared, spins), observer)
    }

    /// Starts a worker that lives until it is stopped, with sessions that come and go. Its thread has this name.
    ///
    /// # Errors
    ///
    /// When the kernel gives no thread or descriptor.
    pub fn resident(name: &str, observer: Box<dyn SenderObserver>) -> Result<Self, WorkerError> {
        let shared = SharedSockets::new(RESIDENT_RING_FRAMES);
        Self::run(name, (Tenure::Resident, None), (shared, false), observer)
    }

    fn run(
        name: &str,
        (tenure, group): (Tenure, Option<Group>),
        (shared, spins): (SharedSockets, bool),
        observer: Box<dyn SenderObserver>,
    ) -> Result<Self, WorkerError> {
        let (commands, inbox) = mpsc::channel();
        let next = group.as_ref().map_or(0, Group::len);
        let thread = WorkerThread::new(tenure, group, inbox, observer)?;
        let line = Line::new(name, commands, thread.waker());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || thread.run())
            .map_err(WorkerError::Thread)?;
        Ok(Self { line, thread: Some(thread), spins, next, shared })
    }

    /// Starts probing in further `sessions`, with companions for them alone, and returns the numbers
    /// by which the observer hears of them. Numbers are never given twice.
    ///
    /// # Errors
    ///
    /// Those of [`Self::start`], and then none of them is there.
    pub fn add(
        &mut self,
        sessions: Vec<SessionSetup>,
        companions: Vec<Companion>,
    ) -> Result<Range<usize>, WorkerError> {
        // Of sessions that have gone; here, as it takes long.
        self.shared.close_unused();
        let first = self.next;
        let measured = first..first.saturating_add(sessions.len());
        let group = Group::new(first, sessions, companions, &self.shared)?;
        self.next = first.saturating_add(group.len());
        self.line.ask(|answer| Command::Add(group, answer))??;
        Ok(measured)
    }

    /// Ends these sessions at once, and companions that are left with nobody to tell; probes under
    /// way stay undecided.
    pub fn remove(&self, sessions: Vec<usize>) {
        self.line.tell(Command::Remove(sessions));
    }

    /// Holds sessions against other limits from now on, and their windows to another length, while
    /// they go on.
    pub fn tune(&self, sessions: Vec<usize>, tuning: &Tuning) {
        self.line.tell(Command::Tune(sessions, tuning.clone()));
    }

    /// Whether it is told from now on what becomes of probes of these sessions that want no reply.
    pub fn hearing(&self, sessions: Vec<usize>, is_heard: bool) {
        self.line.tell(Command::Hearing(sessions, is_heard));
    }

    /// These probes arrived, each of the session with that number.
    pub fn arrivals(&self, arrivals: Vec<(usize, ReportedArrival)>) {
        self.line.tell(Command::Arrivals(arrivals));
    }

    /// Whether probes follow each other so fast that the worker keeps its processor busy.
    #[must_use]
    pub const fn spins(&self) -> bool {
        self.spins
    }

    /// Sends no further probe; replies under way are still awaited, but no longer than three
    /// times the longest round trip seen, or a second when no reply ever came.
    pub fn stop_sending(&self) {
        self.line.tell(Command::StopSending);
    }

    /// Ends at once; probes under way stay undecided.
    pub fn stop(&self) {
        self.line.tell(Command::Stop);
    }

    /// The sessions so far, in the order they were given; empty when the worker has ended.
    #[must_use]
    pub fn snapshots(&self) -> Vec<SessionSnapshot> {
        self.line.ask(Command::Snapshots).unwrap_or_default()
    }

    /// How these sessions stand; `None` for each that has gone.
    #[must_use]
    pub fn standings_of(&self, sessions: Vec<usize>) -> Vec<Option<SessionStanding>> {
        self.line.ask(|answer| Command::StandingsOf(sessions, answer)).unwrap_or_default()
    }

    /// Asks the same from another thread.
    #[must_use]
    pub fn asker(&self) -> SenderAsker {
        SenderAsker::new(self.line.clone())
    }

    /// Whether every session has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end of every session and returns them in the order they were given.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Ended`] when the worker broke down.
    pub fn join(mut self) -> Result<Vec<SessionSnapshot>, WorkerError> {
        let thread = self.thread.take().ok_or(WorkerError::Ended)?;
        thread.join().map_err(|_| WorkerError::Ended)
    }
}

impl Drop for SenderPool {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.line.tell(Command::Stop);
            let _ = thread.join();
        }
    }
}
