//! RFC 9503 between the programs: who answers, and which way replies take.

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Need, Signal, Trial, trials};

use super::lab::User;
use super::measure::{PORT, answered, measure, reflector, sent, session};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_reply_on_the_same_link_needs_no_policy,
        a_way_back_that_is_not_allowed_leaves_the_forward_delay,
        the_node_that_is_named_answers_and_another_says_that_it_is_not_meant,
        one_way_probes_are_told_by_the_reflector_alone,
        replies_take_the_segments_that_were_asked_for: [Need::IPV6],
        replies_to_a_prefix_take_its_way: [Need::IPV6],
    ]
}

const BRIEF: [&str; 5] = ["-c", "5", "-i", "20ms", "--json"];

/// Two ways between `a` and `b`; routing takes the fast one.
const TWO_WAYS: &str = r#"
[defaults]
srgb = [[16000, 23999]]
[[node]]
name = "a"
loopbacks = ["192.0.2.1", "2001:db8::1"]
index = 1
[[node]]
name = "b"
loopbacks = ["192.0.2.2", "2001:db8::2"]
index = 2
[[node]]
name = "fast"
loopbacks = ["192.0.2.3", "2001:db8::3"]
index = 3
sids = { end = "fc00:bb:3:1::" }
[[node]]
name = "slow"
loopbacks = ["192.0.2.4", "2001:db8::4"]
index = 4
sids = { end = "fc00:bb:4:1::" }
[[link]]
ends = ["a", "fast"]
igp = 10
delay = "1ms"
[[link]]
ends = ["fast", "b"]
igp = 10
delay = "1ms"
[[link]]
ends = ["a", "slow"]
igp = 1000
delay = "10ms"
[[link]]
ends = ["slow", "b"]
igp = 1000
delay = "10ms"
"#;

fn count(session: &Value, direction: &str) -> u64 {
    session["delay_ns"][direction]["count"].as_u64().expect("a count")
}

fn kinds(session: &Value) -> Vec<&str> {
    let findings = session["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["kind"].as_str()).collect()
}

fn a_reply_on_the_same_link_needs_no_policy() {
    let net = netns::two_hosts(Families::Both);
    let _reflector = reflector(&net.far, &[]);
    for family in Families::Both.each() {
        let target = net.far.address(*family).to_string();
        let finished = measure(&net.near, &target, &with(&["--return-path", "same-link"]));
        finished.assert_code(0);
        let session = session(&finished);
        assert_eq!(session["requests"]["return_path"], "same-link");
        assert_eq!(session["requests"]["return_path_not_honoured"], 0, "{session}");
        assert_eq!(session["tlvs"]["supported"], answered(&session, 5), "{session}");
    }
}

fn a_way_back_that_is_not_allowed_leaves_the_forward_delay() {
    let net = netns::two_hosts(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let finished =
        measure(&net.near, &net.far.ipv4().to_string(), &with(&["--return-path", "16004"]));
    finished.assert_code(0);
    let session = session(&finished);
    let all = answered(&session, 5);
    assert_eq!(session["requests"]["return_path_not_honoured"], all, "{session}");
    assert_eq!((count(&session, "forward"), count(&session, "round_trip")), (all, 0), "{session}");
    assert!(kinds(&session).contains(&"return_path_not_honoured"), "{session}");
}

fn the_node_that_is_named_answers_and_another_says_that_it_is_not_meant() {
    let net = netns::two_hosts(Families::V4);
    net.far.add_address("lo", "198.51.100.9/32");
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    for (node, is_meant) in [("198.51.100.9", true), ("198.51.100.77", false)] {
        let flag = format!("--destination-node-address={node}");
        let finished = measure(&net.near, &target, &with(&[&flag]));
        finished.assert_code(0);
        let session = session(&finished);
        let all = answered(&session, 5);
        let (right, wrong) = if is_meant { (all, 0) } else { (0, all) };
        assert_eq!(session["requests"]["wrong_reflector"], wrong, "{session}");
        assert_eq!(count(&session, "forward"), right, "{session}");
        assert_eq!(kinds(&session).contains(&"wrong_reflector"), !is_meant, "{session}");
    }
}

fn one_way_probes_are_told_by_the_reflector_alone() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far, &["--one-way-export", "-"]);
    let flags = with(&["--mode", "one-way", "--return-path", "none"]);
    let finished = measure(&net.near, &net.far.ipv4().to_string(), &flags);
    finished.assert_code(0);
    let session = session(&finished);
    let packets = &session["packets"];
    assert_eq!(packets["received"], 0, "{packets}");
    let sent = sent(&session, 5);
    assert_eq!(packets["lost"]["round_trip"], 0, "{packets}");
    assert!(kinds(&session).contains(&"no_reply_asked"), "{session}");
    let last = format!("\"sequence\":{},", sent - 1);
    far.wait_for_line(|line| line.contains(&last));
    far.signal(Signal::SIGTERM);
    let told = far.wait();
    let lines: Vec<Value> =
        told.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len() as u64, sent, "{}", told.stdout);
    for (sequence, line) in lines.iter().enumerate() {
        assert_eq!(line["sequence"], sequence, "{line}");
        assert_eq!(line["ssid"], super::measure::SSID, "{line}");
        assert_eq!(line["source"], net.near.ipv4().to_string(), "{line}");
        assert!(line["forward_ns"].as_i64().is_some_and(|delay| delay > 0), "{line}");
    }
    assert!(told.stderr.contains("no_reply"), "{}", told.stderr);
    assert!(told.stderr.contains("one-way"), "{}", told.stderr);
}

fn with<'f>(flags: &[&'f str]) -> Vec<&'f str> {
    BRIEF.into_iter().chain(flags.iter().copied()).collect()
}

/// A lab of two ways with a reflector at `b`, and what a run at `a` tells.
fn backward(user: &User, flags: &str) -> Value {
    let sender = netns::binary("stamp-sender").get_program().display().to_string();
    let run = format!("exec a {sender} -p {PORT} -c 5 -i 20ms --json {flags}");
    let finished: Finished = user.lab(&run);
    finished.assert_code(0);
    session(&finished)
}

fn reflect(user: &User, flags: &str) -> netns::Program {
    let path = netns::binary("stamp-reflector").get_program().display().to_string();
    let program = user.start(&format!("exec b {path} --listen :{PORT} {flags}"));
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    program
}

fn fastest_back_ms(session: &Value) -> i64 {
    session["delay_ns"]["backward"]["min"].as_i64().expect("a delay") / 1_000_000
}

fn replies_take_the_segments_that_were_asked_for() {
    let user = User::new(TWO_WAYS);
    user.lab("up net.toml").assert_code(0);
    let _reflector = reflect(&user, "--return-path fc00:bb::/32,192.0.2.0/24,fd00::/8,10.0.0.0/8");
    let plain = backward(&user, "2001:db8::2");
    assert!(fastest_back_ms(&plain) < 10, "{plain}");
    let led = backward(&user, "2001:db8::2 --return-segments fc00:bb:4:1::");
    assert_eq!(led["requests"]["return_path_not_honoured"], 0, "{led}");
    answered(&led, 5);
    assert!((20..30).contains(&fastest_back_ms(&led)), "{led}");
    // The node next to `b` takes the label off: it is the last before `a`.
    let labelled = backward(&user, "192.0.2.2 -S 192.0.2.1 --return-segments 16001");
    assert_eq!(labelled["requests"]["return_path_not_honoured"], 0, "{labelled}");
    answered(&labelled, 5);
}

fn replies_to_a_prefix_take_its_way() {
    let user = User::new(TWO_WAYS);
    user.lab("up net.toml").assert_code(0);
    let file = "[[allow]]\nprefix = \"::/0\"\nreturn-segments = [\"fc00:bb:4:1::\"]\n";
    user.write("reflector.toml", file);
    let _reflector = reflect(&user, "--config.file reflector.toml");
    let led = backward(&user, "2001:db8::2");
    assert!((20..30).contains(&fastest_back_ms(&led)), "{led}");
    let link = backward(&user, "2001:db8::2 --return-path same-link");
    assert_eq!(link["requests"]["return_path_not_honoured"], 0, "{link}");
    assert!(fastest_back_ms(&link) < 10, "{link}");
}
