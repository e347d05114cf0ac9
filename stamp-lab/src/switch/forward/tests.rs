use proptest::prelude::*;
use stamp_path::Topology;

use super::*;
use crate::plan::Plan;

const TRIANGLE: &str = r#"
[[node]]
name = "a"
loopbacks = ["192.0.2.1"]
index = 1
timestamp-label = { label = 15001 }
[[node]]
name = "b"
loopbacks = ["192.0.2.2"]
index = 2
[[node]]
name = "c"
loopbacks = ["192.0.2.3"]
index = 3
php = false
[[link]]
ends = ["a", "b"]
adjacency = [24012, 24021]
[[link]]
ends = ["a", "c"]
[[tunnel]]
from = "a"
to = "c"
via = ["a-b"]
label = 15100
"#;

fn table() -> LabelTable {
    let topology = Topology::read("t", TRIANGLE).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = Plan::of(&topology).unwrap();
    LabelTable::of(&topology, &plan, topology.node_id("a").unwrap())
}

fn ipv4() -> Vec<u8> {
    let mut packet = vec![0; 28];
    packet[0] = 0x45;
    packet[8] = 64;
    // A header of 0x45, TTL 64 and nothing else sums up to 0x8500.
    packet[10..12].copy_from_slice(&(!0x8500_u16).to_be_bytes());
    packet
}

fn ipv6() -> Vec<u8> {
    let mut packet = vec![0; 48];
    packet[0] = 0x60;
    packet[7] = 64;
    packet
}

fn entry_of(label: u32, ttl: u8) -> LabelStackEntry {
    LabelStackEntry { ttl, ..LabelStackEntry::new(Label::new(label).unwrap()) }
}

fn frame(labels: &[(u32, u8)], payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xee; ETHERNET_OCTETS];
    let entry = |(label, ttl): &(u32, u8)| entry_of(*label, *ttl);
    let entries: Vec<LabelStackEntry> = labels.iter().map(entry).collect();
    entry::emit(&entries, &mut octets);
    octets.extend(payload);
    octets
}

/// EtherType, labels with TTL, and payload of a frame.
type Seen = (EtherType, Vec<(u32, u8)>, Vec<u8>);

fn seen(octets: &[u8]) -> Seen {
    let ether_type = EtherType(u16::from_be_bytes([octets[12], octets[13]]));
    let rest = &octets[ETHERNET_OCTETS..];
    let (stack, payload) = if ether_type == EtherType::MPLS {
        entry::parse(rest).unwrap()
    } else {
        (Vec::new(), rest)
    };
    let labels = stack.iter().map(|entry| (entry.label.value(), entry.ttl)).collect();
    (ether_type, labels, payload.to_vec())
}

fn sent(labels: &[(u32, u8)], payload: &[u8]) -> Result<(u32, Seen), Refusal> {
    let onward = forward(&table(), &frame(labels, payload))?;
    Ok((onward.interface, seen(&onward.octets)))
}

/// Interfaces of node a: towards b, towards c.
const TO_B: u32 = 1004;
const TO_C: u32 = 1008;

#[test]
fn a_label_for_a_neighbour_is_popped_and_the_packet_sent_as_ip() {
    let (interface, (ether_type, labels, packet)) = sent(&[(16002, 60)], &ipv6()).unwrap();
    assert_eq!((interface, ether_type, labels, packet[7]), (TO_B, EtherType::IPV6, vec![], 59));
}

#[test]
fn the_checksum_follows_the_ttl() {
    let (_, (ether_type, _, packet)) = sent(&[(16002, 60)], &ipv4()).unwrap();
    assert_eq!((ether_type, packet[8]), (EtherType::IPV4, 59));
    let words =
        packet[..20].chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
}

#[test]
fn a_packet_with_fewer_hops_left_than_its_label_keeps_them() {
    let (_, (_, _, packet)) = sent(&[(16002, 255)], &ipv6()).unwrap();
    assert_eq!(packet[7], 64);
    let (_, (_, labels, _)) = sent(&[(16002, 9), (77, 255), (78, 255)], &ipv6()).unwrap();
    assert_eq!(labels, [(77, 8), (78, 255)]);
}

#[test]
fn where_the_neighbour_wants_its_label_it_is_swapped() {
    let (interface, (_, labels, _)) = sent(&[(16003, 64)], &ipv4()).unwrap();
    assert_eq!((interface, labels), (TO_C, vec![(16003, 63)]));
}

#[test]
fn the_last_label_of_our_own_leads_into_the_kernel() {
    for labels in [&[(16001, 64)][..], &[(0, 64)], &[(2, 64)], &[(16001, 64), (0, 1)]] {
        let (interface, (ether_type, labels, _)) = sent(labels, &ipv4()).unwrap();
        assert_eq!((interface, ether_type, labels), (INLET_PEER.1, EtherType::IPV4, vec![]));
    }
}

#[test]
fn labels_of_our_own_are_read_one_after_the_other() {
    let (interface, (_, labels, _)) = sent(&[(16001, 64), (24012, 64), (99, 7)], &[]).unwrap();
    assert_eq!((interface, labels), (TO_B, vec![(99, 7)]));
}

#[test]
fn an_entropy_label_goes_with_its_indicator() {
    let labels = [(16001, 64), (7, 64), (12345, 0), (24012, 64), (99, 7)];
    let (interface, (_, labels, _)) = sent(&labels, &[]).unwrap();
    assert_eq!((interface, labels), (TO_B, vec![(99, 7)]));
}

#[test]
fn a_binding_label_makes_room_for_what_it_stands_for() {
    let (interface, (_, labels, _)) = sent(&[(15100, 64), (99, 7)], &[]).unwrap();
    assert_eq!((interface, labels), (TO_B, vec![(16003, 63), (99, 7)]));
}

#[test]
fn labels_that_ask_for_a_timestamp_are_left_to_whoever_writes_it() {
    for top in [15, 15001] {
        assert_eq!(sent(&[(top, 64), (240, 64)], &ipv4()), Err(Refusal::Left));
        let (interface, (_, labels, _)) =
            sent(&[(16001, 64), (top, 64), (240, 64)], &ipv4()).unwrap();
        assert_eq!((interface, labels), (INLET_PEER.1, vec![(top, 63), (240, 64)]));
    }
}

#[test]
fn what_leads_nowhere_is_told_apart() {
    assert_eq!(sent(&[(17, 64)], &ipv4()), Err(Refusal::Unknown));
    assert_eq!(sent(&[(16002, 1)], &ipv4()), Err(Refusal::Expired));
    assert_eq!(sent(&[(16002, 0)], &ipv4()), Err(Refusal::Expired));
    assert_eq!(sent(&[(16002, 64)], &[0x50]), Err(Refusal::Malformed));
    assert_eq!(forward(&table(), &[0; 17]), Err(Refusal::Malformed));
}

#[test]
fn what_a_binding_label_stands_for_is_shared_by_weight() {
    let bound =
        [3, 1].map(|weight| Bound { labels: vec![Label::new(weight + 16).unwrap()], weight });
    let first = (16..4_016_u32).filter(|entropy| {
        let stack = [entry_of(15100, 64), entry_of(7, 64), entry_of(*entropy, 64)];
        share(&bound, &stack, &ipv4()).unwrap().weight == 3
    });
    let share_of_first = first.count();
    assert!((2_900..3_100).contains(&share_of_first), "{share_of_first} of 4000");
    assert!(share(&[], &[entry_of(15100, 64)], &ipv4()).is_none());
}

#[test]
fn entropy_spreads_over_equal_ways_and_one_flow_stays_together() {
    let hop = |interface| LabelHop { label: None, interface, source: [0; 6], destination: [0; 6] };
    let hops = [hop(1), hop(2)];
    let entry = |label| entry_of(label, 64);
    let way = |entropy, payload: &[u8]| {
        choose(&hops, &[entry(16003), entry(7), entry(entropy)], payload).unwrap().interface
    };
    let first = (1000..1100).filter(|entropy| way(*entropy, &ipv4()) == 1).count();
    assert!((30..70).contains(&first), "{first} of 100");
    assert!((1000..1100).all(|entropy| way(entropy, &ipv4()) == way(entropy, &ipv6())));
}

proptest! {
    #[test]
    fn no_frame_makes_a_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _either = forward(&table(), &octets);
    }

    #[test]
    fn no_stack_makes_a_panic(
        labels in prop::collection::vec((prop::sample::select(vec![0, 7, 15, 16001, 16002, 24012, 15100]), any::<u8>()), 1..12),
        payload in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let _either = forward(&table(), &frame(&labels, &payload));
    }
}
