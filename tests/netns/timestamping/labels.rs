//! SR-MPLS: M6 and M7 as they reach the node.

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::TimestampFormat;
use stamp_tests::netns::{Family, Trial, trials};

use super::{EVERYTHING, Stage, flow, labelled, open_probe, probe};

pub(super) fn trials() -> Vec<Trial> {
    use stamp_tests::netns::Need;
    trials![
        a_probe_with_the_timestamp_label_last_returns_by_its_address: [Need::IPV6],
        an_authenticated_probe_is_stamped_at_octet_32: [Need::IPV6],
        a_label_of_a_controller_has_its_own_place_and_format: [Need::IPV6],
        labels_below_the_timestamp_label_lead_back: [Need::IPV6],
        a_swap_and_a_push_lead_through_another_interface: [Need::IPV6],
    ]
}

const MPLS: u16 = 0x8847;

fn a_probe_with_the_timestamp_label_last_returns_by_its_address() {
    let mut stage = Stage::new(EVERYTHING);
    for (family, ether_type, hops_at) in [(Family::V4, 0x0800, 8), (Family::V6, 0x86dd, 7)] {
        let near = stage.net.near.address(family);
        for labels in [&[15, 240][..], &[16_011, 7, 100_000, 15, 240]] {
            let sent = open_probe();
            let packet = labelled(labels, &flow(near, near), &sent);
            let returned = stage.round_trip(MPLS, &packet);
            returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
            assert_eq!(returned.seen.ether_type, ether_type);
            assert_eq!(returned.seen.octets[hops_at], 254);
        }
    }
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    let told = stage.stop().stderr;
    assert!(told.contains("extended label 240: 4 with T2, 0 without"), "{told}");
    // Nothing was reflected and no session made, though the reflector is a stateful one.
    assert!(told.contains("  received                 0  "), "{told}");
    assert!(told.contains("  sessions                 0  of at most"), "{told}");
}

fn an_authenticated_probe_is_stamped_at_octet_32() {
    let mut stage = Stage::new(EVERYTHING);
    let near = stage.net.near.address(Family::V4);
    let sent = probe(AuthenticationMode::Authenticated);
    let packet = labelled(&[15, 241], &flow(near, near), &sent);
    stage.round_trip(MPLS, &packet).assert_stamped(32, TimestampFormat::Ptp, &sent);
    assert!(stage.unexpected().is_empty());
}

fn a_label_of_a_controller_has_its_own_place_and_format() {
    let mut stage = Stage::new(EVERYTHING);
    let near = stage.net.near.address(Family::V6);
    let sent = open_probe();
    let packet = labelled(&[15_001], &flow(near, near), &sent);
    stage.round_trip(MPLS, &packet).assert_stamped(20, TimestampFormat::Ntp, &sent);
    assert!(stage.unexpected().is_empty());
}

fn labels_below_the_timestamp_label_lead_back() {
    let mut stage = Stage::new(EVERYTHING);
    for family in [Family::V4, Family::V6] {
        let near = stage.net.near.address(family);
        let sent = open_probe();
        let packet = labelled(&[15, 240, 16_004, 16_001], &flow(near, near), &sent);
        let returned = stage.round_trip(MPLS, &packet);
        returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
        assert_eq!(returned.seen.labels(), [(16_001, 254)]);
    }
    assert!(stage.unexpected().is_empty());
}

fn a_swap_and_a_push_lead_through_another_interface() {
    let mut stage = Stage::new(EVERYTHING);
    let near = stage.net.near.address(Family::V4);
    for (labels, expected) in [
        (&[15, 240, 16_005, 16_001][..], &[(17_005, 254), (16_001, 255)][..]),
        (&[15, 240, 20_000], &[(16_004, 254), (16_001, 254)]),
    ] {
        let sent = open_probe();
        stage.send(MPLS, &labelled(labels, &flow(near, near), &sent));
        let seen = stage.far.wait_for(|seen| !seen.outgoing && seen.is_probe());
        assert_eq!(seen.labels(), expected);
        assert_ne!(seen.payload()[16..24], [0; 8]);
    }
    assert!(stage.unexpected().is_empty());
    assert!(stage.stop().stderr.contains("extended label 240: 2 with T2, 0 without"));
}
