//! Links with delay and loss.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use stamp_lab::{Impairment, Loss};
use stamp_path::topology::Side;

use crate::network::{Net, pass, receive};
use crate::trials;

const PAIR: &str = r#"
[[node]]
name = "a"
loopbacks = ["192.0.2.1", "2001:db8::1"]
[[node]]
name = "b"
loopbacks = ["192.0.2.2", "2001:db8::2"]
[[link]]
ends = ["a", "b"]
"#;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        delays_of_the_two_directions_differ,
        the_wire_tells_how_long_it_held_each_packet,
        large_packets_and_streams_pass_a_wire,
        what_a_running_link_loses_is_exact,
        another_delay_holds_from_then_on,
        a_bare_link_gets_a_wire_when_it_shall_do_something,
        packets_that_are_not_held_overtake,
    ]
}

fn least_transit(from: &UdpSocket, to: &UdpSocket) -> Duration {
    let transits = (0..30).map(|_| {
        let sent = Instant::now();
        pass(from, to, b"probe");
        sent.elapsed()
    });
    transits.min().expect("there are some")
}

fn delays_of_the_two_directions_differ() {
    let net = Net::up(&(PAIR.to_owned() + "delay = \"3ms\"\nback = { delay = \"9ms\" }\n"));
    let (a, b) = (net.socket("a", true), net.socket("b", true));
    let slack = Duration::from_millis(1);
    let (forth, back) = (least_transit(&a, &b), least_transit(&b, &a));
    let [three, nine] = [3, 9].map(Duration::from_millis);
    assert!((three..three + slack).contains(&forth), "{forth:?}");
    assert!((nine..nine + slack).contains(&back), "{back:?}");
}

fn the_wire_tells_how_long_it_held_each_packet() {
    let net = Net::up(&(PAIR.to_owned() + "delay = \"2ms\"\n"));
    let (a, b) = (net.socket("a", false), net.socket("b", false));
    let least = least_transit(&a, &b);
    let held = net.0.held(net.link("a-b"), Side::First).expect("it is a wire");
    assert_eq!(held.len(), 30);
    let shortest = held.iter().map(|held| held.until_let_go).min().expect("there are some");
    assert!((Duration::from_millis(2)..=least).contains(&shortest), "{shortest:?} {least:?}");
    assert!(held.iter().all(|held| held.until_let_go <= held.until_taken), "{held:?}");
    assert_eq!(net.0.held(net.link("a-b"), Side::Second).map(|held| held.len()), Some(0));
}

/// Checksums of local senders are left to the interface, and a stream is cut into packets there:
/// the wire carries that over.
fn large_packets_and_streams_pass_a_wire() {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    let net = Net::up(&(PAIR.to_owned() + "delay = \"100us\"\n"));
    for is_v6 in [false, true] {
        pass(&net.socket("a", is_v6), &net.socket("b", is_v6), &[7; 1400]);
        let address = (net.address("b", is_v6), 0);
        let listener = net.inside("b", || TcpListener::bind(address)).expect("a port is left");
        let target = listener.local_addr().expect("bound");
        let mut sender = net.inside("a", || TcpStream::connect(target)).expect("it listens");
        let mut receiver = listener.accept().expect("it connects").0;
        let text: Vec<u8> = (0..1 << 20).map(|octet: u32| octet as u8).collect();
        let sent = text.clone();
        let writing = std::thread::spawn(move || sender.write_all(&sent));
        let mut received = Vec::new();
        receiver.read_to_end(&mut received).expect("it arrives");
        writing.join().expect("no panic").expect("it is taken");
        assert!(received == text, "{} octets", received.len());
    }
}

fn send_series(from: &UdpSocket, to: &UdpSocket, count: u8) {
    for number in 1..=count {
        from.send_to(&[number], to.local_addr().expect("bound")).expect("it leaves");
    }
}

fn receive_series(socket: &UdpSocket, count: usize) -> Vec<u8> {
    (0..count).map(|_| receive(socket).0[0]).collect()
}

fn what_a_running_link_loses_is_exact() {
    let mut net = Net::up(&(PAIR.to_owned() + "delay = \"10us\"\n"));
    let link = net.link("a-b");
    let (a, b) = (net.socket("a", true), net.socket("b", true));
    send_series(&a, &b, 3);
    assert_eq!(receive_series(&b, 3), [1, 2, 3]);
    let loss = Loss::Exactly(vec![2, 5]);
    let lossy = Impairment { loss, ..Impairment::default() };
    net.0.impair(link, Side::First, lossy.clone()).expect("it is a wire");
    assert_eq!(net.0.impairment(link, Side::First), lossy);
    send_series(&a, &b, 6);
    assert_eq!(receive_series(&b, 4), [1, 3, 4, 6]);
    send_series(&b, &a, 6);
    assert_eq!(receive_series(&a, 6), [1, 2, 3, 4, 5, 6], "the other direction loses nothing");
    let counts = net.0.counts(link, Side::First).expect("it is a wire");
    assert_eq!((counts.seen, counts.lost, counts.dropped), (9, 2, 0));
}

fn another_delay_holds_from_then_on() {
    let mut net = Net::up(&(PAIR.to_owned() + "delay = \"10us\"\n"));
    let link = net.link("a-b");
    let (a, b) = (net.socket("a", true), net.socket("b", true));
    assert!(least_transit(&a, &b) < Duration::from_millis(1));
    let delay = Duration::from_millis(4);
    let slower = Impairment { delay, ..Impairment::default() };
    net.0.impair(link, Side::First, slower).expect("it is a wire");
    let forth = least_transit(&a, &b);
    assert!((delay..delay + Duration::from_millis(1)).contains(&forth), "{forth:?}");
    assert!(least_transit(&b, &a) < Duration::from_millis(1));
}

fn a_bare_link_gets_a_wire_when_it_shall_do_something() {
    let mut net = Net::up(PAIR);
    let link = net.link("a-b");
    let (a, b) = (net.socket("a", true), net.socket("b", true));
    pass(&a, &b, b"over a bare link");
    assert_eq!(net.0.counts(link, Side::First), None);
    let loss = Loss::Every(2);
    let lossy = Impairment { loss, ..Impairment::default() };
    net.0.impair(link, Side::Second, lossy).expect("it is built again");
    send_series(&b, &a, 4);
    assert_eq!(receive_series(&a, 2), [1, 3]);
    pass(&a, &b, b"the same sockets as before");
    let counts = net.0.counts(link, Side::Second).expect("it is a wire now");
    assert_eq!((counts.seen, counts.lost, counts.delivered), (4, 2, 2));
}

fn packets_that_are_not_held_overtake() {
    let net = Net::up(&(PAIR.to_owned() + "delay = \"20ms\"\nreordering = \"50%\"\n"));
    let (a, b) = (net.socket("a", false), net.socket("b", false));
    send_series(&a, &b, 20);
    let arrived = receive_series(&b, 20);
    let mut in_order = arrived.clone();
    in_order.sort_unstable();
    assert_eq!(in_order, (1..=20).collect::<Vec<u8>>());
    assert_ne!(arrived, in_order);
}
