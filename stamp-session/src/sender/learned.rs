//! The far clock, learned from a companion session.
//!
//! A probe that comes back itself says nothing of the clock that wrote T2. A Session-Reflector at the
//! same node does, in the Error Estimate of its replies: a slow two-way session asks it.

use core::time::Duration;

use super::Sender;
use super::event::SenderEvent;
use crate::clock::{ClockState, MonotonicTime, Now};

/// Time between two probes of a companion session.
pub const COMPANION_INTERVAL: Duration = Duration::from_secs(10);
/// The same until the first reply.
pub const COMPANION_FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// How long a reply speaks for the far clock: three in a row may be missing.
pub const LEARNED_FOR: Duration = Duration::from_secs(35);

/// What was learned, and until when it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learned {
    state: ClockState,
    until: MonotonicTime,
}

impl Sender {
    /// A Session-Reflector at the far node said how good its clock is. What the operator declares goes
    /// before it, and where replies come they tell by themselves.
    pub fn handle_far_clock(&mut self, now: Now, state: ClockState) {
        if self.config.far_clock.is_some() || self.config.measurement.looped().is_none() {
            return;
        }
        let known = self.learned_clock();
        let until = now.monotonic.saturating_add(LEARNED_FOR);
        self.seldom.get_or_insert_default().far_clock = Some(Learned { state, until });
        self.far_end.clock = Some(state);
        if known.is_none_or(|known| known.synchronized != state.synchronized) {
            self.events.push(SenderEvent::FarClockLearned(Some(state)));
        }
    }

    /// From its next slot on, the session probes once in each of these.
    pub const fn set_interval(&mut self, interval: Duration) {
        self.timetable.set_interval(interval);
    }

    /// The far clock as the latest reply tells it, and how many replies there were.
    #[must_use]
    pub const fn far_clock(&self) -> (Option<ClockState>, u64) {
        (self.far_end.clock, self.run.received)
    }

    /// The far clock as it was learned, while that holds.
    pub(super) fn learned_clock(&self) -> Option<ClockState> {
        self.seldom.as_deref()?.far_clock.map(|learned| learned.state)
    }

    /// Long ago is unknown.
    pub(super) fn forget_far_clock(&mut self, now: Now) {
        let learned = self.seldom.as_deref_mut().map(|seldom| &mut seldom.far_clock);
        let expired = |learned: &mut Learned| now.monotonic >= learned.until;
        if learned.and_then(|learned| learned.take_if(expired)).is_some() {
            self.far_end.clock = None;
            self.events.push(SenderEvent::FarClockLearned(None));
        }
    }
}
