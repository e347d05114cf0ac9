//! Whole packets without segments, and the probes that other groups carry: group G.

use std::net::IpAddr;

use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::reader::Reader;
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits};
use stamp_proto::sr::header::{UdpChecksum, UdpDatagram};
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_proto::time::{Timestamp, TimestampFormat};

use super::{NTP, PROBE_SENT, PTP, Vectors, key, sender_clock};

pub(super) const HANDLED: [&str; 3] = ["G10", "G11", "G12"];

fn flow(source: &str, destination: &str, destination_port: u16) -> Flow {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let pair = AddressPair::new(address(source), address(destination)).expect("one family");
    Flow { identification: 0x1234, ..Flow::new(pair, 49_200, destination_port) }
}

pub(super) fn v4(destination: &str, destination_port: u16) -> Flow {
    flow("192.0.2.1", destination, destination_port)
}

pub(super) fn v6(destination: &str, destination_port: u16) -> Flow {
    flow("2001:db8:0:1::1", destination, destination_port)
}

fn probe(format: TimestampFormat, sequence: u32, ssid: u16) -> SenderPacket {
    SenderPacket {
        sequence,
        timestamp: Timestamp::from_wall(PROBE_SENT, format),
        error_estimate: sender_clock(format),
        ssid: Ssid(ssid),
    }
}

pub(super) fn open_probe(format: TimestampFormat, sequence: u32, ssid: u16) -> Vec<u8> {
    let mut octets = vec![0; 44];
    let mode = AuthenticationMode::Unauthenticated;
    probe(format, sequence, ssid).emit(mode, &mut octets).expect("there is room");
    octets
}

pub(super) fn authenticated_probe() -> Vec<u8> {
    let mut octets = vec![0; 112];
    let mode = AuthenticationMode::Authenticated;
    probe(PTP, 1, 0x1234).emit(mode, &mut octets).expect("there is room");
    key(1).sign(&mut octets).expect("there is room");
    octets
}

#[test]
fn a_plain_probe_is_composed_as_its_vector() {
    let vectors = Vectors::load();
    let corner = Flow { source_port: 36_879, ..v4("192.0.2.11", 862) };
    for (name, flow, skipped) in [
        ("G10", corner, 20),
        ("G11", v4("192.0.2.11", 862), 0),
        ("G12", v6("2001:db8:0:b::1", 862), 0),
    ] {
        let template = Encapsulation::Plain.compose(&flow, Limits::default()).expect("it can be");
        let mut out = [0; 200];
        let packet = template.emit(&open_probe(NTP, 1, 0), &mut out).expect("there is room");
        assert_eq!(&packet[skipped..], vectors.octets(name), "{name}");
        let last = Layers::new(Outermost::Ip, packet).last().expect("a layer").expect("whole");
        let (_, Layer::Udp { datagram, addresses }) = last else { panic!("{name}: no UDP") };
        assert_eq!(datagram.checksum(addresses), UdpChecksum::Right, "{name}");
    }
}

#[test]
fn a_checksum_that_comes_out_as_zero_is_all_ones() {
    let vectors = Vectors::load();
    let mut reader = Reader::new(vectors.octets("G10"));
    let datagram = UdpDatagram::parse(&mut reader).expect("a datagram");
    assert_eq!(datagram.header.checksum, 0xffff);
    let pair = v4("192.0.2.11", 862).addresses;
    assert_eq!(datagram.checksum(pair), UdpChecksum::Right);
}
