//! What goes wrong on the way or at this host, told by its name.

use serde_json::Value;
use stamp_tests::netns::{Need, Trial, trials};

use super::network::{Net, OPEN, sender};
use crate::measure::session;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_label_that_nobody_knows_is_silence_explained: [Need::IPV6],
        a_sid_that_nobody_knows_is_named_by_the_router: [Need::IPV6],
        a_next_hop_without_neighbour_is_no_loss: [Need::IPV6],
        frames_follow_a_route_that_changes: [Need::IPV6],
        a_router_that_calls_a_steered_probe_too_big_is_heard: [Need::IPV6],
        a_router_that_calls_the_packet_around_a_probe_too_big_is_heard: [Need::IPV6],
        a_kernel_that_refuses_the_header_is_told_and_gone_round: [Need::IPV6],
        a_kernel_that_drops_its_own_source_address_does_not_hide_a_probe: [Need::IPV6],
        a_probe_that_two_interfaces_show_came_back_once: [Need::IPV6],
    ]
}

const LOOP_OF_SIDS: &str = "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:2:1::";
const LOOP_OF_LABELS: &str = "192.0.2.2 --mode loopback --segments 16011,16002";

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no count: {value}"))
}

/// The findings of a session of one kind.
fn findings(session: &Value, kind: &str) -> Vec<String> {
    let all = session["findings"].as_array().expect("findings").iter();
    let of_kind = all.filter(|finding| finding["kind"] == kind);
    let part = |finding: &Value, key: &str| finding[key].as_str().expect("a sentence").to_owned();
    of_kind.map(|finding| part(finding, "text") + " " + &part(finding, "remedy")).collect()
}

fn a_label_that_nobody_knows_is_silence_explained() {
    let net = Net::up();
    let finished = net.send(
        "192.0.2.2 --mode loopback --segments 16011,16099 --via s-a,10.0.1.2 -c 5 -i 5ms -W 100ms --json",
    );
    finished.assert_code(1);
    let session = session(&finished);
    let packets = &session["packets"];
    assert_eq!(packets["lost"]["round_trip"], packets["sent"], "{packets}");
    assert_eq!(findings(&session, "silent").len(), 1, "{finished}");
    let causes = findings(&session, "silent_cause");
    assert!(causes[0].contains("does not know its segment"), "{causes:?}");
    assert!(causes[0].contains("--show-packet"), "{causes:?}");
}

fn a_sid_that_nobody_knows_is_named_by_the_router() {
    let net = Net::up();
    let finished = net.send(
        "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:99:: -c 5 -i 5ms -W 100ms --json",
    );
    finished.assert_code(1);
    let session = session(&finished);
    let packets = &session["packets"];
    assert_eq!(packets["lost"]["round_trip"], packets["sent"], "{packets}");
    let told = findings(&session, "icmp");
    for words in ["from 2001:db8::11: ", "the next of fc00:bb:11:1::, fc00:bb:99::, "] {
        assert!(told.iter().any(|told| told.contains(words)), "{words}: {told:?}");
    }
    let unknown_first =
        "2001:db8::2 --mode loopback --segments fc00:bb:99:: -c 2 -i 5ms -W 100ms --json";
    let finished = net.send(unknown_first);
    finished.assert_code(1);
    let session = crate::measure::session(&finished);
    let packets = &session["packets"];
    assert_eq!(packets["sent"], 0, "{packets}");
    assert!(count(&packets["unsent_by_reason"]["no_route"]) > 0, "{packets}");
    let told = findings(&session, "unsent");
    assert!(told.iter().any(|told| told.ends_with("ip route get fc00:bb:99::")), "{told:?}");
}

fn a_next_hop_without_neighbour_is_no_loss() {
    let net = Net::up();
    for (flags, via) in [
        (LOOP_OF_LABELS.to_owned(), "s-a,10.0.1.77"),
        (LOOP_OF_LABELS.replace("192.0.2.2", "2001:db8::2"), "s-a,fd00:1ab:0:1::77"),
        (format!("{LOOP_OF_SIDS} --srv6 encap"), "s-a,fd00:1ab:0:1::77"),
    ] {
        let finished = net.send(&format!("{flags} --via {via} -c 5 -i 5ms -W 100ms --json"));
        finished.assert_code(1);
        let packets = session(&finished)["packets"].clone();
        assert_eq!(packets["sent"], 0, "{packets}");
        assert_eq!(packets["lost"]["round_trip"], 0, "{packets}");
        assert!(count(&packets["unsent_by_reason"]["no_neighbour"]) > 0, "{packets}");
    }
    assert_eq!(net.counts("s>a").seen, 0);
}

fn frames_follow_a_route_that_changes() {
    const FAR: &str = "198.51.100.7/32";
    let net = Net::up();
    let (near, far) = (net.host("s"), net.host("r"));
    let via = |address: &str| Some(address.parse().expect("an address"));
    far.add_address("lo", FAR);
    near.add_route(FAR, via("10.0.3.2"), "s-b");
    let _far = net.reflector(OPEN, &[]);
    let flags = format!(
        "198.51.100.7 -S 192.0.2.1 --segments 16002 -p {OPEN} -c 60 -i 10ms -W 1s --ndjson"
    );
    let program = net.start(&flags);
    let sample = |line: &str, from: u64| {
        serde_json::from_str::<Value>(line).is_ok_and(|event| {
            event["type"] == "sample" && event["sequence"].as_u64() >= Some(from)
        })
    };
    program.wait_for_line(|line| sample(line, 5));
    near.remove_route(FAR, via("10.0.3.2"), "s-b");
    near.add_route(FAR, via("10.0.1.2"), "s-a");
    let finished = program.wait();
    finished.assert_code(0);
    let last = finished.stdout.lines().last().expect("an end");
    let end: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(end["packets"]["lost"]["round_trip"], 0, "{end}");
    let sent = count(&end["packets"]["sent"]);
    let [before, after] = ["s>b", "s>a"].map(|way| net.counts(way).seen);
    assert!(before >= 5 && after > 5, "{before} over b, {after} over a");
    // A check of the far end may have gone before the session.
    assert!((sent..=sent + 1).contains(&(before + after)), "{before} {after} {sent}");
}

fn a_router_that_calls_a_steered_probe_too_big_is_heard() {
    let net = Net::up();
    net.host("a").set_mtu("a-r", 1300);
    // IPv6, SRH of three segments, UDP: the router sees the address of r's SID, not of this host.
    let fits = 1300 - 40 - (8 + 3 * 16) - 8;
    let finished = net.send(&format!("{LOOP_OF_SIDS} -s 1300 -c 5 -i 20ms -W 1s --json"));
    finished.assert_code(1);
    let session = session(&finished);
    let packets = &session["packets"];
    let unsent = |reason: &str| count(&packets["unsent_by_reason"][reason]);
    assert_eq!(packets["lost"]["round_trip"], 0, "never loss: {packets}");
    assert_eq!(unsent("too_big") + unsent("missed_slot"), 5, "{packets}");
    assert!(unsent("too_big") > 0, "{packets}");
    let told = findings(&session, "too_big");
    for words in ["2001:db8::11", "MTU 1300", &format!("-s {fits} ")] {
        assert!(told.iter().any(|told| told.contains(words)), "{words}: {told:?}");
    }
    net.send(&format!("{LOOP_OF_SIDS} -s {fits} -c 3 -i 10ms")).assert_code(0);
}

/// The router quotes the packet around the probe, which is none of a UDP socket's.
fn a_router_that_calls_the_packet_around_a_probe_too_big_is_heard() {
    let net = Net::up();
    net.host("a").set_mtu("a-r", 1300);
    let flags =
        format!("{} --srv6 encap", LOOP_OF_SIDS.replace("fc00:bb:2:1::", "fcbb:bb00:2:d6::"));
    // Two IPv6 headers, SRH of two segments, UDP.
    let fits = 1300 - 40 - (8 + 2 * 16) - 40 - 8;
    let other = net.start(&format!("{flags} -s 200 -c 30 -i 10ms -W 200ms --json"));
    let finished = net.send(&format!("{flags} -s 1300 -c 5 -i 20ms -W 1s --json"));
    finished.assert_code(1);
    let session = session(&finished);
    let packets = &session["packets"];
    let unsent = |reason: &str| count(&packets["unsent_by_reason"][reason]);
    assert_eq!(packets["lost"]["round_trip"], 0, "never loss: {packets}");
    assert_eq!(unsent("too_big") + unsent("missed_slot"), 5, "{packets}");
    let told = findings(&session, "too_big");
    for words in ["2001:db8::11", "MTU 1300", &format!("-s {fits} ")] {
        assert!(told.iter().any(|told| told.contains(words)), "{words}: {told:?}");
    }
    let other = other.wait();
    assert!(findings(&self::session(&other), "too_big").is_empty(), "not its probes: {other}");
    net.send(&format!("{flags} -s {fits} -c 3 -i 10ms")).assert_code(0);
}

fn a_kernel_that_refuses_the_header_is_told_and_gone_round() {
    let net = Net::up();
    let host = net.host("s");
    host.set_sysctl("net.ipv6.conf.all.seg6_enabled", "0");
    let flags = format!("{LOOP_OF_SIDS} -c 5 -i 5ms -W 1s --json");
    let blind = host.spawn_without_rights(&mut sender(&flags)).wait();
    blind.assert_code(1);
    for words in ["sysctl -w net.ipv6.conf.all.seg6_enabled=1", "CAP_NET_RAW"] {
        assert!(blind.stderr.contains(words), "{words}: {blind}");
    }
    let packets = session(&blind)["packets"].clone();
    assert_eq!(packets["lost"]["round_trip"], packets["sent"], "{packets}");
    let seeing = net.send(&flags);
    seeing.assert_code(0);
    let packets = session(&seeing)["packets"].clone();
    assert_eq!(packets["received"], packets["sent"], "{packets}");
    assert!(!seeing.stderr.contains("sysctl"), "{seeing}");
}

fn a_kernel_that_drops_its_own_source_address_does_not_hide_a_probe() {
    let net = Net::up();
    let host = net.host("s");
    for (setting, value) in [
        ("net.ipv4.conf.all.accept_local", "0"),
        ("net.ipv4.conf.s-b.accept_local", "0"),
        ("net.ipv4.conf.all.rp_filter", "1"),
    ] {
        host.set_sysctl(setting, value);
    }
    let finished =
        net.send(&format!("{LOOP_OF_LABELS} --via s-a,10.0.1.2 -c 5 -i 5ms -W 1s --json"));
    finished.assert_code(0);
    let packets = session(&finished)["packets"].clone();
    assert_eq!(packets["received"], packets["sent"], "{packets}");
}

/// A bridge shows again what its port has shown.
fn a_probe_that_two_interfaces_show_came_back_once() {
    let net = Net::up();
    net.host("s").bridge("br0", "s-b");
    for flags in [
        format!("{LOOP_OF_LABELS} --via s-a,10.0.1.2"),
        format!("{} --via s-a,fd00:1ab:0:1::2", LOOP_OF_LABELS.replace("192.0.2.2", "2001:db8::2")),
    ] {
        let finished = net.send(&format!("{flags} -c 20 -i 2ms --json"));
        finished.assert_code(0);
        let packets = session(&finished)["packets"].clone();
        assert_eq!(packets["received"], packets["sent"], "{packets}");
        assert_eq!(packets["duplicate"], 0, "{packets}");
    }
}
