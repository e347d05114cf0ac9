use std::string::ToString;
use std::vec;
use std::vec::Vec;

use core::net::{Ipv4Addr, Ipv6Addr};
use proptest::prelude::*;

use super::*;
use crate::ip::{Dscp, Ecn, HopLimit};
use crate::sr::header::{FlowLabel, UdpChecksum, UdpHeader, make_checksum};
use crate::sr::mpls::{Label, LabelStack};
use crate::sr::segment::{SegmentList, Sid};
use crate::sr::srh::{SrhForm, SrhLayout};
use crate::strategies::octets;
use crate::writer::Writer;

const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1);
const PAIR: AddressPair = AddressPair::V6 { source: A6, destination: B6 };

fn udp(pair: AddressPair, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let header = UdpHeader { source_port: 49_200, destination_port: 862, length, checksum: 0 };
    let mut octets = vec![0; payload.len() + 8];
    let mut writer = Writer::new(&mut octets);
    header.emit(&mut writer).unwrap();
    writer.put_slice("payload", payload).unwrap();
    let sum = make_checksum(pair.pseudo_header(Protocol::UDP), &octets);
    octets[6..8].copy_from_slice(&sum.to_be_bytes());
    octets
}

fn ipv6(next_header: Protocol, destination: Ipv6Addr, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; payload.len() + 40];
    let mut writer = Writer::new(&mut octets);
    Ipv6Header {
        dscp: Dscp::DEFAULT,
        ecn: Ecn::NotEct,
        flow_label: FlowLabel::NONE,
        payload_length: u16::try_from(payload.len()).unwrap(),
        next_header,
        hop_limit: HopLimit::MAX,
        source: A6,
        destination,
    }
    .emit(&mut writer)
    .unwrap();
    writer.put_slice("payload", payload).unwrap();
    octets
}

fn ipv4(protocol: Protocol, fragment_offset: u16, more_fragments: bool, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; payload.len() + 20];
    let mut writer = Writer::new(&mut octets);
    Ipv4Header {
        dscp: Dscp::DEFAULT,
        ecn: Ecn::NotEct,
        total_length: u16::try_from(payload.len() + 20).unwrap(),
        identification: 1,
        dont_fragment: false,
        more_fragments,
        fragment_offset,
        ttl: HopLimit::MAX,
        protocol,
        source: Ipv4Addr::new(192, 0, 2, 1),
        destination: Ipv4Addr::new(192, 0, 2, 1),
    }
    .emit(&mut writer)
    .unwrap();
    writer.put_slice("payload", payload).unwrap();
    octets
}

fn labelled(labels: &[u32], packet: &[u8]) -> Vec<u8> {
    let labels = labels.iter().map(|value| Label::new(*value).unwrap());
    let stack = LabelStack::from_labels(labels).unwrap();
    let mut octets = vec![0; stack.encoded_octets()];
    stack.emit(&mut Writer::new(&mut octets)).unwrap();
    octets.extend_from_slice(packet);
    octets
}

fn offsets(outermost: Outermost, octets: &[u8]) -> Vec<usize> {
    Layers::new(outermost, octets).map(|layer| layer.unwrap().0).collect()
}

#[test]
fn every_layer_of_a_frame_is_found_at_its_octet() {
    let datagram = udp(PAIR, &[7; 44]);
    let segments = SegmentList::new(vec![Sid(A6), Sid(B6)]).unwrap();
    let layout = SrhLayout::new(Protocol::DESTINATION_OPTIONS, &segments, SrhForm::Full);
    let mut routed = vec![0; 40];
    layout.emit(&mut Writer::new(&mut routed)).unwrap();
    routed.extend_from_slice(&[17, 0, 1, 4, 0, 0, 0, 0]);
    routed.extend_from_slice(&datagram);
    let packet = labelled(&[16_005, 2], &ipv6(Protocol::ROUTING, A6, &routed));
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 0x88, 0x47];
    frame.extend_from_slice(&packet);
    frame.extend_from_slice(&[0; 6]);

    let layers: Vec<_> = Layers::new(Outermost::Ethernet, &frame).map(Result::unwrap).collect();
    let starts: Vec<usize> = layers.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(starts, [0, 14, 18, 22, 26, 66, 106, 114]);
    assert!(matches!(layers[0].1, Layer::Ethernet { ether_type: EtherType::VLAN, .. }));
    assert!(matches!(layers[1].1, Layer::Vlan { tag: 5, ether_type: EtherType::MPLS }));
    assert!(matches!(layers[3].1, Layer::Mpls { role: LabelRole::Special, .. }));
    assert!(matches!(layers[6].1, Layer::Extension { octets: [17, 0, ..], .. }));
    let Layer::Udp { datagram, addresses } = layers[7].1 else { panic!("no UDP") };
    assert_eq!((datagram.payload, addresses), (&[7; 44][..], PAIR));
    assert_eq!(datagram.checksum(addresses), UdpChecksum::Right);
}

#[test]
fn what_is_behind_the_end_of_an_ip_packet_is_not_looked_at() {
    let mut packet = ipv4(Protocol(6), 0, false, &[1, 2, 3]);
    packet.extend_from_slice(&[9; 20]);
    let last = Layers::new(Outermost::Ip, &packet).last().unwrap().unwrap();
    assert_eq!(last, (20, Layer::Opaque { protocol: Some(Protocol(6)), octets: &[1, 2, 3] }));
    assert_eq!(offsets(Outermost::Ip, &packet), [0, 20]);
}

#[test]
fn below_a_stack_the_first_four_bits_decide() {
    let datagram = udp(PAIR, &[0; 8]);
    let v6 = labelled(&[16], &ipv6(Protocol::UDP, B6, &datagram));
    assert_eq!(offsets(Outermost::Mpls, &v6), [0, 4, 44]);
    // An associated channel header begins with 1.
    let channel = labelled(&[16], &[0x10, 0, 0, 0x21, 1, 2]);
    let last = Layers::new(Outermost::Mpls, &channel).last().unwrap().unwrap();
    assert!(matches!(last, (4, Layer::Opaque { protocol: None, octets: [0x10, ..] })));
    assert_eq!(find_udp(Outermost::Mpls, &channel), Err(NoUdp::NoIp));
}

#[test]
fn the_innermost_datagram_is_the_one_that_is_found() {
    let inner = ipv6(Protocol::UDP, B6, &udp(PAIR, &[5; 44]));
    let outer = ipv6(Protocol::IPV6, A6, &inner);
    let place = find_udp(Outermost::Ip, &outer).unwrap();
    assert_eq!((place.ip, place.udp, place.payload.clone()), (40, 80, 88..132));
    assert_eq!((place.payload(&outer), place.addresses), (&[5; 44][..], PAIR));
}

#[test]
fn a_packet_without_a_whole_datagram_is_told_by_name() {
    let datagram = udp(PAIR, &[0; 20]);
    for (octets, expected) in [
        (ipv4(Protocol::UDP, 0, true, &datagram), NoUdp::Fragment),
        (ipv4(Protocol::UDP, 3, false, &datagram), NoUdp::Fragment),
        (
            ipv6(Protocol::FRAGMENT, B6, &[&[17, 0, 0, 1, 0, 0, 0, 9], &datagram[..]].concat()),
            NoUdp::Fragment,
        ),
        (ipv4(Protocol(6), 0, false, &datagram), NoUdp::OtherProtocol { protocol: Protocol(6) }),
        (
            ipv6(Protocol::NO_NEXT_HEADER, B6, &[]),
            NoUdp::OtherProtocol { protocol: Protocol::NO_NEXT_HEADER },
        ),
    ] {
        assert_eq!(find_udp(Outermost::Ip, &octets), Err(expected));
    }
    let mut short = ipv4(Protocol::UDP, 0, false, &datagram);
    short[25] = 40;
    let error = find_udp(Outermost::Ip, &short).unwrap_err();
    assert_eq!(
        error.to_string(),
        "octet 20: UDP Length says 40 octets, 28 are there and 8 are the least"
    );
    let frame = [0; 14];
    assert_eq!(find_udp(Outermost::Ethernet, &frame), Err(NoUdp::NoIp));
}

#[test]
fn an_error_ends_the_walk_and_says_where() {
    let mut routed = vec![17, 2, 4, 9, 0, 0, 0, 0];
    routed.extend_from_slice(&[0; 16]);
    let packet = ipv6(Protocol::ROUTING, B6, &routed);
    let mut layers = Layers::new(Outermost::Ip, &packet);
    assert!(layers.next().unwrap().is_ok());
    let error = SrhError::SegmentsLeft { segments_left: 9, last_entry: 0 };
    assert_eq!(layers.next(), Some(Err(LayerError::Srh { offset: 40, error })));
    assert_eq!(layers.next(), None);
    let error = Layers::new(Outermost::Ip, &[0x55]).next().unwrap().unwrap_err();
    assert_eq!(
        (error.offset(), error.to_string().as_str()),
        (0, "octet 0: IP version 5 where 4 or 6 was expected")
    );
}

#[test]
fn another_routing_header_is_passed_over() {
    let datagram = udp(PAIR, &[0; 8]);
    let routed = [&[17, 0, 3, 0, 0, 0, 0, 0], &datagram[..]].concat();
    let packet = ipv6(Protocol::ROUTING, B6, &routed);
    assert_eq!(offsets(Outermost::Ip, &packet), [0, 40, 48]);
}

#[test]
fn a_timestamp_is_written_and_the_checksum_stays_right() {
    for offset in [16, 32, 36, 15, 0] {
        let mut packet = ipv6(Protocol::UDP, B6, &udp(PAIR, &[0xa5; 44]));
        let place = find_udp(Outermost::Ip, &packet).unwrap();
        let timestamp = [1, 2, 3, 4, 5, 6, 7, 250];
        write_timestamp(&mut packet, place.span(), offset, timestamp).unwrap();
        let payload = place.payload(&packet);
        assert_eq!(payload[offset..offset + 8], timestamp);
        assert!(payload[..offset].iter().chain(&payload[offset + 8..]).all(|at| *at == 0xa5));
        let last = Layers::new(Outermost::Ip, &packet).last().unwrap().unwrap();
        let (_, Layer::Udp { datagram, addresses }) = last else { panic!("no UDP") };
        assert_eq!(datagram.checksum(addresses), UdpChecksum::Right, "{offset}");
    }
}

#[test]
fn no_checksum_stays_none() {
    let mut packet = ipv4(Protocol::UDP, 0, false, &udp(PAIR, &[0; 44]));
    packet[26..28].fill(0);
    let place = find_udp(Outermost::Ip, &packet).unwrap();
    write_timestamp(&mut packet, place.span(), 16, [9; 8]).unwrap();
    assert_eq!(packet[26..28], [0, 0]);
}

#[test]
fn a_timestamp_beyond_the_payload_is_refused() {
    let mut packet = ipv6(Protocol::UDP, B6, &udp(PAIR, &[0; 44]));
    let before = packet.clone();
    let place = find_udp(Outermost::Ip, &packet).unwrap();
    for offset in [37, usize::MAX] {
        let refusal = StampError::PayloadTooShort { offset, available: 44 };
        assert_eq!(write_timestamp(&mut packet, place.span(), offset, [9; 8]), Err(refusal));
    }
    assert_eq!(packet, before);
    let refused = write_timestamp(&mut packet[..60], place.span(), 16, [9; 8]);
    assert!(matches!(refused, Err(StampError::Octets(_))));
    assert_eq!(packet, before);
}

proptest! {
    #[test]
    fn every_walk_ends_within_the_packet(octets in octets(200), start in 0..3) {
        let outermost = [Outermost::Ethernet, Outermost::Mpls, Outermost::Ip][start as usize];
        let mut last = None;
        for layer in Layers::new(outermost, &octets) {
            let offset = layer.map_or_else(|error| error.offset(), |(offset, _)| offset);
            prop_assert!(offset <= octets.len());
            prop_assert!(last.is_none_or(|last| offset > last));
            last = Some(offset);
        }
    }

    #[test]
    fn every_truncated_packet_is_walked_without_a_datagram(length in 0_usize..140) {
        let inner = ipv6(Protocol::UDP, B6, &udp(PAIR, &[5; 44]));
        let packet = labelled(&[16, 17], &ipv6(Protocol::IPV6, A6, &inner));
        prop_assert_eq!(packet.len(), 140);
        prop_assert!(find_udp(Outermost::Mpls, &packet[..length]).is_err());
        prop_assert!(find_udp(Outermost::Mpls, &packet).is_ok());
    }
}
