//! Headers that come back (draft-ietf-ippm-stamp-ext-hdr).

use stamp_proto::tlv::reflected_fixed_header_data::{self, FixedHeader};
use stamp_proto::tlv::reflected_ipv6_extension_header_data as extension;

use super::*;
use crate::datagram::Headers;

const IPV6: [u8; 40] = [6; 40];
const OPTIONS: [u8; 16] = [1; 16];
const SRH: [u8; 40] = [
    17, 4, 4, 0, 1, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7,
    7, 5, 5, 5, 5, 5, 5, 5, 5,
];

/// The reply to an area, by a reflector that saw these headers.
fn told(rules: &TlvRules, types: ExperimentalTypes, area: &[u8]) -> Vec<u8> {
    let (fixed, extensions): (&[&[u8]], &[&[u8]]) = (&[&IPV6], &[&OPTIONS, &SRH]);
    let probe = Received { headers: Headers { fixed, extensions }, ..*ARRIVED };
    let mut reply = area.to_vec();
    reflect(&Exchange { rules, types, probe: &probe, ..exchange(OPEN, None) }, &mut reply);
    reply
}

fn fixed(kind: u8, header: FixedHeader) -> Vec<u8> {
    let mut octets = vec![0; 4 + header.octets()];
    let mut writer = Writer::new(&mut octets);
    reflected_fixed_header_data::emit_request(&mut writer, TlvType(kind), [0; 4], header).unwrap();
    octets
}

fn segments(kind: u8, requested: [u8; 8], length: usize) -> Vec<u8> {
    let mut octets = vec![0; 4 + length];
    extension::emit_request(&mut Writer::new(&mut octets), TlvType(kind), requested, length)
        .unwrap();
    octets
}

const USUAL: ExperimentalTypes = ExperimentalTypes::USUAL;

#[test]
fn headers_come_back_behind_what_asks_for_them() {
    let area =
        [fixed(247, FixedHeader::Ipv6), segments(246, [0; 8], 40), segments(246, [0; 8], 16)];
    let reply = told(&TlvRules::ALL, USUAL, &area.concat());
    assert_eq!(flags(&reply), [0, 0, 0]);
    assert_eq!(reply[8..44], IPV6[4..]);
    assert_eq!(reply[44 + 12..44 + 44], SRH[8..]);
    assert_eq!(reply[88 + 12..], OPTIONS[8..]);
}

#[test]
fn of_two_questions_for_one_header_the_named_one_is_answered() {
    let named = [17, 4, 4, 0, 1, 0, 0, 0];
    let both = [segments(246, named, 40), segments(246, [0; 8], 40)].concat();
    let reply = told(&TlvRules::ALL, USUAL, &both);
    assert_eq!(flags(&reply), [0, 0x10]);
    assert_eq!((&reply[12..44], &reply[56..]), (&SRH[8..], &[0; 32][..]));
    let other = [segments(246, [17, 4, 4, 1, 1, 0, 0, 0], 40), segments(246, [0; 8], 40)].concat();
    let reply = told(&TlvRules::ALL, USUAL, &other);
    assert_eq!(flags(&reply), [0x10, 0]);
    assert_eq!(reply[56..], SRH[8..]);
}

#[test]
fn a_header_that_is_not_there_is_not_made_up() {
    for area in [fixed(247, FixedHeader::Ipv4), segments(246, [0; 8], 24)] {
        let reply = told(&TlvRules::ALL, USUAL, &area);
        assert_eq!((reply[0], &reply[1..]), (0x10, &area[1..]));
    }
}

#[test]
fn fixed_headers_are_asked_for_first() {
    let area = [segments(246, [0; 8], 16), fixed(247, FixedHeader::Ipv6)].concat();
    let reply = told(&TlvRules::ALL, USUAL, &area);
    assert_eq!(flags(&reply), [0, 0x10]);
    assert_eq!(reply[24..], [0; 40]);
}

#[test]
fn strangers_see_no_header() {
    let area = [fixed(247, FixedHeader::Ipv6), segments(246, [0; 8], 40)].concat();
    assert_eq!(told(&TlvRules::NONE, USUAL, &area), area, "U, as if the types were unknown");
}

#[test]
fn types_are_those_that_were_agreed_on() {
    let types = ExperimentalTypes::new(TlvType(240), TlvType(241)).unwrap();
    let area =
        [fixed(240, FixedHeader::Ipv6), segments(241, [0; 8], 40), fixed(247, FixedHeader::Ipv6)];
    let reply = told(&TlvRules::ALL, types, &area.concat());
    assert_eq!(flags(&reply), [0, 0, 0x80]);
}

#[test]
fn a_length_that_no_header_has_is_malformed() {
    for (kind, octets) in [(247, 24), (246, 4), (246, 12)] {
        let probe = area(&[(TlvType(kind), &vec![0; octets]), (TlvType::EXTRA_PADDING, &[])]);
        let reply = told(&TlvRules::ALL, USUAL, &probe);
        assert_eq!(flags(&reply), [0x40, 0x80], "{kind} {octets}");
    }
}

#[test]
fn what_is_not_done_is_counted_apart() {
    let mut reply = [segments(246, [0; 8], 16), fixed(247, FixedHeader::Ipv6)].concat();
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(counts, TlvCounts { nonconformant: 2, ..TlvCounts::default() });
}
