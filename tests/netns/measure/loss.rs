//! Exact loss in each direction, in every mode of both ends.

use serde_json::json;
use stamp_tests::netns::{self, Families, Family, Trial, trials};
use stamp_tests::wire::{Effect, Way};

use super::{
    AUTHENTICATED_PROBE, AUTHENTICATED_REPLY, KeyFile, Layout, OPEN_PROBE, OPEN_REPLY, SSID,
    measure, probes, reflector, sender, session,
};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        open_and_stateless,
        open_and_stateful,
        authenticated_and_stateless,
        authenticated_and_stateful,
        every_direction_of_trouble_is_told_as_it_happens,
        duplicates_and_corruption_are_no_samples,
        a_stateful_reflector_tells_when_the_way_to_it_is_down,
    ]
}

fn open_and_stateless() {
    exact_loss(None, false);
}

fn open_and_stateful() {
    exact_loss(None, true);
}

fn authenticated_and_stateless() {
    exact_loss(Some(KeyFile::new("stateless")), false);
}

fn authenticated_and_stateful() {
    exact_loss(Some(KeyFile::new("stateful")), true);
}

/// Three probes are lost on the way out, two replies on the way back.
fn exact_loss(keys: Option<KeyFile>, stateful: bool) {
    let net = netns::wired(Families::Both);
    let mut far: Vec<&str> = vec!["--clock", "synchronized,error=1us"];
    // On a busy machine slots are missed: enough remain for every probe that is to be lost.
    let mut near = vec!["-c", "60", "-i", "20ms", "-W", "1s", "--json"];
    near.extend(["--clock", "synchronized,error=1us"]);
    let (probe, reply): (Layout, Layout) = match &keys {
        Some(_) => (AUTHENTICATED_PROBE, AUTHENTICATED_REPLY),
        None => (OPEN_PROBE, OPEN_REPLY),
    };
    if let Some(keys) = &keys {
        far.extend(["--auth", "--key-file", keys.path()]);
        near.extend(["--auth", "--key-file", keys.path()]);
    }
    if stateful {
        far.push("--stateful");
    }
    let _reflector = reflector(&net.far, &far);
    net.wire.impair(Way::Forward, probes(&[3, 4, 10], probe), Effect::Drop);
    net.wire.impair(Way::Backward, probes(&[7, 15], reply), Effect::Drop);
    for family in [Family::V4, Family::V6] {
        let target = net.far.address(family).to_string();
        let finished = measure(&net.near, &target, &near);
        finished.assert_code(0);
        let session = session(&finished);
        let packets = &session["packets"];
        let number = |key: &str| packets[key].as_u64().expect("a count");
        assert_eq!(number("sent") + number("unsent"), 60, "{packets}");
        assert!(number("sent") > 15, "too busy to tell: {packets}");
        assert_eq!(number("received") + 5, number("sent"), "{packets}");
        let lost = &packets["lost"];
        assert_eq!(lost["round_trip"], 5, "{packets}");
        assert_eq!(lost["longest_run"], 2, "{packets}");
        let directions = if stateful { (json!(3), json!(2)) } else { (json!(null), json!(null)) };
        assert_eq!((lost["forward"].clone(), lost["backward"].clone()), directions, "{packets}");
        assert_eq!(session["state"], "up");
        assert_eq!(session["clock"]["synchronized"], true, "{}", session["clock"]);
        // Declared to the nanosecond here; there as the Error Estimate can carry it.
        assert_eq!(session["clock"]["error_bound_ns"], 1_000);
        let far = session["clock"]["far"]["error_bound_ns"].as_u64().expect("a bound");
        assert!((1_000..=1_010).contains(&far), "{far}");
        assert_eq!(session["clock"]["stamps"]["probe_sent"], "kernel");
        assert_eq!(session["clock"]["stamps"]["reply_received"], "kernel");
        assert!(session["delay_ns"]["forward"]["p50"].as_i64().is_some_and(|ns| ns > 0));
        assert!(session["delay_ns"]["backward"]["p50"].as_i64().is_some_and(|ns| ns > 0));
    }
}

fn every_direction_of_trouble_is_told_as_it_happens() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &["--stateful"]);
    let flags = ["-i", "10ms", "-W", "50ms", "--ndjson", "--packet-loss-count", "3"];
    let program = net.near.spawn(&mut sender(&net.far.ipv4().to_string(), &flags));
    let state = |line: &str, to: &str| {
        line.starts_with("{\"type\":\"state\"") && line.contains(&format!("\"to\":\"{to}\""))
    };
    program.wait_for_line(|line| state(line, "up"));
    net.wire.cut(Way::Backward);
    program.wait_for_line(|line| state(line, "down"));
    net.wire.mend(Way::Backward);
    program.wait_for_line(|line| {
        line.starts_with("{\"type\":\"state\"")
            && line.contains("\"from\":\"down\"")
            && line.contains("\"to\":\"up\"")
    });
    program.signal(netns::Signal::SIGINT);
    let finished = program.wait();
    finished.assert_code(0);
    let last = finished.stdout.lines().last().expect("an end");
    let end: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(end["type"], "end", "{end}");
    let lost = &end["packets"]["lost"];
    assert_eq!(lost["forward"], 0, "{lost}");
    assert!(lost["backward"].as_u64().is_some_and(|count| count >= 3), "{lost}");
}

fn duplicates_and_corruption_are_no_samples() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &["--stateful"]);
    net.wire.impair(Way::Backward, probes(&[2], OPEN_REPLY), Effect::Copies(1));
    let corrupt = Effect::Corrupt {
        octet: OPEN_REPLY.sequence + 4,
        mask: 0xff,
        checksum: stamp_tests::wire::Checksum::Mended,
    };
    net.wire.impair(Way::Backward, probes(&[5], OPEN_REPLY), corrupt);
    let flags = ["-c", "30", "-i", "20ms", "-W", "1s", "--json"];
    let finished = measure(&net.near, &net.far.ipv4().to_string(), &flags);
    let packets = session(&finished)["packets"].clone();
    assert_eq!(packets["duplicate"], 1, "{packets}");
    assert_eq!(packets["rejected"], 1, "{packets}");
    assert_eq!(packets["rejected_by_reason"]["echoed_timestamp"], 1, "{packets}");
    assert_eq!(packets["lost"]["round_trip"], 1, "{packets}");
}

/// The way back breaks as well, and the reflector does not mistake one for the other.
fn a_stateful_reflector_tells_when_the_way_to_it_is_down() {
    let net = netns::wired(Families::V4);
    let far = ["--stateful", "--packet-loss-count", "3", "--event-export", "-"];
    let far = reflector(&net.far, &far);
    net.wire.impair(Way::Forward, probes(&[20, 21, 22, 23], OPEN_PROBE), Effect::Drop);
    net.wire.impair(Way::Backward, probes(&[30, 31, 32, 33], OPEN_REPLY), Effect::Drop);
    let target = net.far.ipv4().to_string();
    measure(&net.near, &target, &["-c", "80", "-i", "20ms", "-W", "1s", "--json"]).assert_code(0);
    far.signal(netns::Signal::SIGTERM);
    let told = far.wait();
    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let lines: Vec<_> = told.stdout.lines().map(event).collect();
    let mut brief = Vec::new();
    for line in &lines {
        assert_eq!(line["direction"], "forward", "{line}");
        assert_eq!((&line["ssid"], &line["limit"]), (&SSID.into(), &3.into()), "{line}");
        let change = (line["to"].clone(), line["sequences"][0].clone());
        // That its sender rests, as on a busy machine, looks like a broken way until the probe that was missed comes.
        if change.0 == "up" && brief.last() == Some(&(json!("down"), change.1.clone())) {
            brief.pop();
        } else {
            brief.push(change);
        }
    }
    assert_eq!(
        brief[..2],
        [(json!("down"), json!(20)), (json!("up"), json!(24))],
        "{}",
        told.stdout
    );
    // That its sender has stopped looks like one, and comes last if it comes.
    assert!(brief.iter().skip(2).all(|(_, first)| first.as_u64() > Some(33)), "{}", told.stdout);
    assert!(told.stderr.contains("probes of this session do not arrive any more"), "{told}");
}
