//! Whether the session is up: N consecutive losses take it down, one reply brings it back.

use super::serial;
use crate::clock::Now;

/// Connectivity of a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SessionState {
    /// No reply yet; a session that never came up cannot go down.
    #[default]
    Init,
    /// Replies come.
    Up,
    /// N probes in a row were lost.
    Down,
}

impl SessionState {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What operators of routers call the same thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Liveness {
    /// Not transmitting, or nothing known yet.
    Idle,
    /// Up.
    Active,
    /// Down.
    Failed,
}

impl Liveness {
    /// That of a session in `state` which does or does not send probes.
    #[must_use]
    pub const fn of(state: SessionState, transmitting: bool) -> Self {
        match state {
            SessionState::Down => Self::Failed,
            SessionState::Up if transmitting => Self::Active,
            SessionState::Up | SessionState::Init => Self::Idle,
        }
    }

    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }
}

/// A session went from one state to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StateChange {
    /// State until now.
    pub from: SessionState,
    /// State from now on.
    pub to: SessionState,
    /// When it was noticed.
    pub at: Now,
    /// Losses in a row that led here, or that ended here.
    pub run: u64,
    /// First probe of the cause: of the losses, or the one that was answered.
    pub first: u32,
    /// Last probe of the cause.
    pub last: u32,
}

/// What takes a session down, and how often it came and went since it began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StateReport {
    /// So many losses in a row take it down.
    pub packet_loss_count: u32,
    /// How often it came up; the first time counts.
    pub ups: u64,
    /// How often it went down.
    pub downs: u64,
}

/// Counts consecutive losses as `last expired - highest received`.
#[derive(Debug)]
pub(super) struct Connectivity {
    state: SessionState,
    report: StateReport,
    highest_received: Option<u32>,
    run: u64,
    run_first: u32,
}

impl Connectivity {
    pub(super) fn new(packet_loss_count: u32) -> Self {
        Self {
            state: SessionState::Init,
            report: StateReport { packet_loss_count, ..StateReport::default() },
            highest_received: None,
            run: 0,
            run_first: 0,
        }
    }

    pub(super) const fn state(&self) -> SessionState {
        self.state
    }

    pub(super) const fn report(&self) -> StateReport {
        self.report
    }

    /// A probe was lost; probes are told in the order of sending.
    pub(super) fn lost(&mut self, sequence: u32, at: Now) -> Option<StateChange> {
        let overtaken =
            self.highest_received.is_some_and(|highest| serial::is_after(highest, sequence));
        if overtaken {
            return None;
        }
        if self.run == 0 {
            self.run_first = sequence;
        }
        self.run = self.run.saturating_add(1);
        let goes_down =
            self.state == SessionState::Up && self.run >= self.report.packet_loss_count.into();
        goes_down.then(|| {
            let first = self.run_first;
            self.change(SessionState::Down, at, (first, sequence))
        })
    }

    /// A probe was answered in time.
    pub(super) fn received(&mut self, sequence: u32, at: Now) -> Option<StateChange> {
        let is_highest =
            self.highest_received.is_none_or(|highest| serial::is_after(sequence, highest));
        if is_highest {
            self.highest_received = Some(sequence);
        }
        let change = (self.state != SessionState::Up)
            .then(|| self.change(SessionState::Up, at, (sequence, sequence)));
        if is_highest {
            self.run = 0;
        }
        change
    }

    fn change(&mut self, to: SessionState, at: Now, sequences: (u32, u32)) -> StateChange {
        let from = core::mem::replace(&mut self.state, to);
        let count =
            if to == SessionState::Down { &mut self.report.downs } else { &mut self.report.ups };
        *count = count.saturating_add(1);
        StateChange { from, to, at, run: self.run, first: sequences.0, last: sequences.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now::default()
    }

    fn up(packet_loss_count: u32, highest: u32) -> Connectivity {
        let mut connectivity = Connectivity::new(packet_loss_count);
        assert!(connectivity.received(highest, now()).is_some());
        connectivity
    }

    #[test]
    fn a_session_that_never_came_up_does_not_go_down() {
        let mut connectivity = Connectivity::new(3);
        for sequence in 0..100 {
            assert_eq!(connectivity.lost(sequence, now()), None);
        }
        assert_eq!(connectivity.state(), SessionState::Init);
    }

    #[test]
    fn the_third_loss_in_a_row_takes_it_down_and_a_reply_brings_it_back() {
        let mut connectivity = up(3, 20);
        assert_eq!(connectivity.lost(21, now()), None);
        assert_eq!(connectivity.lost(22, now()), None);
        let down = connectivity.lost(23, now()).unwrap();
        assert_eq!((down.from, down.to), (SessionState::Up, SessionState::Down));
        assert_eq!((down.run, down.first, down.last), (3, 21, 23));
        assert_eq!(connectivity.lost(24, now()), None);
        let back = connectivity.received(31, now()).unwrap();
        assert_eq!((back.from, back.to), (SessionState::Down, SessionState::Up));
        assert_eq!((back.run, back.first, back.last), (4, 31, 31));
        let report = StateReport { packet_loss_count: 3, ups: 2, downs: 1 };
        assert_eq!(connectivity.report(), report);
    }

    #[test]
    fn losses_that_a_later_reply_overtook_are_no_run() {
        let mut connectivity = up(1, 0);
        assert_eq!(connectivity.received(7, now()), None);
        assert_eq!(connectivity.lost(5, now()), None);
        assert_eq!(connectivity.lost(6, now()), None);
        assert_eq!(connectivity.state(), SessionState::Up);
    }

    #[test]
    fn single_losses_do_not_add_up() {
        let mut connectivity = up(3, 4);
        assert_eq!(connectivity.lost(5, now()), None);
        assert_eq!(connectivity.lost(6, now()), None);
        assert_eq!(connectivity.received(7, now()), None);
        assert_eq!(connectivity.lost(8, now()), None);
        assert_eq!(connectivity.state(), SessionState::Up);
    }

    #[test]
    fn runs_go_on_across_the_wrap_of_the_sequence() {
        let mut connectivity = up(3, u32::MAX - 1);
        assert_eq!(connectivity.lost(u32::MAX, now()), None);
        assert_eq!(connectivity.lost(0, now()), None);
        let down = connectivity.lost(1, now()).unwrap();
        assert_eq!((down.first, down.last), (u32::MAX, 1));
    }

    #[test]
    fn both_vocabularies_say_the_same() {
        assert_eq!(Liveness::of(SessionState::Init, true).label(), "idle");
        assert_eq!(Liveness::of(SessionState::Up, true).label(), "active");
        assert_eq!(Liveness::of(SessionState::Up, false).label(), "idle");
        assert_eq!(Liveness::of(SessionState::Down, true).label(), "failed");
    }
}
