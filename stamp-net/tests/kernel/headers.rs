//! Headers in front of datagrams, as an ordinary socket and a tap beside it tell them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use caps::CapSet;
use libtest_mimic::Trial;
use stamp_net::capability::Capability;
use stamp_net::{EtherType, Ipv4HeaderTap, NetError, SocketOptions};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::header::make_checksum;
use stamp_proto::sr::protocol::Protocol;

use crate::network::Cable;
use crate::packets::{ethernet, ipv4, ipv6, mac, send, sending, srh, udp};
use crate::traffic::{open_with, receive};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        every_header_of_ipv6_is_told_as_it_came,
        a_socket_tells_headers_when_it_is_told_to,
        the_header_of_ipv4_comes_by_a_tap,
        a_tap_needs_its_right,
    ]
}

const NEAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const FAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const NEAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// As large as a probe that asks.
const PAYLOAD: [u8; 100] = [7; 100];

/// A datagram whose checksum is right.
fn checked_udp() -> Vec<u8> {
    let mut datagram = udp(8620, &PAYLOAD);
    let addresses = AddressPair::new(NEAR.into(), FAR.into()).unwrap();
    let sum = make_checksum(addresses.pseudo_header(Protocol::UDP), &datagram);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

/// An option header of 8 octets: padding behind type and length, of which the kernel takes no more.
fn options(next_header: u8, upper: &[u8]) -> Vec<u8> {
    [&[next_header, 0, 1, 4][..], &[0; 4], upper].concat()
}

fn pass(cable: &Cable, ether_type: EtherType, packet: &[u8]) {
    let frame = ethernet(mac(&cable.near, "eth0"), mac(&cable.far, "eth0"), ether_type, packet);
    let _ = send(&sending(&cable.near, "eth0"), &[frame]);
}

fn told(headers: bool) -> SocketOptions {
    SocketOptions { headers, ..SocketOptions::new(SocketAddr::new(FAR.into(), 8620)) }
}

fn every_header_of_ipv6_is_told_as_it_came() {
    let cable = Cable::new();
    for name in ["all", "eth0"] {
        cable.far.set_sysctl(&format!("net/ipv6/conf/{name}/seg6_enabled"), "1");
    }
    let far = open_with(&cable.far, &told(true));
    let inner = options(17, &checked_udp());
    let routed = srh(&[NEAR, FAR], 60, &inner);
    let all = options(60, &options(43, &routed));
    let chains: [(u8, Vec<u8>, Vec<usize>); 4] = [
        (17, checked_udp(), vec![]),
        (43, srh(&[FAR], 17, &checked_udp()), vec![24]),
        (60, inner, vec![8]),
        (0, all, vec![8, 8, 40, 8]),
    ];
    for (first, chain, lengths) in chains {
        let mut packet = ipv6(NEAR, FAR, first, &chain);
        packet[..4].copy_from_slice(&[0x6b, 0x81, 0x23, 0x45]);
        pass(&cable, EtherType::IPV6, &packet);
        receive(&far, |datagram| {
            let headers = datagram.headers(None);
            assert_eq!(headers.fixed(), Some(&packet[..40]), "{first}");
            let extensions = headers.extensions();
            let found: Vec<usize> = extensions.iter().map(|header| header.len()).collect();
            assert_eq!(found, lengths, "{first}");
            let octets = lengths.iter().sum();
            assert_eq!(extensions.concat(), chain[..octets], "{first}");
        });
    }
}

fn a_socket_tells_headers_when_it_is_told_to() {
    let cable = Cable::new();
    let mut far = open_with(&cable.far, &told(false));
    let packet = ipv6(NEAR, FAR, 60, &options(17, &checked_udp()));
    for tell in [false, true, false] {
        far.tell_headers(tell).unwrap();
        pass(&cable, EtherType::IPV6, &packet);
        let count = receive(&far, |datagram| datagram.headers(None).extensions().len());
        assert_eq!(count, usize::from(tell));
    }
}

fn the_header_of_ipv4_comes_by_a_tap() {
    let cable = Cable::new();
    let local = SocketAddr::new(FAR_V4.into(), 8620);
    let far = open_with(&cable.far, &SocketOptions { headers: true, ..SocketOptions::new(local) });
    let mut tap = cable.far.run(|| Ipv4HeaderTap::open(local, None)).unwrap();
    for id in [1, 2] {
        // Something else first, which no datagram of this socket belongs to.
        for (port, payload) in [(8621, PAYLOAD), (8620, [id; 100])] {
            let mut packet = ipv4(NEAR_V4, FAR_V4, &udp(port, &payload));
            packet[1] = 0xb8;
            packet[5] = id;
            packet[10..12].fill(0);
            let sum = stamp_proto::sr::checksum::checksum(&packet[..20]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            pass(&cable, EtherType::IPV4, &packet);
            if port == 8620 {
                receive(&far, |datagram| {
                    let header = tap.header(&datagram);
                    let headers = datagram.headers(header.as_ref());
                    assert_eq!(headers.fixed(), Some(&packet[..20]));
                    assert!(headers.extensions().is_empty());
                    assert_eq!(tap.header(&datagram), None, "each once");
                });
            }
        }
    }
}

fn a_tap_needs_its_right() {
    let cable = Cable::new();
    let refused = cable.far.run(|| {
        caps::clear(None, CapSet::Effective).unwrap();
        Ipv4HeaderTap::open(SocketAddr::new(FAR_V4.into(), 8620), None)
    });
    let needs = |error: &NetError| match error {
        NetError::PermissionDenied { capability, .. } => *capability == Capability::NetRaw,
        _ => false,
    };
    assert!(refused.as_ref().is_err_and(needs), "{refused:?}");
}
