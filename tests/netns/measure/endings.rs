//! How a run ends: statuses, signals, causes told.

use std::time::Duration;

use stamp_tests::netns::{self, Families, Signal, Trial, trials};
use stamp_tests::wire::{Datagram, Effect, Record, Way, Which};

use super::{KeyFile, OPEN_PROBE, OPEN_REPLY, PORT, answered, measure, reflector, sender};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        each_kind_of_failure_has_its_status_in_every_form_of_output,
        a_closed_port_is_named,
        silence_is_explained_by_its_causes,
        interrupts_end_with_a_summary,
        a_stateless_far_end_fails_the_stateful_requirement,
        the_wrong_key_is_silence_and_the_mode_is_among_the_causes,
        doctor_tells_what_the_far_end_is,
        several_hosts_are_measured_at_once,
        a_host_without_name_or_route_is_left_out_and_told,
        a_summary_asked_for_before_the_first_probe_ends_nothing,
        a_check_has_the_statuses_of_monitoring_plugins,
    ]
}

const FORMS: [&[&str]; 5] = [&[], &["--json"], &["--ndjson"], &["--csv"], &["-qq"]];
const FEW: [&str; 6] = ["-c", "2", "-i", "50ms", "-W", "500ms"];

fn each_kind_of_failure_has_its_status_in_every_form_of_output() {
    let net = netns::two_hosts(Families::V4);
    let address = net.far.ipv4().to_string();
    let cases: [(&str, &[&str], i32, &str); 8] = [
        (&address, &[], 1, ""),
        ("no-such-name.invalid", &[], 2, "cannot resolve"),
        ("203.0.113.9", &[], 2, "no route"),
        (&address, &["-s", "43"], 3, "--size"),
        (&address, &["-d", "soon"], 3, "expected a duration"),
        (&address, &["-I", "eth7"], 3, "eth7"),
        (&address, &["--auth", "--key-file", "/nonexistent"], 3, "/nonexistent"),
        (&address, &["-S", "198.51.100.9"], 4, "198.51.100.9"),
    ];
    for form in FORMS {
        let runs = cases.map(|(target, flags, status, words)| {
            let flags: Vec<&str> = [&FEW[..], form, flags].concat();
            (net.near.spawn(&mut sender(target, &flags)), status, words)
        });
        for (program, status, words) in runs {
            let finished = program.wait();
            finished.assert_code(status);
            assert!(finished.stderr.contains(words), "{words:?} in {}", finished.stderr);
        }
    }
}

fn a_closed_port_is_named() {
    let net = netns::two_hosts(Families::Both);
    for family in Families::Both.each() {
        let finished = measure(&net.near, &net.far.address(*family).to_string(), &FEW);
        finished.assert_code(1);
        let text = format!("{}{}", finished.stdout, finished.stderr);
        assert!(text.contains("port unreachable"), "{text}");
    }
}

fn silence_is_explained_by_its_causes() {
    let net = netns::wired(Families::V4);
    net.wire.impair(Way::Forward, Which::all(), Effect::Drop);
    let finished = measure(&net.near, &net.far.ipv4().to_string(), &FEW);
    finished.assert_code(1);
    let text = format!("{}{}", finished.stdout, finished.stderr);
    let places: Vec<usize> = ["firewall", "port", "authenticat", "allow", "rate"]
        .iter()
        .map(|cause| text.to_lowercase().rfind(cause).unwrap_or_else(|| panic!("{cause}: {text}")))
        .collect();
    assert!(places.is_sorted(), "likeliest first: {places:?} in {text}");
}

fn interrupts_end_with_a_summary() {
    let net = netns::two_hosts(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let program = net.near.spawn(&mut sender(&target, &["-i", "20ms"]));
    program.wait_for_line(|line| line.contains("us ") || line.contains("ms "));
    program.signal(Signal::SIGQUIT);
    program.wait_for_line(|line| line.contains(" sent, "));
    program.signal(Signal::SIGINT);
    let finished = program.wait();
    finished.assert_code(0);
    assert!(finished.stdout.contains("round trip"), "{}", finished.stdout);
    assert!(finished.lasted.as_secs() < 5, "stragglers are not waited for: {:?}", finished.lasted);
    net.far.set_down("eth0");
    let unheard = net.near.spawn(&mut sender(&target, &["-i", "50ms", "-W", "5s"]));
    unheard.wait_for_line(|line| line.starts_with("STAMP"));
    unheard.signal(Signal::SIGINT);
    unheard.wait().assert_code(130);
}

fn a_stateless_far_end_fails_the_stateful_requirement() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let flags: Vec<&str> = [&FEW[..], &["--stateful"]].concat();
    let finished = measure(&net.near, &target, &flags);
    finished.assert_code(1);
    assert!(finished.stderr.contains("stateless"), "{}", finished.stderr);
    drop(far);
    let _stateful = reflector(&net.far, &["--stateful"]);
    measure(&net.near, &target, &flags).assert_code(0);
}

fn the_wrong_key_is_silence_and_the_mode_is_among_the_causes() {
    let net = netns::two_hosts(Families::V4);
    let keys = KeyFile::new("mode");
    let _reflector = reflector(&net.far, &["--auth", "--key-file", keys.path()]);
    let target = net.far.ipv4().to_string();
    let open = measure(&net.near, &target, &FEW);
    open.assert_code(1);
    let text = format!("{}{}", open.stdout, open.stderr);
    assert!(text.contains("--auth"), "{text}");
    let flags: Vec<&str> = [&FEW[..], &["--auth", "--key-file", keys.path()]].concat();
    measure(&net.near, &target, &flags).assert_code(0);
}

fn doctor_tells_what_the_far_end_is() {
    let net = netns::wired(Families::Both);
    let _reflector = reflector(&net.far, &["--stateful"]);
    // A far end that is busy for a moment has lost nothing.
    let is_last =
        |datagram: &Datagram<'_>| super::sequence(datagram.payload, OPEN_REPLY) == Some(4);
    let busy = Effect::Delay(Duration::from_millis(300));
    net.wire.impair(Way::Backward, Which::only(is_last), busy);
    let mut doctor = netns::binary("stamp-sender");
    doctor.args(["doctor", &format!("{}:{PORT}", net.far.ipv4()), "--json"]);
    let finished = net.near.spawn(&mut doctor).wait();
    let diagnosis = finished.json();
    let findings = diagnosis["far_end"].as_array().expect("findings");
    let text = |topic: &str| {
        let found = findings.iter().find(|finding| finding["topic"] == topic);
        found.unwrap_or_else(|| panic!("{topic}: {diagnosis}"))["text"].as_str().unwrap_or("")
    };
    // "5 of 5 probes", or fewer of as many where a busy machine missed a slot.
    let answers: Vec<&str> = text("answers").split_whitespace().collect();
    assert!(answers[0] == answers[2] && answers[0] != "0", "{diagnosis}");
    assert!(!text("answers").contains("get lost"), "{diagnosis}");
    assert!(text("reflector").starts_with("stateful"), "{diagnosis}");
    assert!(text("TLVs").starts_with("understood"), "{diagnosis}");
    assert!(text("timestamps").starts_with("ntp"), "{diagnosis}");
    assert!(text("path MTU").contains("1472"), "{diagnosis}");
    let mut silent = netns::binary("stamp-sender");
    silent.args(["doctor", &format!("{}:{}", net.far.ipv4(), PORT + 1)]);
    let finished = net.near.spawn(&mut silent).wait();
    finished.assert_code(1);
    assert!(finished.stdout.contains("port unreachable"), "{}", finished.stdout);
}

fn several_hosts_are_measured_at_once() {
    let net = netns::two_hosts(Families::Both);
    let _reflector = reflector(&net.far, &[]);
    let (v4, v6) = (net.far.ipv4().to_string(), net.far.ipv6().to_string());
    let mut command = netns::binary("stamp-sender");
    command.args([&v4, &v6, "-p", &PORT.to_string(), "-c", "5", "-i", "10ms", "--json"]);
    let finished = net.near.spawn(&mut command).wait();
    finished.assert_code(0);
    let document = finished.json();
    let names: Vec<&str> = document["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .filter_map(|session| session["name"].as_str())
        .collect();
    assert_eq!(names, [v4.as_str(), v6.as_str()]);
}

fn a_host_without_name_or_route_is_left_out_and_told() {
    let net = netns::two_hosts(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let far = net.far.ipv4().to_string();
    let mut command = netns::binary("stamp-sender");
    command.args(["no-such-name.invalid", &far, "203.0.113.9", "-p", &PORT.to_string(), "--json"]);
    command.args(FEW);
    let finished = net.near.spawn(&mut command).wait();
    finished.assert_code(2);
    let document = finished.json();
    let sessions = document["sessions"].as_array().expect("sessions");
    assert_eq!(sessions.len(), 1, "{document}");
    answered(&sessions[0], 2);
    for words in ["no-such-name.invalid: cannot resolve", "no route to 203.0.113.9"] {
        assert!(finished.stderr.contains(words), "{words:?} in {}", finished.stderr);
    }
}

fn a_summary_asked_for_before_the_first_probe_ends_nothing() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let program = net.near.spawn(&mut sender(&target, &["-c", "3", "-i", "20ms"]));
    // The question whether the far end counts comes first; the run has not begun when it passes.
    net.wire.wait_for(Way::Forward, |counts| counts.seen > 0);
    program.signal(Signal::SIGQUIT);
    let finished = program.wait();
    finished.assert_code(0);
    // By the record of the wire; where a busy machine missed slots, it says so.
    let sent = net.wire.counts(Way::Forward).seen - 1;
    let all = format!("{sent} sent, {sent} received, 0 lost");
    assert!(finished.stdout.contains(&all), "{all}: {finished}");
    let missed = format!("missed slot {}):", 3 - sent);
    assert!(sent == 3 || finished.stdout.contains(&missed), "{missed} {finished}");
}

/// How many of the probes from this port the wire has dropped, in percent: all, and those of which a later reply tells
/// the direction.
fn shares_dropped(net: &netns::Wired, port: u16) -> (f64, f64) {
    let records = net.wire.records(Way::Forward);
    let probes: Vec<_> = records.iter().filter(|it| it.source.port() == port).collect();
    let last = probes.iter().rposition(|it| it.delivered > 0).expect("one arrived");
    let share = |of: &[&Record]| {
        let dropped = of.iter().filter(|it| it.delivered == 0).count();
        dropped as f64 * 100.0 / probes.len() as f64
    };
    (share(&probes), share(&probes[..last]))
}

fn a_check_has_the_statuses_of_monitoring_plugins() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &["--stateful"]);
    let each_fifth = |datagram: &Datagram<'_>| {
        super::sequence(datagram.payload, OPEN_PROBE).is_some_and(|number| number % 5 == 3)
    };
    net.wire.impair(Way::Forward, Which::only(each_fifth), Effect::Drop);
    let address = format!("{}:{PORT}", net.far.ipv4());
    let cases: [(&str, &[&str], i32, &str); 7] = [
        (&address, &[], 0, "STAMP OK - "),
        (&address, &["-w", "delay=10s,loss=50%"], 0, "answered, round trip "),
        (&address, &["-w", "loss=1%", "-k", "delay=10s"], 1, "loss "),
        (&address, &["-w", "loss=1%", "-k", "forward-loss=2%"], 2, "forward-loss "),
        (&address, &["-w", "forward=10ms"], 3, "the clocks are not synchronized"),
        ("no-such-name.invalid", &[], 3, "STAMP UNKNOWN - no-such-name.invalid"),
        (&address, &["-w", "delay=1ms,loss=much"], 3, "loss=much: expected a share from 0%"),
    ];
    let runs = cases.into_iter().zip(40_000..).map(|((target, flags, status, words), port)| {
        let mut command = netns::binary("stamp-sender");
        command.args(["check", target, "--source-port", &port.to_string()]);
        // 40 of which 8 are lost; a busy machine misses some.
        command.args(["-c", "40", "-i", "20ms", "-W", "1s"]).args(flags);
        (net.near.spawn(&mut command), port, status, words)
    });
    for (program, port, status, words) in runs.collect::<Vec<_>>() {
        let finished = program.wait();
        finished.assert_code(status);
        let told = format!("{}{}", finished.stdout, finished.stderr);
        assert!(told.contains(words), "{words:?} in {told}");
        if words.ends_with("loss ") {
            let share = told.split_once(words).and_then(|(_, share)| share.split_once('%'));
            let share: f64 = share.expect("a share").0.parse().expect("a number");
            let (all, forward) = shares_dropped(&net, port);
            let dropped = if words == "loss " { all } else { forward };
            assert!((share - dropped).abs() < 0.1, "{dropped}% on the wire: {told}");
        }
        if finished.stdout.starts_with("STAMP OK") {
            assert!(finished.stdout.contains(" loss'="), "{told}");
            assert_eq!(finished.stdout.lines().count(), 1, "{told}");
        }
    }
}
