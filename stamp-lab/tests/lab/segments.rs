//! SRv6 in the kernel: every kind of SID is passed, and the packet arrives.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use libtest_mimic::Trial;
use stamp_net::frame::EtherType;
use stamp_path::topology::Side;

use crate::network::{Net, RING, receive};
use crate::octets::{datagram, encapsulated, inside, routed, send};
use crate::trials;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_list_of_end_sids_is_passed,
        an_end_x_sid_leads_over_its_link,
        an_end_dt6_sid_takes_the_inner_packet_out,
        micro_sids_in_one_address_are_passed,
        a_packet_loops_back_to_its_sender,
    ]
}

fn sid(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

/// The ring with every link passing through our hands, so that packets are counted on it.
fn ring() -> Net {
    let wired = RING.replace("adjacency =", "delay = \"1us\"\nadjacency =");
    Net::up(&wired)
}

fn passed(net: &Net, link: &str, side: Side) -> u64 {
    net.0.counts(net.link(link), side).expect("it is a wire").seen
}

fn a_list_of_end_sids_is_passed() {
    let net = ring();
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    // By itself it would go over p and q.
    let segments = [sid("fc00:bb:11:1::"), sid("fc00:bb:1:1::"), sid("fc00:bb:13:1::")];
    send(&net, "s", "s-p", (EtherType::IPV6, &routed(from, to, &segments, b"around")));
    assert_eq!(receive(&far), (b"around".to_vec(), from));
    assert_eq!(passed(&net, "s-p", Side::First), 1);
    assert_eq!(passed(&net, "s-p", Side::Second), 1);
    assert_eq!(passed(&net, "s-x", Side::First), 1);
    assert_eq!(passed(&net, "x-r", Side::First), 1);
    assert_eq!(passed(&net, "q-r", Side::First), 0);
}

fn an_end_x_sid_leads_over_its_link() {
    let net = ring();
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    // The adjacency of p back to s, then that of s to x.
    let segments = [sid("fc00:bb:11:a1::"), sid("fc00:bb:1:a4::")];
    send(&net, "s", "s-p", (EtherType::IPV6, &routed(from, to, &segments, b"back and over")));
    assert_eq!(receive(&far), (b"back and over".to_vec(), from));
    assert_eq!(passed(&net, "s-p", Side::Second), 1);
    assert_eq!(passed(&net, "s-x", Side::First), 1);
}

fn an_end_dt6_sid_takes_the_inner_packet_out() {
    let net = ring();
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    let IpAddr::V6(source) = from.ip() else { panic!("IPv6") };
    let inner = datagram(from, to, b"inner");
    // At the destination itself, and at a node that has to send the inner packet on.
    for last in ["fc00:bb:2:d6::", "fc00:bb:13:d6::"] {
        let outer = encapsulated(source, &[sid("fc00:bb:11:1::"), sid(last)], &inner);
        send(&net, "s", "s-p", (EtherType::IPV6, &outer));
        assert_eq!(receive(&far), (b"inner".to_vec(), from), "{last}");
    }
}

fn micro_sids_in_one_address_are_passed() {
    let net = ring();
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    let IpAddr::V6(source) = from.ip() else { panic!("IPv6") };
    let inner = datagram(from, to, b"carried");
    // p, then x, then r: the carrier is used up there, and the list goes on with End.DT6.
    let carrier = sid("fcbb:bb00:11:13:2::");
    let outer = encapsulated(source, &[carrier, sid("fc00:bb:2:d6::")], &inner);
    send(&net, "s", "s-p", (EtherType::IPV6, &outer));
    assert_eq!(receive(&far), (b"carried".to_vec(), from));
    assert_eq!(passed(&net, "x-r", Side::First), 1);
}

fn a_packet_loops_back_to_its_sender() {
    let net = ring();
    let near = net.socket("s", true);
    let local = near.local_addr().expect("bound");
    let IpAddr::V6(source) = local.ip() else { panic!("IPv6") };
    let segments = [sid("fc00:bb:11:1::"), sid("fc00:bb:2:1::"), sid("fc00:bb:13:1::")];
    send(&net, "s", "s-p", (EtherType::IPV6, &routed(local, local, &segments, b"loop")));
    assert_eq!(receive(&near), (b"loop".to_vec(), local));
    let inner = datagram(local, SocketAddr::new(source.into(), local.port()), b"out");
    send(&net, "s", "s-p", (EtherType::IPV6, &inside(source, sid("fc00:bb:2:d6::"), &inner)));
    assert_eq!(receive(&near), (b"out".to_vec(), local));
}
