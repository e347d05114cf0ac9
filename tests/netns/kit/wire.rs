//! The test's own link.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use nix::errno::Errno;
use stamp_tests::netns::{self, Families, Family, Need, Trial, Wired, trials};
use stamp_tests::wire::{Checksum, Effect, Moment, Way, Which};

use super::{END, Sockets, local, receive, receive_from, receive_series, send_series};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_wire_without_rules_changes_nothing: [Need::IPV6],
        exactly_the_third_and_fifth_datagram_are_lost_one_way,
        exactly_the_third_and_fifth_reply_are_lost_one_way: [Need::IPV6],
        a_predicate_chooses_by_content,
        what_is_delayed_arrives_that_much_later,
        delays_of_the_two_ways_are_independent: [Need::IPV6],
        copies_follow_their_original,
        a_datagram_held_back_arrives_behind_the_second_next,
        a_stale_checksum_makes_the_kernel_drop_a_mended_one_delivers: [Need::IPV6],
        a_policer_lets_its_burst_pass,
        nothing_that_enters_after_a_cut_arrives,
        what_is_under_way_at_a_cut_still_arrives,
        a_wire_is_cut_behind_the_datagram_that_was_named,
        what_is_no_datagram_does_not_count: [Need::IPV6],
        records_tell_what_came_in_and_what_became_of_it,
        a_nat_gives_flows_new_ports_when_it_rebinds: [Need::IPV6],
        a_nat_rebinds_behind_the_datagram_that_was_named,
        a_nat_drops_answers_to_a_port_it_has_forgotten,
        icmp_errors_find_their_way_back_through_a_nat: [Need::IPV6],
        an_injected_datagram_claims_any_source_and_counts_nowhere: [Need::IPV6],
    ]
}

fn sockets(net: &Wired, family: Family) -> Sockets {
    let at = |address: IpAddr| SocketAddr::new(address, 0);
    let (near, far) = (at(net.near.address(family)), at(net.far.address(family)));
    Sockets::open((&net.near, near), (&net.far, far))
}

fn a_wire_without_rules_changes_nothing() {
    let net = netns::wired(Families::Both);
    for family in Families::Both.each() {
        let sockets = sockets(&net, *family);
        for size in [0, 1, 44, 45, 1400] {
            let payload: Vec<u8> = (0..size).map(|octet| octet as u8).collect();
            sockets.near.send(&payload).expect("it leaves");
            assert_eq!(receive(&sockets.far), payload);
            sockets.far.send(&payload).expect("it leaves");
            assert_eq!(receive(&sockets.near), payload);
        }
    }
    for way in [Way::Forward, Way::Backward] {
        let counts = net.wire.counts(way);
        assert_eq!((counts.seen, counts.delivered, counts.dropped), (10, 10, 0));
    }
}

fn exactly_the_third_and_fifth_datagram_are_lost_one_way() {
    let net = netns::wired(Families::V4);
    net.wire.impair(Way::Forward, Which::nth([3, 5]), Effect::Drop);
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 7);
    assert_eq!(receive_series(&sockets.far), [1, 2, 4, 6, 7]);
    send_series(&sockets.far, 7);
    assert_eq!(receive_series(&sockets.near), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(net.wire.counts(Way::Forward).dropped, 2);
    assert_eq!(net.wire.counts(Way::Backward).dropped, 0);
}

fn exactly_the_third_and_fifth_reply_are_lost_one_way() {
    let net = netns::wired(Families::V6);
    net.wire.impair(Way::Backward, Which::nth([3, 5]), Effect::Drop);
    let sockets = sockets(&net, Family::V6);
    send_series(&sockets.far, 7);
    assert_eq!(receive_series(&sockets.near), [1, 2, 4, 6, 7]);
    send_series(&sockets.near, 7);
    assert_eq!(receive_series(&sockets.far), [1, 2, 3, 4, 5, 6, 7]);
}

fn a_predicate_chooses_by_content() {
    let net = netns::wired(Families::V4);
    let is_even = |payload: &[u8]| payload.len() == 1 && payload[0].is_multiple_of(2);
    net.wire.impair(Way::Forward, Which::only(move |d| is_even(d.payload)), Effect::Drop);
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 6);
    assert_eq!(receive_series(&sockets.far), [1, 3, 5]);
    net.wire.clear(Way::Forward);
    send_series(&sockets.near, 3);
    assert_eq!(receive_series(&sockets.far), [1, 2, 3]);
}

fn what_is_delayed_arrives_that_much_later() {
    let net = netns::wired(Families::V4);
    let delay = Duration::from_millis(5);
    net.wire.impair(Way::Forward, Which::all(), Effect::Delay(delay));
    let sockets = sockets(&net, Family::V4);
    let least = least_transit(&sockets.near, &sockets.far);
    assert!((delay..delay + Duration::from_millis(1)).contains(&least), "{least:?}");
}

fn delays_of_the_two_ways_are_independent() {
    let net = netns::wired(Families::V6);
    let delay = Duration::from_millis(10);
    net.wire.impair(Way::Backward, Which::all(), Effect::Delay(delay));
    let Sockets { near, far } = sockets(&net, Family::V6);
    let (forward, backward) = (least_transit(&near, &far), least_transit(&far, &near));
    assert!(forward < Duration::from_millis(1), "{forward:?}");
    assert!((delay..delay + Duration::from_millis(1)).contains(&backward), "{backward:?}");
}

/// The least of many times from before a datagram is sent until after it is received: what other
/// programs take of the processor can only add to it.
fn least_transit(from: &UdpSocket, to: &UdpSocket) -> Duration {
    let transits = (0..50).map(|_| {
        let sent = Moment::now();
        from.send(b"probe").expect("it leaves");
        receive(to);
        Moment::now().monotonic_ns - sent.monotonic_ns
    });
    Duration::from_nanos(transits.min().expect("there are some"))
}

fn copies_follow_their_original() {
    let net = netns::wired(Families::V4);
    net.wire.impair(Way::Forward, Which::nth([2]), Effect::Copies(2));
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 3);
    assert_eq!(receive_series(&sockets.far), [1, 2, 2, 2, 3]);
    let counts = net.wire.counts(Way::Forward);
    assert_eq!((counts.seen, counts.delivered, counts.copies), (4, 6, 2));
}

fn a_datagram_held_back_arrives_behind_the_second_next() {
    let net = netns::wired(Families::V4);
    net.wire.impair(Way::Forward, Which::nth([2]), Effect::Behind(2));
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 5);
    assert_eq!(receive_series(&sockets.far), [1, 3, 4, 2, 5]);
}

fn a_stale_checksum_makes_the_kernel_drop_a_mended_one_delivers() {
    let net = netns::wired(Families::Both);
    let corrupt = |checksum| Effect::Corrupt { octet: 0, mask: 0x80, checksum };
    for family in Families::Both.each() {
        let before = net.wire.counts(Way::Forward);
        net.wire.clear(Way::Forward);
        net.wire.impair(Way::Forward, Which::nth([before.seen + 2]), corrupt(Checksum::Stale));
        net.wire.impair(Way::Forward, Which::nth([before.seen + 4]), corrupt(Checksum::Mended));
        let sockets = sockets(&net, *family);
        send_series(&sockets.near, 4);
        assert_eq!(receive_series(&sockets.far), [1, 3, 4 | 0x80]);
        let counts = net.wire.counts(Way::Forward);
        assert_eq!((counts.corrupted - before.corrupted, counts.dropped), (2, 0));
    }
}

fn a_policer_lets_its_burst_pass() {
    let net = netns::wired(Families::V4);
    // So slow that no token is added during the test.
    let police = Effect::Police { per_second: 0, burst: 4 };
    net.wire.impair(Way::Forward, Which::only(|d| d.payload != END), police);
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 9);
    assert_eq!(receive_series(&sockets.far), [1, 2, 3, 4]);
    assert_eq!(net.wire.counts(Way::Forward).dropped, 5);
}

fn nothing_that_enters_after_a_cut_arrives() {
    let net = netns::wired(Families::V4);
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 2);
    assert_eq!(receive_series(&sockets.far), [1, 2]);
    let before = Moment::now();
    let cut = net.wire.cut(Way::Forward);
    assert!(before.wall_ns <= cut.wall_ns && before.monotonic_ns <= cut.monotonic_ns);
    assert_eq!(net.wire.cut_moment(Way::Forward), Some(cut));
    send_series(&sockets.near, 2);
    net.wire.wait_for(Way::Forward, |counts| counts.dropped == 3);
    assert!(net.wire.mend(Way::Forward).monotonic_ns >= cut.monotonic_ns);
    sockets.near.send(&[9]).expect("it leaves");
    assert_eq!(receive(&sockets.far), [9]);
    let late =
        net.wire.records(Way::Forward).into_iter().filter(|r| r.arrived_wall_ns >= cut.wall_ns);
    assert_eq!(late.map(|record| record.delivered).collect::<Vec<_>>(), [0, 0, 0, 1]);
}

fn what_is_under_way_at_a_cut_still_arrives() {
    let net = netns::wired(Families::V4);
    let delay = Effect::Delay(Duration::from_millis(100));
    net.wire.impair(Way::Forward, Which::from(2), delay);
    let sockets = sockets(&net, Family::V4);
    send_series(&sockets.near, 2);
    net.wire.wait_for(Way::Forward, |counts| counts.seen == 3);
    net.wire.cut(Way::Forward);
    assert_eq!(receive_series(&sockets.far), [1, 2]);
    assert_eq!(net.wire.counts(Way::Forward).dropped, 0);
}

fn a_wire_is_cut_behind_the_datagram_that_was_named() {
    let net = netns::wired(Families::V4);
    net.wire.cut_after(Way::Forward, 3);
    let sockets = sockets(&net, Family::V4);
    for number in 1..=5 {
        sockets.near.send(&[number]).expect("it leaves");
    }
    assert_eq!([(); 3].map(|()| receive(&sockets.far)), [[1], [2], [3]]);
    let counts = net.wire.wait_for(Way::Forward, |counts| counts.seen == 5);
    assert_eq!((counts.delivered, counts.dropped), (3, 2));
    assert!(net.wire.cut_moment(Way::Forward).is_some());
}

fn what_is_no_datagram_does_not_count() {
    let net = netns::wired(Families::Both);
    net.wire.impair(Way::Forward, Which::all(), Effect::Drop);
    for family in Families::Both.each() {
        net.near.remove_neighbour("eth0", net.far.address(*family));
        // The far host must be asked for by ARP and neighbour discovery, through the wire.
        let socket = net.near.udp_socket((net.near.address(*family), 0));
        socket.send_to(b"x", (net.far.address(*family), 862)).expect("it waits for its neighbour");
    }
    let counts = net.wire.wait_for(Way::Forward, |counts| counts.seen == 2);
    assert_eq!((counts.dropped, counts.delivered), (2, 0));
    assert!(counts.other >= 2 && net.wire.counts(Way::Backward).other >= 2);
    assert_eq!(net.wire.counts(Way::Backward).seen, 0);
}

fn records_tell_what_came_in_and_what_became_of_it() {
    let net = netns::wired(Families::V4);
    net.wire.impair(Way::Forward, Which::nth([1]), Effect::Drop);
    let sockets = sockets(&net, Family::V4);
    sockets.near.set_ttl(255).expect("a valid TTL");
    let before = Moment::now();
    send_series(&sockets.near, 1);
    assert!(receive_series(&sockets.far).is_empty());
    net.wire.wait_for(Way::Forward, |counts| counts.delivered == 1);
    let records = net.wire.records(Way::Forward);
    let [lost, end] = &records[..] else { panic!("two datagrams: {records:?}") };
    assert_eq!((lost.nth, lost.delivered, &lost.payload[..]), (1, 0, &[1][..]));
    assert_eq!((end.nth, end.delivered, &end.payload[..]), (2, 1, END));
    assert_eq!((lost.translated, end.translated), (None, Some((end.source, end.destination))));
    assert_eq!((lost.source, lost.destination), (local(&sockets.near), local(&sockets.far)));
    assert_eq!((lost.hop_limit, lost.traffic_class), (255, 0));
    assert!(before.wall_ns <= lost.arrived_wall_ns && lost.arrived_wall_ns <= end.arrived_wall_ns);
}

fn a_nat_gives_flows_new_ports_when_it_rebinds() {
    let net = netns::wired(Families::Both);
    for (family, outside) in [(Family::V4, "192.0.2.99"), (Family::V6, "2001:db8::99")] {
        let outside: IpAddr = outside.parse().expect("an address");
        net.wire.translate(outside, 40_000);
        let far = net.far.udp_socket((net.far.address(family), 862));
        let near = [(); 2].map(|()| net.near.udp_socket((net.near.address(family), 0)));
        let seen_at_far = |socket: &UdpSocket| {
            socket.send_to(b"probe", local(&far)).expect("it leaves");
            let (octets, from) = receive_from(&far);
            far.send_to(&octets, from).expect("it leaves");
            assert_eq!(receive_from(socket), (b"probe".to_vec(), local(&far)));
            from
        };
        assert_eq!(seen_at_far(&near[0]), SocketAddr::new(outside, 40_000));
        assert_eq!(seen_at_far(&near[1]), SocketAddr::new(outside, 40_001));
        assert_eq!(seen_at_far(&near[0]), SocketAddr::new(outside, 40_000));
        net.wire.rebind(50_000);
        assert_eq!(seen_at_far(&near[0]), SocketAddr::new(outside, 50_000));
    }
}

fn a_nat_rebinds_behind_the_datagram_that_was_named() {
    let net = netns::wired(Families::V4);
    net.wire.translate(IpAddr::from([192, 0, 2, 99]), 40_000);
    net.wire.rebind_after(2, 50_000);
    let far = net.far.udp_socket((net.far.ipv4(), 862));
    let near = net.near.udp_socket((net.near.ipv4(), 0));
    let ports = [(); 4].map(|()| {
        near.send_to(b"probe", local(&far)).expect("it leaves");
        receive_from(&far).1.port()
    });
    assert_eq!(ports, [40_000, 40_000, 50_000, 50_000]);
    let records = net.wire.records(Way::Forward);
    assert!(records.iter().all(|record| record.source == local(&near)));
    let translated = records.iter().filter_map(|record| record.translated);
    assert_eq!(translated.map(|(source, _)| source.port()).collect::<Vec<_>>(), ports);
}

fn a_nat_drops_answers_to_a_port_it_has_forgotten() {
    let net = netns::wired(Families::V4);
    net.wire.translate(IpAddr::from([192, 0, 2, 99]), 40_000);
    let far = net.far.udp_socket((net.far.ipv4(), 862));
    let near = net.near.udp_socket((net.near.ipv4(), 0));
    near.send_to(b"probe", local(&far)).expect("it leaves");
    let (_, from) = receive_from(&far);
    net.wire.rebind(50_000);
    far.send_to(b"late", from).expect("it leaves");
    let counts = net.wire.wait_for(Way::Backward, |counts| counts.seen == 1);
    assert_eq!((counts.untranslated, counts.delivered), (1, 0));
}

fn icmp_errors_find_their_way_back_through_a_nat() {
    let net = netns::wired(Families::Both);
    for (family, outside) in [(Family::V4, "192.0.2.99"), (Family::V6, "2001:db8::99")] {
        net.wire.translate(outside.parse().expect("an address"), 40_000);
        let near = net.near.udp_socket((net.near.address(family), 0));
        near.connect((net.far.address(family), 862)).expect("far is reachable");
        near.send(b"probe").expect("it leaves");
        let refused = near.recv(&mut [0; 64]).expect_err("nobody listens there");
        assert_eq!(refused.raw_os_error(), Some(Errno::ECONNREFUSED as i32), "{family:?}");
    }
}

fn an_injected_datagram_claims_any_source_and_counts_nowhere() {
    let net = netns::wired(Families::Both);
    for (family, stranger) in [(Family::V4, "203.0.113.5:99"), (Family::V6, "[2001:db8:9::5]:99")] {
        let stranger: SocketAddr = stranger.parse().expect("an address and a port");
        let far = net.far.udp_socket((net.far.address(family), 862));
        net.wire.inject(Way::Forward, stranger, local(&far), b"forged");
        assert_eq!(receive_from(&far), (b"forged".to_vec(), stranger));
        let near = net.near.udp_socket((net.near.address(family), 862));
        net.wire.inject(Way::Backward, local(&far), local(&near), &[3; 1400]);
        assert_eq!(receive_from(&near), (vec![3; 1400], local(&far)));
    }
    assert_eq!(net.wire.counts(Way::Forward).seen + net.wire.counts(Way::Backward).seen, 0);
}
