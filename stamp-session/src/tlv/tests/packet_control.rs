//! Replies of which a probe wants several (RFC 10052 §3).

use stamp_proto::tlv::reflected_test_packet_control::{
    ControlDialect, Layer2Group, Layer3Group, ReflectedPackets, ReflectedTestPacketControlRequest,
};

use super::*;
use crate::reflector::{DropReason, PacketControlRules};

static ENABLED: LazyLock<TlvRules> = LazyLock::new(|| TlvRules {
    packet_control: Some(PacketControlRules::MODEST),
    ..TlvRules::NONE
});
const THREE: ReflectedPackets = ReflectedPackets { octets: 100, count: 3, interval_ns: 2_000_000 };

fn question(request: &ReflectedTestPacketControlRequest) -> Vec<u8> {
    let mut octets = [0; 100];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(ControlDialect::default(), &mut writer).unwrap();
    writer.written().to_vec()
}

fn asking(packets: ReflectedPackets) -> Vec<u8> {
    question(&ReflectedTestPacketControlRequest { packets, ..Default::default() })
}

/// The flags of the answer, and what it comes to.
fn answered(rules: &TlvRules, area: &[u8]) -> (Vec<u8>, Wishes) {
    let mut reply = area.to_vec();
    let (_, wishes) = reflect(&Exchange { rules, ..exchange(OPEN, None) }, &mut reply);
    (flags(&reply), wishes)
}

#[test]
fn nobody_gets_more_than_one_reply_unless_it_is_enabled() {
    for rules in [TlvRules::NONE, TlvRules::ALL] {
        let (flags, wishes) = answered(&rules, &asking(THREE));
        assert_eq!(flags, [0x80]);
        assert!(wishes.packets.is_none() && wishes.discarded().is_none());
    }
}

#[test]
fn what_is_within_the_limits_is_granted() {
    let (flags, wishes) = answered(&ENABLED, &asking(THREE));
    assert_eq!(flags, [0]);
    let granted = wishes.packets.unwrap();
    assert_eq!((granted.octets, granted.wanted, granted.octets_per_second), (100, THREE, 50_000));
    // No reply is shorter than one that answers everything.
    let (_, wishes) = answered(&ENABLED, &asking(ReflectedPackets { octets: 3, ..THREE }));
    assert_eq!(wishes.packets.unwrap().octets, 44);
}

#[test]
fn beyond_a_limit_there_is_one_reply_with_c() {
    for beyond in [
        ReflectedPackets { count: 11, ..THREE },
        ReflectedPackets { octets: 1_404, interval_ns: 100_000_000, ..THREE },
        ReflectedPackets { interval_ns: 500_000, ..THREE },
        ReflectedPackets { interval_ns: 0, ..THREE },
    ] {
        let (flags, wishes) = answered(&ENABLED, &asking(beyond));
        assert_eq!(flags, [0x10], "{beyond:?}");
        assert!(wishes.packets.is_none(), "{beyond:?}");
    }
    let volume = PacketControlRules { most_volume_octets: 299, ..PacketControlRules::MODEST };
    let rules = TlvRules { packet_control: Some(volume), ..TlvRules::NONE };
    assert_eq!(answered(&rules, &asking(THREE)).0, [0x10]);
}

#[test]
fn who_wants_none_gets_none() {
    let none = ReflectedPackets { count: 0, ..THREE };
    let (_, wishes) = answered(&ENABLED, &asking(none));
    assert_eq!(wishes.discarded(), Some(DropReason::NoReply));
}

#[test]
fn a_node_outside_of_the_group_does_not_reply() {
    let layer_3 = |address: &str, bits| Layer3Group::new(address.parse().unwrap(), bits).ok();
    let layer_2 = |last| Layer2Group::new(&[255; 6], &[2, 0, 0, 0, 0, last]).ok();
    let ask = |layer_2, layer_3| {
        let request = ReflectedTestPacketControlRequest {
            packets: THREE,
            layer_2,
            layer_3,
            extension_headers: false,
        };
        question(&request)
    };
    for rules in [ENABLED.clone(), TlvRules::NONE] {
        for others in [ask(None, layer_3("198.51.100.0", 24)), ask(layer_2(8), None)] {
            let (_, wishes) = answered(&rules, &others);
            assert_eq!(wishes.discarded(), Some(DropReason::NotAddressed));
        }
    }
    for ours in [ask(None, layer_3("192.0.2.0", 24)), ask(layer_2(9), None)] {
        let (flags, wishes) = answered(&ENABLED, &ours);
        assert_eq!(flags, [0]);
        assert!(wishes.packets.is_some() && wishes.discarded().is_none());
    }
}

#[test]
fn no_reply_and_several_contradict_each_other_whichever_comes_first() {
    let silent = area(&[(TlvType::RETURN_PATH, &[0x80, 1, 0, 4, 0, 0, 0, 0])]);
    for both in [[silent.clone(), asking(THREE)], [asking(THREE), silent]] {
        let (flags, wishes) = answered(&ENABLED, &both.concat());
        assert_eq!(flags, [0x80, 0x80]);
        assert_eq!((wishes.way, wishes.packets.is_none()), (Wish::None, true));
    }
}

#[test]
fn a_second_wish_does_not_count() {
    let (flags, wishes) = answered(&ENABLED, &[asking(THREE), asking(THREE)].concat());
    assert_eq!((flags, wishes.packets.unwrap().wanted), (vec![0, 0x80], THREE));
}

#[test]
fn a_value_without_room_for_a_sub_tlv_is_malformed() {
    for octets in [0, 8, 11] {
        let probe = area(&[(TlvType::REFLECTED_TEST_PACKET_CONTROL, &vec![0; octets])]);
        assert_eq!(answered(&ENABLED, &probe).0, [0x40], "{octets}");
    }
}
