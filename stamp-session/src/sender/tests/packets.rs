//! Several replies to each probe (RFC 10052 §3).

use core::time::Duration;

use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;

use super::rig::*;
use crate::sender::{Outcome, Requests, Schedule, Sender, SenderConfig, SenderConfigError};

const WANTED: ReflectedPackets = ReflectedPackets { octets: 60, count: 3, interval_ns: 10_000_000 };

fn asking(packets: ReflectedPackets) -> SenderConfig {
    let mut config = config();
    config.requests = Requests { packets: Some(packets), ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config
}

/// Hands in `count` replies with these flags, each numbered anew.
fn replies(rig: &mut Rig, probe: &[u8], at: u64, (flags, count): (u8, u32)) -> Vec<Outcome> {
    let reply = |number: u32| {
        let mut reply = Reply::to(probe, at);
        reply.area = probe[44..].to_vec();
        reply.area[0] = flags;
        reply.packet.sequence = number;
        reply
    };
    (0..count).map(|number| rig.receive(&reply(number))).collect()
}

#[test]
fn several_replies_are_counted_and_no_more_than_were_granted() {
    let mut rig = Rig::new(asking(WANTED));
    let probe = rig.send(0);
    assert_eq!(probe[44..56], [0x80, 12, 0, 12, 0, 60, 0, 3, 0x00, 0x98, 0x96, 0x80]);
    let outcomes = replies(&mut rig, &probe, 0, (0, 4));
    assert!(matches!(outcomes[0], Outcome::Sample(_)), "{outcomes:?}");
    let snapshot = rig.sender.snapshot();
    let packets = snapshot.answers.unwrap().packets;
    assert_eq!((packets.told, packets.expected, packets.received), (1, 3, 3));
    assert_eq!((snapshot.packets.received, snapshot.packets.duplicate), (1, 1));
}

#[test]
fn who_gets_one_reply_misses_none() {
    let mut rig = Rig::new(asking(WANTED));
    for flags in [0x80, 0x10] {
        let probe = rig.send(if flags == 0x80 { 0 } else { 100 * MS });
        let at = if flags == 0x80 { 0 } else { 100 * MS };
        let _ = replies(&mut rig, &probe, at, (flags, 1));
    }
    let packets = rig.sender.snapshot().answers.unwrap().packets;
    assert_eq!((packets.refused, packets.expected, packets.received), (2, 0, 0));
}

#[test]
fn replies_that_would_overlap_are_refused() {
    let long = ReflectedPackets { interval_ns: 60_000_000, ..WANTED };
    let mut config = asking(long);
    config.schedule = Schedule::Fixed { interval: Duration::from_millis(100) };
    let burst = Duration::from_millis(120);
    let refused = Sender::new(config, crate::clock::MonotonicTime::ZERO).err();
    assert_eq!(refused, Some(SenderConfigError::Packets { burst }));
}
