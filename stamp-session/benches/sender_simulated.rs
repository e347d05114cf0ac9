//! What a Session-Sender does for one probe: writing it, and taking its reply. Sockets excluded.
//!
//! `cargo bench -p stamp-session --bench sender_simulated`

use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::sender::{Outcome, Schedule, Sender, SenderConfig, StatisticsScope};

/// Probes for one sample, 10 us apart.
const PROBES: u64 = 1_000;
const INTERVAL_NS: u64 = 10_000;
const ROUND_TRIP_NS: u64 = 400_000;

fn main() {
    divan::main();
}

/// Which of the two base packets, which summaries, how large.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Open,
    OpenWithWindows,
    OpenOf1472Octets,
    Authenticated,
}

const KINDS: [Kind; 4] =
    [Kind::Open, Kind::OpenWithWindows, Kind::OpenOf1472Octets, Kind::Authenticated];

fn now(ns: u64) -> Now {
    let epoch = 1_709_210_096_789_012_345;
    let wall = WallTime::from_unix_ns(epoch + ns.cast_signed());
    Now { monotonic: MonotonicTime::from_ns(ns), wall }
}

fn keys() -> Arc<KeyRing> {
    let key = Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets");
    Arc::new(KeyRing::new(vec![key]).expect("one key"))
}

fn sender(kind: Kind) -> Sender {
    let target = ([192, 0, 2, 1], 862).into();
    let mut config = SenderConfig::new(target, Ssid(0x1234));
    config.schedule = Schedule::Fixed { interval: Duration::from_nanos(INTERVAL_NS) };
    config.timeout = Duration::from_millis(100);
    match kind {
        Kind::Open => {}
        Kind::OpenWithWindows => config.statistics = StatisticsScope::Both,
        Kind::OpenOf1472Octets => config.payload_octets = 1_472,
        Kind::Authenticated => {
            config.keys = Some(keys());
            config.payload_octets = 112;
        }
    }
    Sender::new(config, MonotonicTime::ZERO).expect("a configuration that is consistent")
}

/// Sends every probe that is due by the end of the sample, giving the octets to `sent`.
fn send(sender: &mut Sender, mut sent: impl FnMut(&[u8])) {
    let mut out = [0; 2_000];
    for probe in 0..PROBES {
        let clocks = now(probe * INTERVAL_NS);
        if let Some(transmit) = sender.poll_transmit(clocks, &mut out) {
            sent(transmit.octets);
            let time = clocks.wall;
            sender.handle_sent(transmit.token, Some(Stamp { time, source: StampSource::Kernel }));
        }
    }
}

fn reply_to(probe: &[u8], mode: AuthenticationMode) -> Vec<u8> {
    let sent = SenderPacket::parse(mode, probe).expect("our own probe");
    let at = |after_ns: u64| {
        let ns = u64::from(sent.sequence) * INTERVAL_NS + after_ns;
        Timestamp::from_wall(now(ns).wall, TimestampFormat::Ntp)
    };
    let packet = ReflectorPacket {
        sequence: sent.sequence,
        timestamp: at(ROUND_TRIP_NS / 2 + 5_000),
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: sent.ssid,
        receive_timestamp: at(ROUND_TRIP_NS / 2),
        sender_sequence: sent.sequence,
        sender_timestamp: sent.timestamp,
        sender_error_estimate: sent.error_estimate,
        sender_ttl: HopLimit(250),
    };
    let mut reply = probe.to_vec();
    packet.emit(mode, &mut reply).expect("as long as the probe");
    if mode == AuthenticationMode::Authenticated {
        keys().signing().sign(&mut reply).expect("as long as the probe");
    }
    if let Some(flags) = reply.get_mut(mode.base_octets()) {
        *flags = 0;
    }
    reply
}

#[divan::bench(args = KINDS)]
fn write_a_probe(bencher: Bencher<'_, '_>, kind: Kind) {
    bencher.counter(ItemsCount::new(PROBES)).with_inputs(|| sender(kind)).bench_local_values(
        |mut sender| {
            send(&mut sender, |octets| {
                black_box(octets);
            });
            sender
        },
    );
}

#[divan::bench(args = KINDS)]
fn take_a_reply(bencher: Bencher<'_, '_>, kind: Kind) {
    bencher
        .counter(ItemsCount::new(PROBES))
        .with_inputs(|| {
            let mut sender = sender(kind);
            let mode = sender.config().mode();
            let mut replies = Vec::new();
            send(&mut sender, |octets| replies.push(reply_to(octets, mode)));
            (sender, replies)
        })
        .bench_local_values(|(mut sender, replies)| {
            answer(&mut sender, &replies, 0);
            (sender, replies)
        });
}

/// Takes all replies, each later than the one before by as much more.
fn answer(sender: &mut Sender, replies: &[Vec<u8>], later_ns: u64) {
    let target = sender.config().target;
    for (sequence, octets) in (0..).zip(replies) {
        let clocks = now(sequence * (INTERVAL_NS + later_ns) + ROUND_TRIP_NS);
        let outcome = sender.handle_reply(
            clocks,
            Received {
                octets,
                from: target,
                to: ([198, 51, 100, 1], 50_000).into(),
                interface: 2,
                stamp: Stamp { time: clocks.wall, source: StampSource::Kernel },
                hop_limit: Some(HopLimit(250)),
                traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
                headers: Headers::UNKNOWN,
            },
        );
        assert!(matches!(outcome, Outcome::Sample(_)), "{outcome:?}");
    }
}

/// A session whose round trips lie between 0.4 ms and 1.4 ms.
fn measured() -> Sender {
    let mut sender = sender(Kind::OpenWithWindows);
    let mode = sender.config().mode();
    let mut replies = Vec::new();
    send(&mut sender, |octets| replies.push(reply_to(octets, mode)));
    answer(&mut sender, &replies, 1_000);
    sender
}

/// What an exporter asks for.
#[divan::bench]
fn tell_how_it_stands(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(measured).bench_local_values(|sender| (sender.standing(), sender));
}

/// Everything a report asks for.
#[divan::bench]
fn take_a_window(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(measured).bench_local_values(|mut sender| (sender.take_window(), sender));
}
