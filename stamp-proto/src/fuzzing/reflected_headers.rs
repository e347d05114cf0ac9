//! Reflected IPv6 Extension Header Data and Reflected Fixed Header Data TLVs.

use crate::tlv::reflected_fixed_header_data::{self, ReflectedFixedHeaderData};
use crate::tlv::reflected_ipv6_extension_header_data::{self, ReflectedIpv6ExtensionHeaderData};
use crate::tlv::{HeaderMatch, ReceivedHeaders, TLV_HEADER_OCTETS, TlvType, Tlvs};
use crate::writer::Writer;

const LARGEST: usize = 4608;

/// How long the value is, and then it and the headers of a packet, as many as there are.
pub fn packet(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    let Some(([upper, lower], octets)) = octets.split_first_chunk() else { return };
    let length = usize::from(u16::from_be_bytes([*upper, *lower])).min(octets.len());
    let (value, headers) = octets.split_at(length);
    let headers: alloc::vec::Vec<&[u8]> = headers.chunks(length.max(1)).collect();
    check_extension(value, &headers);
    check_fixed(value, &headers);
}

/// The header that a value asks for, by a search of its own.
fn wanted<'h>(value: &[u8], requested: usize, headers: &[&'h [u8]]) -> Option<&'h [u8]> {
    let (requested, _) = value.split_at(requested);
    let any = requested.iter().all(|octet| *octet == 0);
    let fits = |header: &&&[u8]| header.len() == value.len();
    let named = |header: &&&[u8]| any || header[..requested.len()] == *requested;
    headers.iter().take(64).filter(fits).find(named).copied()
}

fn check_extension(value: &[u8], headers: &[&[u8]]) {
    let mut received = ReceivedHeaders::new(headers);
    let mut answer = value.to_vec();
    let verdict = reflected_ipv6_extension_header_data::reflect(&mut answer, &mut received);
    let read = ReflectedIpv6ExtensionHeaderData::parse(&answer);
    let valid = (8..=2048).contains(&value.len()) && value.len().is_multiple_of(8);
    assert_eq!((verdict.is_ok(), read.is_ok()), (valid, valid));
    let (Ok(verdict), Ok(read)) = (verdict, read) else {
        assert_eq!(answer, value);
        return;
    };
    check_verdict(verdict, wanted(value, 8, headers), value, &answer, 8);
    let mut again = alloc::vec![0; value.len() + TLV_HEADER_OCTETS];
    let mut writer = Writer::new(&mut again);
    let kind = reflected_ipv6_extension_header_data::EXPERIMENTAL_TYPE;
    let (requested, octets) = (read.requested, value.len());
    reflected_ipv6_extension_header_data::emit_request(&mut writer, kind, requested, octets)
        .expect("there is room");
    check_request(writer.written(), kind, &value[..8]);
}

fn check_fixed(value: &[u8], headers: &[&[u8]]) {
    let mut received = ReceivedHeaders::new(headers);
    let mut answer = value.to_vec();
    let verdict = reflected_fixed_header_data::reflect(&mut answer, &mut received);
    let read = ReflectedFixedHeaderData::parse(&answer);
    let valid = matches!(value.len(), 20 | 40);
    assert_eq!((verdict.is_ok(), read.is_ok()), (valid, valid));
    let (Ok(verdict), Ok(read)) = (verdict, read) else {
        assert_eq!(answer, value);
        return;
    };
    check_verdict(verdict, wanted(value, 4, headers), value, &answer, 4);
    assert!(read.fields().is_ok());
    let mut again = [0; 44];
    let mut writer = Writer::new(&mut again);
    let kind = reflected_fixed_header_data::EXPERIMENTAL_TYPE;
    reflected_fixed_header_data::emit_request(&mut writer, kind, read.requested, read.header)
        .expect("there is room");
    assert_eq!(writer.position(), value.len() + TLV_HEADER_OCTETS);
    check_request(writer.written(), kind, &value[..4]);
}

/// The header that was wanted stands behind what was asked, or nothing changed.
fn check_verdict(
    verdict: HeaderMatch,
    wanted: Option<&[u8]>,
    value: &[u8],
    answer: &[u8],
    requested: usize,
) {
    assert_eq!(verdict == HeaderMatch::Told, wanted.is_some());
    assert_eq!(answer[..requested], value[..requested]);
    let rest = wanted.unwrap_or(value);
    assert_eq!(answer[requested..], rest[requested..]);
}

/// A request names the header and leaves the rest zero.
fn check_request(octets: &[u8], kind: TlvType, requested: &[u8]) {
    let tlv = Tlvs::new(octets).next().expect("a TLV").expect("a whole TLV");
    assert_eq!(tlv.kind, kind);
    assert_eq!(&tlv.value[..requested.len()], requested);
    assert!(tlv.value[requested.len()..].iter().all(|octet| *octet == 0));
}
