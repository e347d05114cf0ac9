//! Slowing down where the network says that it is congested (draft-ietf-ippm-stamp-cos-ecn).
//!
//! A session that sends probes with ECT, or asks for replies with it, promises to heed what it is
//! answered with. Congestion Experienced on a probe, told by the Class of Service TLV, or on a reply
//! doubles the interval, up to 64 times the one that was asked for. What was sent at the pace before
//! does not count again, so it doubles once per way there and back. Sixteen replies in a row without
//! a mark halve it, until it is what it was.

use core::time::Duration;

use stamp_proto::ip::{Dscp, Ecn};

use super::Sender;
use super::answers::Answers;
use super::config::SenderConfig;
use super::event::SenderEvent;
use super::schedule::Schedule;
use super::serial;
use crate::clock::Now;

/// The longest interval, in those that were asked for.
const SLOWEST: u32 = 64;
/// Replies without a mark that make it shorter again.
const CLEAN: u32 = 16;

/// The interval between probes changed, for what the network said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PaceChange {
    /// When.
    pub at: Now,
    /// The probe whose reply decided it.
    pub sequence: u32,
    /// On which way the mark was met; `None` where none was for a while.
    pub marked: Option<Marked>,
    /// Time between two probes from here on, in the mean.
    pub interval: Duration,
}

/// The way on which a packet met congestion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Marked {
    /// Towards the Session-Reflector.
    Forward,
    /// Back from it.
    Backward,
}

/// How often a session slowed down, and its pace now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PaceReport {
    /// How often the interval was doubled.
    pub slowdowns: u64,
    /// Time between two probes now, in the mean.
    pub interval: Duration,
}

/// The pace of a session that uses ECT.
#[derive(Debug)]
pub(super) struct Pace {
    asked: Schedule,
    stretch: u32,
    /// The first probe of this pace.
    since: u32,
    /// Replies in a row without a mark.
    clean: u32,
    slowdowns: u64,
}

impl Pace {
    /// Of a session that uses ECT one way or the other; others promise nothing.
    pub(super) fn of(config: &SenderConfig) -> Option<Self> {
        let is_ect = |ecn| matches!(ecn, Ecn::Ect0 | Ecn::Ect1);
        let wanted = config.requests.class_of_service;
        let uses =
            is_ect(config.traffic_class.1) || wanted.is_some_and(|wanted| is_ect(wanted.ecn));
        uses.then_some(Self {
            asked: config.schedule,
            stretch: 1,
            since: config.first_sequence,
            clean: 0,
            slowdowns: 0,
        })
    }

    const fn schedule(&self) -> Schedule {
        self.asked.slower(self.stretch)
    }

    fn interval(&self) -> Duration {
        self.schedule().interval()
    }

    pub(super) fn report(&self) -> PaceReport {
        PaceReport { slowdowns: self.slowdowns, interval: self.interval() }
    }

    /// What a reply says of the way; true when the pace is another one from the probe `next` on.
    fn heed(&mut self, sequence: u32, marked: bool, next: u32) -> bool {
        if serial::is_after(self.since, sequence) {
            return false;
        }
        let before = self.stretch;
        if marked {
            self.clean = 0;
            self.stretch = self.stretch.saturating_mul(2).min(SLOWEST);
            self.slowdowns = self.slowdowns.saturating_add((self.stretch != before).into());
        } else {
            self.clean = self.clean.saturating_add(1);
            if self.clean >= CLEAN {
                self.clean = 0;
                self.stretch = self.stretch.div_euclid(2).max(1);
            }
        }
        let changed = self.stretch != before;
        if changed {
            self.since = next;
        }
        changed
    }
}

impl Sender {
    /// Slows down on a mark, and goes on as before when there was none for a while.
    pub(super) fn heed_congestion(
        &mut self,
        now: Now,
        sequence: u32,
        reply: Option<(Dscp, Ecn)>,
        answers: &Answers,
    ) {
        let Some(pace) = self.seldom.as_deref_mut().and_then(|seldom| seldom.pace.as_mut()) else {
            return;
        };
        let told = answers.class_of_service.told();
        let forward = told.is_some_and(|class| class.answer.ecn == Ecn::Ce);
        let backward = reply.is_some_and(|(_, ecn)| ecn == Ecn::Ce);
        let marked = match (forward, backward) {
            (true, _) => Some(Marked::Forward),
            (_, true) => Some(Marked::Backward),
            _ => None,
        };
        if pace.heed(sequence, marked.is_some(), self.pending.next_sequence()) {
            self.timetable.set_schedule(pace.schedule());
            let interval = pace.interval();
            let change = PaceChange { at: now, sequence, marked, interval };
            self.events.push(SenderEvent::Pace(change));
        }
    }
}
