//! The generic rules, held by every type there is (RFC 8972 §4), whatever its own say.

use stamp_proto::tlv::micro_session_id::MemberLinkId;

use super::*;
use crate::reflector::PacketControlRules;

/// Every right that a source can have.
static RIGHTS: LazyLock<TlvRules> = LazyLock::new(|| TlvRules {
    packet_control: Some(PacketControlRules::MODEST),
    ..TlvRules::ALL
});

/// Whether a value can have so many octets.
type Lengths = fn(usize) -> bool;

/// The types and the Lengths they may have, as the RFCs have them: in no way asked of the registry.
/// A value is zeros, so that a sub-TLV in it is an empty one of type 0.
const TYPES: [(u8, Lengths); 14] = [
    (1, |_| true),
    (2, |octets| octets >= 4 && octets.is_multiple_of(4)),
    (3, |octets| octets >= 4),
    (4, |octets| octets == 4),
    (5, |octets| octets == 12),
    (6, |octets| octets == 4),
    (7, |octets| octets == 16),
    (8, |octets| octets == 16),
    (9, |octets| octets == 4 || octets == 16),
    (10, |octets| octets >= 4 && octets.is_multiple_of(4)),
    (11, |octets| octets == 4),
    (12, |octets| octets >= 12 && octets.is_multiple_of(4)),
    (246, |octets| octets >= 8 && octets.is_multiple_of(8)),
    (247, |octets| octets == 20 || octets == 40),
];

/// A Session-Reflector that knows every type and lets this source ask for everything.
fn knowing(keys: Option<&KeyRing>) -> Exchange<'_> {
    Exchange { rules: &RIGHTS, member: MemberLinkId::new(2), ..exchange(OPEN, keys) }
}

/// A value that each type can act upon.
fn sound(kind: u8) -> Vec<u8> {
    match kind {
        // Ports, and a question for the source address.
        2 => [&[0; 4][..], &[0x80, 7, 0, 16], &[0; 16]].concat(),
        3 | 4 => vec![0; 4],
        5 => vec![0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0],
        6 => vec![0x10, 1, 0, 0],
        7 | 8 => vec![0; 16],
        9 => vec![192, 0, 2, 11],
        10 => vec![0x80, 1, 0, 4, 0, 0, 0, 1],
        11 => vec![0, 7, 0, 2],
        12 => vec![0, 100, 0, 2, 0, 0x98, 0x96, 0x80, 0x80, 0, 0, 0],
        246 => vec![0; 24],
        247 => vec![0; 20],
        _ => vec![0xa5; 5],
    }
}

/// RFC 8972 §4: the table of this file is the whole registry.
#[test]
fn every_type_of_the_registry_is_in_the_table() {
    let mut registered: Vec<u8> = REGISTRY.iter().map(|handler| octet(handler).0).collect();
    registered.sort_unstable();
    assert_eq!(registered, TYPES.map(|(kind, _)| kind));
}

/// RFC 8972 §4: M where the Length is not valid for the type, and what is behind is copied unread.
#[test]
fn a_length_that_its_type_cannot_have_is_malformed() {
    for (kind, is_valid) in TYPES.into_iter().filter(|(kind, _)| *kind != 8) {
        // With sub-TLVs, as many as have no more of them than are looked at.
        let most = if [2, 3, 10, 12].contains(&kind) { 4 * MOST_SUB_TLVS } else { 64 };
        for octets in 0..=most {
            let probe =
                area(&[(TlvType(kind), &vec![0; octets]), (TlvType::EXTRA_PADDING, &[7; 3])]);
            let mut reply = probe.clone();
            reflect(&knowing(None), &mut reply);
            let flags = flags(&reply);
            let malformed = flags[0] & 0x40 != 0;
            assert_eq!(malformed, !is_valid(octets), "type {kind} of {octets}: {flags:02x?}");
            assert_eq!(flags[1], if malformed { 0x80 } else { 0 }, "type {kind} of {octets}");
            assert_eq!(reply.len(), probe.len());
            assert_eq!(reply[4 + octets + 1..], probe[4 + octets + 1..], "what is behind");
            if malformed {
                assert_eq!(flags[0], 0x40, "type {kind} of {octets}: known, and nothing but M");
            }
        }
    }
}

/// RFC 8972 §4: what a Session-Sender must not set, and what is reserved, is ignored on receipt.
#[test]
fn no_flag_of_a_probe_changes_its_answer() {
    for (kind, _) in TYPES.into_iter().chain([(200, (|_| true) as Lengths), (253, |_| true)]) {
        let request = area(&[(TlvType(kind), &sound(kind))]);
        let answer = |flags: u8| {
            let mut reply = request.clone();
            reply[0] = flags;
            let (counts, wishes) = reflect(&knowing(None), &mut reply);
            (reply, counts, format!("{wishes:?}"))
        };
        let expected = answer(0x80);
        assert_eq!(expected.0[0] & 0x6f, 0, "type {kind}: neither M nor I, nothing reserved");
        for flags in 0..=u8::MAX {
            assert_eq!(answer(flags), expected, "type {kind} with the flags {flags:#04x}");
        }
    }
}

/// RFC 8972 §4, §5.1: types that are reserved, unassigned, for experiments and for private use.
#[test]
fn whatever_nobody_understands_is_copied_with_u() {
    let known = TYPES.map(|(kind, _)| kind);
    let types = || (0..=u8::MAX).filter(|kind| !known.contains(kind));
    assert_eq!(types().count(), 256 - 14);
    for kind in types() {
        for octets in 0..=9 {
            let value: Vec<u8> = (1..=octets).collect();
            let probe = area(&[
                (TlvType(kind), &value),
                (TlvType::TIMESTAMP_INFORMATION, &[0; 4]),
                (TlvType(kind), &value),
            ]);
            let mut reply = probe.clone();
            let (counts, _) = reflect(&knowing(None), &mut reply);
            assert_eq!(flags(&reply), [0x80, 0, 0x80], "type {kind} of {octets}");
            assert_eq!((counts.unrecognized, counts.processed), (2, 1));
            let whole = 4 + value.len();
            assert_eq!(reply[..whole], probe[..whole]);
            assert_eq!(reply[whole + 8..], probe[whole + 8..]);
        }
    }
}

/// RFC 8972 §5.1: a type for experiments means something where both ends agreed on it, and only there.
#[test]
fn a_type_for_experiments_is_known_where_it_was_agreed_on() {
    let agreed = ExperimentalTypes::new(TlvType(240), TlvType(251)).unwrap();
    for kind in 240..=251 {
        let probe = area(&[(TlvType(kind), &[0; 3])]);
        let known = [(ExperimentalTypes::USUAL, [246, 247]), (agreed, [240, 251])];
        for (types, known) in known {
            let flag = if known.contains(&kind) { 0x40 } else { 0x80 };
            let exchange = Exchange { types, ..knowing(None) };
            assert_eq!(reflected(&exchange, &probe), [flag], "type {kind}: 3 octets are no header");
        }
    }
}

/// RFC 8972 §4.8: the HMAC TLV stands behind all but Extra Padding, whatever type the other is of.
#[test]
fn no_type_but_padding_may_stand_behind_the_hmac_tlv() {
    let ring = keys();
    for kind in (0..=u8::MAX).filter(|kind| *kind != TlvType::EXTRA_PADDING.0) {
        let good = signed(&[(TlvType::TIMESTAMP_INFORMATION, &[0; 4])]);
        let probe = [good, area(&[(TlvType(kind), &sound(kind))])].concat();
        let mut reply = probe.clone();
        let (counts, wishes) = reflect(&knowing(Some(&ring)), &mut reply);
        let unknown = TYPES.iter().all(|(known, _)| *known != kind);
        let last = if unknown { 0xa0 } else { 0x20 };
        assert_eq!(flags(&reply), [0x20, 0x20, last], "type {kind}");
        assert_eq!((counts.integrity, counts.processed), (3, 0));
        assert_eq!(format!("{wishes:?}"), format!("{:?}", Wishes::default()), "no effect");
        let copied = |area: &[u8]| -> Vec<_> {
            Tlvs::new(area).map(|tlv| tlv.map(|tlv| (tlv.kind, tlv.value.to_vec()))).collect()
        };
        assert_eq!(copied(&reply), copied(&probe), "type {kind}: all is copied");
    }
}

/// RFC 8972 §4, RFC 9503 §4, RFC 9534 §3, RFC 10052 §3: of what can be had once the first counts,
/// of all else each is answered.
#[test]
fn of_two_tlvs_of_a_type_both_are_answered_or_the_first() {
    let once = [10, 11, 12];
    for kind in TYPES.map(|(kind, _)| kind).into_iter().filter(|kind| *kind != 8) {
        let value = sound(kind);
        let mut reply = area(&[(TlvType(kind), &value), (TlvType(kind), &value)]);
        let alone = {
            let mut reply = area(&[(TlvType(kind), &value)]);
            reflect(&knowing(None), &mut reply);
            reply
        };
        reflect(&knowing(None), &mut reply);
        let (first, second) = reply.split_at(alone.len());
        assert_eq!(first, alone, "type {kind}: the first is answered as if it were alone");
        if once.contains(&kind) {
            let copied = area(&[(TlvType(kind), &value)]);
            assert_eq!(second, copied, "type {kind}: the second is copied with U");
        } else {
            assert_eq!(second, alone, "type {kind}: the second as well");
        }
    }
}

/// RFC 9534 §3.
#[test]
fn a_second_micro_session_does_not_make_the_member_wrong() {
    let mut reply = area(&[
        (TlvType::MICRO_SESSION_ID, &[0, 7, 0, 2]),
        (TlvType::MICRO_SESSION_ID, &[0, 7, 0, 3]),
    ]);
    let (_, wishes) = reflect(&knowing(None), &mut reply);
    assert_eq!(flags(&reply), [0, 0x80]);
    assert!(wishes.keeps_member && wishes.discarded().is_none());
}
