//! Location TLVs.

use core::net::IpAddr;

use crate::tlv::location::{Arrival, Location, LocationRequest, SourceMac, reflect};
use crate::tlv::sub_tlv::sub_type;
use crate::tlv::{TLV_HEADER_OCTETS, Tlv, TlvType, Tlvs};
use crate::writer::Writer;

const LARGEST: usize = 2048;

/// Octets of what the Session-Reflector saw, before those of the value.
const SEEN: usize = 36;

/// What a Session-Reflector saw of a probe, and the value of the TLV in it.
pub fn value(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    let _ = Location::parse(octets);
    let Some((seen, value)) = octets.split_first_chunk::<SEEN>() else { return };
    let arrival = arrival(seen);
    check_answer(value, &arrival);
    check_asked(seen[0], &arrival);
}

/// Ports, addresses and their families from any octets.
fn arrival(seen: &[u8; SEEN]) -> Arrival {
    let [kinds, a, b, c, d, e, f, g, h, rest @ ..] = *seen;
    let [i, j, k, l, m, n, o, p, ..] = rest;
    let long = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
    let address = |bit: u8| match kinds & bit {
        0 => IpAddr::from([a, b, c, d ^ bit]),
        _ => IpAddr::from(long),
    };
    Arrival {
        destination_port: u16::from_be_bytes([e, f]),
        source_port: u16::from_be_bytes([g, h]),
        source_mac: match kinds & 3 {
            0 => None,
            1 => Some(SourceMac::Eui64([a, b, c, d, e, f, g, h])),
            _ => Some(SourceMac::Eui48([i, j, k, l, m, n])),
        },
        destination: address(4),
        source: address(8),
    }
}

/// An answer keeps every frame and answers every question; a refusal marks one sub-TLV.
fn check_answer(value: &[u8], arrival: &Arrival) {
    let mut answer = value.to_vec();
    let verdict = reflect(&mut answer, arrival);
    assert_eq!(answer.len(), value.len());
    if verdict.is_err() {
        let changed = answer.iter().zip(value).filter(|(after, before)| after != before);
        assert!(changed.count() <= 1);
        return;
    }
    let mut expected = Location {
        destination_port: Some(arrival.destination_port).filter(|port| *port != 0),
        source_port: Some(arrival.source_port).filter(|port| *port != 0),
        ..Location::default()
    };
    for (asked, told) in subs(value).zip(subs(&answer)) {
        assert_eq!(asked.value.len(), told.value.len());
        match asked.kind {
            sub_type::SOURCE_MAC_ADDRESS => expected.source_mac = told_mac(arrival),
            sub_type::DESTINATION_IP => expected.destination = told_address(arrival.destination),
            sub_type::SOURCE_IP => expected.source = told_address(arrival.source),
            kind => {
                assert_eq!((told.kind, told.value), (kind, asked.value));
                assert!(told.flags.is_unrecognized());
            }
        }
    }
    assert_eq!(Location::parse(&answer), Ok(expected));
}

/// What was asked for is answered, whatever it is.
fn check_asked(wishes: u8, arrival: &Arrival) {
    let [source_mac, destination, source] = [1, 2, 4].map(|bit| wishes & bit != 0);
    let request = LocationRequest { source_mac, destination, source };
    let mut octets = [0xee; 64];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(&mut writer).expect("there is room");
    assert_eq!(writer.position(), request.encoded_octets());
    let written = writer.into_written();
    let tlv = Tlvs::new(written).next().expect("a TLV").expect("a whole TLV");
    assert_eq!(tlv.kind, TlvType::LOCATION);
    check_answer(&written[TLV_HEADER_OCTETS..], arrival);
}

fn subs(value: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    Tlvs::new(&value[4..]).map(|sub| sub.expect("the frames were accepted"))
}

fn told_mac(arrival: &Arrival) -> Option<SourceMac> {
    arrival.source_mac.filter(|mac| match mac {
        SourceMac::Eui48(octets) => *octets != [0; 6],
        SourceMac::Eui64(octets) => *octets != [0; 8],
    })
}

fn told_address(address: IpAddr) -> Option<IpAddr> {
    Some(address).filter(|address| !address.is_unspecified())
}
