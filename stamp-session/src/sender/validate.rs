//! Whether a datagram is a reply to a probe of this session, and to which.
//!
//! Everything here reads and nothing changes: what fails a check leaves no trace but a counter.

use core::net::SocketAddr;

use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AUTHENTICATED_BASE_OCTETS, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, Timestamp, TimestampFormat};

use super::clock::NearClock;
use super::config::SenderConfig;
use super::fallback::Asks;
use super::mode::{Looped, MeasurementMode};
use super::pending::{Fate, Pending, Probe};
use super::reason::RejectReason;
use super::stamping::as_sent;
use super::timing::{Away, Timing};
use crate::clock::{ClockState, Now};
use crate::datagram::Received;

/// A datagram that passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub(super) numbers: Numbers,
    /// What the far end says beside its timestamps; nothing where it only forwards.
    pub(super) told: Option<Told>,
    pub(super) standing: Standing,
    /// What the segments of the probe asked the far node for.
    pub(super) asks: Asks,
}

/// The two Sequence Numbers of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// That of the probe.
    pub(super) sequence: u32,
    /// That of the reply itself.
    pub(super) reflector_sequence: u32,
}

/// What a Session-Reflector says beside its timestamps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) ssid: Ssid,
    pub(super) format: TimestampFormat,
    pub(super) sender_ttl: HopLimit,
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

/// Everything a check may look at.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    pub(super) config: &'a SenderConfig,
    pub(super) clock: ClockState,
    /// The far clock, where looped probes do not tell of it.
    pub(super) far: Option<ClockState>,
    pub(super) pending: &'a Pending,
}

impl Checker<'_> {
    /// The checks in their order: source, length, session, HMAC, Sequence Number, echo, instants.
    pub(super) fn check(&self, now: Now, reply: &Received<'_>) -> Result<Checked, RejectReason> {
        match self.config.measurement.looped() {
            None => self.check_reply(now, reply),
            Some(looped) => self.check_looped(now, reply, looped),
        }
    }

    fn check_reply(&self, now: Now, reply: &Received<'_>) -> Result<Checked, RejectReason> {
        if !self.is_far_end(reply.from) {
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
        self.check_sent(probe, packet.sender_timestamp, packet.sender_error_estimate)?;
        let told = Some(Told {
            ssid: packet.ssid,
            format: packet.error_estimate.format(),
            sender_ttl: packet.sender_ttl,
        });
        let numbers =
            Numbers { sequence: packet.sender_sequence, reflector_sequence: packet.sequence };
        let standing = self.standing(probe, |probe_sent| {
            if !packet.error_estimate.is_valid() && !self.config.accept_zero_multiplier {
                return Err(RejectReason::ErrorEstimate);
            }
            let far = Some(self.far_clock(&packet));
            let away = self.away(now, probe, Away { far, ..Away::new(probe_sent, reply.stamp) });
            let mut timing = Timing::of_reply(&away, &packet, self.config.ptp_utc_offset)?;
            if self.config.measurement == MeasurementMode::OneWay {
                // The way back is not the path's.
                timing.backward_delay = None;
            }
            Ok(timing)
        })?;
        Ok(Checked { numbers, told, standing, asks: Asks::Nothing })
    }

    /// A node that was named replies from that address (RFC 9503 §3).
    fn is_far_end(&self, from: SocketAddr) -> bool {
        let target = self.config.target;
        let node = self.config.requests.destination_node;
        let named =
            node.is_some_and(|node| is_same_endpoint(from, SocketAddr::new(node, target.port())));
        named || is_same_endpoint(from, target)
    }

    /// The probe itself, forwarded back: what it was sent with must be in it, bit for bit, but for
    /// what a node was asked to write.
    fn check_looped(
        &self,
        now: Now,
        reply: &Received<'_>,
        looped: Looped,
    ) -> Result<Checked, RejectReason> {
        if !is_same_endpoint(reply.from, looped.source) {
            return Err(RejectReason::Source);
        }
        let mode = self.config.mode();
        if reply.octets.len() < self.config.payload_octets {
            return Err(RejectReason::Short);
        }
        let packet = SenderPacket::parse(mode, reply.octets).map_err(|_| RejectReason::Short)?;
        if packet.ssid != self.config.ssid {
            return Err(RejectReason::Ssid);
        }
        if let Some(keys) = &self.config.keys {
            let place = self.config.measurement.timestamp_place();
            let sent: [u8; AUTHENTICATED_BASE_OCTETS] = as_sent(mode, place, reply.octets);
            keys.verify(&sent).ok_or(RejectReason::Authentication)?;
        }
        let probe = self.find(packet.sequence)?;
        self.check_sent(probe, packet.timestamp, packet.error_estimate)?;
        let standing = self.standing(probe, |probe_sent| {
            let far = self.far;
            let away = self.away(now, probe, Away { far, ..Away::new(probe_sent, reply.stamp) });
            let place = self.config.measurement.timestamp_place();
            let place = place.filter(|_| probe.asks != Asks::Nothing);
            Timing::of_looped(&away, self.config, place, reply.octets)
        })?;
        // Nobody numbers replies that nobody makes.
        let numbers = Numbers { sequence: packet.sequence, reflector_sequence: packet.sequence };
        Ok(Checked { numbers, told: None, standing, asks: probe.asks })
    }

    /// What a reply is to its probe; its instants are judged only where they are used.
    fn standing(
        &self,
        probe: &Probe,
        time: impl Fn(Stamp) -> Result<Timing, RejectReason>,
    ) -> Result<Standing, RejectReason> {
        Ok(match probe.fate {
            Fate::Outstanding { probe_sent } | Fate::Unawaited { probe_sent } => {
                Standing::Awaited(time(probe_sent)?)
            }
            Fate::Lost { probe_sent } => Standing::Lost(time(probe_sent)?),
            Fate::Answered(_) | Fate::Late => Standing::Answered,
            Fate::Unsent | Fate::Empty => return Err(RejectReason::Unsent),
        })
    }

    /// With what our own clock did in between.
    fn away(&self, now: Now, probe: &Probe, away: Away) -> Away {
        Away {
            near_step: NearClock::stepped_between(probe.sent_at, probe.written, now),
            near: ClockState {
                synchronized: self.clock.synchronized && probe.error_estimate.synchronized(),
                ..self.clock
            },
            ..away
        }
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
    fn check_sent(
        &self,
        probe: &Probe,
        echoed: Timestamp,
        error_estimate: ErrorEstimate,
    ) -> Result<(), RejectReason> {
        let offset = self.config.ptp_utc_offset;
        let sent = offset.timestamp(probe.written, self.config.format);
        if echoed.is_zero() || echoed.octets() != sent.octets() {
            return Err(RejectReason::EchoedTimestamp);
        }
        if error_estimate != probe.error_estimate {
            return Err(RejectReason::EchoedErrorEstimate);
        }
        Ok(())
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

/// The same address and port; an IPv4 address may come from a socket of both families.
fn is_same_endpoint(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
}
