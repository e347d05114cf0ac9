//! Plain loopback while the far node does not stamp.

use core::time::Duration;

use proptest::prelude::*;
use stamp_proto::ip::HopLimit;
use stamp_proto::time::{Stamp, StampSource, Timestamp, TimestampFormat};

use super::rig::*;
use crate::datagram::{Headers, Received};
use crate::sender::{
    FallbackChange, FallbackReason, Looped, MeasurementMode, Outcome, SenderConfig, SenderEvent,
    SessionState, Stamping, TimestampPlace,
};

const SOURCE: &str = "192.0.2.1:50000";
const INTERVAL: u64 = 100 * MS;

fn config() -> SenderConfig {
    let config = super::rig::config();
    let place = TimestampPlace::of(config.mode());
    let looped = Looped { source: SOURCE.parse().unwrap() };
    SenderConfig {
        measurement: MeasurementMode::EnhancedLoopback(looped, place),
        timestamp_fallback: true,
        clock: synchronized(1_000),
        far_clock: Some(synchronized(1_000)),
        ..config
    }
}

fn comes_back(rig: &mut Rig, octets: &[u8], at_ns: u64) -> Outcome {
    rig.sender.handle_reply(
        at(at_ns),
        Received {
            octets,
            from: SOURCE.parse().unwrap(),
            to: TARGET.parse().unwrap(),
            interface: 2,
            stamp: Stamp { time: wall(at_ns), source: StampSource::Kernel },
            hop_limit: Some(HopLimit(249)),
            traffic_class: None,
            headers: Headers::UNKNOWN,
        },
    )
}

/// What a far node does to a probe that asks; plain ones it forwards.
#[derive(Clone, Copy, Debug)]
enum Node {
    Stamps,
    Forwards,
    Drops,
}

struct Run {
    rig: Rig,
    slot: u64,
    asked: Vec<bool>,
}

impl Run {
    fn new(config: SenderConfig) -> Self {
        Self { rig: Rig::new(config), slot: 0, asked: Vec::new() }
    }

    /// The next probe, back after 20 ms unless it is dropped.
    fn probe(&mut self, node: Node) -> Option<Outcome> {
        let sent_at = self.slot * INTERVAL;
        self.slot += 1;
        self.rig.sender.handle_timeout(at(sent_at));
        let asks = self.rig.sender.asks_for_timestamp();
        self.asked.push(asks);
        let mut probe = self.rig.send(sent_at);
        match node {
            Node::Stamps if asks => {
                let stamp = Timestamp::from_wall(wall(sent_at + 8 * MS), TimestampFormat::Ptp);
                probe[16..24].copy_from_slice(&stamp.octets());
            }
            Node::Drops if asks => return None,
            _ => {}
        }
        Some(comes_back(&mut self.rig, &probe, sent_at + 20 * MS))
    }

    fn probes(&mut self, count: usize, node: Node) {
        for _ in 0..count {
            let _ = self.probe(node);
        }
    }

    fn changes(&mut self) -> Vec<FallbackChange> {
        let change = |event| match event {
            SenderEvent::Fallback(change) => Some(change),
            _ => None,
        };
        self.rig.events().into_iter().filter_map(change).collect()
    }
}

#[test]
fn three_probes_without_t2_make_it_plain_loopback_and_one_with_it_ends_that() {
    let mut run = Run::new(config());
    run.probes(14, Node::Forwards);
    let changes = run.changes();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].at, at(220 * MS));
    assert_eq!(changes[0].reason, FallbackReason::Unstamped(Stamping::Missing));
    assert!(run.asked[..3].iter().all(|asks| *asks));
    assert!(run.asked[3..13].iter().all(|asks| !*asks) && run.asked[13]);
    run.probes(20, Node::Forwards);
    assert_eq!(sample(run.probe(Node::Stamps).unwrap()).stamping, Stamping::Stamped);
    let changes = run.changes();
    assert_eq!((changes.len(), changes[0].is_active(), changes[0].run), (1, false, 30));
    let sample = sample(run.probe(Node::Stamps).unwrap());
    assert_eq!(sample.forward_delay, Some(ns(8 * MS as i64)));
    let snapshot = run.rig.sender.snapshot();
    assert_eq!((snapshot.packets.sent, snapshot.packets.received), (36, 36));
    assert_eq!(snapshot.delay.round_trip.count, 36, "it is measured all the time");
    assert_eq!(snapshot.delay.forward.count, 2);
    let counts = snapshot.stamping_counts;
    assert_eq!((counts.missing, counts.stamped), (4, 2));
}

#[test]
fn a_plain_probe_is_a_plain_loop_whatever_is_behind_its_fields() {
    let mut run = Run::new(config());
    run.probes(3, Node::Forwards);
    let sample = sample(run.probe(Node::Forwards).unwrap());
    assert_eq!((sample.stamping, sample.forward_delay), (Stamping::NotAsked, None));
    assert_eq!(run.rig.sender.snapshot().stamping, Stamping::Missing, "of the last that asked");
}

#[test]
fn what_trials_lose_is_no_loss_of_the_path() {
    let mut run = Run::new(config());
    run.probes(60, Node::Drops);
    let changes = run.changes();
    let [change] = changes[..] else { panic!("{changes:?}") };
    assert_eq!(change.reason, FallbackReason::Lost);
    let snapshot = run.rig.sender.snapshot();
    let fallback = snapshot.fallback.unwrap();
    let asked = run.asked.iter().filter(|asks| **asks).count() as u64;
    let lost = snapshot.packets.lost.round_trip;
    assert!(lost >= 3 && fallback.trials >= 2, "{fallback:?}");
    assert_eq!(lost + fallback.trials, asked);
    let packets = snapshot.packets;
    assert_eq!(packets.sent, packets.received + lost + packets.outstanding);
    assert_eq!(snapshot.loss_pattern.decided, packets.received + lost);
    assert_eq!(run.rig.sender.state(), SessionState::Up);
}

/// A round trip of several intervals: plain probes are behind the trial that ends the fallback.
#[test]
fn plain_probes_that_come_back_late_or_never_do_not_start_it_again() {
    let timeout = Duration::from_secs(1);
    let mut run = Run::new(SenderConfig { timeout, ..config() });
    run.probes(13, Node::Forwards);
    let _ = run.changes();
    assert!(run.rig.sender.asks_for_timestamp(), "the trial is next");
    let sent: Vec<Vec<u8>> = (13..18).map(|slot| run.rig.send(slot * INTERVAL)).collect();
    let mut trial = sent[0].clone();
    let stamp = Timestamp::from_wall(wall(13 * INTERVAL + 8 * MS), TimestampFormat::Ptp);
    trial[16..24].copy_from_slice(&stamp.octets());
    let back = 17 * INTERVAL + 10 * MS;
    let _ = comes_back(&mut run.rig, &trial, back);
    for plain in &sent[1..4] {
        let _ = comes_back(&mut run.rig, plain, back + MS);
    }
    run.rig.sender.handle_timeout(at(60 * INTERVAL));
    let changes = run.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(!changes[0].is_active() && run.rig.sender.asks_for_timestamp());
}

#[test]
fn a_path_that_was_down_is_no_node_that_does_not_stamp() {
    let mut run = Run::new(config());
    run.probes(5, Node::Stamps);
    for slot in 5..30 {
        run.rig.sender.handle_timeout(at(slot * INTERVAL));
        let _ = run.rig.send(slot * INTERVAL);
    }
    run.slot = 30;
    assert_eq!(run.rig.sender.state(), SessionState::Down);
    run.probes(5, Node::Stamps);
    assert_eq!(run.changes(), []);
    assert!(run.rig.sender.asks_for_timestamp());
    assert_eq!(run.rig.sender.snapshot().delay.forward.count, 5 + 4, "one plain, one trial");
}

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![Just(Node::Stamps), Just(Node::Forwards), Just(Node::Drops)]
}

proptest! {
    /// Whatever nodes do, in whatever order: every probe is accounted for, and both kinds of change
    /// take turns.
    #[test]
    fn every_probe_is_accounted_for(stretches in prop::collection::vec((node(), 1_usize..40), 1..12)) {
        let mut run = Run::new(config());
        let mut active = false;
        for (node, count) in stretches {
            run.probes(count, node);
            for change in run.changes() {
                prop_assert_eq!(change.is_active(), !active);
                active = change.is_active();
            }
            let snapshot = run.rig.sender.snapshot();
            let (packets, fallback) = (snapshot.packets, snapshot.fallback.unwrap());
            prop_assert_eq!(fallback.active, active);
            let lost = packets.lost.round_trip;
            prop_assert_eq!(packets.sent, packets.received + lost + packets.outstanding);
            prop_assert_eq!(packets.sent + fallback.trials_lost, run.slot);
            prop_assert_eq!(snapshot.delay.round_trip.count, packets.received);
        }
    }
}
