//! What a session tells its shell.

use std::collections::VecDeque;

use stamp_proto::time::{TimeDelta, WallTime};

use super::access_report::AccessReportStatus;
use super::direction::LossSpan;
use super::fallback::FallbackChange;
use super::pace::PaceChange;
use super::reason::UnsentReason;
use super::state::StateChange;
use super::threshold::{DelayChange, LossChange};
use crate::clock::{ClockState, Now};

/// Events a shell may leave unread; more are dropped and counted.
const LONGEST_QUEUE: usize = 1_024;

/// One of the two ends of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// This Session-Sender.
    Near,
    /// The Session-Reflector.
    Far,
}

/// Something that happened beside a reply; what a reply was is its [`Outcome`](super::Outcome).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SenderEvent {
    /// No reply within the timeout.
    Lost {
        /// Sequence Number of the probe.
        sequence: u32,
        /// When it left (T1).
        probe_sent: WallTime,
    },
    /// A reply after losses told where they happened; with a stateful Session-Reflector only.
    LossDirection {
        /// First of the lost probes.
        first: u32,
        /// Last of them.
        last: u32,
        /// How many never reached the Session-Reflector.
        forward: u64,
        /// How many it answered in vain.
        backward: u64,
    },
    /// The session came up or went down.
    State(StateChange),
    /// Delay exceeds its threshold, or not any more.
    Delay(DelayChange),
    /// Loss exceeds its threshold, or not any more.
    Loss(LossChange),
    /// The far node does not stamp, so that probes are plain from now on; or it stamps again.
    Fallback(FallbackChange),
    /// The shell came too late to send; these slots are skipped, not made up for.
    MissedSlots {
        /// How many.
        count: u64,
    },
    /// A probe that seemed to have left had not.
    Unsent {
        /// Sequence Number of the probe.
        sequence: u32,
        /// What stopped it.
        reason: UnsentReason,
    },
    /// It became clear whether the Session-Reflector counts its replies.
    ReflectorMode {
        /// It does.
        stateful: bool,
    },
    /// The counter of the Session-Reflector does not go on from where it was: it restarted, or
    /// another sender shares the session.
    ReflectorRestart {
        /// The probe whose reply shows it.
        sequence: u32,
        /// The reply's own Sequence Number.
        reflector_sequence: u32,
    },
    /// A wall clock jumped.
    ClockStep {
        /// Whose.
        end: End,
        /// How far; positive is forward.
        by: TimeDelta,
        /// When it was noticed.
        at: Now,
    },
    /// The far clock is, for the first time or again, as good as this.
    FarClock(ClockState),
    /// The far clock, of which looped probes say nothing, is as good as this, as a companion session
    /// learned; or nothing was heard of it for [`LEARNED_FOR`](super::LEARNED_FOR).
    FarClockLearned(Option<ClockState>),
    /// Probes follow each other more slowly because packets met congestion, or faster again.
    Pace(PaceChange),
    /// The report of an access network was acknowledged or refused, or nobody has answered it.
    AccessReport(AccessReportStatus),
    /// The Session-Reflector returned no SSID (RFC 8972 §3); what follows is configuration.
    ZeroSsid,
    /// No probe is due any more and none is awaited.
    Finished,
}

impl From<LossSpan> for SenderEvent {
    fn from(span: LossSpan) -> Self {
        let LossSpan { first, last, forward, backward } = span;
        Self::LossDirection { first, last, forward, backward }
    }
}

/// Events that wait to be polled.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<SenderEvent>,
    dropped: u64,
}

impl Events {
    pub(super) fn push(&mut self, event: SenderEvent) {
        if self.queue.len() < LONGEST_QUEUE {
            self.queue.push_back(event);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    pub(super) fn extend(&mut self, event: Option<SenderEvent>) {
        event.into_iter().for_each(|event| self.push(event));
    }

    pub(super) fn pop(&mut self) -> Option<SenderEvent> {
        self.queue.pop_front()
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.queue.capacity().saturating_mul(size_of::<SenderEvent>())
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_never_asks_costs_bounded_memory() {
        let mut events = Events::default();
        for sequence in 0..5_000 {
            let probe_sent = WallTime::default();
            events.push(SenderEvent::Lost { sequence, probe_sent });
        }
        assert_eq!(events.queue.len(), LONGEST_QUEUE);
        assert_eq!(events.dropped(), 5_000 - LONGEST_QUEUE as u64);
        assert!(matches!(events.pop(), Some(SenderEvent::Lost { sequence: 0, .. })));
    }
}
