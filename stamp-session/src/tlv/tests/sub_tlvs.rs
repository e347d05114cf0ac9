//! What is wrong inside of a TLV: sub-TLVs have the flags of TLVs (RFC 8972 §4.2.1, RFC 9503 §4,
//! RFC 10052 §3).

use super::*;
use crate::reflector::PacketControlRules;

/// What the reply has in place of a TLV with this value, and of one behind it.
fn answered(kind: TlvType, value: &[u8]) -> (u8, Vec<u8>, u8) {
    static RIGHTS: LazyLock<TlvRules> = LazyLock::new(|| TlvRules {
        packet_control: Some(PacketControlRules::MODEST),
        ..TlvRules::ALL
    });
    let mut reply = area(&[(kind, value), (TlvType::TIMESTAMP_INFORMATION, &[0; 4])]);
    reflect(&Exchange { rules: &RIGHTS, ..exchange(OPEN, None) }, &mut reply);
    let flags = flags(&reply);
    (flags[0], reply[4..4 + value.len()].to_vec(), flags[1])
}

/// What stands in front of the sub-TLVs of a type.
fn before(kind: TlvType) -> &'static [u8] {
    const ONE_PACKET: &[u8] = &[0, 100, 0, 1, 0, 0x98, 0x96, 0x80];
    match kind {
        TlvType::LOCATION => &[0; 4],
        TlvType::REFLECTED_TEST_PACKET_CONTROL => ONE_PACKET,
        _ => &[],
    }
}

/// Types with sub-TLVs, and a sound one of each.
const SOUND: [(TlvType, &[u8]); 3] = [
    (TlvType::LOCATION, &[0x80, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    (TlvType::RETURN_PATH, &[0x80, 2, 0, 4, 192, 0, 2, 7]),
    (TlvType::REFLECTED_TEST_PACKET_CONTROL, &[0x80, 11, 0, 8, 24, 0, 0, 0, 192, 0, 2, 0]),
];

/// RFC 8972 §4.2.1: a sub-TLV that is not understood has U and is copied, and its TLV is processed all
/// the same.
#[test]
fn an_unknown_sub_tlv_keeps_u_and_its_tlv_is_processed() {
    let strange = [0x80, 200, 0, 3, 1, 2, 3];
    for (kind, sound) in SOUND {
        for strange_first in [false, true] {
            let subs = match strange_first {
                true => [&strange[..], sound].concat(),
                false => [sound, &strange[..]].concat(),
            };
            let (flags, reply, behind) = answered(kind, &[before(kind), &subs].concat());
            assert_eq!((flags, behind), (0, 0), "{kind}");
            let subs = &reply[before(kind).len()..];
            let (strange_at, sound_at) =
                if strange_first { (0, strange.len()) } else { (sound.len(), 0) };
            assert_eq!(subs[strange_at..][..strange.len()], strange, "{kind}: copied, U and all");
            assert_eq!(subs[sound_at], 0, "{kind}: the other is understood");
        }
    }
}

/// RFC 8972 §4.2.1: flags that belong into replies do not survive in a sub-TLV either.
#[test]
fn a_sub_tlv_loses_the_flags_that_a_sender_must_not_set() {
    for (kind, sound) in SOUND {
        let mut value = [before(kind), sound].concat();
        value[before(kind).len()] = 0xff;
        let (flags, reply, behind) = answered(kind, &value);
        assert_eq!((flags, reply[before(kind).len()], behind), (0, 0, 0), "{kind}");
    }
}

/// RFC 8972 §4.2.1: a sub-TLV with a Length past the end of its TLV, or with no room for a header, has
/// M, as its TLV has; what is behind it is copied unread.
#[test]
fn a_sub_tlv_past_the_end_of_its_tlv_makes_it_malformed() {
    for (kind, sound) in SOUND {
        for rest in [&[0x80, 200, 0, 9, 1, 2][..], &[0x80, 200, 0][..], &[0x80][..]] {
            let value = [before(kind), sound, rest].concat();
            let (flags, reply, behind) = answered(kind, &value);
            assert_eq!((flags, behind), (0x40, 0x80), "{kind} {rest:02x?}");
            let at = value.len() - rest.len();
            assert_eq!(reply[at] & 0x40, 0x40, "{kind} {rest:02x?}: M inside as well");
            assert_eq!(reply[at + 1..], value[at + 1..], "{kind}");
            // One in front of it may have been understood.
            let (flag_at, end) = (before(kind).len(), at);
            assert_eq!(reply[flag_at] & 0x7f, 0, "{kind}");
            assert_eq!(reply[..flag_at], value[..flag_at], "{kind}");
            assert_eq!(reply[flag_at + 1..end], value[flag_at + 1..end], "{kind}: copied");
        }
    }
}

/// RFC 8972 §4.2.1, RFC 9503 §4.1.2, RFC 10052 §3: a sub-TLV whose own Length is wrong, likewise.
#[test]
fn a_sub_tlv_of_a_wrong_length_makes_its_tlv_malformed() {
    for (kind, wrong) in [
        (TlvType::LOCATION, &[0x80, 1, 0, 4, 0, 0, 0, 0][..]),
        (TlvType::LOCATION, &[0x80, 4, 0, 4, 0, 0, 0, 0]),
        (TlvType::RETURN_PATH, &[0x80, 1, 0, 2, 0, 1]),
        (TlvType::RETURN_PATH, &[0x80, 2, 0, 6, 0, 0, 0, 0, 0, 0]),
        (TlvType::RETURN_PATH, &[0x80, 3, 0, 0]),
        (TlvType::RETURN_PATH, &[0x80, 3, 0, 5, 0, 0, 0, 0, 0]),
        (TlvType::RETURN_PATH, &[0x80, 4, 0, 4, 0, 0, 0, 0]),
        (TlvType::REFLECTED_TEST_PACKET_CONTROL, &[0x80, 10, 0, 6, 0, 0, 0, 0, 0, 0]),
        (TlvType::REFLECTED_TEST_PACKET_CONTROL, &[0x80, 11, 0, 4, 0, 0, 0, 0]),
    ] {
        let value = [before(kind), wrong].concat();
        let (flags, reply, behind) = answered(kind, &value);
        assert_eq!((flags, behind), (0x40, 0x80), "{kind} {wrong:02x?}");
        assert_eq!(reply[before(kind).len()], 0x40, "{kind} {wrong:02x?}: M inside as well");
        assert_eq!(reply[before(kind).len() + 1..], value[before(kind).len() + 1..]);
    }
}

/// No type needs so many: a packet full of them is no work.
#[test]
fn what_has_more_sub_tlvs_than_the_limit_is_not_acted_upon() {
    let strange = [0x80, 200, 0, 0];
    for (kind, sound) in SOUND {
        let with = |strangers: usize| [before(kind), sound, &strange.repeat(strangers)].concat();
        let (flags, reply, behind) = answered(kind, &with(MOST_SUB_TLVS - 1));
        assert_eq!((flags, reply[before(kind).len()], behind), (0, 0, 0), "{kind}");
        let (flags, reply, behind) = answered(kind, &with(MOST_SUB_TLVS));
        assert_eq!((flags, behind), (0x80, 0), "{kind}");
        assert_eq!(reply, with(MOST_SUB_TLVS), "{kind}: copied");
    }
    let half = [&[0; 4][..], &strange.repeat(MOST_SUB_TLVS / 2)].concat();
    let one = [&[0; 4][..], &strange].concat();
    let values = [&half[..], &half, &one, &[0; 4]];
    let probe = area(&values.map(|value| (TlvType::LOCATION, value)));
    let flags = reflected(&exchange(OPEN, None), &probe);
    assert_eq!(flags, [0, 0, 0x80, 0], "they are counted by packet, not by TLV");
}
