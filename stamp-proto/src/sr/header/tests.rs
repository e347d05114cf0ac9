use std::string::ToString;
use std::vec;
use std::vec::Vec;

use core::net::{Ipv4Addr, Ipv6Addr};
use proptest::prelude::*;

use super::*;
use crate::ip::{Dscp, Ecn, HopLimit};
use crate::reader::Reader;
use crate::sr::checksum::AddressPair;
use crate::sr::protocol::Protocol;
use crate::writer::Writer;

const V4: Ipv4Header = Ipv4Header {
    dscp: Dscp::DEFAULT,
    ecn: Ecn::NotEct,
    total_length: 20,
    identification: 0,
    dont_fragment: false,
    more_fragments: false,
    fragment_offset: 0,
    ttl: HopLimit(0),
    protocol: Protocol(0),
    source: Ipv4Addr::UNSPECIFIED,
    destination: Ipv4Addr::UNSPECIFIED,
};

const V6: Ipv6Header = Ipv6Header {
    dscp: Dscp::DEFAULT,
    ecn: Ecn::NotEct,
    flow_label: FlowLabel::NONE,
    payload_length: 0,
    next_header: Protocol(0),
    hop_limit: HopLimit(0),
    source: Ipv6Addr::UNSPECIFIED,
    destination: Ipv6Addr::UNSPECIFIED,
};

fn emit_v4(header: Ipv4Header) -> Vec<u8> {
    let mut octets = [0xee; 24];
    let mut writer = Writer::new(&mut octets);
    header.emit(&mut writer).unwrap();
    writer.into_written().to_vec()
}

fn emit_v6(header: Ipv6Header) -> Vec<u8> {
    let mut octets = [0xee; 44];
    let mut writer = Writer::new(&mut octets);
    header.emit(&mut writer).unwrap();
    writer.into_written().to_vec()
}

/// Where `octets` differ from those of a header with every field zero.
fn differences(octets: &[u8], zero: &[u8]) -> Vec<(usize, u8)> {
    assert_eq!(octets.len(), zero.len());
    (0..octets.len()).filter(|&at| octets[at] != zero[at]).map(|at| (at, octets[at])).collect()
}

#[test]
fn each_field_of_an_ipv4_header_lies_where_the_drawing_says() {
    let zero = emit_v4(V4);
    let max = u8::MAX;
    for (header, expected) in [
        (Ipv4Header { dscp: Dscp::new(63).unwrap(), ..V4 }, vec![(1, 0xfc)]),
        (Ipv4Header { ecn: Ecn::Ce, ..V4 }, vec![(1, 3)]),
        (Ipv4Header { total_length: 0xffff, ..V4 }, vec![(2, max), (3, max)]),
        (Ipv4Header { identification: 0xffff, ..V4 }, vec![(4, max), (5, max)]),
        (Ipv4Header { dont_fragment: true, ..V4 }, vec![(6, 0x40)]),
        (Ipv4Header { more_fragments: true, ..V4 }, vec![(6, 0x20)]),
        (Ipv4Header { fragment_offset: 0x1fff, ..V4 }, vec![(6, 0x1f), (7, max)]),
        (Ipv4Header { ttl: HopLimit(1), ..V4 }, vec![(8, 1)]),
        (Ipv4Header { protocol: Protocol(17), ..V4 }, vec![(9, 17)]),
        (Ipv4Header { source: Ipv4Addr::new(1, 0, 0, 2), ..V4 }, vec![(12, 1), (15, 2)]),
        (Ipv4Header { destination: Ipv4Addr::new(1, 0, 0, 2), ..V4 }, vec![(16, 1), (19, 2)]),
    ] {
        let mut octets = emit_v4(header);
        octets[10..12].copy_from_slice(&zero[10..12]);
        assert_eq!(differences(&octets, &zero), expected);
    }
}

#[test]
fn each_field_of_an_ipv6_header_lies_where_the_drawing_says() {
    let zero = emit_v6(V6);
    let max = u8::MAX;
    let address = Ipv6Addr::new(0x0100, 0, 0, 0, 0, 0, 0, 2);
    for (header, expected) in [
        (Ipv6Header { dscp: Dscp::new(63).unwrap(), ..V6 }, vec![(0, 0x6f), (1, 0xc0)]),
        (Ipv6Header { ecn: Ecn::Ce, ..V6 }, vec![(1, 0x30)]),
        (
            Ipv6Header { flow_label: FlowLabel::new(0xf_ffff).unwrap(), ..V6 },
            vec![(1, 0x0f), (2, max), (3, max)],
        ),
        (Ipv6Header { payload_length: 0xffff, ..V6 }, vec![(4, max), (5, max)]),
        (Ipv6Header { next_header: Protocol(17), ..V6 }, vec![(6, 17)]),
        (Ipv6Header { hop_limit: HopLimit(9), ..V6 }, vec![(7, 9)]),
        (Ipv6Header { source: address, ..V6 }, vec![(8, 1), (23, 2)]),
        (Ipv6Header { destination: address, ..V6 }, vec![(24, 1), (39, 2)]),
    ] {
        assert_eq!(differences(&emit_v6(header), &zero), expected);
    }
}

#[test]
fn each_field_of_a_udp_header_lies_where_it_should() {
    let header = UdpHeader { source_port: 1, destination_port: 2, length: 8, checksum: 4 };
    let mut octets = [0; 8];
    header.emit(&mut Writer::new(&mut octets)).unwrap();
    assert_eq!(octets, [0, 1, 0, 2, 0, 8, 0, 4]);
    assert_eq!(UdpDatagram::parse(&mut Reader::new(&octets)).unwrap().header, header);
}

#[test]
fn a_flow_label_has_twenty_bits() {
    assert_eq!(FlowLabel::new(0xf_ffff).map(FlowLabel::value), Some(0xf_ffff));
    assert_eq!(FlowLabel::new(0x10_0000), None);
    assert_eq!(FlowLabel::new(0x2a).unwrap().to_string(), "0x0002a");
}

#[test]
fn options_are_passed_over_and_covered_by_the_checksum() {
    let mut octets = emit_v4(Ipv4Header { total_length: 24, ..V4 });
    octets[0] = 0x46;
    octets[10..12].fill(0);
    octets.extend_from_slice(&[1, 1, 1, 0]);
    let sum = crate::sr::checksum::checksum(&octets);
    octets[10..12].copy_from_slice(&sum.to_be_bytes());
    octets.push(0xaa);
    let mut reader = Reader::new(&octets);
    assert!(Ipv4Header::parse(&mut reader).unwrap().1);
    assert_eq!(reader.rest(), &[0xaa]);
    octets[21] = 7;
    assert!(!Ipv4Header::parse(&mut Reader::new(&octets)).unwrap().1);
}

#[test]
fn what_is_no_ipv4_header_is_refused() {
    let mut octets = emit_v4(V4);
    let parse = |octets: &[u8]| Ipv4Header::parse(&mut Reader::new(octets)).unwrap_err();
    octets[0] = 0x65;
    assert_eq!(parse(&octets), HeaderError::Version { version: 6 });
    octets[0] = 0x44;
    assert_eq!(parse(&octets), HeaderError::Ipv4HeaderLength { octets: 16 });
    octets[0] = 0x45;
    for stated in [19, 21] {
        octets[3] = stated;
        let field = "IPv4 Total Length";
        let stated = usize::from(stated);
        assert_eq!(parse(&octets), HeaderError::Length { field, stated, least: 20, available: 20 });
    }
    for length in 0..20 {
        assert!(matches!(parse(&octets[..length]), HeaderError::Octets(_)), "{length}");
    }
    octets[0] = 0x46;
    assert!(matches!(parse(&octets), HeaderError::Octets(_)));
}

#[test]
fn what_is_no_ipv6_header_is_refused() {
    let mut octets = emit_v6(Ipv6Header { payload_length: 1, ..V6 });
    let parse = |octets: &[u8]| Ipv6Header::parse(&mut Reader::new(octets)).unwrap_err();
    let field = "IPv6 Payload Length";
    assert_eq!(parse(&octets), HeaderError::Length { field, stated: 1, least: 0, available: 0 });
    for length in 0..40 {
        assert!(matches!(parse(&octets[..length]), HeaderError::Octets(_)), "{length}");
    }
    octets[0] = 0x40;
    assert_eq!(parse(&octets), HeaderError::Version { version: 4 });
}

#[test]
fn what_is_no_udp_datagram_is_refused() {
    let octets = [0, 1, 0, 2, 0, 9, 0, 0, 0xaa];
    let parse = |octets: &[u8]| UdpDatagram::parse(&mut Reader::new(octets)).unwrap_err();
    for length in 0..8 {
        assert!(matches!(parse(&octets[..length]), HeaderError::Octets(_)), "{length}");
    }
    let field = "UDP Length";
    let too_long = HeaderError::Length { field, stated: 9, least: 8, available: 8 };
    assert_eq!(parse(&octets[..8]), too_long);
    let mut short = octets;
    short[5] = 7;
    let too_short = HeaderError::Length { field, stated: 7, least: 8, available: 9 };
    assert_eq!(parse(&short), too_short);
    assert_eq!(too_short.to_string(), "UDP Length says 7 octets, 9 are there and 8 are the least");
}

#[test]
fn headers_need_their_room() {
    let mut octets = [0; 39];
    assert!(V4.emit(&mut Writer::new(&mut octets[..19])).is_err());
    assert!(V6.emit(&mut Writer::new(&mut octets)).is_err());
    let udp = UdpHeader { source_port: 0, destination_port: 0, length: 8, checksum: 0 };
    assert!(udp.emit(&mut Writer::new(&mut octets[..7])).is_err());
    assert_eq!(octets, [0; 39]);
}

#[test]
fn messages_say_what_is_wrong() {
    for (error, message) in [
        (HeaderError::Version { version: 5 }, "IP version 5 where 4 or 6 was expected"),
        (
            HeaderError::Ipv4HeaderLength { octets: 16 },
            "an IPv4 header of 16 octets; it has at least 20",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_checksum_of_zero_is_sent_as_all_ones_and_none_stays_none() {
    let pair =
        AddressPair::V4 { source: Ipv4Addr::UNSPECIFIED, destination: Ipv4Addr::UNSPECIFIED };
    // Protocol 17, Length twice 8, and ports that fill the sum up to 0xffff.
    let octets = [0xff, 0xde, 0, 0, 0, 8, 0, 0];
    let sum = pair.pseudo_header(Protocol::UDP);
    assert_eq!(make_checksum(sum, &octets), 0xffff);
    let mut sent = octets;
    sent[6..].fill(0xff);
    let datagram = UdpDatagram::parse(&mut Reader::new(&sent)).unwrap();
    assert_eq!(datagram.checksum(pair), UdpChecksum::Right);
    let datagram = UdpDatagram::parse(&mut Reader::new(&octets)).unwrap();
    assert_eq!(datagram.checksum(pair), UdpChecksum::Absent);

    assert_eq!(update_checksum(0, false, &[0, 0], &[1, 1]), 0);
    // 0xffff - 0x0101 is what is missing for a sum of zero.
    assert_eq!(update_checksum(0x0101, false, &[0, 0], &[1, 1]), 0xffff);
}

prop_compose! {
    fn ipv4_headers()(
        numbers in any::<(u8, u8, u16, u16)>(),
        flags in any::<(bool, bool)>(),
        rest in (0_u16..0x2000, any::<[u8; 2]>(), any::<[[u8; 4]; 2]>()),
    ) -> Ipv4Header {
        let (dscp, ecn, length, identification) = numbers;
        let (fragment_offset, [ttl, protocol], [source, destination]) = rest;
        Ipv4Header {
            dscp: Dscp::new(dscp >> 2).unwrap(),
            ecn: Ecn::from_bits(ecn),
            total_length: 20 + length % 80,
            identification,
            dont_fragment: flags.0,
            more_fragments: flags.1,
            fragment_offset,
            ttl: HopLimit(ttl),
            protocol: Protocol(protocol),
            source: source.into(),
            destination: destination.into(),
        }
    }
}

prop_compose! {
    fn ipv6_headers()(
        numbers in any::<(u8, u8, u32, u16)>(),
        rest in any::<([u8; 2], [u128; 2])>(),
    ) -> Ipv6Header {
        let (dscp, ecn, flow_label, length) = numbers;
        let ([next_header, hop_limit], [source, destination]) = rest;
        Ipv6Header {
            dscp: Dscp::new(dscp >> 2).unwrap(),
            ecn: Ecn::from_bits(ecn),
            flow_label: FlowLabel::new(flow_label >> 12).unwrap(),
            payload_length: length % 80,
            next_header: Protocol(next_header),
            hop_limit: HopLimit(hop_limit),
            source: Ipv6Addr::from_bits(source),
            destination: Ipv6Addr::from_bits(destination),
        }
    }
}

proptest! {
    #[test]
    fn every_ipv4_header_survives_the_wire(header in ipv4_headers()) {
        let mut octets = emit_v4(header);
        octets.resize(usize::from(header.total_length), 0);
        prop_assert_eq!(Ipv4Header::parse(&mut Reader::new(&octets)), Ok((header, true)));
        prop_assert_eq!(header.is_fragment(), header.more_fragments || header.fragment_offset > 0);
    }

    #[test]
    fn every_ipv6_header_survives_the_wire(header in ipv6_headers()) {
        let mut octets = emit_v6(header);
        octets.resize(40 + usize::from(header.payload_length), 0);
        prop_assert_eq!(Ipv6Header::parse(&mut Reader::new(&octets)), Ok(header));
    }

    #[test]
    fn a_datagram_with_its_checksum_is_right_until_a_bit_changes(
        addresses in any::<[u128; 2]>(),
        mut octets in prop::collection::vec(any::<u8>(), 8..60),
        bit in any::<usize>(),
    ) {
        let pair = AddressPair::V6 {
            source: Ipv6Addr::from_bits(addresses[0]),
            destination: Ipv6Addr::from_bits(addresses[1]),
        };
        let length = u16::try_from(octets.len()).unwrap();
        octets[4..6].copy_from_slice(&length.to_be_bytes());
        octets[6..8].fill(0);
        let sum = make_checksum(pair.pseudo_header(Protocol::UDP), &octets);
        octets[6..8].copy_from_slice(&sum.to_be_bytes());
        let judge = |octets: &[u8]| {
            UdpDatagram::parse(&mut Reader::new(octets)).map(|datagram| datagram.checksum(pair))
        };
        prop_assert_eq!(judge(&octets), Ok(UdpChecksum::Right));
        let bit = bit % (octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(judge(&octets), Ok(UdpChecksum::Right));
    }
}
