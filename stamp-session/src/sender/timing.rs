//! The instants of one answered probe, and what follows from them.

use stamp_proto::packet::ReflectorPacket;
use stamp_proto::time::{PtpUtcOffset, Stamp, TimeDelta, WallTime};

use super::UNKNOWN_ERROR_NS;
use super::reason::RejectReason;
use super::stamping::Stamping;
use crate::clock::ClockState;

/// A round trip below zero by more than this is a clock that was set, not one that runs unevenly.
const IMPOSSIBLE_ROUND_TRIP: TimeDelta = TimeDelta::from_ns(-1_000_000);

/// The instants of an answered probe, on the scale of UTC, and what follows from them.
///
/// What nobody measured is `None`: a probe that was only forwarded back has neither T2 nor T3, one
/// that was stamped on its way has no T3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) probe_sent: Stamp,
    pub(super) probe_received: Option<WallTime>,
    pub(super) reply_sent: Option<WallTime>,
    pub(super) reply_received: Stamp,
    pub(super) forward_delay: Option<TimeDelta>,
    pub(super) backward_delay: Option<TimeDelta>,
    pub(super) round_trip: TimeDelta,
    pub(super) residence: Option<TimeDelta>,
    /// Our own clock was set while the probe was under way.
    pub(super) near_step: bool,
    /// The far clock was set while it had the probe.
    pub(super) far_step: bool,
    pub(super) near: ClockState,
    /// Nothing in a probe that is only forwarded speaks for the far clock.
    pub(super) far: Option<ClockState>,
    /// What became of T2 in a probe that was forwarded back.
    pub(super) stamping: Stamping,
}

/// What our own clock says of a probe's way, and what is known of both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away {
    pub(super) probe_sent: Stamp,
    pub(super) reply_received: Stamp,
    pub(super) near_step: bool,
    pub(super) near: ClockState,
    pub(super) far: Option<ClockState>,
}

impl Away {
    /// Nothing known of either clock.
    pub(super) const fn new(probe_sent: Stamp, reply_received: Stamp) -> Self {
        let near = ClockState::UNKNOWN;
        Self { probe_sent, reply_received, near_step: false, near, far: None }
    }

    /// T4 - T1.
    ///
    /// # Errors
    ///
    /// [`RejectReason::ReplyReceivedBeforeSent`], unless our own clock was set in between.
    pub(super) fn duration(&self) -> Result<TimeDelta, RejectReason> {
        let away = self.reply_received.time.since(self.probe_sent.time);
        if away.is_negative() && !self.near_step {
            return Err(RejectReason::ReplyReceivedBeforeSent);
        }
        Ok(away)
    }

    /// How wrong a one-way value can be before the clocks contradict what they claim; `None` when
    /// one of them claims nothing, or was set.
    pub(super) fn tolerance_ns(&self) -> Option<u64> {
        let far = self.far.filter(|far| far.synchronized)?;
        let error_of = |clock: ClockState| clock.error_bound_ns.unwrap_or(UNKNOWN_ERROR_NS);
        (self.near.synchronized && !self.near_step)
            .then(|| error_of(self.near).saturating_add(error_of(far)))
    }
}

impl Timing {
    /// Of a reply that a Session-Reflector made.
    pub(super) fn of_reply(
        away: &Away,
        packet: &ReflectorPacket,
        offset: PtpUtcOffset,
    ) -> Result<Self, RejectReason> {
        if packet.receive_timestamp.is_zero() || packet.timestamp.is_zero() {
            return Err(RejectReason::Timestamp);
        }
        let (probe_sent, reply_received) = (away.probe_sent, away.reply_received);
        let utc = |timestamp| {
            offset.wall_time(timestamp, reply_received.time).map_err(|_| RejectReason::Timestamp)
        };
        let probe_received = utc(packet.receive_timestamp)?;
        let reply_sent = utc(packet.timestamp)?;
        // Of the octets themselves: right across an era, whatever our own clock says.
        let residence = packet
            .timestamp
            .since(packet.receive_timestamp)
            .map_err(|_| RejectReason::Timestamp)?;
        if residence.is_negative() {
            return Err(RejectReason::ReplySentBeforeReceived);
        }
        let round_trip = away.duration()?.saturating_sub(residence);
        let forward_delay = probe_received.since(probe_sent.time);
        let timing = Self {
            probe_received: Some(probe_received),
            reply_sent: Some(reply_sent),
            forward_delay: Some(forward_delay),
            backward_delay: Some(reply_received.time.since(reply_sent)),
            residence: Some(residence),
            far_step: !away.near_step && round_trip < IMPOSSIBLE_ROUND_TRIP,
            ..Self::of_round_trip(away, round_trip)
        };
        // T2 before T1 is a clock offset, unless both ends know better: then it is a forgery
        // (RFC 9503 §6).
        let tolerance = away.tolerance_ns().filter(|_| !timing.far_step);
        if tolerance.is_some_and(|tolerance| is_before_by_more_than(forward_delay, tolerance)) {
            return Err(RejectReason::ReceivedBeforeSent);
        }
        Ok(timing)
    }

    /// With nothing but our own clock.
    pub(super) const fn of_round_trip(away: &Away, round_trip: TimeDelta) -> Self {
        Self {
            probe_sent: away.probe_sent,
            probe_received: None,
            reply_sent: None,
            reply_received: away.reply_received,
            forward_delay: None,
            backward_delay: None,
            round_trip,
            residence: None,
            near_step: away.near_step,
            far_step: false,
            near: away.near,
            far: away.far,
            stamping: Stamping::NotAsked,
        }
    }

    /// Both one-way delays, where both were measured.
    pub(super) fn one_way(&self) -> Option<(TimeDelta, TimeDelta)> {
        self.forward_delay.zip(self.backward_delay)
    }

    pub(super) fn is_synchronized(&self) -> bool {
        self.near.synchronized && self.far.is_some_and(|far| far.synchronized)
    }

    /// How wrong a one-way value can be.
    pub(super) fn error_bound_ns(&self) -> Option<u64> {
        let near = self.near.error_bound_ns?;
        Some(near.saturating_add(self.far?.error_bound_ns?))
    }
}

/// A delay below zero by more than `tolerance_ns`.
pub(super) const fn is_before_by_more_than(delay: TimeDelta, tolerance_ns: u64) -> bool {
    delay.is_negative() && delay.ns().unsigned_abs() > tolerance_ns
}
