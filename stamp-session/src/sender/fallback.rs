//! Plain loopback while the far node does not stamp.
//!
//! Nothing tells a Session-Sender whether a node knows its timestamp label or End.TSF SID. One that
//! does not may forward the probe as it is, or drop it. The first shows at once; for the second a
//! plain probe has to come back, or else the path is to blame and no label:
//!
//! ```text
//!             N in a row without T2                    a pause is over
//!   asking ───────────────────────────────► plain ─────────────────────► trial: one probe asks
//!     │ ▲                                    ▲ ▲                            │  │
//!     │ │                                    │ └── without T2, or lost ─────┘  │
//!     │ └────────────────────────────────────┼────── with T2 ──────────────────┘
//!     │ N in a row, some of them lost        │ without T2, or N trials lost
//!     └──────────────► suspicion: plain ─────┴ each plain probe that is back: trial at once
//! ```
//!
//! Pauses are counted in probes, so that what trials cost is a share of what is measured.

use super::stamping::Stamping;
use crate::clock::Now;

/// Plain probes before the first trial.
const FIRST_PAUSE: u32 = 10;
/// Each trial in vain doubles the pause, up to this: a bit more than ten minutes of a probe a
/// second.
const LONGEST_PAUSE: u32 = 640;

/// What a probe asks the far node for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Asks {
    /// Nothing: its segments lead there and back.
    #[default]
    Nothing,
    /// Its receive timestamp.
    Timestamp,
    /// The same once more, after it did not write any: should this one be lost, the path is not to
    /// blame.
    Trial,
}

/// Why probes ask for a timestamp no more, or ask again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FallbackReason {
    /// They came back, but for what the node should have written.
    Unstamped(Stamping),
    /// They did not come back, and plain ones did.
    Lost,
    /// The node stamps.
    Stamped,
}

impl FallbackReason {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unstamped(stamping) => stamping.label(),
            Self::Lost => "lost",
            Self::Stamped => "stamped",
        }
    }
}

/// The session went over to plain loopback, or back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FallbackChange {
    /// Why.
    pub reason: FallbackReason,
    /// When it was noticed.
    pub at: Now,
    /// How many probes led here; how many were plain, on the way back.
    pub run: u32,
    /// First probe of the cause.
    pub first: u32,
    /// Last probe of the cause.
    pub last: u32,
}

impl FallbackChange {
    /// Probes are plain from now on.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self.reason, FallbackReason::Stamped)
    }
}

/// How a session fares whose far node may not stamp.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FallbackReport {
    /// The latest time it went over to plain loopback; in force while [`Self::active`].
    pub latest: Option<FallbackChange>,
    /// Probes are plain now.
    pub active: bool,
    /// How often it went over.
    pub count: u64,
    /// Probes sent plain.
    pub plain: u64,
    /// Probes that asked once more.
    pub trials: u64,
    /// How many of those did not come back; they are neither sent nor lost in any count.
    pub trials_lost: u64,
    /// When the last one was sent.
    pub last_trial: Option<Now>,
}

/// Decides what the next probe asks for.
#[derive(Clone, Debug)]
pub(super) struct Fallback {
    asks: bool,
    /// For those sessions alone that may go over: others shall not pay for it.
    machine: Option<Box<Machine>>,
}

#[derive(Clone, Copy, Debug)]
struct Machine {
    /// It goes over after so many in a row.
    after: u32,
    state: State,
    report: FallbackReport,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Every probe asks.
    Asking(Run),
    /// No probe asks.
    Plain(Plain),
}

/// Probes in a row that brought no T2.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    probes: u32,
    lost: u32,
    first: u32,
}

#[derive(Clone, Copy, Debug)]
struct Plain {
    /// It is certain that the node does not stamp, and told.
    certain: bool,
    /// The run that led here.
    run: Run,
    /// Trials that were lost before it was.
    doubts: u32,
    /// Plain probes still to be sent before a trial; none before one of them came back.
    left: Option<u32>,
    pause: u32,
    trial: Option<u32>,
    /// Probes sent since.
    sent: u32,
}

impl Fallback {
    /// Of a session that asks for timestamps or not, and gives up asking after so many in vain.
    pub(super) fn new(asks: bool, after: Option<u32>) -> Self {
        let (state, report) = (State::Asking(Run::default()), FallbackReport::default());
        let machine = after.filter(|_| asks);
        Self { asks, machine: machine.map(|after| Box::new(Machine { after, state, report })) }
    }

    /// What the next probe asks for.
    pub(super) fn next(&self) -> Asks {
        match self.machine.as_ref().map(|machine| machine.state) {
            None if !self.asks => Asks::Nothing,
            None | Some(State::Asking(_)) => Asks::Timestamp,
            Some(State::Plain(Plain { left: Some(0), trial: None, .. })) => Asks::Trial,
            Some(State::Plain(_)) => Asks::Nothing,
        }
    }

    /// How the session fares; nothing where it never goes over.
    pub(super) fn report(&self) -> Option<FallbackReport> {
        self.machine.as_ref().map(|machine| machine.report)
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.machine.as_ref().map_or(0, |_| size_of::<Machine>())
    }

    /// The probe goes out as [`Self::next`] had it.
    pub(super) fn sent(&mut self, sequence: u32, asks: Asks, now: Now) {
        if let Some(machine) = &mut self.machine {
            machine.sent(sequence, asks, now);
        }
    }

    /// The probe never left after all: if it was the trial, the next one is.
    pub(super) fn unsent(&mut self, sequence: u32) {
        if let Some(machine) = &mut self.machine {
            machine.unsent(sequence);
        }
    }

    /// The probe came back, with what it had asked for or without.
    pub(super) fn returned(
        &mut self,
        sequence: u32,
        brought: (Asks, Stamping),
        now: Now,
    ) -> Option<FallbackChange> {
        self.machine.as_mut()?.returned(sequence, brought, now)
    }

    /// The probe did not come back.
    pub(super) fn lost(&mut self, sequence: u32, asks: Asks, now: Now) -> Option<FallbackChange> {
        self.machine.as_mut()?.lost(sequence, asks, now)
    }

    /// The path was down and is up: what was so before need not be so any more.
    pub(super) fn outage_over(&mut self) {
        if let Some(Machine { state: State::Plain(plain), .. }) = self.machine.as_deref_mut() {
            plain.left = Some(0);
            plain.pause = FIRST_PAUSE;
        }
    }
}

impl Machine {
    fn sent(&mut self, sequence: u32, asks: Asks, now: Now) {
        let State::Plain(plain) = &mut self.state else { return };
        match asks {
            Asks::Trial => {
                plain.trial = Some(sequence);
                self.report.trials = self.report.trials.saturating_add(1);
                self.report.last_trial = Some(now);
            }
            Asks::Nothing => {
                plain.left = plain.left.map(|left| left.saturating_sub(1));
                plain.sent = plain.sent.saturating_add(1);
                self.report.plain = self.report.plain.saturating_add(1);
            }
            Asks::Timestamp => {}
        }
    }

    fn unsent(&mut self, sequence: u32) {
        if let State::Plain(plain) = &mut self.state
            && plain.trial == Some(sequence)
        {
            plain.trial = None;
            self.report.trials = self.report.trials.saturating_sub(1);
        }
    }

    fn returned(
        &mut self,
        sequence: u32,
        (asks, stamping): (Asks, Stamping),
        now: Now,
    ) -> Option<FallbackChange> {
        // Whatever its clock is like, a node that writes an instant stamps.
        let stamps = matches!(stamping, Stamping::Stamped | Stamping::Implausible);
        match &mut self.state {
            _ if stamps && asks != Asks::Nothing => self.resume(sequence, now),
            // A plain one that was under way when the node was found to stamp says nothing of it.
            State::Asking(_) if asks == Asks::Nothing => None,
            State::Asking(run) => {
                run.add(sequence);
                let run = (run.probes >= self.after).then_some(*run)?;
                self.go_over(run);
                if run.lost > 0 {
                    return None;
                }
                self.settle(sequence, FallbackReason::Unstamped(stamping), now)
            }
            State::Plain(plain) if plain.trial == Some(sequence) => {
                self.settle(sequence, FallbackReason::Unstamped(stamping), now)
            }
            State::Plain(plain) => {
                if asks == Asks::Nothing {
                    plain.left.get_or_insert(0);
                }
                None
            }
        }
    }

    fn lost(&mut self, sequence: u32, asks: Asks, now: Now) -> Option<FallbackChange> {
        if asks == Asks::Trial {
            self.report.trials_lost = self.report.trials_lost.saturating_add(1);
        }
        match &mut self.state {
            State::Asking(_) if asks == Asks::Nothing => None,
            State::Asking(run) => {
                run.add(sequence);
                run.lost = run.lost.saturating_add(1);
                let run = (run.probes >= self.after).then_some(*run)?;
                self.go_over(run);
                None
            }
            State::Plain(plain) if plain.trial == Some(sequence) => {
                plain.doubts = plain.doubts.saturating_add(1);
                if !plain.certain && plain.doubts < self.after {
                    // A path that loses now and then must not look like a node that drops.
                    (plain.trial, plain.left) = (None, None);
                    return None;
                }
                self.settle(sequence, FallbackReason::Lost, now)
            }
            State::Plain(_) => None,
        }
    }

    /// Plain from now on; until a probe came back it is not certain why.
    fn go_over(&mut self, run: Run) {
        let certain = false;
        let (doubts, left, pause, trial, sent) = (0, None, FIRST_PAUSE, None, 0);
        self.state = State::Plain(Plain { certain, run, doubts, left, pause, trial, sent });
    }

    /// The node does not stamp, for the first time or still: there is a pause.
    fn settle(&mut self, last: u32, reason: FallbackReason, at: Now) -> Option<FallbackChange> {
        let State::Plain(plain) = &mut self.state else { return None };
        if plain.certain {
            plain.pause = plain.pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        plain.trial = None;
        plain.left = Some(plain.pause);
        if core::mem::replace(&mut plain.certain, true) {
            return None;
        }
        let Run { probes, first, .. } = plain.run;
        let change = FallbackChange { reason, at, run: probes, first, last };
        self.report.latest = Some(change);
        self.report.active = true;
        self.report.count = self.report.count.saturating_add(1);
        Some(change)
    }

    /// The node stamps: every probe asks again.
    fn resume(&mut self, sequence: u32, at: Now) -> Option<FallbackChange> {
        let before = core::mem::replace(&mut self.state, State::Asking(Run::default()));
        let State::Plain(Plain { certain: true, sent, .. }) = before else { return None };
        self.report.active = false;
        let reason = FallbackReason::Stamped;
        Some(FallbackChange { reason, at, run: sent, first: sequence, last: sequence })
    }
}

impl Run {
    fn add(&mut self, sequence: u32) {
        if self.probes == 0 {
            self.first = sequence;
        }
        self.probes = self.probes.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
