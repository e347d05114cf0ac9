use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::strategies::{areas, octets};

fn tlv(flags: u8, kind: u8, value: &[u8]) -> Tlv<'_> {
    Tlv { flags: TlvFlags(flags), kind: TlvType(kind), value }
}

fn emitted(tlvs: &[Tlv<'_>]) -> Vec<u8> {
    let mut buffer = vec![0; tlvs.iter().map(Tlv::encoded_octets).sum()];
    let mut writer = Writer::new(&mut buffer);
    for tlv in tlvs {
        tlv.emit(&mut writer).unwrap();
    }
    assert_eq!(writer.available(), 0);
    buffer
}

#[test]
fn each_field_of_the_header_lies_where_the_drawing_says() {
    assert_eq!(emitted(&[tlv(0xff, 0, &[])]), [0xff, 0, 0, 0]);
    assert_eq!(emitted(&[tlv(0, 0xff, &[])]), [0, 0xff, 0, 0]);
    assert_eq!(emitted(&[tlv(0, 0, &[0; 0x0102])])[..4], [0, 0, 1, 2]);
    assert_eq!(emitted(&[tlv(0, 0, &[7, 8])]), [0, 0, 0, 2, 7, 8]);
}

#[test]
fn a_request_has_the_flag_u_and_no_other() {
    let request = Tlv::request(TlvType::TIMESTAMP_INFORMATION, &[0; 4]);
    assert_eq!(emitted(&[request]), [0x80, 3, 0, 4, 0, 0, 0, 0]);
}

#[test]
fn tlvs_come_in_order_with_their_offsets() {
    let area = [0x80, 200, 0, 3, 1, 2, 3, 0x80, 1, 0, 0, 0x80, 3, 0, 1, 9];
    let mut tlvs = Tlvs::new(&area);
    assert_eq!(tlvs.next(), Some(Ok(tlv(0x80, 200, &[1, 2, 3]))));
    assert_eq!(tlvs.offset(), 7);
    assert_eq!(tlvs.next(), Some(Ok(tlv(0x80, 1, &[]))));
    assert_eq!(tlvs.offset(), 11);
    assert_eq!(tlvs.next(), Some(Ok(tlv(0x80, 3, &[9]))));
    assert_eq!(tlvs.offset(), 16);
    assert_eq!(tlvs.next(), None);
}

#[test]
fn less_than_a_header_is_malformed_and_ends_the_walk() {
    for available in 1..4 {
        let mut area = vec![0x80, 3, 0, 0];
        area.resize(4 + available, 0x80);
        let mut tlvs = Tlvs::new(&area);
        assert_eq!(tlvs.next(), Some(Ok(tlv(0x80, 3, &[]))));
        let error = TlvError::Header { offset: 4, available };
        assert_eq!(error.kind(), None);
        assert_eq!(tlvs.next(), Some(Err(error)));
        assert_eq!(tlvs.next(), None);
    }
}

#[test]
fn a_length_past_the_end_is_malformed_and_ends_the_walk() {
    for (stated, available) in [(1, 0), (9, 8), (u16::MAX, 8)] {
        let [upper, lower] = stated.to_be_bytes();
        let mut area = vec![0x80, 5, upper, lower];
        area.resize(4 + available, 0);
        let mut tlvs = Tlvs::new(&area);
        let kind = TlvType::DIRECT_MEASUREMENT;
        let error = TlvError::Value { offset: 0, kind, stated, available };
        assert_eq!(error.kind(), Some(kind));
        assert_eq!(tlvs.next(), Some(Err(error)));
        assert_eq!(tlvs.next(), None);
    }
}

#[test]
fn messages_say_what_is_wrong_and_where() {
    assert_eq!(
        TlvError::Header { offset: 8, available: 3 }.to_string(),
        "3 octets at offset 8 of the TLV area are no TLV header"
    );
    let kind = TlvType::DIRECT_MEASUREMENT;
    assert_eq!(
        TlvError::Value { offset: 8, kind, stated: 12, available: 7 }.to_string(),
        "TLV Direct Measurement at offset 8 states 12 octets, 7 left"
    );
}

#[test]
fn flags_and_values_are_changed_in_place() {
    let mut area = [0x80, 3, 0, 2, 0, 0, 0x80, 200, 0, 1, 5];
    for tlv in TlvsMut::new(&mut area) {
        let mut tlv = tlv.unwrap();
        if tlv.kind == TlvType::TIMESTAMP_INFORMATION {
            assert_eq!((tlv.offset, tlv.flags()), (0, TlvFlags::REQUEST));
            tlv.set_flags(TlvFlags::NONE);
            tlv.value.copy_from_slice(&[1, 2]);
        } else {
            assert_eq!(tlv.offset, 6);
        }
    }
    assert_eq!(area, [0, 3, 0, 2, 1, 2, 0x80, 200, 0, 1, 5]);
}

#[test]
fn a_type_is_changed_in_place() {
    let mut area = [0x80, 4, 0, 1, 7, 0x80, 4, 0, 0];
    for tlv in TlvsMut::new(&mut area) {
        let mut tlv = tlv.unwrap();
        tlv.set_kind(if tlv.offset == 0 { TlvType(5) } else { TlvType(6) });
        assert_eq!(tlv.flags(), TlvFlags::REQUEST);
    }
    assert_eq!(area, [0x80, 5, 0, 1, 7, 0x80, 6, 0, 0]);
}

#[test]
fn the_flags_of_a_malformed_tlv_can_be_set_while_one_octet_is_left() {
    for octets in 1..8 {
        let mut area = [0x80, 5, 0, 12, 0, 0, 0, 0];
        let mut tlvs = TlvsMut::new(&mut area[..octets]);
        let mut malformed = tlvs.next().unwrap().unwrap_err();
        assert_eq!(malformed.kind(), (octets >= 4).then_some(TlvType::DIRECT_MEASUREMENT));
        malformed.set_flags(malformed.flags().with(TlvFlags::MALFORMED));
        assert!(tlvs.next().is_none());
        assert_eq!(area, [0xc0, 5, 0, 12, 0, 0, 0, 0]);
    }
}

#[test]
fn a_value_that_does_not_fit_leaves_the_writer_alone() {
    let mut buffer = [0xee; 7];
    let mut writer = Writer::new(&mut buffer);
    let truncated = ParseError::Truncated { field: "TLV", needed: 8, available: 7 };
    assert_eq!(tlv(0x80, 1, &[0; 4]).emit(&mut writer), Err(truncated));
    assert_eq!(writer.position(), 0);
    let mut large = vec![0; 70_000];
    let mut writer = Writer::new(&mut large);
    assert_eq!(
        tlv(0x80, 1, &[0; 65_536]).emit(&mut writer),
        Err(ParseError::ValueTooLong { octets: 65_536 })
    );
    assert_eq!(writer.position(), 0);
    assert_eq!(tlv(0x80, 1, &[0; 65_535]).emit(&mut writer), Ok(()));
}

#[test]
fn padding_has_the_size_it_was_asked_for() {
    let mut buffer = [0xee; 12];
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(extra_padding::reserve(&mut writer, 12).unwrap(), &[0; 8]);
    assert_eq!(buffer, [0x80, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut header_only = [0xee; 4];
    assert_eq!(extra_padding::reserve(&mut Writer::new(&mut header_only), 4).unwrap(), &[]);
    assert_eq!(header_only, [0x80, 1, 0, 0]);
}

#[test]
fn padding_that_cannot_be_is_refused() {
    let field = "Extra Padding TLV";
    let mut buffer = vec![0; 70_000];
    let mut writer = Writer::new(&mut buffer[..12]);
    assert_eq!(
        extra_padding::reserve(&mut writer, 3),
        Err(ParseError::Truncated { field, needed: 4, available: 3 })
    );
    assert_eq!(
        extra_padding::reserve(&mut writer, 13),
        Err(ParseError::Truncated { field, needed: 13, available: 12 })
    );
    assert_eq!(writer.position(), 0);
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(
        extra_padding::reserve(&mut writer, 65_540),
        Err(ParseError::ValueTooLong { octets: 65_536 })
    );
    assert!(extra_padding::reserve(&mut writer, 65_539).is_ok());
}

#[test]
fn each_flag_is_told_from_the_others() {
    let flags =
        [TlvFlags::UNRECOGNIZED, TlvFlags::MALFORMED, TlvFlags::INTEGRITY, TlvFlags::CONFORMANCE];
    assert_eq!(flags.map(|flag| flag.0), [0x80, 0x40, 0x20, 0x10]);
    for (index, flag) in flags.into_iter().enumerate() {
        let read = [
            flag.is_unrecognized(),
            flag.is_malformed(),
            flag.is_integrity_failed(),
            flag.is_nonconformant(),
        ];
        assert_eq!(read.iter().position(|set| *set), Some(index));
        assert_eq!(read.iter().filter(|set| **set).count(), 1);
        assert_eq!(TlvFlags(0xff).without(flag), TlvFlags(0xff ^ flag.0));
        assert_eq!(TlvFlags::NONE.with(flag), flag);
        assert!(!TlvFlags::NONE.contains(flag));
    }
}

#[test]
fn every_assigned_type_has_its_number_and_its_name() {
    let assigned = [
        TlvType::RESERVED,
        TlvType::EXTRA_PADDING,
        TlvType::LOCATION,
        TlvType::TIMESTAMP_INFORMATION,
        TlvType::CLASS_OF_SERVICE,
        TlvType::DIRECT_MEASUREMENT,
        TlvType::ACCESS_REPORT,
        TlvType::FOLLOW_UP_TELEMETRY,
        TlvType::HMAC,
        TlvType::DESTINATION_NODE_ADDRESS,
        TlvType::RETURN_PATH,
        TlvType::MICRO_SESSION_ID,
        TlvType::REFLECTED_TEST_PACKET_CONTROL,
    ];
    for (number, kind) in (0_u8..).zip(assigned) {
        assert_eq!(kind.0, number);
        assert_eq!(kind.name().is_some(), number != 0);
    }
    assert_eq!(TlvType(13).name(), None);
    assert_eq!(TlvType::HMAC.to_string(), "HMAC");
    assert_eq!(TlvType(200).to_string(), "200");
}

#[test]
fn experimental_and_private_types_have_their_ranges() {
    for number in 0..=u8::MAX {
        let kind = TlvType(number);
        assert_eq!(kind.is_experimental(), (240..252).contains(&number));
        assert_eq!(kind.is_private_use(), (252..255).contains(&number));
    }
}

#[test]
fn an_area_looks_like_tlvs_when_its_first_flag_is_set() {
    assert!(looks_like_tlvs(&[0x80]));
    assert!(looks_like_tlvs(&[0xff, 0]));
    assert!(!looks_like_tlvs(&[0x7f, 0x80]));
    assert!(!looks_like_tlvs(&[]));
}

proptest! {
    #[test]
    fn every_list_of_tlvs_survives_the_wire(
        parts in proptest::collection::vec((any::<u8>(), any::<u8>(), octets(40)), 0..8),
    ) {
        let tlvs: Vec<Tlv<'_>> = parts.iter().map(|(flags, kind, value)| tlv(*flags, *kind, value)).collect();
        let area = emitted(&tlvs);
        let parsed: Result<Vec<Tlv<'_>>, TlvError> = Tlvs::new(&area).collect();
        prop_assert_eq!(parsed, Ok(tlvs));
    }

    #[test]
    fn every_area_is_walked_once_and_alike_by_both_walkers(area in areas()) {
        let mut copy = area.clone();
        let mut reading = Tlvs::new(&area);
        let mut changing = TlvsMut::new(&mut copy);
        loop {
            let offset = changing.offset();
            match (reading.next(), changing.next()) {
                (None, None) => break,
                (Some(Ok(read)), Some(Ok(changed))) => {
                    let (flags, kind) = (changed.flags(), changed.kind);
                    prop_assert_eq!(read, Tlv { flags, kind, value: changed.value });
                    prop_assert_eq!(changed.offset, offset);
                    prop_assert_eq!(reading.offset(), changing.offset());
                    prop_assert_eq!(changing.offset(), offset + read.encoded_octets());
                }
                (Some(Err(error)), Some(Err(malformed))) => prop_assert_eq!(error, malformed.error),
                (read, changed) => prop_assert!(false, "{:?} and {:?}", read, changed),
            }
        }
    }
}
