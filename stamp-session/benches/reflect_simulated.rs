//! What a Session-Reflector does with one probe, sealing included and sockets excluded.
//!
//! `cargo bench -p stamp-session --bench reflect_simulated`

use std::net::SocketAddr;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};
use stamp_proto::tlv::{Tlv, TlvType, hmac};
use stamp_proto::writer::Writer;
use stamp_session::clock::MonotonicTime;
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy, Verdict,
};

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
const NOW: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
/// Probes for one sample: more than one batch of a socket, so that look-ups are not all in cache.
const PROBES: u32 = 256;

fn main() {
    divan::main();
}

fn key() -> Key {
    Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets")
}

fn reflector(mode: AuthenticationMode, stateful: bool) -> Reflector {
    let mut config = ReflectorConfig::new([1, 2]);
    config.stateful = stateful;
    config.keys = KeyRing::new(vec![key()]).ok().map(Arc::new);
    let policy = SourcePolicy { rate_limit: RateLimit::Off, ..SourcePolicy::unknown(mode) };
    config.unknown_sources = Some(policy);
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([3, 4])));
    Reflector::new(config, limiter).expect("a configuration that is consistent")
}

/// A probe with these TLVs, and an HMAC TLV behind them if that is asked for.
fn probe(
    mode: AuthenticationMode,
    sequence: u32,
    tlvs: &[(TlvType, usize)],
    signed: bool,
) -> Vec<u8> {
    let mut octets = vec![0; 2_000];
    let packet = SenderPacket {
        sequence,
        timestamp: Timestamp::from_wall(NOW, TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: Ssid(0x1234),
    };
    packet.emit(mode, &mut octets).expect("room for a base packet");
    if mode == AUTHENTICATED {
        key().sign(&mut octets).expect("room for a digest");
    }
    let (_, area) = octets.split_at_mut(mode.base_octets());
    let mut writer = Writer::new(area);
    for (kind, value) in tlvs {
        Tlv::request(*kind, &vec![0; *value]).emit(&mut writer).expect("room for a TLV");
    }
    if signed {
        hmac::append(&key(), sequence, &mut writer).expect("room for an HMAC TLV");
    }
    let end = mode.base_octets() + writer.position();
    octets.truncate(end);
    octets
}

fn received(octets: &[u8], from: SocketAddr) -> Received<'_> {
    Received {
        octets,
        from,
        to: SocketAddr::from(([192, 0, 2, 11], 862)),
        interface: 2,
        stamp: Stamp { time: NOW, source: StampSource::Kernel },
        hop_limit: Some(HopLimit(253)),
        traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
        headers: Headers::UNKNOWN,
    }
}

/// Reflects `probes` again and again; what a stateful session has seen before is a new sender each
/// time, so that none is a replay.
fn reflect(bencher: Bencher<'_, '_>, make: impl Fn() -> Reflector, probes: &[Vec<u8>]) {
    let from = SocketAddr::from(([192, 0, 2, 1], 49_200));
    let mut out = [0; 2_000];
    bencher.counter(ItemsCount::new(probes.len())).with_inputs(make).bench_local_refs(
        |reflector| {
            for octets in probes {
                let probe = received(black_box(octets), from);
                if let Verdict::Reply(reply) =
                    reflector.handle_probe(MonotonicTime::ZERO, probe, &mut out)
                {
                    let _ = black_box(reply.seal(NOW));
                }
            }
        },
    );
}

fn numbered(mode: AuthenticationMode, tlvs: &[(TlvType, usize)], signed: bool) -> Vec<Vec<u8>> {
    (0..PROBES).map(|sequence| probe(mode, sequence, tlvs, signed)).collect()
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    reflect(bencher, || reflector(OPEN, false), &numbered(OPEN, &[], false));
}

#[divan::bench]
fn open_stateful(bencher: Bencher<'_, '_>) {
    reflect(bencher, || reflector(OPEN, true), &numbered(OPEN, &[], false));
}

#[divan::bench]
fn authenticated(bencher: Bencher<'_, '_>) {
    reflect(bencher, || reflector(AUTHENTICATED, false), &numbered(AUTHENTICATED, &[], false));
}

#[divan::bench]
fn authenticated_stateful(bencher: Bencher<'_, '_>) {
    reflect(bencher, || reflector(AUTHENTICATED, true), &numbered(AUTHENTICATED, &[], false));
}

#[divan::bench]
fn open_with_padding_of_1400(bencher: Bencher<'_, '_>) {
    let padding = [(TlvType::EXTRA_PADDING, 1_400)];
    reflect(bencher, || reflector(OPEN, false), &numbered(OPEN, &padding, false));
}

#[divan::bench]
fn open_with_hmac_tlv(bencher: Bencher<'_, '_>) {
    let tlvs = [(TlvType::EXTRA_PADDING, 20), (TlvType::LOCATION, 20)];
    reflect(bencher, || reflector(OPEN, false), &numbered(OPEN, &tlvs, true));
}

#[divan::bench]
fn authenticated_with_hmac_tlv(bencher: Bencher<'_, '_>) {
    let tlvs = [(TlvType::EXTRA_PADDING, 20), (TlvType::LOCATION, 20)];
    reflect(bencher, || reflector(AUTHENTICATED, false), &numbered(AUTHENTICATED, &tlvs, true));
}

/// The most TLVs that are processed, all of them empty.
#[divan::bench]
fn open_with_32_tlvs(bencher: Bencher<'_, '_>) {
    let tlvs = [(TlvType::EXTRA_PADDING, 0); 32];
    reflect(bencher, || reflector(OPEN, false), &numbered(OPEN, &tlvs, false));
}

#[divan::bench]
fn open_rate_limited(bencher: Bencher<'_, '_>) {
    let make = || {
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([3, 4])));
        Reflector::new(ReflectorConfig::new([1, 2]), limiter).expect("the default")
    };
    reflect(bencher, make, &numbered(OPEN, &[], false));
}

/// A reply that comes in as a probe: what an attack that failed costs.
#[divan::bench]
fn loop_broken(bencher: Bencher<'_, '_>) {
    let stamp = Timestamp::from_wall(NOW, TimestampFormat::Ntp);
    let reply = ReflectorPacket {
        sequence: 1,
        timestamp: stamp,
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: Ssid(0x1234),
        receive_timestamp: stamp,
        sender_sequence: 1,
        sender_timestamp: stamp,
        sender_error_estimate: ErrorEstimate::from_bits(0x8587),
        sender_ttl: HopLimit::MAX,
    };
    let mut octets = vec![0; 44];
    reply.emit(OPEN, &mut octets).expect("room for a base packet");
    reflect(bencher, || reflector(OPEN, false), &vec![octets; 256]);
}

/// An HMAC that is wrong: what each packet of a flood of forgeries costs.
#[divan::bench]
fn forged(bencher: Bencher<'_, '_>) {
    let mut probes = numbered(AUTHENTICATED, &[], false);
    probes.iter_mut().for_each(|octets| octets[0] ^= 1);
    reflect(bencher, || reflector(AUTHENTICATED, false), &probes);
}

/// A full table of sessions, and each probe of another one.
#[divan::bench]
fn stateful_with_65536_sessions(bencher: Bencher<'_, '_>) {
    let source = |host: u32| SocketAddr::from(((0x0A00_0000 + host).to_be_bytes(), 49_200));
    let mut reflector = reflector(OPEN, true);
    let mut out = [0; 100];
    let mut step = 0_u32;
    let octets: Vec<_> = (0..64).map(|sequence| probe(OPEN, sequence, &[], false)).collect();
    let mut next = |reflector: &mut Reflector| {
        // Strides over the table; each session sends a number it has not sent before.
        let host = step.wrapping_mul(40_503) % 65_536;
        let sequence = step / 65_536;
        let mut octets = octets[0].clone();
        octets[..4].copy_from_slice(&sequence.to_be_bytes());
        step = step.wrapping_add(1);
        let probe = received(black_box(&octets), source(host));
        match reflector.handle_probe(MonotonicTime::ZERO, probe, &mut out) {
            Verdict::Reply(reply) => drop(black_box(reply.seal(NOW))),
            Verdict::Observe(_) => panic!("nobody asked for silence"),
            Verdict::Drop(reason) => panic!("{reason} at {step}"),
        }
    };
    (0..65_536 * 2).for_each(|_| next(&mut reflector));
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| next(&mut reflector));
}

/// Each probe of a source nobody knows, the table full of such.
#[divan::bench]
fn stateful_flood(bencher: Bencher<'_, '_>) {
    let mut reflector = reflector(OPEN, true);
    let mut out = [0; 100];
    let mut host = 0_u32;
    let octets = probe(OPEN, 0, &[], false);
    let mut next = |reflector: &mut Reflector| {
        host = host.wrapping_add(1) % 0x1000_0000;
        let from = SocketAddr::from(((0x0B00_0000 + host).to_be_bytes(), 49_200));
        let probe = received(black_box(&octets), from);
        if let Verdict::Reply(reply) = reflector.handle_probe(MonotonicTime::ZERO, probe, &mut out)
        {
            let _ = black_box(reply.seal(NOW));
        }
    };
    (0..100_000).for_each(|_| next(&mut reflector));
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| next(&mut reflector));
}
