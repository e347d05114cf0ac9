//! Label switching: stacks are followed, popped where they should be, and the packet arrives.

use std::net::SocketAddr;

use libtest_mimic::Trial;
use stamp_net::frame::EtherType;
use stamp_path::topology::Side;

use crate::network::{Net, RING, pass, receive};
use crate::octets::{datagram, labelled, send};
use crate::trials;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_prefix_label_leads_along_the_shortest_way,
        stacks_are_followed_label_by_label,
        a_node_that_keeps_its_label_pops_it_itself,
        a_stack_leads_back_to_its_sender,
        explicit_null_is_popped_at_the_end,
        labels_that_mean_nothing_are_counted,
        a_label_stack_passes_a_delayed_link,
    ]
}

/// Sends a datagram from s to r behind labels, in both families.
fn arrives(net: &Net, link: &str, labels: &[u32]) {
    for is_v6 in [false, true] {
        let (near, far) = (net.socket("s", is_v6), net.socket("r", is_v6));
        let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
        let packet = datagram(from, to, b"labelled");
        send(net, "s", link, (EtherType::MPLS, &labelled(labels, &packet)));
        assert_eq!(receive(&far), (b"labelled".to_vec(), from), "{labels:?}");
    }
}

fn a_prefix_label_leads_along_the_shortest_way() {
    let net = Net::up(RING);
    // As p reads it; q pops it, since r is the next node.
    arrives(&net, "s-p", &[16002]);
    let counts = ["p", "q"].map(|name| net.0.switched(net.node(name)).expect("it has labels"));
    assert_eq!(counts.map(|counts| counts.forwarded), [2, 2]);
    let at_r = net.0.switched(net.node("r")).expect("it has labels");
    assert_eq!((at_r.forwarded, at_r.delivered, at_r.unknown), (0, 0, 0), "it saw plain IP");
}

fn stacks_are_followed_label_by_label() {
    let net = Net::up(RING);
    // p to q, q to r by adjacencies; r hands it to itself by its own label and block.
    arrives(&net, "s-p", &[24112, 24122, 102]);
    // By x, whose own label it pops itself; then the adjacency.
    arrives(&net, "s-x", &[16013, 24132]);
    // Back to s from p and then the other way round.
    arrives(&net, "s-p", &[16001, 24013, 24132]);
}

fn a_node_that_keeps_its_label_pops_it_itself() {
    let net = Net::up(RING);
    let (near, far) = (net.socket("s", true), net.socket("x", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    let packet = datagram(from, to, b"kept");
    send(&net, "s", "s-x", (EtherType::MPLS, &labelled(&[16013], &packet)));
    assert_eq!(receive(&far), (b"kept".to_vec(), from));
    assert_eq!(net.0.switched(net.node("x")).map(|counts| counts.delivered), Some(1));
}

fn a_stack_leads_back_to_its_sender() {
    let net = Net::up(RING);
    for is_v6 in [false, true] {
        let near = net.socket("s", is_v6);
        let local: SocketAddr = near.local_addr().expect("bound");
        let packet = datagram(local, local, b"loop");
        // To r, from there over x to s, which x reaches directly.
        let labels = [16002, 24213, 16001];
        send(&net, "s", "s-p", (EtherType::MPLS, &labelled(&labels, &packet)));
        assert_eq!(receive(&near), (b"loop".to_vec(), local));
    }
}

fn explicit_null_is_popped_at_the_end() {
    let net = Net::up(RING);
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    let packet = datagram(from, to, b"null");
    send(&net, "s", "s-p", (EtherType::MPLS, &labelled(&[16002, 2], &packet)));
    assert_eq!(receive(&far), (b"null".to_vec(), from));
    assert_eq!(net.0.switched(net.node("r")).map(|counts| counts.delivered), Some(1));
}

fn labels_that_mean_nothing_are_counted() {
    let net = Net::up(RING);
    let (near, far) = (net.socket("s", true), net.socket("r", true));
    let (from, to) = (near.local_addr().expect("bound"), far.local_addr().expect("bound"));
    let packet = datagram(from, to, b"lost");
    for labels in [&[17][..], &[16999], &[15, 240]] {
        send(&net, "s", "s-p", (EtherType::MPLS, &labelled(labels, &packet)));
    }
    // What came last has passed the switch, so what came before it was seen there.
    arrives(&net, "s-p", &[16002]);
    let counts = net.0.switched(net.node("p")).expect("it has labels");
    assert_eq!((counts.unknown, counts.left, counts.forwarded), (2, 1, 2));
}

fn a_label_stack_passes_a_delayed_link() {
    let net =
        Net::up(&RING.replace("ends = [\"p\", \"q\"]", "ends = [\"p\", \"q\"]\ndelay = \"2ms\""));
    arrives(&net, "s-p", &[16012, 24122]);
    let counts = net.0.counts(net.link("p-q"), Side::First).expect("it is a wire");
    assert_eq!((counts.seen, counts.delivered), (2, 2));
    pass(&net.socket("s", true), &net.socket("r", true), b"and what has none");
}
