//! What routers and hosts say about our datagrams.

use std::net::{IpAddr, SocketAddr};

use libtest_mimic::Trial;
use netlink_packet_route::route::RouteType;
use stamp_net::route::{self, RouteQuery};
use stamp_net::{
    IcmpError, IcmpKind, SendFailure, SendOutcome, SocketEvent, SocketOptions, UdpSocket,
};
use stamp_proto::ip::HopLimit;

use crate::network::{Cable, Routed};
use crate::traffic::{SENT, event, open, open_with, receive, send, wildcard};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_closed_port_behind_a_router_is_told_by_its_host,
        a_hop_limit_too_small_is_told_by_the_router,
        a_smaller_link_on_the_path_is_told_with_what_fits,
        what_fits_the_path_arrives,
        a_host_that_is_not_there_is_told_by_its_router,
        a_filter_on_the_path_is_told_by_the_router,
        a_missing_neighbour_means_that_nothing_left,
    ]
}

/// Long enough to be recognised; the sequence number comes first in every probe.
const PROBE: [u8; 44] = *b"SEQN and forty octets of a probe that is 44.";

#[track_caller]
fn icmp<T>(socket: &UdpSocket, look: impl FnOnce(IcmpError<'_>) -> T) -> T {
    event(socket, |event| match event {
        SocketEvent::Icmp(error) => look(error),
        other => panic!("{other:?}"),
    })
}

/// Sends a probe from `near` to each family's `to` and looks at the error that comes back.
fn expect(
    routed: &Routed,
    to: [IpAddr; 2],
    hop_limit: HopLimit,
    kind: IcmpKind,
    offender: [IpAddr; 2],
) {
    for (to, offender) in to.into_iter().zip(offender) {
        let to = SocketAddr::new(to, 8620);
        let options = SocketOptions { hop_limit, ..SocketOptions::new(wildcard(to)) };
        let near = open_with(&routed.near, &options);
        assert_eq!(send(&near, &PROBE, to), SENT);
        icmp(&near, |error| {
            assert_eq!((error.kind, error.to), (kind, to));
            assert_eq!(error.offender, Some(offender));
            assert_eq!(error.payload, PROBE);
            assert!(!error.from_self && !error.is_no_neighbour());
        });
    }
}

fn a_closed_port_behind_a_router_is_told_by_its_host() {
    let kind = IcmpKind::PortUnreachable;
    expect(&Routed::new(), Routed::FAR, HopLimit::MAX, kind, Routed::FAR);
}

fn a_hop_limit_too_small_is_told_by_the_router() {
    let kind = IcmpKind::TimeExceeded;
    expect(&Routed::new(), Routed::FAR, HopLimit(1), kind, Routed::ROUTER);
}

fn a_smaller_link_on_the_path_is_told_with_what_fits() {
    let routed = Routed::new();
    for ((far, router), fits) in Routed::FAR.into_iter().zip(Routed::ROUTER).zip([1372, 1352]) {
        let to = SocketAddr::new(far, 8620);
        let near = open_with(&routed.near, &SocketOptions::new(wildcard(to)));
        let send = |octets| routed.near.run(|| send(&near, &vec![7; octets], to));
        assert_eq!(send(fits + 1), SENT, "the first one tries");
        icmp(&near, |error| {
            assert_eq!((error.kind, error.to), (IcmpKind::PacketTooBig, to));
            assert_eq!(error.offender, Some(router));
            assert_eq!((error.mtu, error.largest_payload), (Some(Routed::MTU), Some(fits)));
            assert!(!error.from_self && error.payload.starts_with(&[7; 4]));
        });
        let too_big = SendFailure::TooBig { mtu: Some(Routed::MTU), largest_payload: Some(fits) };
        assert_eq!(send(fits + 1), SendOutcome::Failed(too_big), "the next one knows");
        assert_eq!(routed.near.run(|| near.path_mtu(to)).unwrap(), Routed::MTU);
        let route = routed.near.run(|| route::lookup(&RouteQuery::to(far))).unwrap();
        assert_eq!((route.mtu, route.gateway), (Routed::MTU, Some(router)));
    }
}

fn what_fits_the_path_arrives() {
    let routed = Routed::new();
    for (far, fits) in Routed::FAR.into_iter().zip([1372, 1352]) {
        let to = SocketAddr::new(far, 8620);
        let near = open_with(&routed.near, &SocketOptions::new(wildcard(to)));
        let far = open_with(&routed.far, &SocketOptions::new(to));
        assert_eq!(send(&near, &vec![7; fits], to), SENT);
        assert_eq!(receive(&far, |probe| probe.octets.len()), fits);
    }
}

fn a_host_that_is_not_there_is_told_by_its_router() {
    let routed = Routed::new();
    for (prefix, to) in [("203.0.113.0/24", "203.0.113.1"), ("2001:db8:ff::/48", "2001:db8:ff::1")]
    {
        routed.router.forbid(prefix, RouteType::Unreachable);
        let to = SocketAddr::new(to.parse().unwrap(), 8620);
        let near = open_with(&routed.near, &SocketOptions::new(wildcard(to)));
        send(&near, &PROBE, to);
        icmp(&near, |error| {
            // IPv4 blames the host, IPv6 the route.
            let told = [IcmpKind::HostUnreachable, IcmpKind::NetworkUnreachable];
            assert!(told.contains(&error.kind), "{error:?}");
            assert!(!error.from_self && !error.is_no_neighbour());
        });
    }
}

fn a_filter_on_the_path_is_told_by_the_router() {
    let routed = Routed::new();
    routed.router.forbid("203.0.113.0/24", RouteType::Prohibit);
    routed.router.forbid("2001:db8:ff::/48", RouteType::Prohibit);
    let to = ["203.0.113.1".parse().unwrap(), "2001:db8:ff::1".parse().unwrap()];
    let kind = IcmpKind::AdministrativelyProhibited;
    expect(&routed, to, HopLimit::MAX, kind, Routed::ROUTER);
}

fn a_missing_neighbour_means_that_nothing_left() {
    let cable = Cable::new();
    for family in ["ipv4", "ipv6"] {
        // One question, ten milliseconds for the answer.
        cable.near.set_sysctl(&format!("net/{family}/neigh/eth0/mcast_solicit"), "1");
        cable.near.set_sysctl(&format!("net/{family}/neigh/eth0/retrans_time_ms"), "10");
    }
    for (local, to) in [("0.0.0.0:0", "192.0.2.77:8620"), ("[::]:0", "[2001:db8::77]:8620")] {
        let near = open(&cable.near, local);
        let to = to.parse().unwrap();
        assert_eq!(send(&near, &PROBE, to), SENT);
        icmp(&near, |error| {
            assert_eq!((error.kind, error.to), (IcmpKind::HostUnreachable, to));
            assert!(error.from_self && error.is_no_neighbour(), "{error:?}");
            assert_eq!(error.payload, PROBE);
        });
    }
}
