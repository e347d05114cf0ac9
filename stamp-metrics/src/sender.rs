//! Metrics of a sender: what it hands in and what is made of it.

mod families;
mod samples;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stamp_session::clock::{ClockState, MonotonicTime};
use stamp_session::sender::{MeasuredDirection, SessionHistograms};
use stamp_session::snapshot::{
    Reflector, SessionSnapshot, SessionStanding, SessionState, ThresholdReport,
};
use stamp_session::statistics::{Buckets, Histogram};
use stamp_session::te::{TeCounts, TeState, TeWindow};

use crate::counters::SessionCounters;
use crate::exposition::Exposition;
use crate::policy::PolicyView;
use crate::program::Program;

/// Series that one session can have, for the limit on all of them.
pub const SERIES_OF_A_SESSION: usize = 150;

/// The same of its histograms: of both values each way, so many bounds, what lies beyond them, the sum
/// and the count.
#[must_use]
pub fn series_of_histograms(buckets: &Buckets) -> usize {
    6 * (buckets.bounds_ns().len() + 3)
}

/// What stays the same of a session: who probes whom, and how.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// Its name, which no other has.
    pub name: String,
    /// The far end as configured.
    pub target: String,
    /// Its address; empty while it is unknown.
    pub address: String,
    /// Where probes leave from; empty while it is unknown.
    pub source: String,
    /// The profile it takes its settings from; empty when there is none.
    pub profile: String,
    /// Who turns probes round.
    pub mode: &'static str,
    /// DSCP of probes.
    pub dscp: String,
    /// Segments on the way out.
    pub segments: String,
    /// Segments on the way back.
    pub return_segments: String,
    /// The policy that it measures a segment list of; empty when there is none.
    pub policy: String,
    /// What the operator adds.
    pub labels: BTreeMap<String, String>,
}

/// A session at one moment.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// What it has counted over all its lives.
    pub counters: SessionCounters,
    /// How it is, if it probes.
    pub now: Option<Now>,
    /// Its latest complete window.
    pub window: Option<Window>,
    /// Where its values lie, if that is to be told.
    pub histograms: Option<Arc<SessionHistograms>>,
    /// What is announced of it, if anything ever is.
    pub announced: Option<Announced>,
    /// Which way it is broken, while it is down and that is known.
    pub broken: Option<MeasuredDirection>,
}

/// What is announced of a session for path computation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Announced {
    /// What is announced now.
    pub state: TeState,
    /// Announcements over all its lives.
    pub counts: TeCounts,
}

/// How a session that probes is now.
#[derive(Clone, Debug)]
pub struct Now {
    state: SessionState,
    packet_loss_count: u32,
    reflector: Reflector,
    near: ClockState,
    far: Option<(ClockState, bool)>,
    thresholds: Option<Box<ThresholdReport>>,
}

impl From<SessionStanding> for Now {
    fn from(standing: SessionStanding) -> Self {
        Self {
            state: standing.state,
            packet_loss_count: standing.connectivity.packet_loss_count,
            reflector: standing.reflector.mode,
            near: standing.near_clock,
            far: standing.far_clock.map(|far| (far, standing.far_clock_learned)),
            thresholds: standing.thresholds,
        }
    }
}

/// A complete window of a session.
#[derive(Clone, Debug)]
pub struct Window {
    /// When it ended.
    pub end: SystemTime,
    /// What was measured in it.
    pub measured: Arc<SessionSnapshot>,
    /// Share of the probes due in it whose fate is known, in percent, where it is known how many were due.
    pub integrity_percent: Option<u32>,
}

impl Window {
    /// One that has ended now.
    #[must_use]
    pub fn ended(measured: Arc<SessionSnapshot>) -> Self {
        Self { end: SystemTime::now(), measured, integrity_percent: None }
    }

    /// Of this length, of a session that sends a probe each `interval`.
    #[must_use]
    pub fn due(mut self, length: Duration, interval: Duration) -> Self {
        let end = MonotonicTime::ZERO.saturating_add(length);
        let window = TeWindow::of(&self.measured, MonotonicTime::ZERO, end, interval);
        self.integrity_percent = Some(window.loss_integrity());
        self
    }
}

/// A sender at one moment.
#[derive(Debug)]
pub struct Sender {
    /// The program.
    pub program: Program,
    /// Sessions that probe.
    pub running: usize,
    /// Sessions that wait.
    pub waiting: usize,
    /// Sessions have histograms.
    pub has_histograms: bool,
    /// How much later than scheduled probes left.
    pub lag: Arc<Histogram>,
    /// Which of how many senders it is that share a file, if they do.
    pub shard: Option<(u32, u32)>,
    /// Where targets are discovered.
    pub discovery: Vec<Discovery>,
    /// Policies whose segment lists sessions measure.
    pub policies: Vec<PolicyView>,
    /// Whatever there is to tell of sessions.
    pub sessions: Vec<Session>,
}

/// A source of targets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Discovery {
    /// Its name, which the operator wrote.
    pub source: String,
    /// When it was read.
    pub succeeded: Option<SystemTime>,
    /// How often it was not.
    pub failures: u64,
    /// Targets that are sessions.
    pub accepted: usize,
    /// Targets that are none.
    pub refused: usize,
}

/// A sender at one moment, for as many scrapes as want it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Sender>);

impl Sender {
    /// For as many scrapes as want it.
    #[must_use]
    pub fn shared(self) -> Shared {
        Shared(Arc::new(self))
    }
}

impl Shared {
    /// Its metrics, as text.
    #[must_use]
    pub fn exposition(&self) -> Exposition<Self, Session> {
        Exposition::new(&families::FAMILIES, self.clone())
    }
}

impl AsRef<[PolicyView]> for Shared {
    fn as_ref(&self) -> &[PolicyView] {
        &self.0.policies
    }
}

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0.program
    }
}

impl AsRef<[Session]> for Shared {
    fn as_ref(&self) -> &[Session] {
        &self.0.sessions
    }
}

/// What there is to tell of sessions and of nothing else, for a file that stands beside others.
#[must_use]
pub fn exposition_of(sessions: Vec<Session>) -> Exposition<Shared, Session> {
    let program = Program::default();
    let sender = Sender {
        program,
        running: 0,
        waiting: 0,
        has_histograms: false,
        lag: Arc::new(Histogram::new(Buckets::rising([1_000_000]))),
        shard: None,
        discovery: Vec::new(),
        policies: Vec::new(),
        sessions,
    };
    Exposition::new(&families::OF_SESSIONS, sender.shared())
}

#[cfg(test)]
mod tests;
