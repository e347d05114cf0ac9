//! What a reply holds, apart from T3 and its HMAC.

use core::net::{IpAddr, SocketAddr};

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::ReflectorPacket;
use stamp_proto::time::{Stamp, StampSource, WallTime};
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_proto::tlv::timestamp_information::{
    SynchronizationSource, TimestampInformation, TimestampOrigin,
};
use stamp_proto::tlv::{MIN_TLV_AREA, looks_like_tlvs};

use super::checks::Screened;
use super::config::{ReflectorConfig, ReplyDscp, TlvMode, TlvRules};
use super::reply::{Envelope, ReplyToken, Stamping};
use super::returns::{Ends, can_be_source};
use super::way::UnsealedWay;
use super::{Reflector, count};
use crate::datagram::Received;
use crate::tlv::{self, Exchange, Wish, Wishes};

impl Reflector {
    /// Fills `out`, which is as long as the reply: every octet of it, so that nothing of an earlier
    /// packet leaks. Gives what the probe asks for beside.
    pub(super) fn write(
        &mut self,
        probe: &Received<'_>,
        screened: &Screened,
        token: &ReplyToken,
        out: &mut [u8],
    ) -> Wishes {
        let hop_limit = probe.hop_limit.filter(|hop_limit| hop_limit.0 != 0);
        let (base, remainder) = out.split_at_mut(screened.mode.base_octets().min(out.len()));
        let packet = &screened.packet;
        let reply = ReflectorPacket {
            sequence: token.number,
            timestamp: Stamping::from(&self.config).timestamp(WallTime::default()),
            error_estimate: self.error_estimate,
            ssid: packet.ssid,
            receive_timestamp: Stamping::from(&self.config).timestamp(probe.stamp.time),
            sender_sequence: packet.sequence,
            sender_timestamp: packet.timestamp,
            sender_error_estimate: packet.error_estimate,
            sender_ttl: hop_limit.unwrap_or(HopLimit::MAX),
        };
        // There is room, and each timestamp was written in the format its Error Estimate announces.
        let _ = reply.emit(screened.mode, base);
        let wishes = self.write_remainder(probe, screened, token, remainder);
        if hop_limit.is_none() {
            count(&mut self.counts.synthetic_hop_limit);
        }
        if !packet.error_estimate.is_valid() {
            count(&mut self.counts.zero_multiplier);
        }
        if probe.octets.len() < screened.mode.base_octets() {
            count(&mut self.counts.short_answered);
        }
        wishes
    }

    /// The octets behind the base packet: TLVs answered in place, or padding.
    fn write_remainder(
        &mut self,
        probe: &Received<'_>,
        screened: &Screened,
        token: &ReplyToken,
        remainder: &mut [u8],
    ) -> Wishes {
        let base = screened.mode.base_octets();
        let received = probe.octets.get(base..).unwrap_or_default();
        if !self.holds_tlvs(received) {
            if screened.copy_padding {
                copy(received, remainder);
            } else {
                remainder.fill(0);
            }
            return Wishes::default();
        }
        copy(received, remainder);
        let policy = self.access.policy(probe.from.ip());
        let exchange = Exchange {
            mode: screened.mode,
            keys: self.keys.as_ref().map(|keys| keys.ring.as_ref()),
            key_ids: policy.and_then(|policy| policy.key_ids.as_deref()),
            probe_sequence: screened.packet.sequence,
            reply_sequence: token.number,
            overtaken: self
                .sessions
                .as_ref()
                .is_some_and(|sessions| sessions.is_overtaken(token, screened.packet.sequence)),
            probe,
            rules: policy.map_or(const { &TlvRules::NONE }, |policy| &policy.tlvs),
            timestamps: self.timestamps(probe),
            follow_up: self.follow_up(token),
            traffic: self.traffic,
            ends: Ends { from: probe.from, interface: probe.interface, verified: false },
            returns: &self.returns,
            types: self.config.types,
            member: self.config.member(probe.interface),
            reply_octets: u32::try_from(base.saturating_add(received.len())).unwrap_or(u32::MAX),
            bursts: &self.bursts,
            packet_control_total: self.config.packet_control_total,
            own_links: &self.config.own_links,
        };
        let (counts, wishes) = tlv::reflect(&exchange, remainder);
        self.counts.tlv.add(counts);
        wishes
    }

    /// T3 is read by the program that sends.
    fn timestamps(&self, probe: &Received<'_>) -> TimestampInformation {
        let source = match (self.config.synchronization_source, self.config.clock.synchronized) {
            (_, false) => SynchronizationSource::LOCAL_FREE_RUNNING,
            (Some(source), true) => source,
            (None, true) => SynchronizationSource::NOT_TOLD,
        };
        let origin = |stamp: StampSource| TimestampOrigin { source, method: stamp.into() };
        TimestampInformation {
            probe_received: origin(probe.stamp.source),
            reply_sent: origin(StampSource::User),
        }
    }

    /// When the reply before left, if that is known.
    fn follow_up(&self, token: &ReplyToken) -> Option<FollowUpTelemetry> {
        let (sequence, Stamp { time, source }) = self.follow_ups.before(token)?;
        let timestamp = Stamping::from(&self.config).timestamp(time);
        Some(FollowUpTelemetry { sequence, timestamp, method: source.into() })
    }

    /// The way of a reply that somebody wants.
    pub(super) fn way(&self, probe: &Received<'_>, base: usize, wish: Wish) -> UnsealedWay {
        let configured = || {
            let policy = self.access.policy(probe.from.ip());
            policy.and_then(|policy| policy.return_segments.clone())
        };
        match wish {
            Wish::Routed | Wish::NoReply => UnsealedWay::Routed,
            Wish::SameLink => UnsealedWay::SameLink,
            Wish::Segments(plane, range) => {
                let range = range.start.saturating_add(base)..range.end.saturating_add(base);
                UnsealedWay::Echoed(plane, range)
            }
            Wish::None => configured().map_or(UnsealedWay::Routed, UnsealedWay::Configured),
        }
    }

    fn holds_tlvs(&self, received: &[u8]) -> bool {
        received.len() >= MIN_TLV_AREA
            && match self.config.tlv_mode {
                TlvMode::Auto => looks_like_tlvs(received),
                TlvMode::On => true,
                TlvMode::Off => false,
            }
    }
}

impl Envelope {
    pub(super) fn of(probe: &Received<'_>, dscp: ReplyDscp, wishes: &Wishes) -> Self {
        let received = probe.traffic_class.map_or(Dscp::DEFAULT, |(dscp, _)| dscp);
        let dscp = match dscp {
            ReplyDscp::Copy => received,
            ReplyDscp::Fixed(dscp) => dscp,
        };
        let to = match wishes.destination {
            Some(address) if address != probe.from.ip() => {
                SocketAddr::new(address, probe.from.port())
            }
            _ => probe.from,
        };
        let to_link = is_link_local(to.ip()) || wishes.resolved_way() == Wish::SameLink;
        Self {
            from: wishes.source.or(Some(probe.to.ip()).filter(|own| can_be_source(*own, to))),
            to,
            interface: if to_link { probe.interface } else { 0 },
            traffic_class: wishes.traffic_class.unwrap_or((dscp, Ecn::NotEct)),
        }
    }
}

impl From<&ReflectorConfig> for Stamping {
    fn from(config: &ReflectorConfig) -> Self {
        Self { format: config.format, ptp_utc_offset: config.ptp_utc_offset }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    if let Some(to) = to.get_mut(..from.len()) {
        to.copy_from_slice(from);
    }
}
