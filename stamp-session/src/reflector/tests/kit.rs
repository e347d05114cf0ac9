//! A Session-Reflector and probes for it.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};

use crate::clock::{ClockState, MonotonicTime};
use crate::datagram::{Headers, Received};
use crate::reflector::*;

pub(super) const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
pub(super) const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;

/// 2024-02-29T12:34:56.789012345Z, T1 of all vectors.
pub(super) const T1: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
pub(super) const T2: WallTime = WallTime::from_unix_ns(1_709_210_096_790_246_912);
pub(super) const T3: WallTime = WallTime::from_unix_ns(1_709_210_096_790_296_912);

pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

pub(super) fn keys(secrets: &[(u32, &[u8])]) -> Arc<KeyRing> {
    let key = |&(id, secret): &(u32, &[u8])| Key::new(KeyId(id), secret).unwrap();
    Arc::new(KeyRing::new(secrets.iter().map(key).collect()).unwrap())
}

/// Key K1 of the vectors.
pub(super) fn k1() -> Vec<u8> {
    (0..32).collect()
}

pub(super) fn config() -> ReflectorConfig {
    let mut config = ReflectorConfig::new([5, 6]);
    config.clock =
        ClockState { synchronized: true, error_bound_ns: Some(1_000_000), declared: false };
    config
}

pub(super) fn authenticated() -> ReflectorConfig {
    let mut config = config();
    config.keys = Some(keys(&[(1, &k1())]));
    config.unknown_sources = Some(SourcePolicy::unknown(AUTHENTICATED));
    config
}

pub(super) fn stateful(mut config: ReflectorConfig) -> ReflectorConfig {
    config.stateful = true;
    config
}

pub(super) fn reflector(config: ReflectorConfig) -> Reflector {
    let limiter = RateLimiter::new(RateLimiterConfig::new([7, 8]));
    Reflector::new(config, Arc::new(limiter)).unwrap()
}

/// A probe on its way, as a test would change it.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) octets: Vec<u8>,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) interface: u32,
    pub(super) hop_limit: Option<HopLimit>,
    pub(super) traffic_class: Option<(Dscp, Ecn)>,
    pub(super) arrives: WallTime,
}

impl Probe {
    pub(super) fn of(octets: &[u8]) -> Self {
        Self {
            octets: octets.to_vec(),
            from: "192.0.2.1:49200".parse().unwrap(),
            to: "192.0.2.11:862".parse().unwrap(),
            interface: 2,
            hop_limit: Some(HopLimit(253)),
            traffic_class: None,
            arrives: T2,
        }
    }

    /// Probe number `sequence` of a sender that sends one each millisecond.
    pub(super) fn number(sequence: u32) -> Self {
        let mut octets = [0; 44];
        packet(sequence).emit(OPEN, &mut octets).unwrap();
        Self::of(&octets)
    }

    /// The same, signed.
    pub(super) fn signed(sequence: u32, secret: &[u8]) -> Self {
        let mut octets = [0; 112];
        packet(sequence).emit(AUTHENTICATED, &mut octets).unwrap();
        Key::new(KeyId(0), secret).unwrap().sign(&mut octets).unwrap();
        Self::of(&octets)
    }

    pub(super) fn from(mut self, source: &str) -> Self {
        self.from = source.parse().unwrap();
        self
    }

    pub(super) fn to(mut self, destination: &str) -> Self {
        self.to = destination.parse().unwrap();
        self
    }

    pub(super) fn with(mut self, remainder: &[u8]) -> Self {
        self.octets.extend_from_slice(remainder);
        self
    }

    pub(super) fn set(mut self, offset: usize, octets: &[u8]) -> Self {
        self.octets[offset..offset + octets.len()].copy_from_slice(octets);
        self
    }

    pub(super) fn received(&self) -> Received<'_> {
        Received {
            octets: &self.octets,
            from: self.from,
            to: self.to,
            interface: self.interface,
            stamp: Stamp { time: self.arrives, source: StampSource::Kernel },
            hop_limit: self.hop_limit,
            traffic_class: self.traffic_class,
            headers: Headers::UNKNOWN,
        }
    }
}

fn packet(sequence: u32) -> SenderPacket {
    let sent = T1.unix_ns() + i64::from(sequence) * 1_000_000;
    SenderPacket {
        sequence,
        timestamp: Timestamp::from_wall(WallTime::from_unix_ns(sent), TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: Ssid(0x1234),
    }
}

pub(super) fn at_ms(ms: u64) -> MonotonicTime {
    MonotonicTime::from_ns(ms * 1_000_000)
}

/// The octets of the reply, or why there is none. The buffer is dirty, as a reused one is.
pub(super) fn answer_at(
    reflector: &mut Reflector,
    now: MonotonicTime,
    probe: &Probe,
) -> Result<Vec<u8>, DropReason> {
    let mut out = vec![0xEE; 2_000];
    match reflector.handle_probe(now, probe.received(), &mut out) {
        Verdict::Reply(reply) => Ok(reply.seal(T3).octets.to_vec()),
        Verdict::Observe(_) => Err(DropReason::NoReply),
        Verdict::Drop(reason) => Err(reason),
    }
}

pub(super) fn answer(reflector: &mut Reflector, probe: &Probe) -> Result<Vec<u8>, DropReason> {
    answer_at(reflector, MonotonicTime::ZERO, probe)
}

/// Sequence Number of the reply.
pub(super) fn number(reply: Result<Vec<u8>, DropReason>) -> Result<u32, DropReason> {
    reply.map(|octets| u32::from_be_bytes(*octets.first_chunk().unwrap()))
}
