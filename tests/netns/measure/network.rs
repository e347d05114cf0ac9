//! Networks that are not plain: one family, NAT, small MTU, link-local, equal paths, no rights.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use stamp_tests::netns::{self, Families, Host, Trial, trials};
use stamp_tests::wire::{Effect, Way, Which, Wire};

use super::{PORT, SSID, measure, reflector, sender, session};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        hosts_with_one_family_measure_and_run_the_demo,
        a_link_local_target_is_measured,
        a_nat_that_rebinds_makes_no_loss,
        a_probe_too_big_for_the_path_is_told_with_the_size_that_fits,
        the_largest_probe_that_the_path_carries_is_found,
        an_ordinary_user_measures_between_two_hosts,
        a_next_hop_without_neighbour_is_no_loss_of_the_path,
        a_session_never_leaves_from_the_port_it_sends_to,
        the_source_port_tells_equal_paths_apart,
    ]
}

const BRIEF: [&str; 5] = ["-c", "5", "-i", "5ms", "--json"];

fn hosts_with_one_family_measure_and_run_the_demo() {
    for families in [Families::V4, Families::V6] {
        let net = netns::two_hosts(families);
        let _reflector = reflector(&net.far, &[]);
        let target = net.far.address(families.each()[0]).to_string();
        let finished = measure(&net.near, &target, &BRIEF);
        finished.assert_code(0);
        assert_eq!(session(&finished)["packets"]["lost"]["round_trip"], 0);
        let mut demo = netns::binary("stamp-sender");
        let demo = net
            .near
            .spawn(demo.args(["demo", "--loopback", "-c", "3", "-i", "5ms", "--json"]))
            .wait();
        demo.assert_code(0);
        let document = demo.json();
        let sessions = document["sessions"].as_array().expect("sessions");
        assert_eq!(sessions.len(), 2);
        for session in sessions {
            assert_eq!(session["packets"]["lost"]["round_trip"], 0, "{session}");
            assert_eq!(session["clock"]["declared"], true, "{session}");
        }
    }
}

fn a_link_local_target_is_measured() {
    let net = netns::two_hosts(Families::Both);
    let _reflector = reflector(&net.far, &[]);
    let address = net.far.link_local("eth0");
    for target in [format!("{address}%eth0"), format!("[{address}%eth0]:{PORT}")] {
        measure(&net.near, &target, &BRIEF).assert_code(0);
    }
    let mut by_interface = vec!["-I", "eth0"];
    by_interface.extend(BRIEF);
    measure(&net.near, &address.to_string(), &by_interface).assert_code(0);
    let unscoped = measure(&net.near, &address.to_string(), &BRIEF);
    unscoped.assert_code(3);
    assert!(unscoped.stderr.contains("needs its interface"), "{}", unscoped.stderr);
}

fn a_nat_that_rebinds_makes_no_loss() {
    let net = netns::wired(Families::V4);
    net.wire.translate("192.0.2.77".parse().expect("an address"), 40_000);
    let far = reflector(&net.far, &["--stateful"]);
    // The first datagram is the check; the mapping changes in the middle of the session.
    net.wire.rebind_after(11, 50_000);
    // The old port counts as given up after eight intervals of silence, 100 ms at least: the
    // session goes on much longer, however busy the machine is.
    let flags = ["-c", "60", "-i", "20ms", "-W", "1s", "--json"];
    let finished = measure(&net.near, &net.far.ipv4().to_string(), &flags);
    finished.assert_code(0);
    let packets = session(&finished)["packets"].clone();
    let lost = &packets["lost"];
    // The mapping is forgotten behind a probe, so the translator drops the reply to it, and to those before it that
    // a busy machine has not answered yet.
    let dropped = net.wire.counts(Way::Backward).untranslated;
    assert!(dropped > 0, "{packets}");
    assert_eq!((&lost["forward"], &lost["backward"]), (&0.into(), &dropped.into()), "{packets}");
    let ports: BTreeSet<u16> = net
        .wire
        .records(Way::Forward)
        .iter()
        .filter(|record| super::ssid(&record.payload, super::OPEN_PROBE) == Some(SSID))
        .filter_map(|record| record.translated.map(|(source, _)| source.port()))
        .collect();
    assert_eq!(ports.len(), 2, "the mapping changed: {ports:?}");
    far.signal(netns::Signal::SIGTERM);
    let told = far.wait();
    assert!(told.stderr.contains("1 changed port"), "{}", told.stderr);
}

fn a_probe_too_big_for_the_path_is_told_with_the_size_that_fits() {
    for (families, fits) in [(Families::V4, 1400 - 28), (Families::V6, 1400 - 48)] {
        let net = netns::with_router(families, 1400);
        let _reflector = reflector(&net.far, &[]);
        let target = net.far.address(families.each()[0]).to_string();
        let flags = ["-c", "5", "-i", "20ms", "-W", "1s", "-s", "1450", "--json"];
        let finished = measure(&net.near, &target, &flags);
        finished.assert_code(1);
        let packets = session(&finished)["packets"].clone();
        assert_eq!(packets["lost"]["round_trip"], 0, "never loss: {packets}");
        let unsent = |reason: &str| packets["unsent_by_reason"][reason].as_u64().expect("a count");
        // A busy machine misses slots; every probe that was made is too big.
        assert_eq!(unsent("too_big") + unsent("missed_slot"), 5, "{packets}");
        assert!(unsent("too_big") > 0, "{packets}");
        let told =
            measure(&net.near, &target, &["-c", "3", "-i", "20ms", "-W", "1s", "-s", "1450"]);
        let text = format!("{}{}", told.stdout, told.stderr);
        assert!(text.contains("1400") && text.contains(&format!("-s {fits}")), "{text}");
        let size = fits.to_string();
        let fitting = ["-c", "3", "-i", "20ms", "-s", &size, "--json"];
        measure(&net.near, &target, &fitting).assert_code(0);
    }
}

fn an_ordinary_user_measures_between_two_hosts() {
    let net = netns::two_hosts(Families::Both);
    let mut far = netns::binary("stamp-reflector");
    far.args(["--listen", &format!(":{PORT}")]);
    let far = net.far.spawn_without_rights(&mut far);
    net.far.wait_for_udp_listener(&far, PORT);
    for family in Families::Both.each() {
        let target = net.far.address(*family).to_string();
        net.near.spawn_without_rights(&mut sender(&target, &BRIEF)).wait().assert_code(0);
    }
}

fn a_next_hop_without_neighbour_is_no_loss_of_the_path() {
    let net = netns::wired(Families::V4);
    let target = net.far.ipv4();
    net.near.remove_neighbour("eth0", target.into());
    net.near.set_sysctl("net.ipv4.neigh.eth0.retrans_time_ms", "50");
    net.wire.cut(Way::Forward);
    let flags = ["-c", "3", "-i", "100ms", "-W", "5s", "--json"];
    let finished = measure(&net.near, &target.to_string(), &flags);
    finished.assert_code(1);
    let packets = session(&finished)["packets"].clone();
    assert_eq!(packets["lost"]["round_trip"], 0, "{packets}");
    let unsent = |reason: &str| packets["unsent_by_reason"][reason].as_u64().expect("a count");
    // A busy machine misses slots; every probe that was made found no neighbour.
    assert_eq!(unsent("no_neighbour") + unsent("missed_slot"), 3, "{packets}");
    assert!(unsent("no_neighbour") > 0, "{packets}");
}

fn the_largest_probe_that_the_path_carries_is_found() {
    for (families, headers) in [(Families::V4, 28), (Families::V6, 48)] {
        let net = netns::with_router(families, 1400);
        let _reflector = reflector(&net.far, &[]);
        let target = net.far.address(families.each()[0]).to_string();
        let finished = net.near.spawn(&mut sender(&target, &["--mtu-sweep", "--json"])).wait();
        finished.assert_code(0);
        let found = &finished.json()["mtu_sweep"][0];
        assert_eq!(found["largest_payload_octets"], 1400 - headers, "{found}");
        assert_eq!(found["packet_octets"], 1400, "{found}");
    }
}

fn a_session_never_leaves_from_the_port_it_sends_to() {
    let net = netns::two_hosts(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let far = net.far.ipv4().to_string();
    let draw_from = |last: u16| {
        net.near.set_sysctl("net.ipv4.ip_local_port_range", &format!("{PORT} {last}"));
        measure(&net.near, &far, &BRIEF)
    };
    // The port of the far end, and as many as a run holds at once: for what asks the far end first as well.
    for _ in 0..16 {
        let finished = draw_from(PORT + 3);
        finished.assert_code(0);
        assert_ne!(session(&finished)["path"]["source_port"], PORT, "{finished}");
    }
    let refused = draw_from(PORT);
    refused.assert_code(4);
    assert!(refused.stderr.contains("net.ipv4.ip_local_port_range is taken"), "{refused}");
}

/// Two hosts whose loopback addresses are reached over two wires of the same cost.
fn over_two_wires() -> (Host, Host, [Wire; 2]) {
    let [near, far] = ["near", "far"].map(|name| Host::new(name, Families::V4));
    let wires = ["eth1", "eth2"].map(|link| Wire::join(&near, link, &far, link));
    for (host, other, own, last) in [(&near, &far, NEAR, 1_u8), (&far, &near, FAR, 2)] {
        host.add_address("lo", &format!("{own}/32"));
        for (link, net) in LINKS {
            // Replies may come by the other wire.
            host.set_sysctl(&format!("net.ipv4.conf.{link}.rp_filter"), "0");
            host.add_address(link, &format!("{net}.{last}/24"));
            host.set_neighbour(link, address(net, 3 - last), other.mac(link));
        }
        let next_hops = LINKS.map(|(link, net)| (address(net, 3 - last), link));
        let there = if own == NEAR { FAR } else { NEAR };
        host.add_equal_routes(&format!("{there}/32"), &next_hops);
    }
    (near, far, wires)
}

const NEAR: &str = "203.0.113.1";
const FAR: &str = "203.0.113.2";
const LINKS: [(&str, &str); 2] = [("eth1", "192.0.2"), ("eth2", "198.51.100")];

fn address(net: &str, last: u8) -> IpAddr {
    format!("{net}.{last}").parse().expect("an address")
}

fn the_source_port_tells_equal_paths_apart() {
    const SLOW: Duration = Duration::from_millis(200);
    let (near, far, wires) = over_two_wires();
    let _reflector = reflector(&far, &[]);
    wires[1].impair(Way::Forward, Which::all(), Effect::Delay(SLOW));
    let fastest_from = |port: u16| {
        let port = port.to_string();
        let flags = ["-S", NEAR, "--source-port", &port, "-c", "5", "-i", "5ms", "--json"];
        let finished = measure(&near, FAR, &flags);
        finished.assert_code(0);
        session(&finished)["delay_ns"]["forward"]["min"].as_u64().expect("a delay")
    };
    let ports_of = |wire: &Wire| -> BTreeSet<u16> {
        let records = wire.records(Way::Forward);
        let probes = records.iter().filter(|record| record.destination.port() == PORT);
        probes.map(|record| record.source.port()).collect()
    };
    // A port more until both are taken: the kernel's choice of a wire has a key of its own at each boot.
    let mut tried = 40_000_u16..40_064;
    let mut fastest = Vec::new();
    while wires.iter().any(|wire| ports_of(wire).is_empty()) {
        let port = tried.next().expect("64 ports do not all take one of two paths");
        fastest.push((port, fastest_from(port)));
    }
    // Each again: to the same receiver port it takes the path it took before.
    let again: Vec<(u16, u64)> =
        fastest.iter().map(|(port, _)| (*port, fastest_from(*port))).collect();
    let [quick, slow] = [&wires[0], &wires[1]].map(ports_of);
    assert!(quick.is_disjoint(&slow), "{quick:?} {slow:?}");
    for (port, fastest) in fastest.into_iter().chain(again) {
        let is_slow = u128::from(fastest) >= SLOW.as_nanos();
        assert_eq!(is_slow, slow.contains(&port), "{port}: {fastest} ns; slow: {slow:?}");
    }
}
