//! A session on one member link of a LAG (RFC 9534 §3).

use stamp_proto::tlv::micro_session_id::MemberLinkId;

use super::rig::*;
use crate::sender::{MicroSession, Outcome, RejectReason, Requests, SenderConfig};

fn asking() -> SenderConfig {
    let id = MemberLinkId::new(7).unwrap();
    // Where the rig has its interface.
    let micro_session = Some(MicroSession { id, far: None, interface: 2 });
    let mut config = SenderConfig { packet_loss_count: 2, ..config() };
    config.requests = Requests { micro_session, ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config
}

/// Sends a probe, whose identifiers it gives, and hands in a reply with these.
fn pass(rig: &mut Rig, slot: u64, ids: [u8; 4]) -> (Vec<u8>, Outcome) {
    let probe = rig.send(slot * 100 * MS);
    let mut reply = Reply::to(&probe, slot * 100 * MS);
    reply.area = [&[0, 11, 0, 4][..], &ids].concat();
    (probe[48..52].to_vec(), rig.receive(&reply))
}

#[test]
fn the_link_of_the_far_end_is_learned_and_told() {
    let mut rig = Rig::new(asking());
    let (told, outcome) = pass(&mut rig, 0, [0, 7, 0, 3]);
    assert_eq!(told, [0, 7, 0, 0]);
    let _ = sample(outcome);
    let (told, _) = pass(&mut rig, 1, [0, 7, 0, 3]);
    assert_eq!(told, [0, 7, 0, 3]);
    let series = rig.sender.snapshot().answers.unwrap().micro_session;
    assert_eq!((series.told, series.refused, series.changes), (2, 0, 0));
}

#[test]
fn a_reply_of_another_micro_session_is_discarded_and_counted() {
    let mut rig = Rig::new(asking());
    let _ = pass(&mut rig, 0, [0, 7, 0, 3]);
    for (slot, ids) in [(1, [0, 8, 0, 3]), (2, [0, 7, 0, 4]), (3, [0, 7, 0, 0])] {
        let (_, outcome) = pass(&mut rig, slot, ids);
        assert!(matches!(outcome, Outcome::Rejected(RejectReason::Member)), "{ids:?}");
    }
    let snapshot = rig.sender.snapshot();
    assert_eq!(snapshot.packets.rejected.get(RejectReason::Member), 3);
    assert_eq!(snapshot.packets.received, 1);
}

#[test]
fn what_was_learned_is_forgotten_with_the_link() {
    let mut rig = Rig::new(asking());
    let _ = pass(&mut rig, 0, [0, 7, 0, 3]);
    let _ = rig.send(100 * MS);
    let _ = rig.send(200 * MS);
    rig.sender.handle_timeout(at(5_000 * MS));
    let probe = rig.send(5_000 * MS);
    assert_eq!(probe[48..52], [0, 7, 0, 0], "a far end that was made anew has other names");
}
