//! Member links of a LAG (RFC 9534 §3).

use stamp_proto::tlv::micro_session_id::MemberLinkId;

use super::*;

/// The reply to a probe that came in on this member, and what it asks for.
fn reply(member: Option<u16>, value: [u8; 4]) -> (Vec<u8>, Wishes) {
    let mut octets = area(&[(TlvType::MICRO_SESSION_ID, &value)]);
    let member = member.and_then(MemberLinkId::new);
    let (_, wishes) = reflect(&Exchange { member, ..exchange(OPEN, None) }, &mut octets);
    (octets, wishes)
}

#[test]
fn a_reply_names_the_member_and_keeps_to_it() {
    for asked in [[0, 7, 0, 0], [0, 7, 0, 2]] {
        let (octets, wishes) = reply(Some(2), asked);
        assert_eq!(octets, [0, 11, 0, 4, 0, 7, 0, 2]);
        assert!(wishes.keeps_member && !wishes.wrong_member);
    }
}

#[test]
fn a_probe_for_another_member_is_to_be_discarded() {
    let (_, wishes) = reply(Some(2), [0, 7, 0, 3]);
    assert!(wishes.wrong_member && !wishes.keeps_member);
}

#[test]
fn where_there_is_no_lag_the_type_is_unknown() {
    let (octets, wishes) = reply(None, [0, 7, 0, 3]);
    assert_eq!(octets, [0x80, 11, 0, 4, 0, 7, 0, 3]);
    assert!(!wishes.wrong_member && !wishes.keeps_member);
}

#[test]
fn an_identifier_has_four_octets() {
    for octets in [0, 3, 5, 8] {
        let probe = area(&[(TlvType::MICRO_SESSION_ID, &vec![0; octets])]);
        assert_eq!(reflected(&exchange(OPEN, None), &probe), [0x40], "{octets}");
    }
}
