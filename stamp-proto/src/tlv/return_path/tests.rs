use std::string::ToString;
use std::vec;
use std::vec::Vec;

use core::net::Ipv6Addr;
use proptest::prelude::*;

use super::*;
use crate::sr::mpls::{Label, LabelStack, StackError};
use crate::sr::segment::{SegmentList, Sid};
use crate::strategies::areas;
use crate::writer::Writer;

const V4: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(198, 51, 100, 1));

fn stack(labels: &[u32]) -> LabelStack {
    LabelStack::from_labels(labels.iter().map(|value| Label::new(*value).unwrap())).unwrap()
}

fn segments(numbers: &[u16]) -> SegmentList {
    let sid = |number: &u16| Sid(Ipv6Addr::new(0x2001, 0xdb8, *number, 0xe, 0, 0, 0, 0));
    SegmentList::new(numbers.iter().map(sid).collect()).unwrap()
}

/// The value of the TLV that is sent.
fn value(request: ReturnPathRequest<'_>) -> Vec<u8> {
    let mut octets = vec![0xee; request.encoded_octets()];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(&mut writer).unwrap();
    assert_eq!(writer.available(), 0);
    let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
    assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType::RETURN_PATH));
    assert_eq!(tlv.encoded_octets(), octets.len());
    tlv.value.to_vec()
}

/// Flags of the sub-TLVs after an answer.
fn flags(value: &[u8]) -> Vec<u8> {
    Tlvs::new(value).map_while(Result::ok).map(|sub| sub.flags.0).collect()
}

#[test]
fn a_control_code_stands_alone() {
    for (code, wants_reply) in [(ControlCode::NO_REPLY, false), (ControlCode::SAME_LINK, true)] {
        let value = value(ReturnPathRequest::Control(code));
        assert_eq!(value[..4], [0x80, 1, 0, 4]);
        assert_eq!(ReturnPath::parse(&value), Ok(ReturnPath::Control(code)));
        assert_eq!(code.wants_reply(), wants_reply);
    }
    assert!(!ControlCode(0xffff_fffe).wants_reply());
    assert!(ControlCode(0xffff_ffff).wants_reply());
}

#[test]
fn an_address_may_stand_before_segments() {
    let stack = stack(&[16_004, 16_001]);
    let octets = value(ReturnPathRequest::Mpls { stack: &stack, address: Some(V4) });
    let Ok(ReturnPath::Route { address, segments: Some(ReturnSegments::Mpls(labels)) }) =
        ReturnPath::parse(&octets)
    else {
        panic!("not what was asked for")
    };
    assert_eq!(address, Some(V4));
    assert_eq!(labels.entries().collect::<Vec<_>>(), stack.entries());
    assert_eq!((labels.check(), labels.octets().len()), (Ok(2), 8));
    let octets = value(ReturnPathRequest::Address(V4));
    let route = ReturnPath::Route { address: Some(V4), segments: None };
    assert_eq!(ReturnPath::parse(&octets), Ok(route));
}

#[test]
fn sids_are_in_travel_order() {
    let list = segments(&[5, 1]);
    let octets = value(ReturnPathRequest::Srv6 { segments: &list, address: None });
    let Ok(ReturnPath::Route { address: None, segments: Some(ReturnSegments::Srv6(sids)) }) =
        ReturnPath::parse(&octets)
    else {
        panic!("not what was asked for")
    };
    assert_eq!(sids.travel().collect::<Vec<_>>(), list.segments());
    assert_eq!(octets[4..10], [0x20, 1, 0x0d, 0xb8, 0, 5]);
}

#[test]
fn each_wrong_length_is_malformed() {
    let sub = |kind: u8, octets: usize| {
        let mut value = vec![0x80, kind, 0, u8::try_from(octets).unwrap()];
        value.resize(4 + octets, 1);
        value
    };
    for (kind, lengths, error) in [
        (1, &[0, 3, 5][..], (|octets| ReturnPathError::ControlCode { octets }) as fn(usize) -> _),
        (2, &[0, 3, 5, 15, 17], |octets| {
            ReturnPathError::Address(ParseError::AddressLength { octets })
        }),
        (3, &[0, 1, 2, 3, 6], |octets| ReturnPathError::Labels { octets }),
        (4, &[0, 4, 15, 17], |octets| ReturnPathError::Sids { octets }),
    ] {
        for octets in lengths {
            let mut value = sub(kind, *octets);
            assert_eq!(ReturnPath::parse(&value), Err(error(*octets)), "{kind} {octets}");
            value.extend_from_slice(&sub(2, 4));
            assert_eq!(reflect(&mut value), Err(error(*octets)));
            assert_eq!(flags(&value), [0x40, 0x80], "what is behind it stays as it was");
        }
    }
    assert_eq!(ReturnPath::parse(&[]), Err(ReturnPathError::Empty));
    let mut cut = sub(2, 4);
    cut.truncate(7);
    let error = TlvError::Value { offset: 0, kind: TlvType(2), stated: 4, available: 3 };
    assert_eq!(reflect(&mut cut), Err(ReturnPathError::Frame(error)));
    assert_eq!(cut[0], 0x40);
    let mut short = vec![0x80, 2];
    assert!(reflect(&mut short).is_err());
    assert_eq!(short, [0x40, 2]);
}

#[test]
fn a_control_code_wins_over_what_stands_beside_it() {
    let mut octets = value(ReturnPathRequest::Address(V4));
    octets.extend(value(ReturnPathRequest::Control(ControlCode::SAME_LINK)));
    octets.extend(value(ReturnPathRequest::Control(ControlCode::NO_REPLY)));
    let first = ReturnPath::Control(ControlCode::SAME_LINK);
    assert_eq!(ReturnPath::parse(&octets), Ok(first));
    assert_eq!(reflect(&mut octets), Ok(()));
    assert_eq!(flags(&octets), [0x80, 0, 0x80]);
}

#[test]
fn of_two_segment_lists_the_first_counts() {
    let (stack, list) = (stack(&[16]), segments(&[5]));
    let mut octets = value(ReturnPathRequest::Srv6 { segments: &list, address: Some(V4) });
    octets.extend(value(ReturnPathRequest::Mpls { stack: &stack, address: Some(V4) }));
    let parsed = ReturnPath::parse(&octets);
    assert!(matches!(
        parsed,
        Ok(ReturnPath::Route { segments: Some(ReturnSegments::Srv6(_)), .. })
    ));
    assert_eq!(reflect(&mut octets), Ok(()));
    assert_eq!(flags(&octets), [0, 0, 0x80, 0x80]);
}

#[test]
fn an_unknown_sub_tlv_is_passed_over_and_keeps_its_flag() {
    let mut octets = vec![0x80, 200, 0, 1, 7];
    assert_eq!(ReturnPath::parse(&octets), Ok(ReturnPath::Unknown));
    octets.extend(value(ReturnPathRequest::Address(V4)));
    let route = ReturnPath::Route { address: Some(V4), segments: None };
    assert_eq!(ReturnPath::parse(&octets), Ok(route));
    assert_eq!(reflect(&mut octets), Ok(()));
    assert_eq!(flags(&octets), [0x80, 0]);
}

#[test]
fn a_stack_that_cannot_be_imposed_is_well_formed() {
    let mut octets = value(ReturnPathRequest::Mpls { stack: &stack(&[16, 17]), address: None });
    for (place, value, error) in [
        (10, 0x10, StackError::NoBottom),
        (7, 0, StackError::ZeroTtl { position: 0 }),
        (6, 0x01, StackError::BelowBottom { position: 1 }),
    ] {
        let before = octets[place];
        octets[place] = value;
        let Ok(ReturnPath::Route { segments: Some(ReturnSegments::Mpls(labels)), .. }) =
            ReturnPath::parse(&octets)
        else {
            panic!("not what was asked for")
        };
        assert_eq!(labels.check(), Err(error));
        octets[place] = before;
    }
}

#[test]
fn a_request_needs_its_room_and_a_length_that_can_be_said() {
    let request = ReturnPathRequest::Address(V4);
    let mut octets = vec![0; 70_000];
    let field = "Return Path TLV";
    let refusal = ParseError::Truncated { field, needed: 12, available: 11 };
    assert_eq!(request.emit_request(&mut Writer::new(&mut octets[..11])), Err(refusal));
    let long = stack(&[16; 16_384]);
    let request = ReturnPathRequest::Mpls { stack: &long, address: None };
    let mut writer = Writer::new(&mut octets);
    let refusal = ParseError::ValueTooLong { octets: 65_540 };
    assert_eq!(request.emit_request(&mut writer), Err(refusal));
    assert_eq!(writer.position(), 0);
}

#[test]
fn messages_say_what_is_wrong() {
    for (error, message) in [
        (ReturnPathError::Empty, "a Return Path has at least one sub-TLV"),
        (
            ReturnPathError::ControlCode { octets: 3 },
            "a Return Path Control Code of 3 octets; it has 4",
        ),
        (
            ReturnPathError::Address(ParseError::AddressLength { octets: 5 }),
            "Return Address: an address of 5 octets; it has 4 or 16",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn every_request_is_read_as_it_was_written(
        labels in prop::collection::vec(16_u32..0x10_0000, 1..10),
        numbers in prop::collection::vec(any::<u16>(), 1..10),
        address in any::<Option<u32>>(),
    ) {
        let address = address.map(|bits| IpAddr::from(bits.to_be_bytes()));
        let (stack, list) = (stack(&labels), segments(&numbers));
        let octets = value(ReturnPathRequest::Mpls { stack: &stack, address });
        let Ok(ReturnPath::Route { address: read, segments: Some(ReturnSegments::Mpls(read_labels)) }) =
            ReturnPath::parse(&octets)
        else {
            panic!("not what was asked for")
        };
        prop_assert_eq!(read, address);
        prop_assert_eq!(LabelStack::parse(read_labels.octets()), Ok(stack));
        let octets = value(ReturnPathRequest::Srv6 { segments: &list, address });
        let Ok(ReturnPath::Route { address: read, segments: Some(ReturnSegments::Srv6(sids)) }) =
            ReturnPath::parse(&octets)
        else {
            panic!("not what was asked for")
        };
        prop_assert_eq!(read, address);
        prop_assert_eq!(sids.travel().collect::<Vec<_>>(), list.segments());
        for length in 1..octets.len() {
            // Cut between two sub-TLVs, the first is left.
            let whole = address.is_some() && length == 8;
            prop_assert_eq!(ReturnPath::parse(&octets[..length]).is_ok(), whole);
        }
    }

    #[test]
    fn an_answer_changes_flags_only_and_agrees_with_the_reading(value in areas()) {
        let mut answer = value.clone();
        let read = ReturnPath::parse(&value).map(|_| ());
        prop_assert_eq!(reflect(&mut answer), read);
        let mut expected = value.clone();
        let mut offset = 0;
        for sub in Tlvs::new(&value) {
            expected[offset] = answer[offset];
            match sub {
                Ok(sub) => offset += sub.encoded_octets(),
                Err(_) => break,
            }
        }
        prop_assert_eq!(answer, expected);
    }
}
