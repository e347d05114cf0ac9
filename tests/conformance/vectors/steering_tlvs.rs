//! Destination Node Address and Return Path, value and all: part of group B.

use std::net::IpAddr;

use stamp_proto::sr::mpls::{Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::return_path::{
    ControlCode, ReturnPath, ReturnPathError, ReturnPathRequest, ReturnSegments,
};
use stamp_proto::writer::Writer;

use super::Vectors;
use super::tlvs::only;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn stack() -> LabelStack {
    let labels = [16_004, 16_001].map(|value| Label::new(value).expect("20 bits"));
    LabelStack::from_labels(labels).expect("the rules are kept")
}

fn segments() -> SegmentList {
    let sids = ["2001:db8:5:e::", "2001:db8:1:e::"].map(|text| Sid(text.parse().expect("a SID")));
    SegmentList::new(sids.to_vec()).expect("not empty")
}

#[test]
fn a_destination_node_address_is_written_and_read_as_its_vector() {
    let vectors = Vectors::load();
    for (name, text) in [("B16", "192.0.2.11"), ("B17", "2001:db8:0:b::1")] {
        let octets = vectors.octets(name);
        let wanted = DestinationNodeAddress(address(text));
        let mut buffer = [0; 20];
        let mut writer = Writer::new(&mut buffer);
        wanted.emit_request(&mut writer).expect("there is room");
        assert_eq!(writer.into_written(), octets, "{name}");
        assert_eq!(DestinationNodeAddress::parse(only(octets).value), Ok(wanted), "{name}");
    }
}

#[test]
fn a_return_path_is_written_as_its_vector() {
    let vectors = Vectors::load();
    let (stack, segments) = (stack(), segments());
    let v4 = address("198.51.100.1");
    for (name, request) in [
        ("B18", ReturnPathRequest::Control(ControlCode::NO_REPLY)),
        ("B19", ReturnPathRequest::Control(ControlCode::SAME_LINK)),
        ("B20", ReturnPathRequest::Address(v4)),
        ("B21", ReturnPathRequest::Address(address("2001:db8:0:99::1"))),
        ("B22", ReturnPathRequest::Mpls { stack: &stack, address: None }),
        ("B23", ReturnPathRequest::Srv6 { segments: &segments, address: None }),
        ("B24", ReturnPathRequest::Mpls { stack: &stack, address: Some(v4) }),
    ] {
        let octets = vectors.octets(name);
        assert_eq!(request.encoded_octets(), octets.len(), "{name}");
        let mut buffer = [0; 40];
        let mut writer = Writer::new(&mut buffer);
        request.emit_request(&mut writer).expect("there is room");
        assert_eq!(writer.into_written(), octets, "{name}");
    }
}

#[test]
fn a_return_path_is_read_as_its_vector() {
    let vectors = Vectors::load();
    let parse = |name| ReturnPath::parse(only(vectors.octets(name)).value);
    assert_eq!(parse("B18"), Ok(ReturnPath::Control(ControlCode::NO_REPLY)));
    assert_eq!(parse("B19"), Ok(ReturnPath::Control(ControlCode::SAME_LINK)));
    for (name, text) in [("B20", "198.51.100.1"), ("B21", "2001:db8:0:99::1")] {
        let route = ReturnPath::Route { address: Some(address(text)), segments: None };
        assert_eq!(parse(name), Ok(route));
    }
    for (name, with_address) in [("B22", false), ("B24", true)] {
        let Ok(ReturnPath::Route { address, segments: Some(ReturnSegments::Mpls(labels)) }) =
            parse(name)
        else {
            panic!("{name}: no label stack")
        };
        assert_eq!(address.is_some(), with_address);
        assert_eq!(LabelStack::parse(labels.octets()), Ok(stack()));
    }
    let Ok(ReturnPath::Route { segments: Some(ReturnSegments::Srv6(sids)), .. }) = parse("B23")
    else {
        panic!("no segment list")
    };
    assert_eq!(sids.travel().collect::<Vec<_>>(), segments().segments());
}

#[test]
fn a_wrong_length_is_malformed() {
    let vectors = Vectors::load();
    let value = [only(vectors.octets("B16")).value, &[0]].concat();
    assert!(DestinationNodeAddress::parse(&value).is_err());
    let mut value = only(vectors.octets("B22")).value[..10].to_vec();
    value[3] = 6;
    assert_eq!(ReturnPath::parse(&value), Err(ReturnPathError::Labels { octets: 6 }));
}
