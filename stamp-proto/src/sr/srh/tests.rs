use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::auth::{Key, KeyId, KeyRing};
use crate::sr::segment::SegmentList;
use crate::strategies::octets;
use crate::writer::Writer;

const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1);

fn sid(number: u16) -> Sid {
    Sid(Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 0))
}

fn segments(count: u16) -> SegmentList {
    SegmentList::new((1..=count).map(sid).collect()).unwrap()
}

fn emitted(layout: &SrhLayout<'_>) -> Vec<u8> {
    let mut octets = vec![0xee; layout.encoded_octets().unwrap()];
    let mut writer = Writer::new(&mut octets);
    layout.emit(&mut writer).unwrap();
    assert_eq!(writer.available(), 0);
    octets
}

fn parse(octets: &[u8]) -> Result<Srh<'_>, SrhError> {
    Srh::parse(&mut Reader::new(octets))
}

fn key(number: u32) -> Key {
    Key::new(KeyId(number), b"0123456789abcdef").unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(vec![key(1), key(2)]).unwrap()
}

#[test]
fn each_field_lies_where_the_drawing_says() {
    let mut octets = vec![0; 24];
    octets[..8].copy_from_slice(&[17, 2, 4, 1, 0, 0x21, 0x12, 0x34]);
    octets[8] = 0xfc;
    octets[23] = 7;
    let srh = parse(&octets).unwrap();
    assert_eq!((srh.next_header, srh.segments_left, srh.last_entry), (Protocol::UDP, 1, 0));
    assert_eq!((srh.flags, srh.tag, srh.flags.is_oam()), (SrhFlags(0x21), 0x1234, true));
    assert_eq!(srh.last_segment(), Sid("fc00::7".parse().unwrap()));
    assert_eq!((srh.current(), srh.encoded_octets()), (None, 24));
    assert!(!SrhFlags(0xdf).is_oam());
}

#[test]
fn a_list_is_written_in_reverse() {
    let octets = emitted(&SrhLayout::new(Protocol::UDP, &segments(3), SrhForm::Full));
    assert_eq!(octets[..8], [17, 6, 4, 2, 2, 0, 0, 0]);
    let srh = parse(&octets).unwrap();
    assert_eq!(srh.list().collect::<Vec<_>>(), [sid(3), sid(2), sid(1)]);
    assert_eq!(srh.travel().collect::<Vec<_>>(), [sid(1), sid(2), sid(3)]);
    assert_eq!((srh.current(), srh.last_segment()), (Some(sid(1)), sid(3)));
}

#[test]
fn a_reduced_list_leaves_the_first_segment_out() {
    let octets = emitted(&SrhLayout::new(Protocol::IPV6, &segments(3), SrhForm::Reduced));
    assert_eq!(octets[..8], [41, 4, 4, 2, 1, 0, 0, 0]);
    let srh = parse(&octets).unwrap();
    assert_eq!(srh.travel().collect::<Vec<_>>(), [sid(2), sid(3)]);
    assert_eq!(srh.current(), None);
}

#[test]
fn one_segment_needs_no_header_unless_it_says_more() {
    let one = segments(1);
    let plain = SrhLayout::new(Protocol::UDP, &one, SrhForm::Reduced);
    assert!(plain.is_needless());
    let key = key(1);
    for layout in [
        SrhLayout { form: SrhForm::Full, ..plain },
        SrhLayout { flags: SrhFlags::OAM, ..plain },
        SrhLayout { tag: 1, ..plain },
        SrhLayout { tlvs: &[SrhTlv::Pad1], ..plain },
        SrhLayout { key: Some(&key), ..plain },
    ] {
        assert!(!layout.is_needless());
        let octets = emitted(&layout);
        let srh = parse(&octets).unwrap();
        assert_eq!(srh.list().collect::<Vec<_>>(), [sid(1)]);
        assert_eq!(srh.segments_left, 0);
        assert!(!srh.tlvs().any(|tlv| tlv.unwrap().skips_destination()));
    }
    assert!(!SrhLayout::new(Protocol::UDP, &segments(2), SrhForm::Reduced).is_needless());
}

#[test]
fn the_largest_list_has_127_segments() {
    let largest = segments(127);
    assert_eq!(emitted(&SrhLayout::new(Protocol::UDP, &largest, SrhForm::Full)).len(), 2040);
    let more = segments(128);
    assert_eq!(emitted(&SrhLayout::new(Protocol::UDP, &more, SrhForm::Reduced)).len(), 2040);
    let layout = SrhLayout::new(Protocol::UDP, &more, SrhForm::Full);
    assert_eq!(layout.encoded_octets(), Err(SrhError::TooLong { octets: 2056 }));
    let mut octets = [0xee; 3000];
    let mut writer = Writer::new(&mut octets);
    assert_eq!(layout.emit(&mut writer), Err(SrhError::TooLong { octets: 2056 }));
    assert_eq!(writer.position(), 0);
}

#[test]
fn a_header_needs_its_room() {
    let mut octets = [0xee; 23];
    let mut writer = Writer::new(&mut octets);
    let field = "Segment Routing Header";
    let refusal = ParseError::Truncated { field, needed: 24, available: 23 };
    let segments = segments(1);
    let layout = SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full);
    assert_eq!(layout.emit(&mut writer), Err(SrhError::Octets(refusal)));
    let whole = emitted(&layout);
    assert_eq!(parse(&whole).unwrap().emit(&mut writer), Err(refusal));
    assert_eq!(writer.position(), 0);
}

#[test]
fn what_is_no_header_is_refused_with_its_pointer() {
    let good = emitted(&SrhLayout::new(Protocol::UDP, &segments(3), SrhForm::Full));
    let with = |at: usize, value: u8| {
        let mut octets = good.clone();
        octets[at] = value;
        let error = parse(&octets).map(|_| ()).unwrap_err();
        (error, error.pointer())
    };
    let wrong_type = SrhError::RoutingType { routing_type: 3 };
    assert_eq!(with(2, 3), (wrong_type, Some(2)));
    let past = SrhError::SegmentsLeft { segments_left: 4, last_entry: 2 };
    assert_eq!(with(3, 4), (past, Some(3)));
    let short = SrhError::LastEntry { last_entry: 2, header_length: 4, room: 2 };
    assert_eq!(with(1, 4), (short, Some(3)));
    let empty = SrhError::LastEntry { last_entry: 2, header_length: 0, room: 0 };
    assert_eq!(with(1, 0), (empty, Some(3)));
    assert!(matches!(with(1, 7), (SrhError::Octets(_), None)));
    for length in 0..good.len() {
        assert!(matches!(parse(&good[..length]), Err(SrhError::Octets(_))), "{length}");
    }
    assert!(parse(&good).is_ok());
}

#[test]
fn segments_left_may_point_to_what_a_reduced_list_leaves_out() {
    let mut octets = emitted(&SrhLayout::new(Protocol::UDP, &segments(3), SrhForm::Full));
    octets[3] = 3;
    assert_eq!(parse(&octets).unwrap().current(), None);
}

#[test]
fn tlvs_are_cut_and_padded() {
    let segments = segments(1);
    let key = key(1);
    let other = SrhTlv::Other { kind: 0x85, value: &[1, 2, 3] };
    let layout = SrhLayout {
        tlvs: &[other],
        key: Some(&key),
        ..SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full)
    };
    let octets = emitted(&layout);
    assert_eq!(octets.len(), 24 + 8 + 40);
    let srh = parse(&octets).unwrap();
    let mut tlvs = srh.tlvs();
    assert_eq!((tlvs.offset(), tlvs.next()), (24, Some(Ok(other))));
    assert_eq!((tlvs.offset(), tlvs.next()), (29, Some(Ok(SrhTlv::PadN(&[0])))));
    assert_eq!(tlvs.offset(), 32);
    assert!(matches!(tlvs.next(), Some(Ok(SrhTlv::Hmac { key_id: 1, .. }))));
    assert_eq!(tlvs.next(), None);
    // Behind the list: a multiple of 8 always, by Pad1 where one octet is missing.
    for (value, padding) in [(&[0; 5][..], SrhTlv::Pad1), (&[0; 6], SrhTlv::Pad1)] {
        let tlvs = [SrhTlv::Other { kind: 1, value }];
        let layout = SrhLayout { tlvs: &tlvs, key: None, ..layout };
        let octets = emitted(&layout);
        assert!(octets.len().is_multiple_of(8));
        let found: Vec<_> = parse(&octets).unwrap().tlvs().map(Result::unwrap).collect();
        assert_eq!(found.len(), if value.len() == 5 { 2 } else { 1 });
        assert!(found.len() == 1 || found[1] == padding);
    }
}

#[test]
fn a_tlv_past_the_end_is_refused_and_ends_the_walk() {
    let segments = segments(1);
    let tlvs = [SrhTlv::Other { kind: 1, value: &[0; 6] }];
    let layout =
        SrhLayout { tlvs: &tlvs, ..SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full) };
    let mut octets = emitted(&layout);
    octets[25] = 7;
    let srh = parse(&octets).unwrap();
    let error = SrhError::TlvPastEnd { offset: 24 };
    assert_eq!(error.pointer(), Some(1));
    assert_eq!(srh.tlvs().collect::<Vec<_>>(), [Err(error)]);
    assert_eq!(verify(&srh, SOURCE, sid(1).0, &ring()), SrhIntegrity::Failed);
    // A type without a length is past the end, padding of one octet is not.
    octets[24..].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(parse(&octets).unwrap().tlvs().filter(Result::is_ok).count(), 7);
}

#[test]
fn a_tlv_longer_than_its_length_octet_is_refused() {
    let mut octets = [0; 300];
    let tlv = SrhTlv::Other { kind: 1, value: &[0; 256] };
    let mut writer = Writer::new(&mut octets);
    assert_eq!(tlv.emit(&mut writer), Err(ParseError::ValueTooLong { octets: 256 }));
    let field = "SRH TLV";
    let mut writer = Writer::new(&mut octets[..9]);
    let refusal = ParseError::Truncated { field, needed: 40, available: 9 };
    assert_eq!(SrhTlv::unsigned(false, 1).emit(&mut writer), Err(refusal));
}

/// A signed header of three segments.
fn signed(form: SrhForm) -> Vec<u8> {
    let (segments, key) = (segments(3), key(2));
    let layout = SrhLayout { key: Some(&key), ..SrhLayout::new(Protocol::UDP, &segments, form) };
    let mut octets = emitted(&layout);
    sign(&mut octets, SOURCE, &key).unwrap();
    octets
}

#[test]
fn the_same_hmac_verifies_at_every_endpoint() {
    for form in [SrhForm::Full, SrhForm::Reduced] {
        let mut octets = signed(form);
        for (left, destination) in [(2, sid(1)), (1, sid(2)), (0, sid(3))] {
            octets[3] = left;
            let srh = parse(&octets).unwrap();
            let verified = SrhIntegrity::Verified(KeyId(2));
            assert_eq!(verify(&srh, SOURCE, destination.0, &ring()), verified, "{form:?} {left}");
            let wrong = verify(&srh, SOURCE, sid(9).0, &ring());
            // What the list does not hold cannot be compared with it.
            let unknown = form == SrhForm::Reduced && left == 2;
            assert_eq!(wrong == verified, unknown, "{form:?} {left}");
        }
    }
}

#[test]
fn any_covered_octet_that_changes_is_a_failure() {
    let good = signed(SrhForm::Full);
    let judge = |octets: &[u8]| match parse(octets) {
        Ok(srh) => verify(&srh, SOURCE, sid(1).0, &ring()),
        Err(_) => SrhIntegrity::Failed,
    };
    assert_eq!(judge(&good), SrhIntegrity::Verified(KeyId(2)));
    // All but Next Header and Tag, which are not covered.
    for place in (1..6).chain(8..good.len()) {
        let mut octets = good.clone();
        octets[place] ^= 0x01;
        assert_ne!(judge(&octets), SrhIntegrity::Verified(KeyId(2)), "{place}");
    }
    let srh = parse(&good).unwrap();
    assert_eq!(verify(&srh, sid(1).0, sid(1).0, &ring()), SrhIntegrity::Failed);
    let stranger = KeyRing::new(vec![key(1)]).unwrap();
    assert_eq!(verify(&srh, SOURCE, sid(1).0, &stranger), SrhIntegrity::Failed);
}

#[test]
fn a_digest_of_another_length_fails() {
    let segments = segments(1);
    for digest in [&[0; 8][..], &[0; 24], &[]] {
        let tlvs = [SrhTlv::Hmac { reserved: 0, key_id: 1, digest }];
        let layout =
            SrhLayout { tlvs: &tlvs, ..SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full) };
        let mut octets = emitted(&layout);
        assert_eq!(sign(&mut octets, SOURCE, &key(1)), Err(SrhError::NoHmac));
        let srh = parse(&octets).unwrap();
        assert_eq!(verify(&srh, SOURCE, sid(1).0, &ring()), SrhIntegrity::Failed);
    }
    // Too short to hold a Key ID.
    let tlvs = [SrhTlv::Other { kind: SrhTlv::HMAC, value: &[0; 5] }];
    let layout =
        SrhLayout { tlvs: &tlvs, ..SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full) };
    let octets = emitted(&layout);
    let srh = parse(&octets).unwrap();
    assert_eq!(verify(&srh, SOURCE, sid(1).0, &ring()), SrhIntegrity::Failed);
}

#[test]
fn a_header_without_hmac_has_none() {
    let mut octets = emitted(&SrhLayout::new(Protocol::UDP, &segments(2), SrhForm::Full));
    assert_eq!(sign(&mut octets, SOURCE, &key(1)), Err(SrhError::NoHmac));
    let srh = parse(&octets).unwrap();
    assert_eq!(verify(&srh, SOURCE, sid(1).0, &ring()), SrhIntegrity::Absent);
}

#[test]
fn messages_say_what_how_much_and_where() {
    for (error, message) in [
        (
            SrhError::LastEntry { last_entry: 2, header_length: 4, room: 2 },
            "Last Entry is 2, but Hdr Ext Len 4 has room for 2 segments",
        ),
        (
            SrhError::TooLong { octets: 2056 },
            "a Segment Routing Header of 2056 octets; it has at most 2048",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn every_header_survives_the_wire(
        addresses in prop::collection::vec(any::<u128>(), 1..8),
        reduced in any::<bool>(),
        numbers in any::<(u8, u8, u16)>(),
        value in octets(20),
    ) {
        let segments: Vec<Sid> =
            addresses.iter().map(|bits| Sid(Ipv6Addr::from_bits(*bits))).collect();
        let list = SegmentList::new(segments.clone()).unwrap();
        let form = if reduced { SrhForm::Reduced } else { SrhForm::Full };
        let tlvs = [SrhTlv::Other { kind: 0x81, value: &value }];
        let (next_header, flags, tag) = numbers;
        let layout = SrhLayout {
            flags: SrhFlags(flags),
            tag,
            tlvs: &tlvs,
            ..SrhLayout::new(Protocol(next_header), &list, form)
        };
        let octets = emitted(&layout);
        let srh = parse(&octets).unwrap();
        prop_assert_eq!(srh.next_header, Protocol(next_header));
        prop_assert_eq!((srh.flags, srh.tag), (SrhFlags(flags), tag));
        prop_assert_eq!(usize::from(srh.segments_left), segments.len() - 1);
        let skipped = usize::from(reduced && segments.len() > 1);
        prop_assert_eq!(srh.travel().collect::<Vec<_>>(), &segments[skipped..]);
        prop_assert_eq!(srh.tlvs().next(), Some(Ok(tlvs[0])));
        for length in 0..octets.len() {
            prop_assert!(parse(&octets[..length]).is_err());
        }
    }

    #[test]
    fn what_is_read_is_written_again(mut octets in octets(120)) {
        if let Some(routing_type) = octets.get_mut(2) {
            *routing_type = ROUTING_TYPE;
        }
        if let Ok(srh) = parse(&octets) {
            let mut again = vec![0; srh.encoded_octets()];
            srh.emit(&mut Writer::new(&mut again)).unwrap();
            prop_assert_eq!(&again[..], &octets[..again.len()]);
        }
    }
}
