//! Location, Micro-session ID, Reflected Test Packet Control, reflected headers and what is private,
//! value and all: part of group B.

use std::net::IpAddr;

use stamp_proto::tlv::location::{self, Arrival, Location, LocationRequest, SourceMac};
use stamp_proto::tlv::micro_session_id::{self, MemberLinkId, MicroSessionId};
use stamp_proto::tlv::private_use::PrivateUse;
use stamp_proto::tlv::reflected_fixed_header_data::{self, FixedHeader};
use stamp_proto::tlv::reflected_test_packet_control::{
    AddressGroup, ControlDialect, Layer2Group, Layer3Group, ReflectedPackets,
    ReflectedTestPacketControl, ReflectedTestPacketControlRequest,
};
use stamp_proto::tlv::{
    HeaderMatch, ReceivedHeaders, TlvsMut, reflected_ipv6_extension_header_data,
};
use stamp_proto::tlv::{TlvFlags, TlvType};
use stamp_proto::writer::Writer;

use super::{Vectors, tlvs};

#[test]
fn a_location_is_asked_for_and_told_as_its_vectors() {
    let vectors = Vectors::load();
    let mut octets = [0xee; 60];
    LocationRequest::ALL.emit_request(&mut Writer::new(&mut octets)).expect("there is room");
    assert_eq!(octets, vectors.octets("B2"));
    let arrival = Arrival {
        destination_port: 862,
        source_port: 49_200,
        source_mac: Some(SourceMac::Eui48([0, 0, 0x5e, 0, 0x53, 1])),
        destination: IpAddr::from([192, 0, 2, 11]),
        source: IpAddr::from([192, 0, 2, 1]),
    };
    for tlv in TlvsMut::new(&mut octets) {
        let mut tlv = tlv.expect("a whole TLV");
        location::reflect(tlv.value, &arrival).expect("a whole value");
        tlv.set_flags(TlvFlags::NONE);
    }
    assert_eq!(octets, vectors.octets("B3"));
    let told = Location {
        destination_port: Some(arrival.destination_port),
        source_port: Some(arrival.source_port),
        source_mac: arrival.source_mac,
        destination: Some(arrival.destination),
        source: Some(arrival.source),
    };
    assert_eq!(Location::parse(tlvs::only(vectors.octets("B3")).value), Ok(told));
}

#[test]
fn a_micro_session_is_asked_for_and_answered_as_its_vectors() {
    let vectors = Vectors::load();
    let (sender, reflector) = (MemberLinkId::new(0x11), MemberLinkId::new(0x22));
    let request = MicroSessionId { sender, reflector: None };
    let mut octets = [0xee; 8];
    request.emit_request(&mut Writer::new(&mut octets)).expect("there is room");
    assert_eq!(octets, vectors.octets("B25"));
    let mut value = tlvs::only(&octets).value.to_vec();
    micro_session_id::reflect(&mut value, reflector.expect("not zero")).expect("a whole value");
    assert_eq!(value, tlvs::only(vectors.octets("B26")).value);
    let reply = MicroSessionId { sender, reflector };
    assert_eq!(MicroSessionId::parse(&value), Ok(reply));
    assert!(reply.answers(&request, sender.expect("not zero")));
}

#[test]
fn reflected_packets_are_asked_for_as_in_the_vectors() {
    let vectors = Vectors::load();
    let one = ReflectedPackets { octets: 0, count: 1, interval_ns: 0 };
    let three = ReflectedPackets { octets: 128, count: 3, interval_ns: 1_000_000 };
    let layer_2 = Layer2Group::new(&[255, 255, 255, 0, 0, 0], &[0, 0, 0x5e, 0, 0, 0]);
    let layer_2 = Some(layer_2.expect("6 octets each"));
    let layer_3 = Layer3Group::new(IpAddr::from([192, 0, 2, 0]), 24).ok();
    for (name, packets, layer_2, layer_3) in
        [("B27", three, None, None), ("B28", one, None, layer_3), ("B29", one, layer_2, None)]
    {
        let dialect = ControlDialect::default();
        let request = ReflectedTestPacketControlRequest {
            packets,
            layer_2,
            layer_3,
            extension_headers: false,
        };
        let mut octets = [0xee; 28];
        let mut writer = Writer::new(&mut octets);
        request.emit_request(dialect, &mut writer).expect("there is room");
        assert_eq!(writer.into_written(), vectors.octets(name), "{name}");
        let value = tlvs::only(vectors.octets(name)).value;
        let read = ReflectedTestPacketControl::parse(value, dialect).expect("a whole value");
        assert_eq!(read.packets, packets, "{name}");
        let groups = [layer_2.map(AddressGroup::Layer2), layer_3.map(AddressGroup::Layer3)];
        assert!(read.address_groups().eq(groups.into_iter().flatten()), "{name}");
    }
}

#[test]
fn headers_are_asked_for_as_in_the_vectors() {
    let vectors = Vectors::load();
    let mut octets = [0xee; 24];
    let mut writer = Writer::new(&mut octets);
    let kind = reflected_ipv6_extension_header_data::EXPERIMENTAL_TYPE;
    reflected_ipv6_extension_header_data::emit_request(&mut writer, kind, [0; 8], 16)
        .expect("there is room");
    assert_eq!(writer.into_written(), vectors.octets("B30"));
    let mut writer = Writer::new(&mut octets);
    let kind = reflected_fixed_header_data::EXPERIMENTAL_TYPE;
    reflected_fixed_header_data::emit_request(&mut writer, kind, [0; 4], FixedHeader::Ipv4)
        .expect("there is room");
    assert_eq!(writer.into_written(), vectors.octets("B31"));
}

#[test]
fn the_headers_of_the_packet_vectors_come_back() {
    let vectors = Vectors::load();
    let (srh, ipv4) = (vectors.octets("E1"), &vectors.octets("G11")[..20]);
    let headers = [srh];
    let mut received = ReceivedHeaders::new(&headers);
    let mut value = vec![0; srh.len()];
    let found = reflected_ipv6_extension_header_data::reflect(&mut value, &mut received);
    assert_eq!(found, Ok(HeaderMatch::Told));
    assert_eq!((&value[..8], &value[8..]), (&[0; 8][..], &srh[8..]));
    let headers = [ipv4];
    let mut received = ReceivedHeaders::new(&headers);
    let mut value = [0; 20];
    let found = reflected_fixed_header_data::reflect(&mut value, &mut received);
    assert_eq!(found, Ok(HeaderMatch::Told));
    assert_eq!((&value[..4], &value[4..]), (&[0; 4][..], &ipv4[4..]));
}

#[test]
fn what_is_private_is_written_and_read_as_its_vector() {
    let vectors = Vectors::load();
    let own = PrivateUse { enterprise: 32_473, data: &[1, 2, 3, 4] };
    let mut octets = [0xee; 12];
    own.emit_request(&mut Writer::new(&mut octets), TlvType(252)).expect("there is room");
    assert_eq!(octets, vectors.octets("B32"));
    assert_eq!(PrivateUse::parse(tlvs::only(&octets).value), Ok(own));
}
