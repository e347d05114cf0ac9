//! Segment Routing Headers, packets with them and compressed SIDs: groups E and F.

use std::net::Ipv6Addr;

use stamp_proto::auth::KeyId;
use stamp_proto::ip::HopLimit;
use stamp_proto::reader::Reader;
use stamp_proto::sr::csid::{NextCsid, ReplaceCsid};
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::header::{Ipv6Header, UdpChecksum};
use stamp_proto::sr::layers::{Layer, Layers, Outermost, find_udp, write_timestamp};
use stamp_proto::sr::protocol::Protocol;
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::{Srh, SrhError, SrhForm, SrhIntegrity, SrhLayout, sign, verify};
use stamp_proto::time::Timestamp;
use stamp_proto::writer::Writer;

use super::packets::{open_probe, v6};
use super::{PROBE_RECEIVED, PTP, Vectors, key, ring};

pub(super) const HANDLED: [&str; 12] =
    ["E1", "E2", "E3", "E3-text", "E4", "E5", "E6", "E7", "F1", "F2", "F3-da", "F3-srh"];

const SOURCE: &str = "2001:db8:0:1::1";

fn address(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

fn list(texts: &[&str]) -> SegmentList {
    SegmentList::new(texts.iter().map(|text| Sid(address(text))).collect()).expect("not empty")
}

fn emit(layout: &SrhLayout<'_>) -> Vec<u8> {
    let mut octets = vec![0xee; layout.encoded_octets().expect("short enough")];
    layout.emit(&mut Writer::new(&mut octets)).expect("there is room");
    octets
}

fn three() -> SegmentList {
    list(&["2001:db8:2:e::", "2001:db8:5:e::", "2001:db8:b:f16::"])
}

fn compose(wish: Encapsulation<'_>, flow: &Flow) -> Vec<u8> {
    let template = wish.compose(flow, Limits::default()).expect("it can be sent");
    let mut out = [0; 200];
    template.emit(&open_probe(PTP, 1, 0x1234), &mut out).expect("there is room").to_vec()
}

/// What a node on the way does to an IPv6 header.
fn forward(packet: &mut [u8], hops: u8, destination: Option<&str>) {
    let header = Ipv6Header::parse(&mut Reader::new(packet)).expect("IPv6");
    let destination = destination.map_or(header.destination, address);
    let hop_limit = HopLimit(header.hop_limit.0 - hops);
    let header = Ipv6Header { hop_limit, destination, ..header };
    header.emit(&mut Writer::new(packet)).expect("there is room");
}

fn stamp(packet: &mut [u8]) {
    let place = find_udp(Outermost::Ip, packet).expect("there is a probe");
    let timestamp = Timestamp::from_wall(PROBE_RECEIVED, PTP).octets();
    write_timestamp(packet, place.span(), 16, timestamp).expect("it fits");
}

fn checksum(packet: &[u8]) -> UdpChecksum {
    let last = Layers::new(Outermost::Ip, packet).last().expect("a layer").expect("whole");
    let (_, Layer::Udp { datagram, addresses }) = last else { panic!("no UDP") };
    datagram.checksum(addresses)
}

#[test]
fn every_header_is_emitted_and_parsed_as_its_vector() {
    let vectors = Vectors::load();
    let segments = three();
    for (name, form, listed) in [("E1", SrhForm::Full, 3), ("E2", SrhForm::Reduced, 2)] {
        let layout = SrhLayout::new(Protocol::UDP, &segments, form);
        let octets = vectors.octets(name);
        assert_eq!(emit(&layout), octets, "{name}");
        let srh = Srh::parse(&mut Reader::new(octets)).expect("a header");
        assert_eq!((srh.segments_left, srh.list().len()), (2, listed), "{name}");
        assert_eq!(srh.last_segment(), segments.last(), "{name}");
    }
}

#[test]
fn a_header_that_contradicts_itself_points_to_segments_left() {
    let vectors = Vectors::load();
    for (place, value) in [(3, 4), (1, 4)] {
        let mut octets = vectors.octets("E1").to_vec();
        octets[place] = value;
        let error = Srh::parse(&mut Reader::new(&octets)).expect_err("a contradiction");
        assert!(matches!(error, SrhError::SegmentsLeft { .. } | SrhError::LastEntry { .. }));
        assert_eq!(error.pointer(), Some(3));
    }
}

#[test]
fn a_header_is_signed_as_its_vector() {
    let vectors = Vectors::load();
    let (segments, key) = (three(), key(1));
    let layout =
        SrhLayout { key: Some(&key), ..SrhLayout::new(Protocol::UDP, &segments, SrhForm::Full) };
    let mut octets = emit(&layout);
    sign(&mut octets, address(SOURCE), &key).expect("there is an HMAC TLV");
    assert_eq!(octets, vectors.octets("E3"));
    let srh = Srh::parse(&mut Reader::new(&octets)).expect("a header");
    let verified = SrhIntegrity::Verified(KeyId(1));
    assert_eq!(verify(&srh, address(SOURCE), address("2001:db8:2:e::"), &ring(1)), verified);
}

#[test]
fn the_digest_covers_the_text_of_its_vector() {
    let vectors = Vectors::load();
    let (first, rest) = vectors.octets("E3-text").split_at(4);
    let first = u32::from_be_bytes(first.try_into().expect("four octets"));
    // The digest of an HMAC TLV is one over four octets and what follows, cut to its first half.
    assert_eq!(key(1).tlv_digest(first, rest), vectors.octets("E3")[64..80]);
}

#[test]
fn a_tunnelled_probe_is_composed_and_stamped_as_its_vectors() {
    let vectors = Vectors::load();
    let path = Srv6Path::from(list(&["2001:db8:5:e::", "2001:db8:b:f16::"]));
    let (source, extras) = (address(SOURCE), SrhExtras::default());
    let form = SrhForm::Full;
    let wish = Encapsulation::Srv6Tunnel { source, path: &path, form, extras };
    let mut packet = compose(wish, &v6(SOURCE, 49_300));
    assert_eq!(packet, vectors.octets("E4"));

    stamp(&mut packet);
    let inner = find_udp(Outermost::Ip, &packet).expect("there is a probe").ip;
    packet.drain(..inner);
    forward(&mut packet, 1, None);
    assert_eq!(packet, vectors.octets("E5"));
    assert_eq!(checksum(&packet), UdpChecksum::Right);
}

#[test]
fn a_probe_of_a_host_is_composed_and_stamped_as_its_vectors() {
    let vectors = Vectors::load();
    let there = ["2001:db8:5:e::", "2001:db8:b:f16::"];
    let back = ["2001:db8:5:e::", "2001:db8:1:e::"];
    let path = Srv6Path::from(list(&[there, back].concat()));
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let wish = Encapsulation::HostSrh { path: &path, form, extras };
    let mut packet = compose(wish, &v6("2001:db8:1:e::", 49_300));
    assert_eq!(packet, vectors.octets("E6"));
    assert_eq!(checksum(&packet), UdpChecksum::Right);

    stamp(&mut packet);
    packet[43] = 0;
    forward(&mut packet, 3, Some("2001:db8:1:e::"));
    assert_eq!(packet, vectors.octets("E7"));
    assert_eq!(checksum(&packet), UdpChecksum::Right);
}

#[test]
fn containers_are_made_and_shifted_as_their_vectors() {
    let vectors = Vectors::load();
    for (name, prefix, bits, sids) in [
        (
            "F1",
            "fcbb:bb00::",
            32,
            &["fcbb:bb00:5::", "fcbb:bb00:b:f016::", "fcbb:bb00:5::", "fcbb:bb00:1::"][..],
        ),
        (
            "F2",
            "2001:db8::",
            48,
            &[
                "2001:db8:0:101::",
                "2001:db8:0:102::",
                "2001:db8:0:103::",
                "2001:db8:0:104::",
                "2001:db8:0:105::",
            ],
        ),
    ] {
        let block = NextCsid::new(address(prefix), bits, 16).expect("a block");
        let compressed = block.compress(&list(sids)).expect("all are in it");
        assert_eq!(compressed.containers.len(), 1, "{name}");
        let container = compressed.containers.first();
        assert_eq!(container.0.octets(), vectors.octets(name), "{name}");
        assert_eq!(compressed.ultimate, address(sids[sids.len() - 1]), "{name}");
        let unpacked = block.unpack(container).expect("a container");
        assert_eq!(unpacked.len(), 5, "{name}");
    }
}

#[test]
fn a_packed_list_is_made_as_its_vectors() {
    let vectors = Vectors::load();
    let block = ReplaceCsid::new(address("2001:db8::"), 48, 32).expect("a block");
    let sids: Vec<String> =
        (1..=7).map(|number| format!("2001:db8:0:{number}:{number}::")).collect();
    let sids: Vec<&str> = sids.iter().map(String::as_str).collect();
    let compressed = block.compress(&list(&sids)).expect("all are in it");
    assert_eq!(compressed.containers.first().0.octets(), vectors.octets("F3-da"));
    let layout = SrhLayout::new(Protocol::UDP, &compressed.containers, SrhForm::Reduced);
    assert_eq!(emit(&layout), vectors.octets("F3-srh"));
    assert_eq!(compressed.ultimate, address("2001:db8:0:7:7::2"));
}
