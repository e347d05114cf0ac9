//! SR-MPLS.

use std::net::IpAddr;

use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_proto::sr::protocol::EtherType;

use super::kit::*;
use crate::forwarding::*;

const PROBE: [u8; 44] = [0x11; 44];

fn home() -> NextHop {
    NextHop::Destination(IpAddr::from([192, 0, 2, 1]))
}

#[test]
fn a_timestamp_label_at_the_bottom_leaves_the_ip_packet() {
    let left = mpls(&labelled(&[15, 240], &v4(), &PROBE)).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!((left.ether_type, left.next_hop), (EtherType::IPV4, home()));
    assert_eq!(left.octets[8], 254);
    let left = mpls(&labelled(&[15, 240], &v6(), &PROBE)).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!((left.ether_type, left.octets[7]), (EtherType::IPV6, 254));
}

#[test]
fn an_authenticated_probe_is_stamped_at_its_own_offset() {
    let probe = [0x22; 112];
    mpls(&labelled(&[15, 241], &v4(), &probe)).unwrap().assert_stamped_at(32, &probe);
}

#[test]
fn a_label_of_a_controller_has_the_offset_it_was_given() {
    mpls(&labelled(&[15_001], &v4(), &PROBE)).unwrap().assert_stamped_at(20, &PROBE);
}

#[test]
fn what_is_below_the_timestamp_label_leads_on() {
    let left = mpls(&labelled(&[15, 240, 16_004, 16_001], &v4(), &PROBE)).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.labels(), [(16_001, 254, true)]);
    assert_eq!(left.next_hop, NextHop::Adjacency(AdjacencyId(0)));
    let left = mpls(&labelled(&[15, 240, 16_005, 16_001], &v4(), &PROBE)).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.labels(), [(17_005, 254, false), (16_001, 255, true)]);
    assert_eq!(left.next_hop, NextHop::Adjacency(AdjacencyId(1)));
}

#[test]
fn a_binding_label_becomes_the_labels_of_its_policy() {
    let left = mpls(&labelled(&[15, 240, 20_000], &v4(), &PROBE)).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.labels(), [(16_004, 254, false), (16_001, 254, true)]);
    assert_eq!(left.next_hop, NextHop::Adjacency(AdjacencyId(2)));
}

#[test]
fn own_labels_explicit_nulls_and_entropy_labels_are_popped_first() {
    for labels in [
        &[16_011, 15, 240][..],
        &[0, 15, 240],
        &[2, 15, 240],
        &[16_011, 7, 100_000, 15, 240],
        &[16_011, 15, 240, 0],
        &[15, 240, 16_011],
    ] {
        let left = mpls(&labelled(labels, &v4(), &PROBE)).unwrap();
        left.assert_stamped_at(16, &PROBE);
        assert_eq!(left.next_hop, home(), "{labels:?}");
    }
    // By penultimate hop popping the indicator itself comes on top.
    let mut packet = labelled(&[16_011, 7, 100_000, 15, 240], &v4(), &PROBE);
    packet.drain(..4);
    mpls(&packet).unwrap().assert_stamped_at(16, &PROBE);
}

#[test]
fn without_a_timestamp_label_a_packet_is_only_switched() {
    let packet = labelled(&[16_005, 16_001], &v4(), &PROBE);
    let left = mpls(&packet).unwrap();
    assert_eq!((left.payload(), left.handling), (&PROBE[..], Handling::Switched));
    let left = mpls(&labelled(&[16_004], &v4(), &PROBE)).unwrap();
    assert_eq!((left.ether_type, left.octets[8]), (EtherType::IPV4, 254));
}

#[test]
fn a_checksum_that_was_left_to_a_card_is_finished() {
    for (labels, stamped) in [(&[15, 240][..], true), (&[16_005, 16_001], false)] {
        let mut packet = labelled(labels, &v6(), &PROBE);
        let place = find_udp(Outermost::Mpls, &packet).unwrap();
        let mut sum = place.addresses.pseudo_header(stamp_proto::sr::protocol::Protocol::UDP);
        sum.add_word(52);
        packet[place.udp + 6..place.udp + 8].copy_from_slice(&sum.fold().to_be_bytes());
        let unfinished = Arrival { checksum_ready: false, ..arrival() };
        let left = handle(&mut node(), &unfinished, EtherType::MPLS, &packet).unwrap();
        assert_eq!(left.checksum(), UdpChecksum::Right);
        assert_eq!(left.handling == Handling::Stamped, stamped);
    }
}

#[test]
fn a_packet_without_a_checksum_gets_none() {
    let mut packet = labelled(&[15, 240], &v4(), &PROBE);
    let place = find_udp(Outermost::Mpls, &packet).unwrap();
    packet[place.udp + 6..place.udp + 8].fill(0);
    assert_eq!(mpls(&packet).unwrap().checksum(), UdpChecksum::Absent);
}

#[test]
fn what_is_no_test_packet_goes_on_as_it_came() {
    let whole = labelled(&[15, 240], &v4(), &PROBE);
    let mut fragment = whole.clone();
    change_ipv4(&mut fragment[8..], 6, 0x20);
    let mut other = whole.clone();
    change_ipv4(&mut other[8..], 9, 6);
    let mut cut = whole.clone();
    cut[8 + 24..8 + 26].copy_from_slice(&2_000_u16.to_be_bytes());
    for (packet, reason) in [
        (fragment, UnstampedReason::Fragment),
        (other, UnstampedReason::NotUdp),
        (cut, UnstampedReason::Unreadable),
        (labelled(&[15, 240], &v4(), &PROBE[..23]), UnstampedReason::TooShort),
    ] {
        let mut node = node();
        let left = handle(&mut node, &arrival(), EtherType::MPLS, &packet).unwrap();
        assert_eq!(left.handling, Handling::Unstamped(reason));
        // But for TTL and header checksum.
        assert_eq!(left.octets[12..], packet[8 + 12..], "{reason}");
        let counters = node.snapshot();
        assert_eq!((counters.unstamped(reason), counters.rules[0].unstamped), (1, 1));
        assert_eq!(counters.stamped(), 0);
    }
}

/// Changes an octet of an IPv4 header and its checksum with it.
fn change_ipv4(header: &mut [u8], at: usize, value: u8) {
    header[at] = value;
    header[10..12].fill(0);
    let sum = stamp_proto::sr::checksum::checksum(&header[..20]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn a_foreign_port_is_left_alone_where_ports_are_named() {
    for (ports, handling) in [
        (vec![862], Handling::Unstamped(UnstampedReason::ForeignPort)),
        (vec![862, 49_300], Handling::Stamped),
    ] {
        let mut config = config();
        config.timestamps[0].ports = ports;
        let mut node = Forwarder::new(config).unwrap();
        let packet = labelled(&[15, 240], &v4(), &PROBE);
        let left = handle(&mut node, &arrival(), EtherType::MPLS, &packet).unwrap();
        assert_eq!(left.handling, handling);
    }
}

#[test]
fn each_reason_to_drop_is_counted_under_its_own_name() {
    let stacked = |labels: &[u32]| labelled(labels, &v4(), &PROBE);
    let mut reserved = stacked(&[15, 240]);
    reserved[4..8].copy_from_slice(&[0, 0, 0x71, 255]);
    let mut no_ttl = stacked(&[15, 240]);
    no_ttl[7] = 0;
    let mut last_hop = stacked(&[16_005, 16_001]);
    last_hop[3] = 1;
    let mut exposed = stacked(&[16_004, 16_001]);
    exposed[7] = 1;
    let mut ip = stacked(&[15, 240]);
    change_ipv4(&mut ip[8..], 8, 1);
    let mut wrong = stacked(&[15, 240]);
    wrong[8 + 10] ^= 1;
    for (packet, reason) in [
        (stacked(&[16_999]), DropReason::UnknownLabel),
        (stacked(&[15, 250]), DropReason::UnknownExtendedLabel),
        (reserved, DropReason::ReservedLabel),
        (stacked(&[1, 16_011]), DropReason::ReservedLabel),
        (stacked(&[15, 240, 15, 241]), DropReason::SecondTimestamp),
        (stacked(&[15, 240])[..6].to_vec(), DropReason::Malformed),
        (stacked(&[15, 240])[..8].to_vec(), DropReason::Malformed),
        (wrong, DropReason::Malformed),
        (no_ttl, DropReason::HopLimit),
        (last_hop, DropReason::HopLimit),
        (exposed, DropReason::HopLimit),
        (ip, DropReason::HopLimit),
        (labelled(&[15, 240], &flow("192.0.2.1", "127.0.0.1"), &PROBE), DropReason::Destination),
        (labelled(&[15, 240], &flow("192.0.2.1", "224.0.0.5"), &PROBE), DropReason::Destination),
    ] {
        let mut node = node();
        let left = handle(&mut node, &arrival(), EtherType::MPLS, &packet);
        assert_eq!(left.unwrap_err(), Some(reason));
        assert_eq!(node.snapshot().dropped(reason), 1);
    }
}

#[test]
fn circumstances_too_are_reasons() {
    let packet = labelled(&[15, 240], &v4(), &PROBE);
    let mut tcp = packet.clone();
    change_ipv4(&mut tcp[8..], 9, 6);
    for (arrival, packet, reason) in [
        (Arrival { interface: 8, ..arrival() }, &packet, DropReason::Interface),
        (Arrival { truncated: true, ..arrival() }, &packet, DropReason::Truncated),
        (Arrival { checksum_ready: false, ..arrival() }, &tcp, DropReason::UnfinishedChecksum),
    ] {
        let left = handle(&mut node(), &arrival, EtherType::MPLS, packet);
        assert_eq!(left.unwrap_err(), Some(reason));
    }
}

#[test]
fn more_than_the_limit_is_dropped() {
    let mut config = config();
    config.timestamps[0].rate_limit = Some(10);
    let mut node = Forwarder::new(config).unwrap();
    let packet = labelled(&[15, 240], &v4(), &PROBE);
    for _ in 0..100 {
        let _ = handle(&mut node, &arrival(), EtherType::MPLS, &packet);
    }
    let counters = node.snapshot();
    assert_eq!(counters.stamped() + counters.dropped(DropReason::RateLimited), 100);
    assert!(counters.stamped() <= 2);
}

#[test]
fn counters_outlive_a_reload_with_their_label() {
    let mut node = node();
    let packet = labelled(&[15, 241], &v4(), &[0; 112]);
    handle(&mut node, &arrival(), EtherType::MPLS, &packet).unwrap();
    let mut changed = config();
    changed.timestamps.remove(0);
    node.replace_config(changed.clone()).unwrap();
    assert_eq!(node.snapshot().rules[0].stamped, 1);
    changed.timestamps.push(changed.timestamps[0].clone());
    assert!(node.replace_config(changed).is_err());
    assert_eq!(node.snapshot().rules[0].stamped, 1);
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused() {
    let with = |change: &dyn Fn(&mut ForwardingConfig)| {
        let mut changed = config();
        change(&mut changed);
        Forwarder::new(changed).unwrap_err()
    };
    assert_eq!(
        with(&|config| config.timestamps[2].trigger = Trigger::Label(label(14))),
        ForwardingConfigError::SpecialLabel { label: label(14) }
    );
    assert_eq!(
        with(&|config| config.labels[0].label = label(15_001)),
        ForwardingConfigError::Twice { trigger: Trigger::Label(label(15_001)) }
    );
    assert_eq!(
        with(&|config| config.labels[0].action = Action::Replace(vec![], AdjacencyId(0))),
        ForwardingConfigError::NoLabels { label: label(16_011) }
    );
}
