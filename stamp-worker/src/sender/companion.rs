//! Slow sessions beside those that are measured, from which these learn their far clock.

use stamp_session::clock::ClockState;
use stamp_session::sender::{COMPANION_INTERVAL, Outcome, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;

use super::session::Session;
use super::{SenderObserver, SessionSetup, Trouble};

/// A two-way session with a reflector at the far node of others, whose probes come back themselves.
///
/// Nobody hears of it but those sessions; it ends with them.
#[derive(Debug)]
pub struct Companion {
    /// The session. It slows down with its first reply.
    pub setup: SessionSetup,
    /// The sessions that learn from it, by their places among those they are given together with.
    pub of: Vec<usize>,
}

/// What has been heard from one companion.
pub(super) struct Ear {
    of: Vec<usize>,
    replies: u64,
}

impl Ear {
    pub(super) const fn new(of: Vec<usize>) -> Self {
        Self { of, replies: 0 }
    }

    /// The sessions that learn.
    pub(super) fn of(&self) -> &[usize] {
        &self.of
    }

    /// What `companion` was told since the last look.
    pub(super) fn news(&mut self, companion: &mut Session) -> Option<ClockState> {
        let (clock, replies) = companion.engine().far_clock();
        let clock = clock.filter(|_| replies > self.replies)?;
        if self.replies == 0 {
            companion.engine_mut().set_interval(COMPANION_INTERVAL);
        }
        self.replies = replies;
        Some(clock)
    }
}

/// Hears nothing: for companions, and for whoever looks at sessions when they have ended.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl SenderObserver for Nobody {
    fn outcome(&mut self, _session: usize, _outcome: &Outcome) {}
    fn event(&mut self, _session: usize, _event: SenderEvent) {}
    fn trouble(&mut self, _session: usize, _trouble: Trouble) {}
    fn window(&mut self, _session: usize, _window: SessionSnapshot) {}
}
