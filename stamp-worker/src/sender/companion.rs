//! Slow sessions beside those that are measured, from which these learn their far clock.

use stamp_session::sender::{COMPANION_INTERVAL, Outcome, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;

use super::session::Session;
use super::{SenderObserver, SessionSetup, Trouble};
use crate::clock::now;

/// A two-way session with a reflector at the far node of others, whose probes come back themselves.
///
/// Nobody hears of it but those sessions; it ends with them.
#[derive(Debug)]
pub struct Companion {
    /// The session. It slows down with its first reply.
    pub setup: SessionSetup,
    /// The sessions that learn from it, in the order they are given to the pool.
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

    /// Passes on what `companion` was told since the last look.
    pub(super) fn listen(&mut self, companion: &mut Session, sessions: &mut [Session]) {
        let (clock, replies) = companion.engine().far_clock();
        let Some(clock) = clock.filter(|_| replies > self.replies) else { return };
        if self.replies == 0 {
            companion.engine_mut().set_interval(COMPANION_INTERVAL);
        }
        self.replies = replies;
        for number in &self.of {
            if let Some(session) = sessions.get_mut(*number) {
                session.engine_mut().handle_far_clock(now(), clock);
            }
        }
    }
}

/// Hears what happens to companions.
pub(super) struct Nobody;

impl SenderObserver for Nobody {
    fn outcome(&mut self, _session: usize, _outcome: &Outcome) {}
    fn event(&mut self, _session: usize, _event: SenderEvent) {}
    fn trouble(&mut self, _session: usize, _trouble: Trouble) {}
    fn window(&mut self, _session: usize, _window: SessionSnapshot) {}
}
