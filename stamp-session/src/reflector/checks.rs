//! The checks a probe has to pass, in their order.

use stamp_proto::auth::KeyId;
use stamp_proto::packet::{AuthenticationMode, SHORTEST_PROBE_OCTETS, SenderPacket};
use stamp_proto::time::{TimeDelta, WallTime};

use super::admission::can_be_answered;
use super::config::SourcePolicy;
use super::connectivity::{ForwardChange, Sighting, Told};
use super::drop_reason::DropReason;
use super::event::ReflectorEvent;
use super::loops::{LoopRule, is_of_the_authenticated_mode};
use super::rate::{Allowance, Claim, RateLimit};
use super::reply::ReplyToken;
use super::sessions::{Admitted, Arrival};
use super::{Reflector, count};
use crate::clock::MonotonicTime;
use crate::datagram::Received;

/// A probe that passed every check that remembers nothing.
#[derive(Debug)]
pub(super) struct Screened {
    pub(super) packet: SenderPacket,
    /// The key that verified it.
    pub(super) key: Option<KeyId>,
    pub(super) mode: AuthenticationMode,
    pub(super) copy_padding: bool,
    rate_limit: RateLimit,
    session_share: Option<usize>,
}

/// Why a probe was refused, and by which of the rules against loops if it was one of them.
pub(super) enum Refusal {
    Reason(DropReason),
    Loop(LoopRule),
}

impl From<DropReason> for Refusal {
    fn from(reason: DropReason) -> Self {
        Self::Reason(reason)
    }
}

impl Reflector {
    /// Everything that is decided from the packet and the configuration alone.
    pub(super) fn screen(&self, probe: &Received<'_>) -> Result<Screened, Refusal> {
        let policy = self.access.policy(probe.from.ip()).filter(|_| can_be_answered(probe.from));
        let policy = policy.ok_or(DropReason::Denied)?;
        let mode = policy.authentication;
        check_length(policy, probe.octets)?;
        if let Some(rule) = self.loops.broken_by(mode, probe) {
            return Err(Refusal::Loop(rule));
        }
        let packet = SenderPacket::parse(mode, probe.octets).map_err(|_| DropReason::Malformed)?;
        if let Some(floor) = policy.hop_limit_floor
            && probe.hop_limit.is_none_or(|hop_limit| hop_limit < floor)
        {
            return Err(DropReason::Ttl.into());
        }
        let key = match mode {
            AuthenticationMode::Unauthenticated => None,
            AuthenticationMode::Authenticated => Some(self.verify(policy, probe.octets)?),
        };
        if key.is_some() && !self.is_timely(&packet, probe.stamp.time) {
            return Err(DropReason::Replay.into());
        }
        if !self.access.admits(probe.from, packet.ssid) {
            return Err(DropReason::NoSession.into());
        }
        Ok(Screened {
            packet,
            key,
            mode,
            copy_padding: policy.copy_padding || key.is_some(),
            rate_limit: policy.rate_limit,
            session_share: policy.session_limit,
        })
    }

    /// The rate limits; what is over them is told once and may leak.
    pub(super) fn limit(
        &mut self,
        now: MonotonicTime,
        probe: &Received<'_>,
        screened: &Screened,
    ) -> Result<(), DropReason> {
        let limit = screened.rate_limit;
        let authenticated = screened.key.is_some();
        let claim =
            Claim { source: probe.from.ip(), authenticated, cost: cost(screened.mode, probe) };
        let allowance = self.limiter.take(now, claim, limit);
        if let Allowance::Leaked(true) | Allowance::Refused(true) = allowance {
            self.events.push(ReflectorEvent::RateLimited { source: probe.from, limit });
        }
        if let Allowance::Refused(_) = allowance {
            return Err(DropReason::RateLimited);
        }
        // A key holder counts, but strangers must not be able to silence it.
        if !self.limiter.take_total(now) && !authenticated {
            self.events.overload(now, self.limiter.total());
            return Err(DropReason::Overload);
        }
        if let Allowance::Leaked(_) = allowance {
            count(&mut self.counts.leaked);
        }
        Ok(())
    }

    /// What the session table needs to know.
    pub(super) fn arrival(
        &self,
        now: MonotonicTime,
        probe: &Received<'_>,
        screened: &Screened,
    ) -> Arrival {
        Arrival {
            now,
            source: probe.from,
            destination: probe.to,
            ssid: screened.packet.ssid,
            mode: screened.mode,
            key_id: screened.key,
            sequence: screened.packet.sequence,
            probe_sent: self.probe_sent(&screened.packet, probe.stamp.time),
            share: screened.session_share,
        }
    }

    /// The number of the reply in its session.
    pub(super) fn enter_session(&mut self, arrival: &Arrival) -> Result<ReplyToken, DropReason> {
        let Some(sessions) = &mut self.sessions else {
            return Ok(ReplyToken { number: arrival.sequence, ..ReplyToken::STATELESS });
        };
        let Arrival { now, source, ssid, .. } = *arrival;
        let admitted = sessions.admit(arrival).inspect_err(|reason| {
            if *reason == DropReason::Capacity {
                self.events.sessions_full(now, source, sessions.count());
            }
        })?;
        if admitted.restarted {
            self.follow_ups.restarted(admitted.token.slot);
            self.events.push(ReflectorEvent::SenderRestarted { source, ssid });
        }
        if let Some(from) = admitted.rebound {
            self.events.push(ReflectorEvent::Rebound { from, to: source, ssid });
        }
        self.watch_arrival(arrival, &admitted);
        Ok(admitted.token)
    }

    /// Whether this probe tells that others are missing, or that they come again.
    fn watch_arrival(&mut self, arrival: &Arrival, admitted: &Admitted) {
        let Some(watch) = &mut self.watch else { return };
        let Arrival { now, source, destination, ssid, sequence, .. } = *arrival;
        let ReplyToken { slot, generation, .. } = admitted.token;
        let restarted = admitted.restarted;
        let told = watch.arrived(Sighting { slot, generation, sequence, now, restarted });
        let Told::Back { was_up, run } = told else { return };
        let limit = watch.packet_loss_count().get();
        let change = |down, sequences| {
            let change =
                ForwardChange { source, destination, ssid, down, at: now, run, limit, sequences };
            ReflectorEvent::Forward(change)
        };
        if was_up {
            let missing = (sequence.wrapping_sub(run), sequence.wrapping_sub(1));
            self.events.push(change(true, missing));
        }
        self.events.push(change(false, (sequence, sequence)));
    }

    fn verify(&self, policy: &SourcePolicy, octets: &[u8]) -> Result<KeyId, DropReason> {
        let verified = self.keys.as_ref().and_then(|keys| keys.ring.verify(octets));
        verified.filter(|id| policy.allows_key(*id)).ok_or(DropReason::Hmac)
    }
    /// T1 as an instant of this host's time scale; `None` when nobody wrote one.
    pub(super) fn probe_sent(&self, packet: &SenderPacket, near: WallTime) -> Option<WallTime> {
        let sent = packet.timestamp;
        let wall_time = || self.config.ptp_utc_offset.wall_time(sent, near).ok();
        if sent.is_zero() { None } else { wall_time() }
    }

    /// Authenticated, T1 proves that a probe is no copy of a much older one, if both clocks are good.
    fn is_timely(&self, packet: &SenderPacket, arrival: WallTime) -> bool {
        self.config.time_window.is_none_or(|window| {
            let window = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
            let sent = self.probe_sent(packet, arrival);
            sent.is_some_and(|sent| arrival.since(sent).abs() <= TimeDelta::from_ns(window))
        })
    }
}

fn check_length(policy: &SourcePolicy, octets: &[u8]) -> Result<(), DropReason> {
    if octets.len() < SHORTEST_PROBE_OCTETS {
        return Err(DropReason::Malformed);
    }
    let whole = octets.len() >= policy.authentication.base_octets();
    match policy.authentication {
        AuthenticationMode::Authenticated if !whole => Err(DropReason::Mode),
        AuthenticationMode::Unauthenticated if is_of_the_authenticated_mode(octets) => {
            Err(DropReason::Mode)
        }
        AuthenticationMode::Unauthenticated if !whole && !policy.short_probes => {
            Err(DropReason::ShortProbe)
        }
        _ => Ok(()),
    }
}

/// What a probe takes from the allowance of its source: one, and more when the reply is larger.
fn cost(mode: AuthenticationMode, probe: &Received<'_>) -> u32 {
    let ratio = mode.base_octets().div_ceil(probe.octets.len().max(1));
    u32::try_from(ratio).unwrap_or(u32::MAX).max(1)
}
