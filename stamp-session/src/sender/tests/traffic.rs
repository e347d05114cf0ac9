//! Real traffic, from a probe to the loss of a window (RFC 8972 §4.5).

use stamp_proto::tlv::direct_measurement;

use super::rig::*;
use crate::sender::{Requests, SenderConfig, StatisticsScope};
use crate::snapshot::TrafficLoss;
use crate::traffic::TrafficCounters;

const TLV_AT: usize = 44;

fn asking() -> SenderConfig {
    let mut config = SenderConfig { statistics: StatisticsScope::Both, ..config() };
    config.requests = Requests { direct_measurement: true, ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config
}

/// A probe sent after `sent` packets, answered with `far` received and sent there, when `received`
/// have come.
fn pass(rig: &mut Rig, slot: u64, [sent, received]: [u32; 2], far: [u32; 2]) {
    rig.sender.handle_counters(Some(TrafficCounters { transmitted: sent, received: 0 }));
    let probe = rig.send(slot * 100 * MS);
    assert_eq!(probe[TLV_AT..TLV_AT + 8], [&[0x80, 5, 0, 12][..], &sent.to_be_bytes()].concat());
    let mut reply = Reply::to(&probe, slot * 100 * MS);
    reply.area = probe[TLV_AT..].to_vec();
    reply.area[0] = 0;
    direct_measurement::reflect(&mut reply.area[4..], far[0], far[1]).unwrap();
    rig.sender.handle_counters(Some(TrafficCounters { transmitted: sent, received }));
    let _ = sample(rig.receive(&reply));
}

#[test]
fn the_loss_of_real_traffic_is_told_by_window_and_run() {
    let mut rig = Rig::new(asking());
    pass(&mut rig, 0, [100, 10], [90, 20]);
    pass(&mut rig, 1, [200, 30], [185, 41]);
    let first = rig.sender.take_window().answers.unwrap().direct_measurement;
    pass(&mut rig, 2, [300, 40], [285, 51]);
    let second = rig.sender.take_window().answers.unwrap().direct_measurement;
    let run = rig.sender.snapshot().answers.unwrap().direct_measurement;
    let loss = |sent, received| TrafficLoss { sent, received };
    assert_eq!((first.forward, first.backward), (loss(100, 95), loss(21, 20)));
    assert_eq!((second.forward, second.backward), (loss(100, 100), loss(10, 10)));
    assert_eq!((run.forward, run.backward), (loss(200, 195), loss(31, 30)));
    assert_eq!((run.told, first.told, second.told), (3, 2, 1));
}

#[test]
fn a_far_end_without_counters_refuses() {
    let mut rig = Rig::new(asking());
    rig.sender.handle_counters(Some(TrafficCounters::default()));
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.area = probe[TLV_AT..].to_vec();
    let _ = sample(rig.receive(&reply));
    let run = rig.sender.snapshot().answers.unwrap().direct_measurement;
    assert_eq!((run.told, run.refused, run.intervals), (0, 1, 0));
}
