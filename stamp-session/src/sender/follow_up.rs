//! When replies really left, as later ones tell (RFC 8972 §4.7).
//!
//! T3 is written before a reply leaves; the reply after it tells the better time. Both halves are
//! found by the Sequence Number of the Session-Reflector, whichever arrives first; where one is lost
//! the other is forgotten in its turn.

use std::collections::VecDeque;

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_proto::tlv::timestamp_information::TimestampingMethod;

use super::Sender;
use super::answers::{AnswerSeries, Told};
use super::counter::Place;
use super::pending::Usable;
use super::tally::clock_offset;
use super::timing::{Timing, is_before_by_more_than};
use super::tlvs::TlvAnswer;
use super::validate::Numbers;
use crate::statistics::{DelaySeries, DelaySummary, Precision};

/// Halves that wait for the other one: more than replies overtake each other by.
const MOST_WAITING: usize = 64;

/// A reply leaves after its T3 was written; the clock of a network card may be behind that of its
/// host by so much.
const EARLIEST_NS: u64 = 1_000_000;

/// When replies really left, over a period.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FollowUpReport {
    /// Replies that told it of an earlier one, and how that was found out.
    pub replies: AnswerSeries<TimestampingMethod>,
    /// Replies that said they know nothing: of a stateless far end, or of one that takes no stamps;
    /// the first of a session always.
    pub unknown: u64,
    /// What was told and cannot be true.
    pub impossible: u64,
    /// T4 - T3, with the T3 that was told later.
    pub backward: DelaySummary,
    /// T3 - T2, with the same.
    pub residence: DelaySummary,
}

impl FollowUpReport {
    pub(super) fn add(&mut self, answer: Told<Option<FollowUpTelemetry>>) {
        match answer {
            Told::NotAsked => {}
            Told::Refused => self.replies.add(Told::Refused),
            Told::Told(None) => self.unknown = self.unknown.saturating_add(1),
            Told::Told(Some(told)) => self.replies.add(Told::Told(told.method)),
        }
    }
}

/// What becomes of it in one period.
#[derive(Debug)]
pub(super) struct FollowUpTally {
    backward: DelaySeries,
    residence: DelaySeries,
    impossible: u64,
}

impl FollowUpTally {
    pub(super) fn new(precise: bool) -> Self {
        let [fine, coarse] =
            if precise { [Precision::Fine, Precision::Coarse] } else { [Precision::None; 2] };
        let mut tally = Self {
            backward: DelaySeries::new(fine),
            residence: DelaySeries::new(coarse),
            impossible: 0,
        };
        tally.backward.prepare();
        tally.residence.prepare();
        tally
    }

    /// Empties it for the next period.
    pub(super) fn restart(&mut self) {
        self.backward.clear();
        self.residence.clear();
        self.impossible = 0;
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.backward.heap_octets().saturating_add(self.residence.heap_octets())
    }

    pub(super) fn report(&self, lost: u64, report: &mut FollowUpReport) {
        report.impossible = self.impossible;
        report.backward = self.backward.summary(lost);
        report.residence = self.residence.summary(lost);
    }

    fn add(&mut self, found: Found) {
        let Found::Corrected { backward, residence, origin } = found else {
            self.impossible = self.impossible.saturating_add(1);
            return;
        };
        if let Some(origin) = origin.filter(|_| self.backward.count() == 0) {
            self.backward.set_origin(origin);
        }
        self.backward.record(backward);
        self.residence.record(residence);
    }
}

/// A reply as far as a better T3 changes it.
#[derive(Clone, Copy, Debug)]
struct Departure {
    probe_received: WallTime,
    reply_sent: WallTime,
    reply_received: WallTime,
    /// T2 - T1.
    forward: TimeDelta,
    /// T4 - T1: no reply left after it had arrived, whatever the clocks.
    away: TimeDelta,
    /// How wrong one-way values can be, where both clocks claim something.
    error_bound_ns: Option<u64>,
}

/// What two halves make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    Corrected {
        backward: TimeDelta,
        residence: TimeDelta,
        /// Around which backward delays lie, where a clock is wrong.
        origin: Option<TimeDelta>,
    },
    Impossible,
}

impl Departure {
    /// `None` where the reply has no T2 and T3.
    fn of(timing: &Timing) -> Option<Self> {
        let forward = timing.forward_delay?;
        let error_bound_ns = timing.error_bound_ns().filter(|_| timing.is_synchronized());
        Some(Self {
            probe_received: timing.probe_received?,
            reply_sent: timing.reply_sent?,
            reply_received: timing.reply_received.time,
            forward,
            away: timing.round_trip.saturating_add(timing.residence?),
            error_bound_ns,
        })
    }

    fn corrected(&self, left: WallTime) -> Found {
        let residence = left.since(self.probe_received);
        let backward = self.reply_received.since(left);
        let arrived_before =
            self.error_bound_ns.is_some_and(|bound| is_before_by_more_than(backward, bound));
        if is_before_by_more_than(left.since(self.reply_sent), EARLIEST_NS)
            || residence.is_negative()
            || residence > self.away
            || arrived_before
        {
            return Found::Impossible;
        }
        let is_offset = self.forward.is_negative() || backward.is_negative();
        let origin = is_offset.then(|| clock_offset(self.forward, backward).saturating_neg());
        Found::Corrected { backward, residence, origin }
    }
}

/// Replies, and times at which replies left, that wait for each other.
#[derive(Debug, Default)]
pub(super) struct FollowUps {
    waiting: VecDeque<Waiting>,
}

/// A Sequence Number of the Session-Reflector, and the count that it belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Numbered {
    incarnation: u8,
    number: u32,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    of: Numbered,
    half: Half,
}

#[derive(Clone, Copy, Debug)]
enum Half {
    Reply(Departure),
    Left(WallTime),
}

impl FollowUps {
    fn reply(&mut self, of: Numbered, reply: Departure) -> Option<Found> {
        let is_left = |half: &Half| matches!(half, Half::Left(_));
        match self.take(of, is_left) {
            Some(Half::Left(left)) => Some(reply.corrected(left)),
            _ => self.keep(of, Half::Reply(reply)),
        }
    }

    fn left(&mut self, of: Numbered, left: WallTime) -> Option<Found> {
        let is_reply = |half: &Half| matches!(half, Half::Reply(_));
        match self.take(of, is_reply) {
            Some(Half::Reply(reply)) => Some(reply.corrected(left)),
            _ => self.keep(of, Half::Left(left)),
        }
    }

    /// The other half is usually among the latest.
    fn take(&mut self, of: Numbered, is_wanted: fn(&Half) -> bool) -> Option<Half> {
        let is_it = |waiting: &Waiting| waiting.of == of && is_wanted(&waiting.half);
        let place = self.waiting.iter().rposition(is_it)?;
        self.waiting.remove(place).map(|waiting| waiting.half)
    }

    fn keep(&mut self, of: Numbered, half: Half) -> Option<Found> {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting { of, half });
        None
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.waiting.capacity().saturating_mul(size_of::<Waiting>())
    }
}

impl Sender {
    /// A reply was accepted: its own T3 may be corrected, and it may correct that of an earlier one.
    pub(super) fn follow_up(
        &mut self,
        place: Place,
        numbers: Numbers,
        (timing, usable): (&Timing, Usable),
        answer: &TlvAnswer,
    ) {
        let Place { incarnation, .. } = place;
        let number = numbers.reflector_sequence;
        if let Some(reply) = Departure::of(timing).filter(|_| usable == Usable::All) {
            let found = self
                .follow_ups()
                .and_then(|halves| halves.reply(Numbered { incarnation, number }, reply));
            self.correct(found);
        }
        self.follow_up_told(incarnation, timing.reply_received.time, answer);
    }

    /// A reply, which may be late itself, tells when an earlier one left.
    pub(super) fn follow_up_told(&mut self, incarnation: u8, near: WallTime, answer: &TlvAnswer) {
        let Some(told) = answer.answers.follow_up.told().flatten() else { return };
        let of = Numbered { incarnation, number: told.sequence };
        let found = match self.config.ptp_utc_offset.wall_time(told.timestamp, near) {
            Ok(left) => self.follow_ups().and_then(|halves| halves.left(of, left)),
            Err(_) => Some(Found::Impossible),
        };
        self.correct(found);
    }

    /// Kept with what is counted over the whole run: who does not ask has no place for them.
    fn follow_ups(&mut self) -> Option<&mut FollowUps> {
        let answers = self.run.answers.as_deref_mut().filter(|answers| answers.follow_up.is_some());
        answers.map(|answers| &mut answers.follow_ups)
    }

    fn correct(&mut self, found: Option<Found>) {
        let Some(found) = found else { return };
        for tally in self.tallies() {
            let answers = tally.answers.as_deref_mut();
            if let Some(follow_up) = answers.and_then(|answers| answers.follow_up.as_mut()) {
                follow_up.add(found);
            }
        }
    }
}
