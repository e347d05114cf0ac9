use core::net::IpAddr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::strategies::{areas, octets};
use crate::tlv::TlvError;
use crate::writer::Writer;

const PUBLISHED: ControlDialect =
    ControlDialect { edition: Edition::Published, extension_header_control: None };
const DRAFTS: ControlDialect = ControlDialect { edition: Edition::Drafts, ..PUBLISHED };
const EXTENDED: ControlDialect =
    ControlDialect { extension_header_control: Some(TlvType(240)), ..PUBLISHED };

const PACKETS: ReflectedPackets =
    ReflectedPackets { octets: 0x0102, count: 0x0304, interval_ns: 0x0506_0708 };

fn layer_2() -> Layer2Group {
    Layer2Group::new(&[255, 255, 255, 0, 0, 0], &[0, 0, 0x5e, 0, 0, 0]).unwrap()
}

fn layer_3() -> Layer3Group {
    Layer3Group::new(IpAddr::from([192, 0, 2, 0]), 24).unwrap()
}

/// The value of the TLV that is sent.
fn value(request: ReflectedTestPacketControlRequest, dialect: ControlDialect) -> Vec<u8> {
    let mut octets = vec![0xee; request.encoded_octets(dialect)];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(dialect, &mut writer).unwrap();
    assert_eq!(writer.available(), 0);
    let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
    let kind = TlvType::REFLECTED_TEST_PACKET_CONTROL;
    assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, kind));
    assert_eq!(tlv.encoded_octets(), octets.len());
    tlv.value.to_vec()
}

/// A value of zeros with sub-TLVs.
fn with_subs(subs: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut value = vec![0; 8];
    for (flags, kind, octets) in subs {
        value.extend([*flags, *kind, 0, u8::try_from(octets.len()).unwrap()]);
        value.extend(*octets);
    }
    value
}

/// Flags of the sub-TLVs after an answer.
fn flags(value: &[u8]) -> Vec<u8> {
    Tlvs::new(&value[8..]).map_while(Result::ok).map(|sub| sub.flags.0).collect()
}

#[test]
fn each_field_lies_where_the_drawing_says() {
    let request = ReflectedTestPacketControlRequest { packets: PACKETS, ..Default::default() };
    let octets = value(request, PUBLISHED);
    assert_eq!(octets, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
    let read = ReflectedTestPacketControl::parse(&octets, PUBLISHED).unwrap();
    assert_eq!(read.packets, PACKETS);
    assert_eq!(read.address_groups().count(), 0);
}

#[test]
fn an_empty_sub_tlv_fills_what_has_none() {
    let request = ReflectedTestPacketControlRequest::default();
    assert_eq!(value(request, PUBLISHED), [0; 12]);
    assert_eq!(value(request, DRAFTS), [0; 8], "the drafts have nothing to fill");
    let request = ReflectedTestPacketControlRequest { layer_3: Some(layer_3()), ..request };
    assert_eq!(value(request, PUBLISHED), value(request, DRAFTS));
}

#[test]
fn groups_are_written_as_they_are_read() {
    let request = ReflectedTestPacketControlRequest {
        layer_2: Some(layer_2()),
        layer_3: Some(layer_3()),
        ..Default::default()
    };
    let octets = value(request, PUBLISHED);
    let (first, second) = octets[8..].split_at(16);
    assert_eq!(first, [0x80, 10, 0, 12, 255, 255, 255, 0, 0, 0, 0, 0, 0x5e, 0, 0, 0]);
    assert_eq!(second, [0x80, 11, 0, 8, 24, 0, 0, 0, 192, 0, 2, 0]);
    let read = ReflectedTestPacketControl::parse(&octets, PUBLISHED).unwrap();
    let groups: Vec<AddressGroup> = read.address_groups().collect();
    assert_eq!(groups, [AddressGroup::Layer2(layer_2()), AddressGroup::Layer3(layer_3())]);
}

#[test]
fn a_layer_2_group_has_the_addresses_with_its_bits() {
    let group = layer_2();
    assert!(group.contains(&[0, 0, 0x5e, 0, 0x53, 1]));
    assert!(!group.contains(&[0, 0, 0x5f, 0, 0x53, 1]));
    assert!(!group.contains(&[0, 0, 0x5e, 0, 0x53, 1, 0, 0]), "another size");
    assert!(!group.contains(&[0, 0, 0x5e]));
    let impossible = Layer2Group::new(&[0, 0], &[0, 1]).unwrap();
    assert!(!impossible.contains(&[0, 1]), "a bit outside of the mask");
    assert!(Layer2Group::new(&[0; 8], &[0; 8]).unwrap().contains(&[7; 8]));
    for (mask, own, octets) in [(0, 0, 0), (2, 6, 8), (4, 4, 8), (6, 7, 13), (9, 9, 18)] {
        let error = ParseError::Layer2GroupLength { octets };
        assert_eq!(Layer2Group::new(&[0; 9][..mask], &[0; 9][..own]), Err(error));
    }
}

#[test]
fn a_layer_3_group_has_the_addresses_of_its_prefix() {
    let contains = |prefix: &str, bits, address: &str| {
        let group = Layer3Group::new(prefix.parse().unwrap(), bits).unwrap();
        assert_eq!((group.prefix(), group.bits()), (prefix.parse().unwrap(), bits));
        group.contains(address.parse().unwrap())
    };
    assert!(contains("192.0.2.0", 24, "192.0.2.255"));
    assert!(!contains("192.0.2.0", 24, "192.0.3.0"));
    assert!(contains("192.0.2.7", 24, "192.0.2.1"), "bits behind the prefix do not count");
    assert!(contains("192.0.2.1", 32, "192.0.2.1"));
    assert!(!contains("192.0.2.1", 32, "192.0.2.0"));
    assert!(contains("0.0.0.0", 0, "255.1.2.3"));
    assert!(contains("::", 0, "2001:db8::1"));
    assert!(!contains("::", 0, "192.0.2.1"), "the other family");
    assert!(contains("2001:db8::", 33, "2001:db8:7fff::"));
    assert!(!contains("2001:db8::", 33, "2001:db8:8000::"));
    assert!(!contains("::1", 128, "::"));
    for (prefix, bits, most) in [("192.0.2.0", 33, 32), ("::", 129, 128)] {
        let error = ParseError::PrefixLength { bits, most };
        assert_eq!(Layer3Group::new(prefix.parse().unwrap(), bits), Err(error));
    }
}

#[test]
fn a_value_has_its_least_octets() {
    for (dialect, needed) in [(PUBLISHED, 12), (DRAFTS, 8)] {
        for available in 0..needed {
            let mut octets = vec![0; available];
            let error = SubTlvError::Value(ParseError::Truncated { field: TLV, needed, available });
            assert_eq!(ReflectedTestPacketControl::parse(&octets, dialect).err(), Some(error));
            assert_eq!(reflect(&mut octets, dialect, false), Err(error));
        }
        assert!(ReflectedTestPacketControl::parse(&vec![0; needed], dialect).is_ok());
    }
}

#[test]
fn each_wrong_length_is_malformed_and_only_that_is_written() {
    let tlv = "IPv6 Extension Header Control";
    let address = |octets| ParseError::AddressLength { octets };
    let truncated = |field, needed, available| ParseError::Truncated { field, needed, available };
    for (kind, octets, error) in [
        (10, 0, ParseError::Layer2GroupLength { octets: 0 }),
        (10, 13, ParseError::Layer2GroupLength { octets: 13 }),
        (10, 20, ParseError::Layer2GroupLength { octets: 20 }),
        (11, 0, truncated("Layer 3 prefix length", 1, 0)),
        (11, 3, truncated("Layer 3 reserved", 3, 2)),
        (11, 4, address(0)),
        (11, 9, address(5)),
        (11, 21, address(17)),
        (240, 1, ParseError::ValueLength { tlv, octets: 1, expected: 0 }),
    ] {
        let mut asked = with_subs(&[(0x80, 200, &[1]), (0x80, kind, &[0; 24][..octets])]);
        let read = ReflectedTestPacketControl::parse(&asked, EXTENDED).err();
        assert_eq!(read, Some(error.into()), "{kind} {octets}");
        let mut marked = asked.clone();
        marked[13] = 0x40;
        assert_eq!(reflect(&mut asked, EXTENDED, true), Err(error.into()));
        assert_eq!(asked, marked);
    }
    let mut longer = with_subs(&[(0x80, 11, &[33, 0, 0, 0, 192, 0, 2, 0])]);
    let error = ParseError::PrefixLength { bits: 33, most: 32 };
    assert_eq!(reflect(&mut longer, PUBLISHED, false), Err(error.into()));
    let mut cut = with_subs(&[(0x80, 11, &[0; 8])]);
    cut.truncate(15);
    let error = TlvError::Value { offset: 0, kind: TlvType(11), stated: 8, available: 3 };
    assert_eq!(reflect(&mut cut, PUBLISHED, false), Err(error.into()));
    assert_eq!(cut[8], 0x40);
}

#[test]
fn an_answer_tells_what_became_of_each_sub_tlv() {
    let asked = [
        (0, 0, &[][..]),
        (0x80, 10, &[0; 4]),
        (0x80, 11, &[0; 8]),
        (0x80, 200, &[7]),
        (0x80, 1, &[0; 8]),
        (0x80, 0, &[]),
        (0, 0, &[1]),
    ];
    let mut octets = with_subs(&asked);
    octets[..8].fill(9);
    let before = octets.clone();
    reflect(&mut octets, PUBLISHED, false).unwrap();
    assert_eq!(flags(&octets), [0, 0, 0, 0x80, 0x80, 0x80, 0x80]);
    assert_eq!(octets[..8], before[..8]);
}

#[test]
fn extension_headers_are_granted_once_or_not_at_all() {
    let request =
        ReflectedTestPacketControlRequest { extension_headers: true, ..Default::default() };
    assert_eq!(value(request, PUBLISHED), [0; 12], "no type to ask with");
    let asked = value(request, EXTENDED);
    assert_eq!(asked[8..], [0x80, 240, 0, 0]);
    let read = |octets: &[u8]| {
        let read = ReflectedTestPacketControl::parse(octets, EXTENDED).unwrap();
        (read.asks_for_extension_headers(), read.grants_extension_headers())
    };
    assert_eq!(read(&asked), (true, false), "not yet");
    for (granted, flag) in [(true, 0), (false, 0x10)] {
        let mut octets = asked.clone();
        reflect(&mut octets, EXTENDED, granted).unwrap();
        assert_eq!(flags(&octets), [flag]);
        assert_eq!(read(&octets), (true, granted));
    }
    let mut twice = with_subs(&[(0x80, 240, &[]), (0x80, 240, &[])]);
    assert_eq!(read(&twice), (false, false));
    reflect(&mut twice, EXTENDED, true).unwrap();
    assert_eq!(flags(&twice), [0x10, 0x10]);
    let mut unknown = asked.clone();
    reflect(&mut unknown, PUBLISHED, true).unwrap();
    assert_eq!(flags(&unknown), [0x80], "where nobody configured the type");
    assert_eq!(read(&unknown), (true, false));
}

#[test]
fn a_request_needs_its_room() {
    let request = ReflectedTestPacketControlRequest { packets: PACKETS, ..Default::default() };
    let mut room = [0xee; 15];
    let field = "Reflected Test Packet Control TLV";
    let refusal = ParseError::Truncated { field, needed: 16, available: 15 };
    assert_eq!(request.emit_request(PUBLISHED, &mut Writer::new(&mut room)), Err(refusal));
    assert_eq!(room, [0xee; 15]);
}

fn layer_2_groups() -> impl Strategy<Value = Layer2Group> {
    (any::<[[u8; 8]; 2]>(), prop_oneof![Just(2), Just(6), Just(8)]).prop_map(
        |([mask, group], octets): (_, usize)| {
            Layer2Group::new(&mask[..octets], &group[..octets]).unwrap()
        },
    )
}

fn layer_3_groups() -> impl Strategy<Value = Layer3Group> {
    prop_oneof![
        (any::<[u8; 4]>(), 0_u8..=32).prop_map(|(octets, bits)| (IpAddr::from(octets), bits)),
        (any::<[u8; 16]>(), 0_u8..=128).prop_map(|(octets, bits)| (IpAddr::from(octets), bits)),
    ]
    .prop_map(|(prefix, bits)| Layer3Group::new(prefix, bits).unwrap())
}

proptest! {
    #[test]
    fn every_request_is_read_as_it_was_written(
        fields in any::<(u16, u16, u32)>(),
        layer_2 in proptest::option::of(layer_2_groups()),
        layer_3 in proptest::option::of(layer_3_groups()),
        extension_headers in any::<bool>(),
        drafts in any::<bool>(),
    ) {
        let (octets, count, interval_ns) = fields;
        let packets = ReflectedPackets { octets, count, interval_ns };
        let edition = if drafts { Edition::Drafts } else { Edition::Published };
        let dialect = ControlDialect { edition, ..EXTENDED };
        let request =
            ReflectedTestPacketControlRequest { packets, layer_2, layer_3, extension_headers };
        let mut octets = value(request, dialect);
        reflect(&mut octets, dialect, true).unwrap();
        let read = ReflectedTestPacketControl::parse(&octets, dialect).unwrap();
        prop_assert_eq!(read.packets, packets);
        let groups: Vec<AddressGroup> = read.address_groups().collect();
        let layer_2 = layer_2.map(AddressGroup::Layer2).into_iter();
        let expected: Vec<AddressGroup> = layer_2.chain(layer_3.map(AddressGroup::Layer3)).collect();
        prop_assert_eq!(groups, expected);
        prop_assert_eq!(read.asks_for_extension_headers(), extension_headers);
        prop_assert_eq!(read.grants_extension_headers(), extension_headers);
    }

    #[test]
    fn an_answer_changes_flags_only_and_agrees_with_the_reading(
        fields in octets(9),
        subs in areas(),
        granted in any::<bool>(),
    ) {
        let asked = [fields, subs].concat();
        let mut answer = asked.clone();
        let read = ReflectedTestPacketControl::parse(&asked, EXTENDED).err();
        prop_assert_eq!(reflect(&mut answer, EXTENDED, granted).err(), read);
        let mut subs = Tlvs::new(asked.get(8..).unwrap_or_default());
        loop {
            let offset = subs.offset() + 8;
            let Some(sub) = subs.next() else { break };
            answer[offset] = asked[offset];
            if sub.is_err() { break }
        }
        prop_assert_eq!(answer, asked);
    }
}
