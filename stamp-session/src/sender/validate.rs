//! Whether a datagram is a reply to a probe of this session, and to which.
//!
//! Everything here reads and nothing changes: what fails a check leaves no trace but a counter.

use core::net::SocketAddr;

use stamp_proto::packet::{ReflectorPacket, Ssid};
use stamp_proto::time::{Stamp, TimeDelta, WallTime};

use super::UNKNOWN_ERROR_NS;
use super::clock::NearClock;
use super::config::SenderConfig;
use super::pending::{Fate, Pending, Probe};
use super::reason::RejectReason;
use crate::clock::{ClockState, Now};
use crate::datagram::Received;

/// A round trip below zero by more than this is a clock that was set, not one that runs unevenly.
const IMPOSSIBLE_ROUND_TRIP: TimeDelta = TimeDelta::from_ns(-1_000_000);

/// A datagram that passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub(super) packet: ReflectorPacket,
    pub(super) standing: Standing,
}

/// The probe it answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    /// Awaited.
    Awaited(Timing),
    /// Lost, and not answered until now.
    Lost(Timing),
    /// Answered already.
    Answered,
}

/// The four instants of a reply, on the scale of UTC, and what follows from them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) probe_sent: Stamp,
    pub(super) probe_received: WallTime,
    pub(super) reply_sent: WallTime,
    pub(super) reply_received: Stamp,
    pub(super) forward_delay: TimeDelta,
    pub(super) backward_delay: TimeDelta,
    pub(super) round_trip: TimeDelta,
    pub(super) residence: TimeDelta,
    /// Our own clock was set while the probe was under way.
    pub(super) near_step: bool,
    /// The far clock was set while it had the probe.
    pub(super) far_step: bool,
    pub(super) near: ClockState,
    pub(super) far: ClockState,
}

/// A probe, and what our own clock says of its way.
#[derive(Clone, Copy, Debug)]
struct Flight<'a> {
    probe: &'a Probe,
    probe_sent: Stamp,
    reply_received: Stamp,
}

/// Everything a check may look at.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    pub(super) config: &'a SenderConfig,
    pub(super) clock: ClockState,
    pub(super) pending: &'a Pending,
}

impl Checker<'_> {
    /// The checks in their order: source, length, session, HMAC, Sequence Number, echo, instants.
    pub(super) fn check(&self, now: Now, reply: &Received<'_>) -> Result<Checked, RejectReason> {
        if !is_same_endpoint(reply.from, self.config.target) {
            return Err(RejectReason::Source);
        }
        let packet = ReflectorPacket::parse(self.config.mode(), reply.octets)
            .map_err(|_| RejectReason::Short)?;
        if packet.ssid != self.config.ssid && packet.ssid != Ssid::NONE {
            return Err(RejectReason::Ssid);
        }
        if let Some(keys) = &self.config.keys
            && keys.verify(reply.octets).is_none()
        {
            return Err(RejectReason::Authentication);
        }
        // A probe has zeros where a reply has T2 and the echoed T1.
        if packet.receive_timestamp.is_zero() && packet.sender_timestamp.is_zero() {
            return Err(RejectReason::OwnProbe);
        }
        let probe = self.find(packet.sender_sequence)?;
        self.check_echo(probe, &packet)?;
        let time = |probe_sent| {
            let flight = Flight { probe, probe_sent, reply_received: reply.stamp };
            self.time(now, flight, &packet)
        };
        let standing = match probe.fate {
            Fate::Outstanding { probe_sent } => Standing::Awaited(time(probe_sent)?),
            Fate::Lost { probe_sent } => Standing::Lost(time(probe_sent)?),
            Fate::Answered(_) | Fate::Late => Standing::Answered,
            Fate::Unsent | Fate::Empty => return Err(RejectReason::Unsent),
        };
        Ok(Checked { packet, standing })
    }

    fn find(&self, sequence: u32) -> Result<&Probe, RejectReason> {
        self.pending.get(sequence).ok_or_else(|| {
            if self.pending.was_used(sequence) {
                RejectReason::Forgotten
            } else {
                RejectReason::NeverSent
            }
        })
    }

    /// Only who saw the probe knows its Timestamp; zero is never one (RFC 9503 §6).
    fn check_echo(&self, probe: &Probe, packet: &ReflectorPacket) -> Result<(), RejectReason> {
        let offset = self.config.ptp_utc_offset;
        let sent = offset.timestamp(probe.written, self.config.format);
        let echoed = packet.sender_timestamp;
        if echoed.is_zero() || echoed.octets() != sent.octets() {
            return Err(RejectReason::EchoedTimestamp);
        }
        if packet.sender_error_estimate != probe.error_estimate {
            return Err(RejectReason::EchoedErrorEstimate);
        }
        Ok(())
    }

    fn time(
        &self,
        now: Now,
        flight: Flight<'_>,
        packet: &ReflectorPacket,
    ) -> Result<Timing, RejectReason> {
        let Flight { probe, probe_sent, reply_received } = flight;
        if !packet.error_estimate.is_valid() && !self.config.accept_zero_multiplier {
            return Err(RejectReason::ErrorEstimate);
        }
        if packet.receive_timestamp.is_zero() || packet.timestamp.is_zero() {
            return Err(RejectReason::Timestamp);
        }
        let offset = self.config.ptp_utc_offset;
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
        let away = reply_received.time.since(probe_sent.time);
        let near_step = NearClock::stepped_between(probe.sent_at, probe.written, now);
        if away.is_negative() && !near_step {
            return Err(RejectReason::ReplyReceivedBeforeSent);
        }
        let round_trip = away.saturating_sub(residence);
        let timing = Timing {
            probe_sent,
            probe_received,
            reply_sent,
            reply_received,
            forward_delay: probe_received.since(probe_sent.time),
            backward_delay: reply_received.time.since(reply_sent),
            round_trip,
            residence,
            near_step,
            far_step: !near_step && round_trip < IMPOSSIBLE_ROUND_TRIP,
            near: ClockState {
                synchronized: self.clock.synchronized && probe.error_estimate.synchronized(),
                ..self.clock
            },
            far: self.far_clock(packet),
        };
        timing.check_forward().map(|()| timing)
    }

    /// What the operator declares goes before what the reply says.
    fn far_clock(&self, packet: &ReflectorPacket) -> ClockState {
        self.config.far_clock.unwrap_or(ClockState {
            synchronized: packet.error_estimate.synchronized(),
            error_bound_ns: packet
                .error_estimate
                .is_valid()
                .then(|| packet.error_estimate.error_ns()),
            declared: false,
        })
    }
}

impl Timing {
    pub(super) const fn is_synchronized(&self) -> bool {
        self.near.synchronized && self.far.synchronized
    }

    /// How wrong a one-way value can be.
    pub(super) fn error_bound_ns(&self) -> Option<u64> {
        let near = self.near.error_bound_ns?;
        Some(near.saturating_add(self.far.error_bound_ns?))
    }

    /// T2 before T1 is a clock offset, unless both ends know better: then it is a forgery
    /// (RFC 9503 §6).
    fn check_forward(&self) -> Result<(), RejectReason> {
        if !self.is_synchronized() || self.near_step || self.far_step {
            return Ok(());
        }
        let error_of = |clock: ClockState| clock.error_bound_ns.unwrap_or(UNKNOWN_ERROR_NS);
        let allowed = error_of(self.near).saturating_add(error_of(self.far));
        let before = self.forward_delay.is_negative();
        if before && self.forward_delay.ns().unsigned_abs() > allowed {
            return Err(RejectReason::ReceivedBeforeSent);
        }
        Ok(())
    }
}

/// The same address and port; an IPv4 address may come from a socket of both families.
fn is_same_endpoint(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
}
