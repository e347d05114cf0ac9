//! In which direction probes were lost, by the count of a stateful Session-Reflector
//! (RFC 8762 §4).
//!
//! Over an interval that begins and ends with an accepted reply: of `sent` probes after the first
//! one the Session-Reflector numbered `numbered`, and `accepted` replies came back. So
//! `sent - numbered` were lost forward and `numbered - accepted` backward.
//!
//! Replies are fed in the order in which their probes were sent, once their fate is final; then
//! reordering changes nothing. A reply to a copy of a probe, made on the way out, is numbered too
//! and taken out again.

use super::event::{Events, SenderEvent};
use super::pending::Answer;
use super::serial;

/// What the operator says of the Session-Reflector.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReflectorMode {
    /// Nothing: its replies tell.
    #[default]
    Detect,
    /// It counts its replies (RFC 8762 §4, stateful).
    Stateful,
    /// It copies the Sequence Number of the probe (RFC 8762 §4, stateless).
    Stateless,
}

/// What is known of the Session-Reflector.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reflector {
    /// Without a loss both kinds number alike.
    #[default]
    Unknown,
    /// It copies Sequence Numbers: only round-trip loss can be measured.
    Stateless,
    /// It counts its replies: loss has a direction.
    Stateful,
    /// There is none: probes are forwarded back.
    Absent,
}

impl Reflector {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stateless => "stateless",
            Self::Stateful => "stateful",
            Self::Absent => "absent",
        }
    }
}

/// Losses of each direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Directional {
    pub(super) forward: u64,
    pub(super) backward: u64,
}

/// Loss per direction, from the fates of probes in the order of sending.
#[derive(Debug)]
pub(super) struct Direction {
    declared: ReflectorMode,
    found: Reflector,
    /// A number was left out for certain, so a count and a copy must differ from here on.
    gap: bool,
    /// A number was not that of its probe: no copy, whatever other numbers may be by chance.
    counted: bool,
    loss: bool,
    closed: Directional,
    interval: Option<Interval>,
    since: Since,
}

/// Probes lost between two answered ones, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LossSpan {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) forward: u64,
    pub(super) backward: u64,
}

/// What the number of a reply says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Numbering {
    /// It goes on from where it was, and may tell where the probes before were lost.
    GoesOn(Option<LossSpan>),
    /// It cannot have gone on from there.
    BeginsAnew,
}

/// What was lost since the last answered probe.
#[derive(Clone, Copy, Debug, Default)]
struct Since {
    lost: u64,
    first: u32,
    last: u32,
}

/// Answered probes with one count.
#[derive(Clone, Copy, Debug)]
struct Interval {
    incarnation: u8,
    /// Lowest and highest number, in steps from that of the first reply.
    lowest: i64,
    highest: i64,
    highest_sequence: u32,
    sent: u64,
    accepted: u64,
    extra: u64,
    /// Losses just before the first reply: such a probe may have been overtaken by it, and have a
    /// number within the interval.
    lost_before: u64,
}

impl Direction {
    /// A session that starts at another Sequence Number than zero looks to the Session-Reflector
    /// like one whose first probes were lost: its first reply tells what kind it is.
    pub(super) fn new(declared: ReflectorMode, first_sequence: u32) -> Self {
        let found = match declared {
            ReflectorMode::Detect => Reflector::Unknown,
            ReflectorMode::Stateful => Reflector::Stateful,
            ReflectorMode::Stateless => Reflector::Stateless,
        };
        Self {
            declared,
            found,
            gap: first_sequence != 0,
            counted: false,
            loss: false,
            closed: Directional::default(),
            interval: None,
            since: Since::default(),
        }
    }

    pub(super) const fn reflector(&self) -> Reflector {
        self.found
    }

    /// Losses so far, for a stateful Session-Reflector.
    pub(super) fn losses(&self) -> Option<Directional> {
        let open = self.interval.map(|interval| interval.losses());
        let open = open.unwrap_or_default();
        (self.found == Reflector::Stateful).then_some(Directional {
            forward: self.closed.forward.saturating_add(open.forward),
            backward: self.closed.backward.saturating_add(open.backward),
        })
    }

    /// The numbers are a count for certain.
    pub(super) const fn count(&mut self) {
        self.declared = ReflectorMode::Stateful;
        self.found = Reflector::Stateful;
        self.counted = true;
    }

    /// A reply arrived whose number is or is not that of its probe.
    pub(super) fn arrived(&mut self, sequence: u32, reflector_sequence: u32, events: &mut Events) {
        if sequence != reflector_sequence {
            self.counted = true;
            self.find(Reflector::Stateful, events);
        }
    }

    /// The next probe in the order of sending was lost.
    pub(super) const fn lost(&mut self, sequence: u32) {
        self.loss = true;
        if self.since.lost == 0 {
            self.since.first = sequence;
        }
        self.since.last = sequence;
        self.since.lost = self.since.lost.saturating_add(1);
    }

    /// The next Sequence Number was never on the wire.
    pub(super) const fn unsent(&mut self) {
        self.gap = true;
    }

    /// A reply to a copy of a probe that has been fed before.
    pub(super) fn extra(&mut self, incarnation: u8, reflector_sequence: u32) {
        if let Some(interval) = &mut self.interval
            && interval.incarnation == incarnation
        {
            interval.extra = interval.extra.saturating_add(1);
            interval.raise(reflector_sequence);
        }
    }

    /// The next probe in the order of sending was answered; `in_flight` probes were sent later and
    /// may have been numbered before it.
    pub(super) fn answered(
        &mut self,
        answer: &Answer,
        in_flight: u32,
        events: &mut Events,
    ) -> Numbering {
        let telling = self.gap || (self.loss && self.declared == ReflectorMode::Detect);
        if telling && !self.counted {
            self.find(Reflector::Stateless, events);
        }
        let since = core::mem::take(&mut self.since);
        let Some(interval) = self.interval else {
            self.interval = Some(Interval::opened_by(answer, since.lost));
            return Numbering::GoesOn(None);
        };
        if answer.incarnation != interval.incarnation {
            let is_older = answer.incarnation == interval.incarnation.wrapping_sub(1);
            if !is_older {
                self.reopen(answer, since.lost);
            }
            return Numbering::GoesOn(None);
        }
        let next = interval.followed_by(answer, since.lost);
        if !next.is_possible(in_flight) {
            self.reopen(answer, since.lost);
            // Numbers that are copied leave out what was never sent; that is no restart.
            return match self.found {
                Reflector::Stateless => Numbering::GoesOn(None),
                _ => Numbering::BeginsAnew,
            };
        }
        self.interval = Some(next);
        let counts = self.found == Reflector::Stateful;
        Numbering::GoesOn(interval.direction_of(since, answer).filter(|_| counts))
    }

    fn reopen(&mut self, answer: &Answer, lost_before: u64) {
        let opened = Interval::opened_by(answer, lost_before);
        if let Some(interval) = self.interval.replace(opened) {
            let losses = interval.losses();
            self.closed.forward = self.closed.forward.saturating_add(losses.forward);
            self.closed.backward = self.closed.backward.saturating_add(losses.backward);
        }
    }

    fn find(&mut self, kind: Reflector, events: &mut Events) {
        if self.declared == ReflectorMode::Stateless || self.found == kind {
            return;
        }
        self.found = kind;
        let stateful = kind == Reflector::Stateful;
        events.push(SenderEvent::ReflectorMode { stateful });
    }
}

impl Interval {
    fn opened_by(answer: &Answer, lost_before: u64) -> Self {
        let mut interval = Self {
            incarnation: answer.incarnation,
            lowest: 0,
            highest: 0,
            highest_sequence: answer.reflector_sequence,
            sent: 0,
            accepted: 0,
            extra: answer.extra.into(),
            lost_before,
        };
        interval.raise(answer.highest_reflector_sequence());
        interval
    }

    fn followed_by(mut self, answer: &Answer, lost: u64) -> Self {
        self.lowest = self.lowest.min(self.steps_to(answer.reflector_sequence));
        self.raise(answer.reflector_sequence);
        self.raise(answer.highest_reflector_sequence());
        self.sent = self.sent.saturating_add(lost).saturating_add(1);
        self.accepted = self.accepted.saturating_add(1);
        self.extra = self.extra.saturating_add(answer.extra.into());
        self
    }

    fn steps_to(&self, reflector_sequence: u32) -> i64 {
        let step = serial::distance(self.highest_sequence, reflector_sequence);
        self.highest.saturating_add(step)
    }

    fn raise(&mut self, reflector_sequence: u32) {
        let steps = self.steps_to(reflector_sequence);
        if steps > self.highest {
            self.highest = steps;
            self.highest_sequence = reflector_sequence;
        }
    }

    /// Numbers given to probes after the first, copies not counted.
    const fn numbered(&self) -> u64 {
        let numbers = self.highest.saturating_sub(self.lowest).unsigned_abs();
        numbers.saturating_sub(self.extra)
    }

    const fn losses(&self) -> Directional {
        Directional {
            forward: self.sent.saturating_sub(self.numbered()),
            backward: self.numbered().saturating_sub(self.accepted),
        }
    }

    /// No fewer numbers than replies and no more than probes.
    fn is_possible(&self, in_flight: u32) -> bool {
        let numbers = self.highest.saturating_sub(self.lowest).unsigned_abs();
        let sent = self.sent.saturating_add(in_flight.into()).saturating_add(self.lost_before);
        numbers >= self.accepted && self.numbered() <= sent
    }

    /// Where the probes between the replies so far and this one were lost, if they alone explain the
    /// numbers in between.
    fn direction_of(&self, since: Since, answer: &Answer) -> Option<LossSpan> {
        let steps = self.steps_to(answer.reflector_sequence);
        let between = steps.saturating_sub(self.highest).saturating_sub(1);
        let backward = u64::try_from(between).ok()?;
        let forward = since.lost.checked_sub(backward)?;
        let Since { first, last, lost } = since;
        (lost > 0).then_some(LossSpan { first, last, forward, backward })
    }
}

#[cfg(test)]
mod tests;
