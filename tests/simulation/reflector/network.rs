//! A network in virtual time: hosts that reflect, packets between them, and probes to forge.

use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};
use stamp_session::clock::MonotonicTime;
use stamp_session::datagram::Received;
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy, Verdict,
};

pub(super) const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
pub(super) const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
pub(super) const MODES: [AuthenticationMode; 2] = [OPEN, AUTHENTICATED];

/// When a simulation starts, for a host whose clock is right.
pub(super) const START: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
const DELAY: Duration = Duration::from_millis(1);
const RESIDENCE_NS: i64 = 50_000;

/// Numbers that look random and depend on the seed only (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(super) fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub(super) fn key() -> Key {
    Key::new(KeyId(1), b"the key of everyone in this file").unwrap()
}

pub(super) fn wall(after_ns: i64) -> WallTime {
    WallTime::from_unix_ns(START.unix_ns() + after_ns)
}

pub(super) fn timestamp(after_ns: i64) -> Timestamp {
    Timestamp::from_wall(wall(after_ns), TimestampFormat::Ntp)
}

/// A probe, signed when that is its mode.
pub(super) fn probe(mode: AuthenticationMode, sequence: u32, sent: Timestamp) -> Vec<u8> {
    let mut octets = vec![0; mode.base_octets()];
    let error_estimate = ErrorEstimate::from_bits(0x8587);
    let packet = SenderPacket { sequence, timestamp: sent, error_estimate, ssid: Ssid(0x1234) };
    packet.emit(mode, &mut octets).unwrap();
    sign(mode, octets)
}

pub(super) fn sign(mode: AuthenticationMode, mut octets: Vec<u8>) -> Vec<u8> {
    if mode == AUTHENTICATED {
        key().sign(&mut octets).unwrap();
    }
    octets
}

pub(super) fn config(policy: SourcePolicy) -> ReflectorConfig {
    let mut config = ReflectorConfig::new([1, 2]);
    config.keys = Some(Arc::new(KeyRing::new(vec![key()]).unwrap()));
    config.unknown_sources = Some(policy);
    config.session_limit = 1_024;
    config
}

/// Everything a configuration can allow, and no rate limit.
pub(super) fn generous(mode: AuthenticationMode) -> SourcePolicy {
    assert_eq!(SourcePolicy::configured(mode).rate_limit, RateLimit::Off);
    SourcePolicy::configured(mode)
}

pub(super) fn reflector(config: ReflectorConfig) -> Reflector {
    // Few places: thousands of engines are made here.
    let limiter = RateLimiterConfig { slots: 4_096, ..RateLimiterConfig::new([3, 4]) };
    Reflector::new(config, Arc::new(RateLimiter::new(limiter))).unwrap()
}

/// Hands a probe in and returns the reply.
pub(super) fn reflect(
    reflector: &mut Reflector,
    now_ns: i64,
    from: SocketAddr,
    octets: &[u8],
) -> Option<Vec<u8>> {
    let to = SocketAddr::from(([192, 0, 2, 11], 862));
    let mut out = vec![0xEE; octets.len().max(112)];
    let probe = received(octets, from, to, wall(now_ns));
    let now = MonotonicTime::from_ns(now_ns.unsigned_abs());
    match reflector.handle_probe(now, probe, &mut out) {
        Verdict::Reply(reply) => Some(reply.seal(wall(now_ns + RESIDENCE_NS)).octets.to_vec()),
        Verdict::Observe(_) | Verdict::Drop(_) => None,
    }
}

pub(super) fn received(
    octets: &[u8],
    from: SocketAddr,
    to: SocketAddr,
    time: WallTime,
) -> Received<'_> {
    let stamp = Stamp { time, source: StampSource::Kernel };
    let hop_limit = Some(HopLimit(250));
    let headers = stamp_session::datagram::Headers::UNKNOWN;
    Received { octets, from, to, interface: 2, stamp, hop_limit, traffic_class: None, headers }
}

/// What a host does with what arrives.
pub(super) enum Behaviour {
    Ours(Box<Reflector>),
    /// Sends everything back as it is, like the echo service.
    Echo,
    /// A Session-Reflector without any rule; its T2 is this far from its T3, or zero.
    Naive(Option<i64>),
}

/// One host with one port.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    /// How far its clock is ahead of the right time.
    pub(super) clock_ns: i64,
    pub(super) behaviour: Behaviour,
    /// Packets it has sent.
    pub(super) sent: usize,
}

impl Host {
    pub(super) fn new(address: SocketAddr, behaviour: Behaviour) -> Self {
        Self { address, clock_ns: 0, behaviour, sent: 0 }
    }

    fn answer(&mut self, now_ns: i64, from: SocketAddr, octets: &[u8]) -> Option<Vec<u8>> {
        let arrival = now_ns + self.clock_ns;
        let reply = match &mut self.behaviour {
            Behaviour::Echo => Some(octets.to_vec()),
            Behaviour::Naive(residence) => naive(octets, arrival, *residence),
            Behaviour::Ours(reflector) => {
                let mut out = [0xEE; 2_000];
                let probe = received(octets, from, self.address, wall(arrival));
                let now = MonotonicTime::from_ns(now_ns.unsigned_abs());
                match reflector.handle_probe(now, probe, &mut out) {
                    Verdict::Reply(reply) => {
                        let reply = reply.seal(wall(arrival + RESIDENCE_NS));
                        assert_eq!(reply.to, from);
                        Some(reply.octets.to_vec())
                    }
                    Verdict::Observe(_) | Verdict::Drop(_) => None,
                }
            }
        };
        self.sent += usize::from(reply.is_some());
        reply
    }
}

/// The reply of a Session-Reflector that trusts everyone, in open mode.
fn naive(octets: &[u8], now_ns: i64, residence: Option<i64>) -> Option<Vec<u8>> {
    let packet = SenderPacket::parse(OPEN, octets).ok()?;
    let zero = Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
    let reply = ReflectorPacket {
        sequence: packet.sequence,
        timestamp: timestamp(now_ns),
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: packet.ssid,
        receive_timestamp: residence.map_or(zero, |residence| timestamp(now_ns - residence)),
        sender_sequence: packet.sequence,
        sender_timestamp: packet.timestamp,
        sender_error_estimate: packet.error_estimate,
        sender_ttl: HopLimit(255),
    };
    let mut octets = octets.to_vec();
    octets.resize(octets.len().max(44), 0);
    reply.emit(OPEN, &mut octets).ok()?;
    Some(octets)
}

/// A packet on its way; the heap hands out the earliest.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Flight {
    arrives: std::cmp::Reverse<i64>,
    from: SocketAddr,
    to: SocketAddr,
    octets: Vec<u8>,
}

/// Hosts, and what is on its way between them.
pub(super) struct Network {
    pub(super) hosts: Vec<Host>,
    flights: BinaryHeap<Flight>,
    now_ns: i64,
}

impl Network {
    pub(super) fn new(hosts: Vec<Host>) -> Self {
        Self { hosts, flights: BinaryHeap::new(), now_ns: 0 }
    }

    /// Puts a packet on its way, whoever it says it is from.
    pub(super) fn send(&mut self, from: SocketAddr, to: SocketAddr, octets: Vec<u8>) {
        let arrives = std::cmp::Reverse(self.now_ns + DELAY.as_nanos() as i64);
        self.flights.push(Flight { arrives, from, to, octets });
    }

    /// Delivers until nothing is on its way, or `most` packets were delivered; returns the replies.
    pub(super) fn run(&mut self, most: usize) -> usize {
        let mut replies = 0;
        for _ in 0..most {
            let Some(flight) = self.flights.pop() else {
                break;
            };
            self.now_ns = flight.arrives.0;
            let now_ns = self.now_ns;
            let host = self.hosts.iter_mut().find(|host| host.address == flight.to);
            let reply = host.and_then(|host| host.answer(now_ns, flight.from, &flight.octets));
            if let Some(reply) = reply {
                replies += 1;
                self.send(flight.to, flight.from, reply);
            }
        }
        replies
    }
}
