//! What an accepted reply changes.

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::Ssid;
use stamp_proto::time::{TimeDelta, TimestampFormat, WallTime};

use super::Sender;
use super::answers::{Answers, Granted};
use super::clock::NearClock;
use super::config::{SenderConfig, ZeroSsid};
use super::counter::{Numbered, Place};
use super::event::{End, SenderEvent};
use super::fallback::Asks;
use super::pending::{Answer, AnswerNumber, Fate, Probe, Usable};
use super::reason::RejectReason;
use super::sample::{Outcome, Sample, Variation};
use super::stamping::Stamping;
use super::state::SessionState;
use super::tally::clock_offset;
use super::timing::Timing;
use super::tlvs::{TlvAnswer, TlvOutcome};
use super::validate::{Checked, Checker, Numbers, Standing};
use crate::clock::{ClockState, MonotonicTime, Now};
use crate::datagram::Received;

/// A datagram cannot have waited longer in our own queue than this; then its stamp is of another
/// clock, or ours was set.
const LONGEST_WAIT_NS: i64 = 5_000_000_000;

/// TAI has been ahead of UTC by this since 2017.
const TAI_OFFSET: TimeDelta = TimeDelta::from_ns(37_000_000_000);
/// How far from there an offset still means TAI.
const TAI_TOLERANCE: TimeDelta = TimeDelta::from_ns(500_000_000);

/// A reply that was sent with 255 and passed 63 hops still has so many left.
const FEWEST_LEFT_OF_255: u8 = 192;

/// What replies tell of the far end.
#[derive(Clone, Copy, Debug)]
pub(super) struct FarEnd {
    pub(super) clock: Option<ClockState>,
    pub(super) format: Option<TimestampFormat>,
    pub(super) tai_offset: Option<TimeDelta>,
    pub(super) zero_ssid: bool,
    pub(super) traffic_class: Option<(Dscp, Ecn)>,
    pub(super) tlvs: TlvOutcome,
    pub(super) stamping: Stamping,
}

impl FarEnd {
    pub(super) fn new(config: &SenderConfig) -> Self {
        Self {
            clock: config.far_clock,
            format: None,
            tai_offset: None,
            zero_ssid: false,
            traffic_class: None,
            tlvs: TlvOutcome::NotAsked,
            stamping: Stamping::NotAsked,
        }
    }
}

impl Sender {
    /// Takes one datagram that arrived on the session's socket.
    ///
    /// Whether it is in time is judged by its own stamp, not by `now`.
    pub fn handle_reply(&mut self, now: Now, reply: Received<'_>) -> Outcome {
        self.observe_clock(now);
        self.expire(arrival(now, reply.stamp.time), now);
        let checker = Checker {
            config: &self.config,
            clock: self.config.clock,
            far: self.config.far_clock.or(self.learned_clock()),
            pending: &self.pending,
        };
        let checked = checker.check(now, &reply);
        let outcome = match checked.and_then(|checked| self.of_this_link(&reply, checked)) {
            Err(reason) => {
                for tally in self.tallies() {
                    tally.rejected.add(reason, 1);
                }
                return Outcome::Rejected(reason);
            }
            Ok(checked) => match checked.standing {
                Standing::Awaited(timing) => self.accept(now, &reply, &checked, &timing),
                Standing::Lost(timing) => self.accept_late(&reply, &checked, &timing),
                Standing::Answered => self.accept_copy(&checked),
            },
        };
        self.conclude(Some(now));
        outcome
    }

    /// A reply of another micro session is none of this one (RFC 9534 §3).
    fn of_this_link(
        &self,
        reply: &Received<'_>,
        checked: Checked,
    ) -> Result<Checked, RejectReason> {
        let Some(session) = self.config.requests.micro_session else { return Ok(checked) };
        let told = self.tlv_answer(reply, &checked).answers.micro_session;
        self.far_member().check(session, reply.interface, told)?;
        Ok(checked)
    }

    fn accept(
        &mut self,
        now: Now,
        reply: &Received<'_>,
        checked: &Checked,
        timing: &Timing,
    ) -> Outcome {
        let sequence = checked.numbers.sequence;
        let place = self.place(checked, timing);
        let mut answer = self.tlv_answer(reply, checked);
        if let Some(traffic) = self.near_traffic() {
            traffic.complete(sequence, &mut answer.answers);
        }
        self.access_answered(sequence, &answer);
        self.heed_congestion(now, sequence, reply.traffic_class, &answer.answers);
        self.learn_far_member(answer.answers.micro_session);
        let usable = self.usable(now, timing, place, &answer);
        let variation = self.answered(checked.numbers, timing, usable, place);
        self.learn(reply, checked, timing);
        let mut sample = self.sample(reply, checked, timing, &answer);
        sample.variation = variation;
        sample.clock_step |= usable == Usable::RoundTrip;
        sample.reordered = place.probe_overtaken;
        self.far_end.tlvs = sample.tlvs;
        if let Some(watch) = &mut self.watch {
            watch.sample(sequence, (timing, usable), now, &mut self.events);
        }
        self.follow_up(place, checked.numbers, (timing, usable), &answer);
        for tally in self.tallies() {
            tally.sample(&sample, timing, usable);
            tally.order(place);
        }
        if let Some(histograms) = &self.config.histograms {
            histograms.delays(timing, usable);
        }
        let change = self.connectivity.received(sequence, now);
        if change.is_some_and(|change| change.from == SessionState::Down) {
            self.fallback.outage_over();
        }
        self.state_changed(change);
        let brought = (checked.asks, timing.stamping);
        let change = self.fallback.returned(sequence, brought, now);
        self.events.extend(change.map(SenderEvent::Fallback));
        Outcome::Sample(sample)
    }

    fn accept_late(&mut self, reply: &Received<'_>, checked: &Checked, timing: &Timing) -> Outcome {
        if let Some(probe) = self.pending.get_mut(checked.numbers.sequence) {
            probe.fate = Fate::Late;
        }
        for tally in self.tallies() {
            tally.late = tally.late.saturating_add(1);
        }
        let answer = self.tlv_answer(reply, checked);
        self.access_answered(checked.numbers.sequence, &answer);
        self.follow_up_told(self.counter.incarnation(), timing.reply_received.time, &answer);
        let sample = self.sample(reply, checked, timing, &answer);
        self.answer_zero_ssid(checked);
        Outcome::Late(sample)
    }

    /// A copy made on the way out has a number of its own, one made on the way back has not.
    fn accept_copy(&mut self, checked: &Checked) -> Outcome {
        let Numbers { sequence, reflector_sequence: number } = checked.numbers;
        let is_settled = self.pending.is_settled(sequence);
        if let Some(probe) = self.pending.get_mut(sequence)
            && let Fate::Answered(answer) = &mut probe.fate
            && answer.add_extra(number)
            && is_settled
        {
            let incarnation = answer.incarnation;
            self.direction.extra(incarnation, number);
        }
        for tally in self.tallies() {
            let wanted = tally.answers.as_mut().is_some_and(|answers| answers.further());
            tally.duplicate = tally.duplicate.saturating_add((!wanted).into());
        }
        Outcome::Duplicate { sequence }
    }

    fn place(&mut self, checked: &Checked, timing: &Timing) -> Place {
        let Numbers { sequence, reflector_sequence } = checked.numbers;
        let numbered = Numbered {
            sequence,
            reflector_sequence,
            // Numbers that nobody counts need no order of their own.
            reply_sent: timing.reply_sent.unwrap_or(timing.reply_received.time),
        };
        let place = self.counter.place(numbered, self.pending.reach());
        if place.restarted {
            self.restarted(sequence, reflector_sequence);
        }
        self.direction.arrived(sequence, reflector_sequence, &mut self.events);
        place
    }

    /// What another node, another way back and clock steps leave of a sample.
    fn usable(&mut self, now: Now, timing: &Timing, place: Place, answer: &TlvAnswer) -> Usable {
        if answer.answers.destination_node == Granted::Refused {
            // Nor does its clock say anything of the far one.
            return Usable::Nothing;
        }
        match self.after_steps(now, timing, place) {
            Usable::All if answer.answers.return_path == Granted::Refused => Usable::ForwardOnly,
            Usable::RoundTrip if answer.answers.return_path == Granted::Refused => Usable::Nothing,
            usable => usable,
        }
    }

    /// What clock steps leave of a sample.
    fn after_steps(&mut self, now: Now, timing: &Timing, place: Place) -> Usable {
        if timing.near_step || timing.far_step {
            self.clock_stepped();
            return Usable::Nothing;
        }
        if place.probe_overtaken {
            return Usable::All;
        }
        let one_way = timing.one_way();
        let step = one_way.and_then(|(forward, back)| self.far_clock.observe(forward, back));
        let Some(by) = step else {
            return Usable::All;
        };
        if let Some(watch) = &mut self.watch {
            watch.clock_stepped();
        }
        let (end, at) = (End::Far, now);
        self.events.push(SenderEvent::ClockStep { end, by, at });
        Usable::RoundTrip
    }

    /// Remembers the answer and gives the variation to the probe before; that of the probe after,
    /// if it is answered already, is counted too.
    pub(super) fn answered(
        &mut self,
        numbers: Numbers,
        timing: &Timing,
        usable: Usable,
        place: Place,
    ) -> Variation {
        let Numbers { sequence, reflector_sequence } = numbers;
        let Some(probe) = self.pending.get_mut(sequence) else {
            return Variation::default();
        };
        let number = AnswerNumber { reflector_sequence, incarnation: place.incarnation };
        let answer = Answer::new(timing, usable, number);
        probe.fate = Fate::Answered(answer);
        let this = *probe;
        let before = self.pending.answer(sequence.wrapping_sub(1));
        let to_this = before.map(|(probe, before)| variation((probe, before), (&this, answer)));
        let after = self.pending.answer(sequence.wrapping_add(1));
        let from_this = after.map(|(probe, after)| variation((&this, answer), (probe, after)));
        self.count_variation(to_this);
        self.count_variation(from_this);
        to_this.unwrap_or_default()
    }

    fn count_variation(&mut self, variation: Option<Variation>) {
        let Some(variation) = variation else { return };
        for tally in self.tallies() {
            tally.variation(variation);
        }
        if let Some(histograms) = &self.config.histograms {
            histograms.variation(variation);
        }
    }

    /// Keeps what the reply says of the far end.
    fn learn(&mut self, reply: &Received<'_>, checked: &Checked, timing: &Timing) {
        let known = self.far_end.clock;
        if let Some(far) = timing.far {
            if known.is_none_or(|known| known.synchronized != far.synchronized) {
                self.events.push(SenderEvent::FarClock(far));
            }
            self.far_end.clock = Some(far);
        }
        if let Some(told) = checked.told {
            self.far_end.format = Some(told.format);
        }
        if checked.asks != Asks::Nothing || timing.stamping != Stamping::NotAsked {
            self.far_end.stamping = timing.stamping;
        }
        self.far_end.traffic_class = reply.traffic_class;
        let stepped = timing.near_step || timing.far_step;
        if let Some((forward, backward)) = timing.one_way().filter(|_| !stepped) {
            let offset = clock_offset(forward, backward);
            let from_tai = offset.abs().saturating_sub(TAI_OFFSET).abs();
            self.far_end.tai_offset = (from_tai <= TAI_TOLERANCE).then_some(offset);
        }
        self.answer_zero_ssid(checked);
    }

    fn answer_zero_ssid(&mut self, checked: &Checked) {
        let is_zero = checked.told.is_some_and(|told| told.ssid.is_none());
        if !is_zero || self.config.ssid.is_none() || self.far_end.zero_ssid {
            return;
        }
        self.far_end.zero_ssid = true;
        self.events.push(SenderEvent::ZeroSsid);
        match self.config.zero_ssid {
            ZeroSsid::ContinueWithSsid => {}
            ZeroSsid::Stop => self.timetable.stop(),
            ZeroSsid::ContinueBase => self.ssid = Ssid::NONE,
        }
    }

    fn tlv_answer(&self, reply: &Received<'_>, checked: &Checked) -> TlvAnswer {
        // Where no reply is made nobody looks at them.
        let Some(told) = checked.told else { return TlvAnswer::default() };
        let base_octets = self.config.mode().base_octets();
        let area = reply.octets.get(base_octets..).unwrap_or_default();
        let layout = self.layout_of(checked.numbers.sequence);
        let conformity = layout.conformity(&self.config, checked.numbers.sequence, area);
        if conformity.is_some() {
            // What becomes of the TLVs is the question itself.
            let answers = Answers { conformity, ..Answers::default() };
            return TlvAnswer { outcome: TlvOutcome::NotAsked, answers };
        }
        layout.answer(&self.config, checked.numbers, area, told.format)
    }

    fn sample(
        &self,
        reply: &Received<'_>,
        checked: &Checked,
        timing: &Timing,
        answer: &TlvAnswer,
    ) -> Sample {
        let wanted_dscp = answer.answers.reply_dscp(self.config.traffic_class.0);
        let sender_ttl = checked.told.map(|told| told.sender_ttl);
        // A probe that comes back itself has passed the whole way.
        let arrived_with = sender_ttl.or(reply.hop_limit);
        Sample {
            sequence: checked.numbers.sequence,
            reflector_sequence: checked.told.map(|_| checked.numbers.reflector_sequence),
            probe_sent: timing.probe_sent,
            probe_received: timing.probe_received,
            reply_sent: timing.reply_sent,
            reply_received: timing.reply_received,
            forward_delay: timing.forward_delay,
            backward_delay: timing.backward_delay,
            round_trip: timing.round_trip,
            residence: timing.residence,
            variation: Variation::default(),
            forward_hops: arrived_with.and_then(|ttl| hops(self.config.hop_limit, ttl)),
            backward_hops: sender_ttl.and_then(|_| reply.hop_limit.and_then(hops_of_reply)),
            sender_ttl,
            traffic_class: reply.traffic_class,
            remarked: reply.traffic_class.is_some_and(|(dscp, _)| dscp != wanted_dscp),
            clock_synchronized: timing.is_synchronized(),
            error_bound_ns: timing.error_bound_ns(),
            clock_step: timing.near_step || timing.far_step,
            reordered: false,
            tlvs: answer.outcome,
            answers: answer.answers,
            stamping: timing.stamping,
        }
    }
}

/// Hops of a reply, as far as it can have been sent with 255 (RFC 5357 §4.2.1).
///
/// TWAMP reflectors are met that reply with their system's 64 or 128: what is left of those is no
/// count of 191 or 127 hops. Nothing real passes 64 routers, so smaller values mean "unknown".
fn hops_of_reply(arrived_with: HopLimit) -> Option<u8> {
    (arrived_with.0 >= FEWEST_LEFT_OF_255).then(|| arrived_with.hops())
}

/// When a datagram arrived, on the clock of deadlines: its stamp says how long it has waited.
fn arrival(now: Now, stamp: WallTime) -> MonotonicTime {
    let waited = now.wall.since(stamp).ns();
    if !(0..=LONGEST_WAIT_NS).contains(&waited) {
        return now.monotonic;
    }
    MonotonicTime::from_ns(now.monotonic.ns().saturating_sub(waited.unsigned_abs()))
}

/// Hops between what the probe was sent with and what it had on arrival; a TTL of zero is a
/// Session-Reflector that cannot tell.
fn hops(sent: HopLimit, arrived: HopLimit) -> Option<u8> {
    if arrived.0 == 0 {
        return None;
    }
    sent.0.checked_sub(arrived.0)
}

/// How delay changed between two answered neighbours, as far as no clock was set in between.
fn variation(before: (&Probe, Answer), this: (&Probe, Answer)) -> Variation {
    let between = Now { monotonic: this.0.sent_at, wall: this.0.written };
    let stepped = NearClock::stepped_between(before.0.sent_at, before.0.written, between);
    let none = |usable| matches!(usable, Usable::Nothing | Usable::ForwardOnly);
    let any = !none(before.1.usable) && !none(this.1.usable);
    let change = |of: fn(&Answer) -> Option<TimeDelta>| {
        of(&this.1).zip(of(&before.1)).map(|(this, before)| this.saturating_sub(before))
    };
    Variation {
        forward: change(Answer::forward_delay).filter(|_| !stepped),
        backward: change(Answer::backward_delay).filter(|_| !stepped),
        round_trip: any.then(|| change(|answer| Some(answer.round_trip))).flatten(),
    }
}
