//! Label stacks and probes under them, up to the node that writes a timestamp: group D.

use stamp_proto::ip::HopLimit;
use stamp_proto::reader::Reader;
use stamp_proto::sr::encapsulation::{Encapsulation, Limits};
use stamp_proto::sr::header::Ipv4Header;
use stamp_proto::sr::layers::{Outermost, find_udp, write_timestamp};
use stamp_proto::sr::mpls::{EntropyLabel, ExtendedLabel, Label, LabelStack, TopLabel};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::time::Timestamp;
use stamp_proto::writer::Writer;

use super::packets::{authenticated_probe, open_probe, v4};
use super::{PROBE_RECEIVED, PTP, Vectors, ring};

pub(super) const HANDLED: [&str; 9] = ["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9"];

/// A stack of these labels, the timestamp label of this number below them, then these.
fn stack(forward: &[u32], timestamp: Option<u8>, reverse: &[u32]) -> LabelStack {
    let label = |value: &u32| Label::new(*value).expect("20 bits");
    let composite = timestamp.and_then(ExtendedLabel::new).map(ExtendedLabel::composite);
    let labels = forward.iter().map(label).chain(composite.into_iter().flatten());
    LabelStack::from_labels(labels.chain(reverse.iter().map(label))).expect("the rules are kept")
}

fn timestamp_octets() -> [u8; 8] {
    Timestamp::from_wall(PROBE_RECEIVED, PTP).octets()
}

#[test]
fn every_stack_is_emitted_and_parsed_as_its_vector() {
    let vectors = Vectors::load();
    let forward = stack(&[16_005, 16_011], Some(240), &[]);
    let entropy = EntropyLabel::new(100_000).expect("20 bits");
    for (name, stack) in [
        ("D1", stack(&[16_005, 16_011], None, &[])),
        ("D2", forward.clone()),
        ("D3", stack(&[16_005, 16_011], Some(240), &[16_004, 16_001])),
        ("D4", forward.with_entropy(1, entropy).expect("below a segment label")),
    ] {
        let octets = vectors.octets(name);
        let mut emitted = vec![0xee; stack.encoded_octets()];
        stack.emit(&mut Writer::new(&mut emitted)).expect("there is room");
        assert_eq!(emitted, octets, "{name}");
        assert_eq!(LabelStack::parse(octets), Ok(stack), "{name}");
    }
}

#[test]
fn a_stack_that_breaks_a_rule_is_dropped() {
    let vectors = Vectors::load();
    let octets = &vectors.octets("D2")[8..];
    assert!(matches!(TopLabel::read(octets), Ok(TopLabel::Composite { .. })));
    let mut reserved = octets.to_vec();
    reserved[4..7].copy_from_slice(&[0, 0, 0x71]);
    assert!(TopLabel::read(&reserved).is_err());
    let mut bottom = octets.to_vec();
    bottom[2] |= 0x01;
    assert!(TopLabel::read(&bottom).is_err());
}

#[test]
fn a_labelled_probe_is_composed_as_its_vector() {
    let vectors = Vectors::load();
    for (name, timestamp, payload) in
        [("D5", 240, open_probe(PTP, 1, 0x1234)), ("D8", 241, authenticated_probe())]
    {
        let stack = stack(&[16_005, 16_011], Some(timestamp), &[]);
        let template = Encapsulation::Mpls(&stack)
            .compose(&v4("192.0.2.1", 49_300), Limits::default())
            .expect("it can be sent");
        assert_eq!(template.ether_type(), EtherType::MPLS);
        let mut out = [0; 200];
        let packet = template.emit(&payload, &mut out).expect("there is room");
        assert_eq!(packet, vectors.octets(name), "{name}");
    }
    assert_eq!(vectors.octets("D6"), &vectors.octets("D5")[8..]);
}

#[test]
fn the_far_node_writes_its_timestamp_as_its_vector() {
    let vectors = Vectors::load();
    let mut packet = vectors.octets("D6").to_vec();
    let top = TopLabel::read(&packet).expect("a timestamp label is on top");
    assert!(matches!(top, TopLabel::Composite { label, .. } if label.value() == 240));
    assert!(top.is_bottom());
    let place = find_udp(Outermost::Mpls, &packet).expect("there is a probe");
    write_timestamp(&mut packet, place.span(), 16, timestamp_octets()).expect("it fits");
    packet.drain(..top.octets());
    let (header, right) = Ipv4Header::parse(&mut Reader::new(&packet)).expect("IPv4 follows");
    assert!(right);
    let header = Ipv4Header { ttl: HopLimit(header.ttl.0 - 1), ..header };
    header.emit(&mut Writer::new(&mut packet)).expect("there is room");
    assert_eq!(packet, vectors.octets("D7"));
}

#[test]
fn an_authenticated_probe_verifies_when_the_timestamp_is_taken_out() {
    let vectors = Vectors::load();
    let mut packet = vectors.octets("D8").to_vec();
    let place = find_udp(Outermost::Mpls, &packet).expect("there is a probe");
    assert_eq!(place.header.checksum, 0x9112);
    assert!(ring(1).verify(place.payload(&packet)).is_some());
    write_timestamp(&mut packet, place.span(), 32, timestamp_octets()).expect("it fits");
    assert_eq!(place.payload(&packet), vectors.octets("D9"));
    let again = find_udp(Outermost::Mpls, &packet).expect("there is a probe");
    assert_eq!(again.header.checksum, 0x4c27);
    let mut payload = vectors.octets("D9").to_vec();
    assert_eq!(ring(1).verify(&payload), None);
    payload[32..40].fill(0);
    assert!(ring(1).verify(&payload).is_some());
}
