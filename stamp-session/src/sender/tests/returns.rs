//! RFC 9503: what probes ask for, and what a sample is worth when it is not done.

use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::tlv::{TlvType, Tlvs};

use super::rig::*;
use crate::sender::*;

fn asking(node: Option<&str>, path: Option<ReturnWish>) -> SenderConfig {
    let mut config = config();
    let destination_node = node.map(|node| node.parse().unwrap());
    config.requests =
        Requests { destination_node, return_path: path, ..Requests::default() }.into();
    config.clock = synchronized(1_000);
    config.payload_octets = config.smallest_payload();
    config
}

/// The probe, and what a reply is taken for whose TLVs have these flags.
fn judged(rig: &mut Rig, at_ns: u64, flags: &[u8]) -> Sample {
    let probe = rig.send(at_ns);
    let mut reply = Reply::to(&probe, at_ns);
    let offsets: Vec<usize> = Tlvs::new(&probe[44..])
        .scan(0, |end, tlv| {
            let start = *end;
            *end += tlv.unwrap().encoded_octets();
            Some(start)
        })
        .collect();
    for (offset, flags) in offsets.into_iter().zip(flags) {
        reply.area[offset] = *flags;
    }
    sample(rig.receive(&reply))
}

#[test]
fn a_probe_asks_once_for_each_thing_before_its_padding() {
    let sids = SegmentList::new(vec![Sid("fc00:bb:1::".parse().unwrap())]).unwrap();
    let mut config = asking(Some("2001:db8::1"), Some(ReturnWish::Srv6(sids)));
    assert_eq!(config.smallest_payload(), 44 + 20 + 4 + 4 + 16);
    config.payload_octets += 10;
    config.padding = Padding::Random;
    let probe = Rig::new(config).send(0);
    let tlvs: Vec<_> = Tlvs::new(&probe[44..]).map(|tlv| tlv.unwrap().kind).collect();
    let expected =
        [TlvType::DESTINATION_NODE_ADDRESS, TlvType::RETURN_PATH, TlvType::EXTRA_PADDING];
    assert_eq!(tlvs, expected);
}

#[test]
fn a_way_back_that_was_not_taken_leaves_the_forward_delay() {
    let mut rig = Rig::new(asking(None, Some(ReturnWish::SameLink)));
    assert_eq!(judged(&mut rig, 0, &[0]).answers.return_path, Granted::Granted);
    // A reflector that knows no such TLV returns it as it came.
    for (at_ns, flags) in [(100 * MS, 0x80), (200 * MS, 0x40)] {
        let refused = judged(&mut rig, at_ns, &[flags]);
        assert_eq!((refused.answers.return_path, refused.clock_step), (Granted::Refused, false));
        assert!(refused.variation.forward.is_some());
        assert_eq!((refused.variation.backward, refused.variation.round_trip), (None, None));
    }
    let snapshot = rig.sender.snapshot();
    let count = |summary: crate::statistics::DelaySummary| summary.count;
    assert_eq!(count(snapshot.delay.forward), 3);
    assert_eq!((count(snapshot.delay.backward), count(snapshot.delay.round_trip)), (1, 1));
    assert_eq!(snapshot.requests.return_path_refused, 2);
    assert_eq!((snapshot.clock.excluded, snapshot.packets.lost.round_trip), (2, 0));
}

#[test]
fn a_sample_of_another_node_is_in_no_statistics() {
    let mut rig = Rig::new(asking(Some("192.0.2.11"), None));
    assert_eq!(judged(&mut rig, 0, &[0]).answers.destination_node, Granted::Granted);
    assert_eq!(judged(&mut rig, 100 * MS, &[0x80]).answers.destination_node, Granted::Refused);
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.delay.forward.count, snapshot.delay.round_trip.count), (1, 1));
    assert_eq!((snapshot.packets.received, snapshot.requests.wrong_reflector), (2, 1));
}

#[test]
fn what_stands_behind_a_malformed_tlv_was_not_looked_at() {
    let mut rig = Rig::new(asking(Some("192.0.2.11"), Some(ReturnWish::SameLink)));
    let sample = judged(&mut rig, 0, &[0x40, 0]);
    assert_eq!(
        (sample.answers.destination_node, sample.answers.return_path),
        (Granted::Refused, Granted::Refused)
    );
    let sample = judged(&mut rig, 100 * MS, &[0, 0x80]);
    assert_eq!(
        (sample.answers.destination_node, sample.answers.return_path),
        (Granted::Granted, Granted::Refused)
    );
}

#[test]
fn a_probe_that_wants_no_reply_is_never_lost() {
    let mut config = asking(None, Some(ReturnWish::NoReply));
    config.count = Some(3);
    config.measurement = MeasurementMode::OneWay;
    let mut rig = Rig::new(config);
    for step in 0..3 {
        rig.send(step * 100 * MS);
    }
    rig.sender.handle_timeout(at(5_000 * MS));
    let snapshot = rig.sender.snapshot();
    let packets = &snapshot.packets;
    assert_eq!((packets.sent, packets.received, packets.outstanding), (3, 0, 0));
    assert_eq!((packets.lost.round_trip, snapshot.state), (0, SessionState::Init));
    assert!(snapshot.finished && rig.sender.next_timeout().is_none());
    assert_eq!(rig.events(), [SenderEvent::Finished]);
}

#[test]
fn a_reply_that_nobody_wanted_tells_that_it_was_not_left_out() {
    let mut rig = Rig::new(asking(None, Some(ReturnWish::NoReply)));
    assert_eq!(judged(&mut rig, 0, &[0x80]).answers.return_path, Granted::Refused);
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.delay.forward.count), (1, 1));
    assert_eq!((snapshot.delay.round_trip.count, snapshot.packets.lost.round_trip), (0, 0));
}
