//! Ways out of a host: next hops that are known, unknown, silent, and others than before.

use std::net::IpAddr;

use libtest_mimic::Trial;
use netlink_packet_route::route::RouteType;
use stamp_net::egress::{Changes, Egress, EgressQuery, Resolution, RouteWatch};
use stamp_net::interface::{LinkLayer, MacAddress};
use stamp_net::{Addressee, EtherType, FrameFilter, FrameOptions, NetError, Poller, clock};

use crate::network::{Cable, Host, Routed};
use crate::packets::{labels, mac, open, send, sending};
use crate::traffic::{PATIENCE_NS, SENT};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_router_is_the_next_hop_of_what_is_behind_it,
        a_neighbour_is_found_without_any_right,
        a_next_hop_that_is_given_needs_no_route,
        a_silent_neighbour_is_told_and_asked_again,
        a_neighbour_with_another_address_is_found_again,
        a_way_that_changes_is_told,
        a_way_that_does_not_exist_is_no_route,
    ]
}

const ON_LINK: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn find(host: &Host, query: &EgressQuery<'_>) -> Egress {
    host.run(|| Egress::find(query)).unwrap()
}

/// Waits for news until `enough` says so.
#[track_caller]
fn watch_until(watch: &mut RouteWatch, mut enough: impl FnMut(&Changes) -> bool) {
    let mut poller = Poller::new().unwrap();
    poller.add(watch, 0).unwrap();
    let deadline = clock::monotonic_ns() + PATIENCE_NS;
    while !enough(&watch.changes().unwrap()) {
        assert!(!poller.wait(Some(deadline)).unwrap().timer(), "nothing was told");
    }
}

/// Looks again at each change of the neighbour until it has the state `wanted`.
#[track_caller]
fn resolve_until(host: &Host, watch: &mut RouteWatch, egress: &mut Egress, wanted: Resolution) {
    if egress.resolution == wanted {
        return;
    }
    watch_until(watch, |changes| {
        changes.concern_neighbour(egress) && host.run(|| egress.resolve()).unwrap() == wanted
    });
}

fn a_router_is_the_next_hop_of_what_is_behind_it() {
    let routed = Routed::new();
    let mut watch = routed.near.run(RouteWatch::open).unwrap();
    for ((to, router), source) in
        Routed::FAR.into_iter().zip(Routed::ROUTER).zip(["192.0.2.1", "2001:db8::1"])
    {
        let mut egress = find(&routed.near, &EgressQuery::to(to));
        assert_eq!((egress.next_hop, egress.source), (router, Some(ip(source))));
        assert_eq!((egress.name.as_str(), egress.mtu), ("eth0", 1500));
        assert_eq!(egress.interface, routed.near.index("eth0"));
        let own = LinkLayer::Ethernet { address: mac(&routed.near, "eth0") };
        assert_eq!(egress.link_layer, own);
        let ready = Resolution::Ready(mac(&routed.router, "eth0"));
        resolve_until(&routed.near, &mut watch, &mut egress, ready);
    }
}

fn a_neighbour_is_found_without_any_right() {
    let cable = Cable::new();
    let mut watch = cable.near.run(RouteWatch::open).unwrap();
    for to in ON_LINK {
        let found = cable.near.run(|| {
            caps::clear(None, caps::CapSet::Effective).unwrap();
            Egress::find(&EgressQuery::to(ip(to)))
        });
        let mut egress = found.unwrap();
        let ready = Resolution::Ready(mac(&cable.far, "eth0"));
        resolve_until(&cable.near, &mut watch, &mut egress, ready);
        // Known from the beginning now.
        assert_eq!(find(&cable.near, &EgressQuery::to(ip(to))), egress);
    }
}

fn a_next_hop_that_is_given_needs_no_route() {
    let cable = Cable::new();
    cable.far.add_address("eth0", "203.0.113.1/24");
    let mut watch = cable.near.run(RouteWatch::open).unwrap();
    for next_hop in ["203.0.113.1", "2001:db8::2", "fe80::2"] {
        let query =
            EgressQuery { to: ip("198.51.100.7"), ..EgressQuery::via("eth0", ip(next_hop)) };
        let mut egress = find(&cable.near, &query);
        assert_eq!((egress.next_hop, egress.name.as_str()), (ip(next_hop), "eth0"));
        let ready = Resolution::Ready(mac(&cable.far, "eth0"));
        resolve_until(&cable.near, &mut watch, &mut egress, ready);
    }
    // The kernel asks for no IPv6 neighbour that its routes do not put on the link.
    let query = EgressQuery::via("eth0", ip("2001:db8:ff::1"));
    assert_eq!(find(&cable.near, &query).resolution, Resolution::Failed);
    // With an interface alone the table is asked for a way through it.
    let query = EgressQuery { interface: Some("eth0"), ..EgressQuery::to(ip("192.0.2.2")) };
    assert_eq!(find(&cable.near, &query).next_hop, ip("192.0.2.2"));
}

fn a_silent_neighbour_is_told_and_asked_again() {
    let cable = Cable::new();
    for family in ["ipv4", "ipv6"] {
        // One question, ten milliseconds for the answer.
        cable.near.set_sysctl(&format!("net/{family}/neigh/eth0/mcast_solicit"), "1");
        cable.near.set_sysctl(&format!("net/{family}/neigh/eth0/retrans_time_ms"), "10");
    }
    for (silent, bits) in [("192.0.2.77", 24), ("2001:db8::77", 64)] {
        let mut watch = cable.near.run(RouteWatch::open).unwrap();
        let mut egress = find(&cable.near, &EgressQuery::to(ip(silent)));
        assert_eq!(egress.resolution, Resolution::Resolving);
        assert_eq!(egress.link_header(EtherType::MPLS), None);
        resolve_until(&cable.near, &mut watch, &mut egress, Resolution::Failed);
        assert_eq!(egress.link_header(EtherType::MPLS), None);
        // It comes to life, and is found by looking on at each change.
        cable.far.add_address("eth0", &format!("{silent}/{bits}"));
        let ready = Resolution::Ready(mac(&cable.far, "eth0"));
        cable.near.run(|| egress.resolve()).unwrap();
        resolve_until(&cable.near, &mut watch, &mut egress, ready);
    }
}

fn a_neighbour_with_another_address_is_found_again() {
    let cable = Cable::new();
    cable.far.set_sysctl("net/ipv4/conf/eth0/arp_notify", "1");
    cable.far.set_sysctl("net/ipv6/conf/eth0/ndisc_notify", "1");
    let mut watch = cable.near.run(RouteWatch::open).unwrap();
    let mut ways: Vec<_> =
        ON_LINK.iter().map(|to| find(&cable.near, &EgressQuery::to(ip(to)))).collect();
    let before = Resolution::Ready(mac(&cable.far, "eth0"));
    for egress in &mut ways {
        resolve_until(&cable.near, &mut watch, egress, before);
    }
    let other = MacAddress([2, 0, 0, 0, 0, 0x77]);
    cable.far.set_mac("eth0", other);
    let near = sending(&cable.near, "eth0");
    let filter = FrameFilter::nothing().and_type(EtherType::MPLS);
    let mut far = open(&cable.far, &FrameOptions::new("eth0", filter));
    let mut seen = [false; 2];
    watch_until(&mut watch, |changes| {
        for (egress, seen) in ways.iter_mut().zip(&mut seen) {
            if changes.concern_neighbour(egress) {
                cable.near.run(|| egress.resolve()).unwrap();
            }
            *seen = egress.resolution == Resolution::Ready(other);
        }
        seen == [true; 2]
    });
    for egress in &ways {
        let header = egress.link_header(EtherType::MPLS).unwrap();
        let frame = [header.octets(), &labels(&[16_001], &[0x45; 60])].concat();
        assert_eq!(send(&near, std::slice::from_ref(&frame)), [SENT]);
        let arrived = far.receive().unwrap();
        assert_eq!((arrived.octets, arrived.addressee), (&frame[..], Addressee::Us));
    }
}

fn a_way_that_changes_is_told() {
    let routed = Routed::new();
    let mut watch = routed.near.run(RouteWatch::open).unwrap();
    let find = || routed.near.run(|| Egress::find(&EgressQuery::to(Routed::FAR[0]))).unwrap();
    let egress = find();
    watch.changes().unwrap();
    assert!(watch.changes().unwrap().is_empty());
    routed.near.add_route("198.51.100.0/24", "192.0.2.99");
    watch_until(&mut watch, |changes| changes.routes && changes.concern_way(&egress));
    assert_eq!(find().next_hop, ip("192.0.2.99"));
    routed.near.set_mtu("eth0", 1400);
    watch_until(&mut watch, |changes| changes.concern_way(&egress));
    assert_eq!(find().mtu, 1400);
}

fn a_way_that_does_not_exist_is_no_route() {
    let cable = Cable::new();
    let to = ip("203.0.113.1");
    let refused = cable.near.run(|| Egress::find(&EgressQuery::to(to)));
    assert!(matches!(refused, Err(NetError::NoRoute { to: named }) if named == to));
    cable.near.forbid("203.0.113.0/24", RouteType::Unreachable);
    let refused = cable.near.run(|| Egress::find(&EgressQuery::to(to)));
    assert!(matches!(refused, Err(NetError::NoRoute { .. })), "{refused:?}");
}
