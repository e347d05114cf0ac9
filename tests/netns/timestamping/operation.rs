//! The node as an operator meets it: rights, routes, labels of its own, statistics, reload.

use std::process::Command;

use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_tests::netns::{self, Family, Host, Need, Signal, Trial, trials};

use super::sids::{host, tunnel};
use super::{EVERYTHING, Folder, Stage, flow, labelled, network, open_probe};
use crate::machine_format::assert_keeps_to;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        what_is_no_test_packet_passes_unstamped_and_what_must_not_pass_is_dropped: [Need::IPV6],
        the_kernel_keeps_quiet_only_while_the_node_runs: [Need::IPV6],
        what_a_killed_run_left_is_taken_away_by_the_next: [Need::IPV6],
        without_rights_it_names_the_right_and_the_line: [Need::IPV6],
        a_route_of_the_kernel_for_the_sid_is_refused: [Need::IPV6],
        a_blackhole_of_the_operator_needs_no_right_and_stays: [Need::IPV6],
        a_label_of_its_own_is_kept_and_told,
        a_reload_changes_everything_or_nothing: [Need::IPV6],
    ]
}

const MPLS: u16 = 0x8847;
const IPV6: u16 = 0x86dd;

fn reflector(file: &std::path::Path) -> Command {
    let mut command = netns::binary("stamp-reflector");
    command.arg(file);
    command
}

fn what_is_no_test_packet_passes_unstamped_and_what_must_not_pass_is_dropped() {
    let mut stage = Stage::new(EVERYTHING);
    let near = stage.net.near.address(Family::V4);
    let sent = open_probe();
    let with = |labels: &[u32], payload: &[u8]| labelled(labels, &flow(near, near), payload);
    let mut foreign = flow(near, near);
    foreign.destination_port = 50_000;
    let mut reserved = with(&[15, 240], &sent);
    reserved[4..8].copy_from_slice(&[0, 0, 0x70, 255]);
    let not_udp = changed(with(&[15, 240], &sent), 9, 6);
    let fragment = changed(with(&[15, 240], &sent), 6, 0x20);
    let hops = changed(with(&[15, 240], &sent), 8, 1);
    let ended = tunnel(&stage, &["fc00:bb:2:f::"], &sent);
    let mut upper = host(&stage, &["fc00:bb:2:f::", "fc00:bb:1:1::"], &sent);
    upper[43] = 0;
    let lost = labelled(&[15, 240], &flow(near, [203, 0, 113, 9].into()), &sent);
    for packet in [
        with(&[15, 240], &sent[..20]),
        labelled(&[15_001], &foreign, &sent),
        not_udp,
        fragment,
        reserved,
        with(&[15, 250], &sent),
        with(&[16_999], &sent),
        with(&[15, 240, 15, 241], &sent),
        hops,
        lost,
    ] {
        stage.send(MPLS, &packet);
    }
    stage.send(IPV6, &upper);
    stage.send(IPV6, &ended);
    // The last is a good one.
    let is_last = |seen: &super::Seen| !seen.outgoing && seen.ether_type == IPV6 && seen.is_probe();
    stage.near.wait_for(is_last);
    let passed = stage.unexpected();
    let payloads: Vec<usize> = passed
        .iter()
        .map(|seen| find_udp(Outermost::Ip, &seen.octets).map_or(0, |place| place.payload.len()))
        .collect();
    assert_eq!(payloads, [20, 44, 0, 0], "{passed:?}");
    for seen in &passed[..2] {
        assert!(sent.starts_with(&seen.payload()[..20]), "unstamped: {seen:?}");
    }
    let told = stage.stop().stderr;
    for line in [
        "unstamped                1  fragment: ",
        "unstamped                1  not-udp: ",
        "unstamped                1  foreign-port: ",
        "unstamped                1  too-short: ",
        "not forwarded            1  reserved-label: ",
        "not forwarded            1  unknown-extended-label: ",
        "not forwarded            1  unknown-label: ",
        "not forwarded            1  second-timestamp: ",
        "not forwarded            1  hop-limit: ",
        "not forwarded            1  no-route: ",
        "not forwarded            1  upper-layer: ",
        "extended label 240: 0 with T2, 3 without",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

/// Changes an octet of the IPv4 header behind two labels, and its checksum with it.
fn changed(mut packet: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    let header = &mut packet[8..28];
    header[at] = value;
    header[10..12].fill(0);
    let sum = stamp_proto::sr::checksum::checksum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn the_kernel_keeps_quiet_only_while_the_node_runs() {
    let mut stage = Stage::new(EVERYTHING);
    let packet = tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    stage.round_trip(IPV6, &packet);
    assert!(stage.unexpected().is_empty());
    stage.program.signal(Signal::SIGTERM);
    stage.program.wait().assert_code(0);
    // The route is gone with the node: the kernel answers that nobody is there.
    stage.send(IPV6, &packet);
    let unreachable = |seen: &super::Seen| {
        !seen.outgoing && seen.ether_type == IPV6 && seen.octets[6] == 58 && seen.octets[40] == 1
    };
    stage.near.wait_for(unreachable);
}

/// A node that runs beside it keeps its routes.
fn what_a_killed_run_left_is_taken_away_by_the_next() {
    let mut stage = Stage::new(EVERYTHING);
    let packet = tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    let other = "listen = [\"127.0.0.1:8621\"]\n[[timestamp]]\nsid = \"fc00:bb:2:d::/64\"\n\
                 interfaces = [\"eth0\"]\n";
    let file = stage._folder.write("other.toml", other);
    let start = |stage: &Stage, file: &std::path::Path| {
        let program = stage.net.router.spawn(&mut reflector(file));
        program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
        program
    };
    let other = start(&stage, &file);
    assert!(!other.stderr().contains("blackhole"), "the first one lives: {}", other.stderr());
    stage.program.signal(Signal::SIGKILL);
    let killed = stage.program.wait();
    assert_eq!(killed.code, None, "{killed}");
    // Nobody is there, and the kernel keeps quiet.
    stage.send(IPV6, &packet);
    assert!(stage.unexpected().is_empty());
    let plain = stage._folder.write("plain.toml", "listen = [\"127.0.0.1:8620\"]\n");
    let next = start(&stage, &plain);
    let told = next.stderr();
    assert!(told.contains("removed the blackhole route fc00:bb:2:f::/64"), "{told}");
    assert!(!told.contains("fc00:bb:2:d::/64"), "that one is in use: {told}");
    stage.send(IPV6, &packet);
    let unreachable = |seen: &super::Seen| {
        !seen.outgoing && seen.ether_type == IPV6 && seen.octets[6] == 58 && seen.octets[40] == 1
    };
    stage.near.wait_for(unreachable);
    drop(other);
}

fn without_rights_it_names_the_right_and_the_line() {
    let net = network();
    let folder = Folder::new();
    let refused = |text: &str| {
        let file = folder.write("node.toml", text);
        let finished = net.router.spawn_without_rights(&mut reflector(&file)).wait();
        finished.assert_code(4).stderr.clone()
    };
    let listen = "listen = [\"127.0.0.1:8620\"]\n";
    let told =
        refused(&format!("{listen}[[timestamp]]\nextended = 240\ninterfaces = [\"eth0\"]\n"));
    assert!(told.contains("raw frames needs CAP_NET_RAW"), "{told}");
    assert!(told.contains("  sudo setcap cap_net_raw=+ep /"), "{told}");
    assert!(told.contains("AmbientCapabilities=CAP_NET_RAW"), "{told}");
}

fn a_route_of_the_kernel_for_the_sid_is_refused() {
    let net = network();
    let folder = Folder::new();
    net.router.add_route("fc00:bb:2:f::/64", Some(net.near.ipv6().into()), "eth0");
    let file = folder.write("node.toml", EVERYTHING);
    let finished = net.router.spawn(&mut reflector(&file)).wait();
    let told = &finished.assert_code(4).stderr;
    let reason = "packets to fc00:bb:2:f::/64 would be answered by the kernel as well";
    assert!(told.contains(reason), "{told}");
    assert!(told.contains("  sudo ip -6 route del fc00:bb:2:f::/64"), "{told}");
}

fn a_blackhole_of_the_operator_needs_no_right_and_stays() {
    let net = network();
    let blackhole = |host: &Host| {
        host.run(|| {
            let prefix = "fc00:bb:2:f::".parse().expect("an address");
            stamp_net::route::Blackhole::ensure(prefix, 64)
        })
    };
    let operators = blackhole(&net.router).expect("the kit has the rights");
    let again = blackhole(&net.router).expect("it is there");
    // Whoever found it does not take it away.
    net.router.run(|| drop(again));
    let found = net.router.run(|| {
        let to = "fc00:bb:2:f::7".parse().expect("an address");
        stamp_net::route::lookup(&stamp_net::route::RouteQuery::to(to))
    });
    assert!(found.is_err(), "{found:?}");
    net.router.run(|| drop(operators));
}

const OWN: &str = r#"
listen = ["127.0.0.1:8620"]
label-range = "15000-15009"
label-file = "labels"
[[timestamp]]
label = "auto"
interfaces = ["eth0"]
[[timestamp]]
label = "auto"
authenticated = true
interfaces = ["eth0"]
"#;

fn a_label_of_its_own_is_kept_and_told() {
    let net = netns::two_hosts(netns::Families::V4);
    let folder = Folder::new();
    let file = folder.write("node.toml", OWN);
    let told = || {
        let mut command = netns::binary("stamp-reflector");
        command.args(["sessions", "--json"]).arg(&file);
        let finished = net.far.spawn(&mut command).wait();
        let document = finished.assert_code(0).json();
        assert_keeps_to("stamp-reflector", "timestamps", &document);
        document["timestamps"].clone()
    };
    let run = || {
        let program = net.far.spawn(&mut reflector(&file));
        program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
        program.signal(Signal::SIGTERM);
        program.wait().assert_code(0);
    };
    assert!(told()[0]["label"].is_null(), "not taken yet");
    run();
    let taken = told();
    assert_eq!((&taken[0]["label"], &taken[1]["label"]), (&15_000.into(), &15_001.into()));
    assert_eq!(
        taken[1]["sender"],
        "timestamp-label = { label = 15001, offset = 32, format = \"ptp\" }"
    );
    run();
    assert_eq!(told(), taken, "the same after a restart");
}

fn a_reload_changes_everything_or_nothing() {
    let mut stage = Stage::new("listen = [\"127.0.0.1:8620\"]\nworkers = 1\n");
    let near = stage.net.near.address(Family::V4);
    let packet = labelled(&[15, 240], &flow(near, near), &open_probe());
    let file = stage._folder.0.join("node.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("the file can be written");
    let reloaded = "msg=\"configuration reloaded\"";
    write(EVERYTHING);
    // A stateful reflector is one of the things that change.
    stage.program.signal(Signal::SIGHUP);
    stage.program.wait_for_error_line(|line| line.contains(reloaded));
    stage.round_trip(MPLS, &packet);
    write(&EVERYTHING.replace("interfaces = [\"eth1\"]", "interfaces = [\"eth7\"]"));
    stage.program.signal(Signal::SIGHUP);
    let line = stage.program.wait_for_error_line(|line| line.contains("eth7"));
    assert!(line.contains("there is no interface"), "{line}");
    stage.round_trip(MPLS, &packet);
    let told = stage.stop().stderr;
    assert!(told.contains("extended label 240: 2 with T2, 0 without"), "{told}");
}
