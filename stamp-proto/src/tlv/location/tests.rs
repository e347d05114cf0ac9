use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::strategies::{areas, octets};
use crate::tlv::{Tlv, TlvError};
use crate::writer::Writer;

const MAC: SourceMac = SourceMac::Eui48([0, 0, 0x5e, 0, 0x53, 1]);

/// A probe over IPv4, as it arrived.
fn arrival() -> Arrival {
    Arrival {
        destination_port: 862,
        source_port: 49_200,
        source_mac: Some(MAC),
        destination: IpAddr::from([192, 0, 2, 11]),
        source: IpAddr::from([192, 0, 2, 1]),
    }
}

/// The value of the TLV that is sent.
fn value(request: LocationRequest) -> Vec<u8> {
    let mut octets = vec![0xee; request.encoded_octets()];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(&mut writer).unwrap();
    assert_eq!(writer.available(), 0);
    let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
    assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType::LOCATION));
    assert_eq!(tlv.encoded_octets(), octets.len());
    tlv.value.to_vec()
}

/// Flags, type and value of each sub-TLV.
fn subs(value: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let subs = Tlvs::new(&value[4..]).map_while(Result::ok);
    subs.map(|sub| (sub.flags.0, sub.kind.0, sub.value)).collect()
}

/// One sub-TLV behind ports of zero.
fn one(flags: u8, kind: u8, octets: &[u8]) -> Vec<u8> {
    let mut value = vec![0; 8 + octets.len()];
    let sub = Tlv { flags: TlvFlags(flags), kind: TlvType(kind), value: octets };
    sub.emit(&mut Writer::new(&mut value[4..])).unwrap();
    value
}

#[test]
fn a_request_is_zeros_with_a_sub_tlv_for_each_wish() {
    assert_eq!(value(LocationRequest::default()), [0; 4]);
    for (request, kind, octets) in [
        (LocationRequest { source_mac: true, ..Default::default() }, 1, 8),
        (LocationRequest { destination: true, ..Default::default() }, 4, 16),
        (LocationRequest { source: true, ..Default::default() }, 7, 16),
    ] {
        let value = value(request);
        assert_eq!(value[..4], [0; 4]);
        assert_eq!(subs(&value), [(0x80, kind, &[0; 16][..octets])]);
    }
    assert_eq!(LocationRequest::ALL.encoded_octets(), 60);
    let mut room = [0xee; 59];
    let refusal = ParseError::Truncated { field: "Location TLV", needed: 60, available: 59 };
    assert_eq!(LocationRequest::ALL.emit_request(&mut Writer::new(&mut room)), Err(refusal));
    assert_eq!(room, [0xee; 59]);
}

#[test]
fn ports_lie_where_the_drawing_says() {
    let mut value = vec![0; 4];
    reflect(&mut value, &arrival()).unwrap();
    assert_eq!(value, [3, 94, 0xc0, 0x30]);
    let read = Location::parse(&value).unwrap();
    assert_eq!((read.destination_port, read.source_port), (Some(862), Some(49_200)));
    assert_eq!(Location::parse(&[0; 4]), Ok(Location::default()), "nothing is told");
}

#[test]
fn each_question_is_answered_by_the_type_that_fits() {
    let mut v4 = value(LocationRequest::ALL);
    reflect(&mut v4, &arrival()).unwrap();
    assert_eq!(
        subs(&v4),
        [
            (0, 2, &[0, 0, 0x5e, 0, 0x53, 1, 0, 0][..]),
            (0, 5, &[192, 0, 2, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (0, 8, &[192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ]
    );
    let v6 = Arrival {
        source_mac: Some(SourceMac::Eui64([1, 2, 3, 4, 5, 6, 7, 8])),
        destination: "2001:db8:0:b::1".parse().unwrap(),
        source: "2001:db8:0:1::1".parse().unwrap(),
        ..arrival()
    };
    let mut value = value(LocationRequest::ALL);
    reflect(&mut value, &v6).unwrap();
    let kinds: Vec<(u8, u8)> = subs(&value).iter().map(|sub| (sub.0, sub.1)).collect();
    assert_eq!(kinds, [(0, 3), (0, 6), (0, 9)]);
    let read = Location::parse(&value).unwrap();
    assert_eq!(read.source_mac, v6.source_mac);
    assert_eq!((read.destination, read.source), (Some(v6.destination), Some(v6.source)));
}

#[test]
fn a_packet_without_mac_address_has_a_long_one_of_zeros() {
    let mut value = value(LocationRequest { source_mac: true, ..Default::default() });
    value[8..].fill(7);
    reflect(&mut value, &Arrival { source_mac: None, ..arrival() }).unwrap();
    assert_eq!(subs(&value), [(0, 3, &[0; 8][..])]);
    assert_eq!(Location::parse(&value).unwrap().source_mac, None);
}

#[test]
fn what_is_not_told_is_zero() {
    let silent = Arrival {
        destination_port: 0,
        source_port: 0,
        source_mac: None,
        destination: IpAddr::from([0; 4]),
        source: IpAddr::from([0; 16]),
    };
    let mut value = value(LocationRequest::ALL);
    reflect(&mut value, &silent).unwrap();
    assert_eq!(subs(&value), [(0, 3, &[0; 8][..]), (0, 5, &[0; 16][..]), (0, 9, &[0; 16][..])]);
    assert_eq!(Location::parse(&value), Ok(Location::default()));
}

#[test]
fn what_asks_for_nothing_known_gets_u() {
    // An answer, a sub-TLV of another TLV, one of nobody, one that is reserved.
    for kind in [2, 5, 10, 200, 0] {
        let mut asked = one(0x80, kind, &[0; 16][..if kind == 2 { 8 } else { 16 }]);
        let expected = one(0x80, kind, &asked[8..]);
        asked[4] = 0;
        reflect(&mut asked, &Arrival { destination_port: 0, source_port: 0, ..arrival() }).unwrap();
        assert_eq!(asked, expected);
    }
}

#[test]
fn each_wrong_length_is_malformed_and_only_that_is_written() {
    for (kind, tlv, expected) in [
        (1, "a MAC address of Location", 8),
        (2, "a MAC address of Location", 8),
        (3, "a MAC address of Location", 8),
        (4, "an IP address of Location", 16),
        (5, "an IP address of Location", 16),
        (6, "an IP address of Location", 16),
        (7, "an IP address of Location", 16),
        (8, "an IP address of Location", 16),
        (9, "an IP address of Location", 16),
    ] {
        for octets in [0, expected - 1, expected + 1] {
            let first = one(0x80, 7, &[0; 16]);
            let mut asked = [&first[..], &one(0x80, kind, &vec![0; octets])[4..]].concat();
            let error = SubTlvError::Value(ParseError::ValueLength { tlv, octets, expected });
            let mut told = asked.clone();
            told[first.len()] = 0;
            assert_eq!(Location::parse(&told), Err(error));
            let mut marked = asked.clone();
            marked[first.len()] = 0x40;
            assert_eq!(reflect(&mut asked, &arrival()), Err(error));
            assert_eq!(asked, marked);
        }
    }
}

#[test]
fn sub_tlvs_must_fit() {
    for available in 0..4 {
        let error = ParseError::Truncated { field: TLV, needed: 4, available };
        assert_eq!(reflect(&mut [7; 4][..available], &arrival()), Err(error.into()));
        assert!(Location::parse(&[7; 4][..available]).is_err());
    }
    let whole = one(0x80, 4, &[0; 16]);
    for cut in 5..whole.len() {
        let mut value = whole[..cut].to_vec();
        let error = reflect(&mut value, &arrival()).unwrap_err();
        assert_eq!(Location::parse(&whole[..cut]), Err(error));
        assert_eq!((value[4], &value[5..]), (0x40, &whole[5..cut]));
        assert!(matches!(
            error,
            SubTlvError::Frame(TlvError::Header { .. } | TlvError::Value { .. })
        ));
    }
}

#[test]
fn a_reader_heeds_the_flags_of_sub_tlvs() {
    let answer = one(0, 5, &[192, 0, 2, 11, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    let told = Location { destination: Some(IpAddr::from([192, 0, 2, 11])), ..Default::default() };
    assert_eq!(Location::parse(&answer), Ok(told), "what must be zero is ignored");
    let other = one(0, 6, &[1; 16]);
    let two = [&answer[..], &other[4..]].concat();
    assert_eq!(Location::parse(&two), Ok(told), "the first counts");
    for (flags, expected) in
        [(0x80, Location::default()), (0x40, Location::default()), (0x20, told)]
    {
        let mut flagged = answer.clone();
        flagged[4] = flags;
        assert_eq!(Location::parse(&flagged), Ok(expected));
    }
    let behind = [&one(0x40, 4, &[0; 3])[..], &answer[4..]].concat();
    assert_eq!(Location::parse(&behind), Ok(Location::default()), "nobody looked at it");
    assert_eq!(Location::parse(&one(0, 4, &[1; 16])), Ok(Location::default()), "a question");
}

#[test]
fn a_mac_address_is_shown_with_colons() {
    assert_eq!(MAC.to_string(), "00:00:5e:00:53:01");
    assert_eq!(
        SourceMac::Eui64([1, 2, 3, 4, 5, 6, 7, 0xff]).to_string(),
        "01:02:03:04:05:06:07:ff"
    );
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from),]
}

fn macs() -> impl Strategy<Value = SourceMac> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(SourceMac::Eui48),
        any::<[u8; 8]>().prop_map(SourceMac::Eui64),
    ]
}

proptest! {
    #[test]
    fn what_was_asked_for_is_told(
        asked in any::<[bool; 3]>(),
        ports in any::<[u16; 2]>(),
        mac in macs(),
        addresses in [addresses(), addresses()],
    ) {
        let ([source_mac, destination, source], [to, from]) = (asked, addresses);
        let [destination_port, source_port] = ports;
        let mut value = value(LocationRequest { source_mac, destination, source });
        let octets = value.len();
        let arrival = Arrival {
            destination_port,
            source_port,
            source_mac: Some(mac),
            destination: to,
            source: from,
        };
        reflect(&mut value, &arrival).unwrap();
        prop_assert_eq!(value.len(), octets);
        let told = |port: u16| Some(port).filter(|port| *port != 0);
        let address = |asked: bool, ip: IpAddr| asked.then_some(ip).filter(|ip| !ip.is_unspecified());
        prop_assert_eq!(Location::parse(&value), Ok(Location {
            destination_port: told(destination_port),
            source_port: told(source_port),
            source_mac: source_mac.then_some(mac).and_then(SourceMac::if_told),
            destination: address(destination, to),
            source: address(source, from),
        }));
    }

    #[test]
    fn an_answer_has_the_frames_of_its_question(ports in octets(5), area in areas()) {
        let asked = [ports, area].concat();
        let mut value = asked.clone();
        let answer = reflect(&mut value, &arrival());
        prop_assert_eq!(value.len(), asked.len());
        if answer.is_ok() {
            let lengths = |value| {
                Tlvs::new(value).map(|sub| sub.map(|sub| sub.value.len())).collect::<Vec<_>>()
            };
            prop_assert_eq!(lengths(&value[4..]), lengths(&asked[4..]));
            prop_assert!(Location::parse(&value).is_ok());
        }
    }
}
