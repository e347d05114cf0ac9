//! Questions about interfaces, routes and settings of a namespace.

use std::net::IpAddr;

use libtest_mimic::Trial;
use netlink_packet_route::route::RouteType;
use stamp_net::interface::{self, InterfaceAddress, InterfaceKind};
use stamp_net::route::{self, Route, RouteQuery};
use stamp_net::sysctl::{self, ReversePathFilter};
use stamp_net::{NetError, timestamping};

use crate::network::{Cable, Host, Routed};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        interfaces_are_told_with_their_addresses,
        an_interface_that_is_down_is_told_so,
        packets_of_an_interface_are_counted,
        every_address_of_a_host_is_its_own,
        a_route_is_told_with_source_and_next_hop,
        a_way_that_does_not_exist_is_no_route,
        a_link_local_way_needs_its_interface,
        settings_are_those_of_the_namespace,
        interfaces_of_the_namespace_can_stamp,
    ]
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn interfaces_are_told_with_their_addresses() {
    let cable = Cable::new();
    let interfaces = cable.near.run(interface::list).unwrap();
    let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["lo", "eth0"]);
    let eth0 = &interfaces[1];
    assert!(eth0.up && eth0.running && !eth0.loopback);
    assert_eq!((eth0.mtu, eth0.kind, eth0.master), (1500, InterfaceKind::Plain, None));
    for (address, prefix_length) in [("192.0.2.1", 24), ("2001:db8::1", 64), ("fe80::1", 64)] {
        let own = InterfaceAddress { address: ip(address), prefix_length, usable: true };
        assert!(eth0.addresses.contains(&own), "{own:?}: {:?}", eth0.addresses);
    }
}

fn an_interface_that_is_down_is_told_so() {
    let cable = Cable::new();
    cable.near.set_up("eth0", false);
    let near = cable.near.run(|| interface::by_name("eth0")).unwrap();
    assert!(!near.up && !near.running);
    let far = cable.far.run(|| interface::by_name("eth0")).unwrap();
    assert!(far.up, "the other end is still switched on");
}

fn packets_of_an_interface_are_counted() {
    let cable = Cable::new();
    let [near, far] = [&cable.near, &cable.far];
    let count = |host: &Host| host.run(|| interface::packets("eth0")).unwrap();
    let before = (count(near), count(far));
    let socket = near.run(|| std::net::UdpSocket::bind("192.0.2.1:0")).unwrap();
    for _ in 0..20 {
        socket.send_to(b"traffic", "192.0.2.2:9").unwrap();
    }
    let after = (count(near), count(far));
    assert!(after.0.transmitted >= before.0.transmitted + 20, "{before:?} {after:?}");
    assert!(after.1.received >= before.1.received + 20, "{before:?} {after:?}");
    let missing = near.run(|| interface::packets("eth9"));
    assert!(matches!(missing, Err(NetError::NoSuchInterface { .. })), "{missing:?}");
}

fn every_address_of_a_host_is_its_own() {
    let cable = Cable::new();
    let own = cable.near.run(interface::local_addresses).unwrap();
    for address in ["127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "fe80::1"] {
        assert!(own.contains(&ip(address)), "{address}: {own:?}");
    }
    assert!(!own.contains(&ip("192.0.2.2")));
}

fn a_route_is_told_with_source_and_next_hop() {
    let routed = Routed::new();
    let eth0 = routed.near.index("eth0");
    let lookup = |to| routed.near.run(|| route::lookup(&RouteQuery::to(to))).unwrap();
    for ((far, router), source) in
        Routed::FAR.into_iter().zip(Routed::ROUTER).zip(["192.0.2.1", "2001:db8::1"])
    {
        let source = Some(ip(source));
        let on_link = Route { source, interface: eth0, gateway: None, mtu: 1500, local: false };
        assert_eq!(lookup(router), on_link);
        assert_eq!(lookup(far), Route { gateway: Some(router), ..on_link });
    }
    for own in ["192.0.2.1", "2001:db8::1"] {
        let route = lookup(ip(own));
        assert!(route.local, "{own}: {route:?}");
    }
    routed.near.add_address("eth0", "192.0.2.99/24");
    let from = RouteQuery { from: Some(ip("192.0.2.99")), ..RouteQuery::to(Routed::FAR[0]) };
    let route = routed.near.run(|| route::lookup(&from)).unwrap();
    assert_eq!(route.gateway, Some(Routed::ROUTER[0]));
}

fn a_way_that_does_not_exist_is_no_route() {
    let host = Host::new();
    let missing = ["203.0.113.1", "2001:db8:ff::1"];
    for to in missing {
        let refused = host.run(|| route::lookup(&RouteQuery::to(ip(to))));
        assert!(matches!(refused, Err(NetError::NoRoute { to: named }) if named == ip(to)));
    }
    for kind in [RouteType::Unreachable, RouteType::Prohibit, RouteType::BlackHole] {
        let host = Host::new();
        host.forbid("203.0.113.0/24", kind);
        host.forbid("2001:db8:ff::/48", kind);
        for to in missing {
            let refused = host.run(|| route::lookup(&RouteQuery::to(ip(to))));
            assert!(matches!(refused, Err(NetError::NoRoute { .. })), "{kind:?} {refused:?}");
        }
    }
}

fn a_link_local_way_needs_its_interface() {
    let cable = Cable::new();
    let eth0 = cable.near.index("eth0");
    let query = RouteQuery { interface: Some(eth0), ..RouteQuery::to(ip("fe80::2")) };
    let route = cable.near.run(|| route::lookup(&query)).unwrap();
    assert_eq!(route.interface, eth0);
    // The interface also has the link-local address that the kernel gave it.
    let own = cable.near.run(|| interface::by_name("eth0")).unwrap();
    assert!(own.addresses.iter().any(|own| Some(own.address) == route.source));
    assert!(matches!(route.source, Some(IpAddr::V6(source)) if source.is_unicast_link_local()));
}

fn settings_are_those_of_the_namespace() {
    let cable = Cable::new();
    for (own, all, expected) in [
        ("0", "0", ReversePathFilter::Off),
        ("1", "0", ReversePathFilter::Strict),
        ("0", "1", ReversePathFilter::Strict),
        ("1", "2", ReversePathFilter::Loose),
    ] {
        cable.near.set_sysctl("net/ipv4/conf/eth0/rp_filter", own);
        cable.near.set_sysctl("net/ipv4/conf/all/rp_filter", all);
        let filter = cable.near.run(|| sysctl::reverse_path_filter("eth0")).unwrap();
        assert_eq!(filter, expected, "{own} {all}");
    }
    cable.near.set_sysctl("net/ipv4/ip_unprivileged_port_start", "80");
    assert_eq!(cable.near.run(sysctl::first_unprivileged_port), 80);
    assert_eq!(cable.far.run(sysctl::first_unprivileged_port), 1024);
}

fn interfaces_of_the_namespace_can_stamp() {
    let cable = Cable::new();
    let eth0 = cable.near.run(|| timestamping::capabilities("eth0")).unwrap();
    assert!(eth0.software_receive && eth0.software_transmit && !eth0.hardware_receive);
    let configuration = cable.near.run(|| timestamping::hardware_configuration("eth0")).unwrap();
    assert_eq!(configuration, None);
}
