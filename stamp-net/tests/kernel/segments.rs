//! Segment lists of ordinary sockets, through SIDs of a router, to where they are read.

use std::net::{Ipv6Addr, SocketAddr};

use caps::CapSet;
use libtest_mimic::Trial;
use stamp_net::sysctl::{self, Arrival};
use stamp_net::{
    IcmpKind, NetError, SendFailure, SendOutcome, SocketEvent, SocketOptions, UdpSocket,
};

use crate::network::Routed;
use crate::traffic::{SENT, event, open, open_with, receive, send};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_segment_list_is_followed_and_told_at_its_end,
        segments_are_changed_and_taken_away_while_sending,
        a_header_made_elsewhere_arrives_as_it_was_made,
        a_long_list_is_told_whole,
        segments_take_their_octets_from_every_packet,
        a_path_that_became_too_small_is_told_with_what_fits,
        a_list_of_the_destination_alone_is_refused,
        without_the_settings_a_header_is_dropped,
    ]
}

const SIDS: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfc00, 0xbb, 1, 1, 0, 0, 0, 0), Ipv6Addr::new(0xfc00, 0xbb, 1, 2, 0, 0, 0, 0)];

/// Hosts with a router between them that has two End SIDs.
fn segmented() -> Routed {
    let routed = Routed::new();
    for sid in SIDS {
        routed.router.add_segment(&format!("{sid}/128"), "eth1");
    }
    for interface in ["all", "eth0"] {
        routed.far.set_sysctl(&format!("net/ipv6/conf/{interface}/seg6_enabled"), "1");
    }
    routed
}

fn to() -> SocketAddr {
    SocketAddr::new(Routed::FAR[1], 8620)
}

fn far(routed: &Routed) -> UdpSocket {
    open_with(&routed.far, &SocketOptions { headers: true, ..SocketOptions::new(to()) })
}

/// The header as it arrives, with the destination in its place and all segments passed.
fn arrived(segments: &[Ipv6Addr]) -> Vec<u8> {
    let count = segments.len() as u8;
    let mut header = vec![17, 2 * (count + 1), 4, 0, count, 0, 0, 0];
    let std::net::IpAddr::V6(to) = to().ip() else { unreachable!() };
    header.extend(to.octets());
    header.extend(segments.iter().rev().flat_map(Ipv6Addr::octets));
    header
}

fn header_seen(far: &UdpSocket) -> Option<Vec<u8>> {
    receive(far, |datagram| {
        datagram.headers(None).extensions().first().map(|header| header.to_vec())
    })
}

fn a_segment_list_is_followed_and_told_at_its_end() {
    let routed = segmented();
    let far = far(&routed);
    let opened = routed.near.run(|| {
        caps::clear(None, CapSet::Effective).unwrap();
        let mut near = UdpSocket::open(&SocketOptions::new("[::]:0".parse().unwrap()))?;
        near.set_segments(&SIDS)?;
        Ok::<_, NetError>(near)
    });
    let near = opened.unwrap();
    assert_eq!(send(&near, b"probe", to()), SENT);
    receive(&far, |datagram| {
        assert_eq!(datagram.octets, b"probe");
        assert_eq!(datagram.headers(None).extensions(), [&arrived(&SIDS)[..]]);
        assert_eq!(datagram.to, to());
        // The kernel passes on to a second SID of its own without a hop.
        assert_eq!(datagram.hop_limit.unwrap().hops(), 1);
        assert!(datagram.stamp.is_some() && datagram.traffic_class.is_some());
    });
}

fn segments_are_changed_and_taken_away_while_sending() {
    let routed = segmented();
    let (mut near, far) = (open(&routed.near, "[::]:0"), far(&routed));
    // A connected socket remembers its way; it must take the new one all the same.
    near.connect(to()).unwrap();
    for segments in [&SIDS[..1], &SIDS[1..], &SIDS[..], &[]] {
        near.set_segments(segments).unwrap();
        assert_eq!(send(&near, b"probe", to()), SENT);
        let expected = (!segments.is_empty()).then(|| arrived(segments));
        assert_eq!(header_seen(&far), expected);
    }
}

fn a_header_made_elsewhere_arrives_as_it_was_made() {
    let routed = segmented();
    let (mut near, far) = (open(&routed.near, "[::]:0"), far(&routed));
    let mut header = arrived(&SIDS);
    (header[0], header[1], header[3]) = (0, 7, 2);
    // A tag, and a TLV of padding.
    header[6..8].copy_from_slice(&[0x12, 0x34]);
    header.extend([4, 6, 0, 0, 0, 0, 0, 0]);
    near.set_routing_header(&header).unwrap();
    assert_eq!(near.segment_octets(), 64);
    assert_eq!(send(&near, b"probe", to()), SENT);
    (header[0], header[3]) = (17, 0);
    assert_eq!(header_seen(&far), Some(header));
}

fn a_long_list_is_told_whole() {
    let routed = segmented();
    let (mut near, far) = (open(&routed.near, "[::]:0"), far(&routed));
    // Most of it has been passed already, as if by others.
    let mut header = arrived(&[SIDS[0]; 60]);
    (header[0], header[3]) = (0, 1);
    near.set_routing_header(&header).unwrap();
    assert_eq!(send(&near, b"probe", to()), SENT);
    assert_eq!(header_seen(&far), Some(arrived(&[SIDS[0]; 60])));
}

fn segments_take_their_octets_from_every_packet() {
    let routed = segmented();
    let (mut near, far) = (open(&routed.near, "[::]:0"), far(&routed));
    near.set_segments(&SIDS).unwrap();
    assert_eq!(near.segment_octets(), 56);
    // The way to the first segment, whose link is not yet known to be followed by a smaller one.
    let fits = routed.near.run(|| near.largest_payload(to())).unwrap();
    assert_eq!(fits, 1500 - 40 - 56 - 8);
    let too_big = SendFailure::TooBig { mtu: Some(1500), largest_payload: Some(fits) };
    let outcome = routed.near.run(|| send(&near, &vec![7; fits + 1], to()));
    assert_eq!(outcome, SendOutcome::Failed(too_big));
    event(&near, |event| {
        let SocketEvent::TooBig { mtu, largest_payload, .. } = event else { panic!("{event:?}") };
        assert_eq!((mtu, largest_payload), (1500, fits));
    });
    let small = Routed::MTU as usize - 40 - 56 - 8;
    assert_eq!(send(&near, &vec![7; small], to()), SENT);
    assert_eq!(receive(&far, |datagram| datagram.octets.len()), small);
}

fn a_path_that_became_too_small_is_told_with_what_fits() {
    let routed = segmented();
    let mut near = open(&routed.near, "[::]:0");
    near.set_segments(&SIDS).unwrap();
    let fits = Routed::MTU as usize - 40 - 56 - 8;
    assert_eq!(send(&near, &vec![7; fits + 1], to()), SENT);
    event(&near, |event| {
        let SocketEvent::Icmp(error) = event else { panic!("{event:?}") };
        assert_eq!(error.kind, IcmpKind::PacketTooBig);
        assert_eq!((error.mtu, error.largest_payload), (Some(Routed::MTU), Some(fits)));
    });
}

fn a_list_of_the_destination_alone_is_refused() {
    let routed = segmented();
    let mut near = open(&routed.near, "[::]:0");
    let refused = near.set_routing_header(&arrived(&[]));
    assert!(matches!(refused, Err(NetError::BadRoutingHeader { octets: 24 })), "{refused:?}");
    assert_eq!(send(&near, b"probe", to()), SENT, "nothing has changed");
}

fn without_the_settings_a_header_is_dropped() {
    let routed = segmented();
    let (mut near, far) = (open(&routed.near, "[::]:0"), far(&routed));
    let hindrances =
        || routed.far.run(|| sysctl::arrival_hindrances("eth0", Arrival::RoutingHeader)).unwrap();
    near.set_segments(&SIDS).unwrap();
    for interface in ["all", "eth0"] {
        let setting = format!("net/ipv6/conf/{interface}/seg6_enabled");
        routed.far.set_sysctl(&setting, "0");
        let lines: Vec<_> = hindrances().iter().map(|found| found.mending_line()).collect();
        let expected = format!("sudo sysctl -w net.ipv6.conf.{interface}.seg6_enabled=1");
        assert_eq!(lines, [expected]);
        send(&near, b"dropped", to());
        routed.far.set_sysctl(&setting, "1");
        assert_eq!(hindrances(), []);
        send(&near, b"let in", to());
        receive(&far, |datagram| assert_eq!(datagram.octets, b"let in"));
    }
    let forwarding =
        || routed.router.run(|| sysctl::arrival_hindrances("eth0", Arrival::Segment)).unwrap();
    assert_eq!(forwarding(), []);
    routed.router.set_sysctl("net/ipv6/conf/all/forwarding", "0");
    assert_eq!(forwarding()[0].mending_line(), "sudo sysctl -w net.ipv6.conf.all.forwarding=1");
    send(&near, b"dropped", to());
    routed.router.set_sysctl("net/ipv6/conf/all/forwarding", "1");
    send(&near, b"let in", to());
    receive(&far, |datagram| assert_eq!(datagram.octets, b"let in"));
}
