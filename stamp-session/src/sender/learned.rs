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
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// Boxed, as sessions that learn nothing shall not pay for it.
    told: Option<Box<(ClockState, MonotonicTime)>>,
}

impl Learned {
    /// The far clock, while that is known.
    pub(super) fn state(&self) -> Option<ClockState> {
        self.told.as_ref().map(|told| told.0)
    }

    /// True when it was known until now, and is not any more.
    fn expires(&mut self, now: MonotonicTime) -> bool {
        self.told.take_if(|told| now >= told.1).is_some()
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.told.as_ref().map_or(0, |told| size_of_val(&**told))
    }
}

impl Sender {
    /// A Session-Reflector at the far node said how good its clock is. What the operator declares goes
    /// before it, and where replies come they tell by themselves.
    pub fn handle_far_clock(&mut self, now: Now, state: ClockState) {
        if self.config.far_clock.is_some() || self.config.measurement.looped().is_none() {
            return;
        }
        let known = self.learned.state();
        let until = now.monotonic.saturating_add(LEARNED_FOR);
        self.learned.told = Some(Box::new((state, until)));
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

    /// Long ago is unknown.
    pub(super) fn forget_far_clock(&mut self, now: Now) {
        if self.learned.expires(now.monotonic) {
            self.far_end.clock = None;
            self.events.push(SenderEvent::FarClockLearned(None));
        }
    }
}
