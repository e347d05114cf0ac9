//! One session and a far end made of values.

use core::time::Duration;
use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{
    ErrorEstimate, Stamp, StampSource, TimeDelta, Timestamp, TimestampFormat, WallTime,
};

use super::super::*;
use crate::clock::Now;
use crate::datagram::{Headers, Received};

/// 2024-02-29 12:34:56.789012345 UTC, at the start of the session.
pub(super) const EPOCH: i64 = 1_709_210_096_789_012_345;
pub(super) const MS: u64 = 1_000_000;
pub(super) const TARGET: &str = "192.0.2.1:862";

/// Both clocks `ns` after the start of the session.
pub(super) fn at(ns: u64) -> Now {
    Now { monotonic: MonotonicTime::from_ns(ns), wall: wall(ns) }
}

pub(super) fn wall(ns: u64) -> WallTime {
    WallTime::from_unix_ns(EPOCH + ns as i64)
}

pub(super) fn ns(ns: i64) -> TimeDelta {
    TimeDelta::from_ns(ns)
}

pub(super) fn keys(secret: &[u8]) -> Arc<KeyRing> {
    Arc::new(KeyRing::new(vec![Key::new(KeyId(1), secret).unwrap()]).unwrap())
}

pub(super) fn synchronized(error_bound_ns: u64) -> ClockState {
    ClockState { synchronized: true, error_bound_ns: Some(error_bound_ns), declared: true }
}

/// A probe every 100 ms, 300 ms to answer.
pub(super) fn config() -> SenderConfig {
    SenderConfig {
        schedule: Schedule::Fixed { interval: Duration::from_millis(100) },
        timeout: Duration::from_millis(300),
        ..SenderConfig::new(TARGET.parse().unwrap(), Ssid(0x1234))
    }
}

pub(super) struct Rig {
    pub(super) sender: Sender,
}

impl Rig {
    pub(super) fn new(config: SenderConfig) -> Self {
        Self { sender: Sender::new(config, MonotonicTime::ZERO).unwrap() }
    }

    /// The probe that is due at `at_ns`, given to the kernel.
    pub(super) fn send(&mut self, at_ns: u64) -> Vec<u8> {
        self.try_send(at_ns).expect("a probe is due")
    }

    pub(super) fn try_send(&mut self, at_ns: u64) -> Option<Vec<u8>> {
        let mut out = [0; 2_000];
        let transmit = self.sender.poll_transmit(at(at_ns), &mut out)?;
        let octets = transmit.octets.to_vec();
        self.sender.handle_sent(transmit.token, None);
        Some(octets)
    }

    /// The probe that is due at `at_ns`, which the kernel refuses.
    pub(super) fn fail(&mut self, at_ns: u64, reason: UnsentReason) -> u32 {
        let mut out = [0; 2_000];
        let transmit = self.sender.poll_transmit(at(at_ns), &mut out).expect("a probe is due");
        let sequence = transmit.sequence;
        self.sender.handle_unsent(transmit.token, reason);
        sequence
    }

    pub(super) fn receive(&mut self, reply: &Reply) -> Outcome {
        self.receive_at(at(reply.arrives), reply)
    }

    pub(super) fn receive_at(&mut self, now: Now, reply: &Reply) -> Outcome {
        let octets = reply.octets();
        self.sender.handle_reply(
            now,
            Received {
                octets: &octets,
                from: reply.from.parse().unwrap(),
                to: "198.51.100.7:50000".parse().unwrap(),
                interface: 2,
                stamp: Stamp { time: wall(reply.arrives), source: StampSource::Kernel },
                hop_limit: reply.hop_limit,
                traffic_class: reply.traffic_class,
                headers: Headers::UNKNOWN,
            },
        )
    }

    /// Sends at `at_ns` and receives a plain reply 20 ms later.
    pub(super) fn answered(&mut self, at_ns: u64) -> Sample {
        let probe = self.send(at_ns);
        let reply = Reply::to(&probe, at_ns);
        sample(self.receive(&reply))
    }

    pub(super) fn events(&mut self) -> Vec<SenderEvent> {
        core::iter::from_fn(|| self.sender.poll_event()).collect()
    }
}

pub(super) fn sample(outcome: Outcome) -> Sample {
    match outcome {
        Outcome::Sample(sample) => sample,
        other => panic!("no sample: {other:?}"),
    }
}

/// A reply under construction: 8 ms out, 1 ms there, 11 ms back.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) packet: ReflectorPacket,
    pub(super) keys: Option<Arc<KeyRing>>,
    pub(super) area: Vec<u8>,
    pub(super) from: &'static str,
    pub(super) arrives: u64,
    pub(super) hop_limit: Option<HopLimit>,
    pub(super) traffic_class: Option<(Dscp, Ecn)>,
}

impl Reply {
    /// To an open probe sent at `at_ns`.
    pub(super) fn to(probe: &[u8], at_ns: u64) -> Self {
        Self::with(AuthenticationMode::Unauthenticated, probe, at_ns)
    }

    pub(super) fn with(mode: AuthenticationMode, probe: &[u8], at_ns: u64) -> Self {
        let parsed = SenderPacket::parse(mode, probe).unwrap();
        let error_estimate = ErrorEstimate::new(1_000, true, TimestampFormat::Ntp);
        let packet = ReflectorPacket {
            sequence: parsed.sequence,
            timestamp: ntp(at_ns + 9 * MS),
            error_estimate,
            ssid: parsed.ssid,
            receive_timestamp: ntp(at_ns + 8 * MS),
            sender_sequence: parsed.sequence,
            sender_timestamp: parsed.timestamp,
            sender_error_estimate: parsed.error_estimate,
            sender_ttl: HopLimit(250),
        };
        Self {
            packet,
            keys: None,
            area: probe[mode.base_octets()..].to_vec(),
            from: TARGET,
            arrives: at_ns + 20 * MS,
            hop_limit: Some(HopLimit(249)),
            traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
        }
    }

    /// The far clock is `offset` ahead of ours.
    pub(super) fn far_clock(mut self, at_ns: u64, offset: i64) -> Self {
        let far = |ns: u64| {
            Timestamp::from_wall(
                wall(ns).saturating_add(TimeDelta::from_ns(offset)),
                TimestampFormat::Ntp,
            )
        };
        self.packet.receive_timestamp = far(at_ns + 8 * MS);
        self.packet.timestamp = far(at_ns + 9 * MS);
        self
    }

    pub(super) fn unsynchronized(mut self) -> Self {
        self.packet.error_estimate = ErrorEstimate::unsynchronized(TimestampFormat::Ntp);
        self
    }

    fn octets(&self) -> Vec<u8> {
        let mode = match self.keys {
            Some(_) => AuthenticationMode::Authenticated,
            None => AuthenticationMode::Unauthenticated,
        };
        let mut octets = vec![0; mode.base_octets()];
        self.packet.emit(mode, &mut octets).unwrap();
        if let Some(keys) = &self.keys {
            keys.signing().sign(&mut octets).unwrap();
        }
        octets.extend_from_slice(&self.area);
        octets
    }
}

pub(super) fn ntp(at_ns: u64) -> Timestamp {
    Timestamp::from_wall(wall(at_ns), TimestampFormat::Ntp)
}
