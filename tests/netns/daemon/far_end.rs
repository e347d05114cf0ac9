//! A stateful Session-Reflector that is listened to: which way is broken, and one-way numbers.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use stamp_tests::netns::{self, Families, Host, Program, Signal, Trial, Wired, trials};
use stamp_tests::wire::{Datagram, Effect, Way, Which};

use super::{Daemon, of_type};
use crate::http::{scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_far_end_that_is_heard_says_which_way_is_broken,
        probes_that_want_no_reply_are_measured_by_what_the_far_end_tells,
    ]
}

const LISTENED_TO: &str = "\
events = { file = \"events.ndjson\" }

[[reflector]]
url = \"http://198.51.100.2:9863\"
addresses = [\"FAR\"]

[[session]]
name = \"a\"
target = \"FAR\"
interval = \"10ms\"
timeout = \"1s\"
window = \"1s\"
";

fn reflector(far: &Host, more: &[&str]) -> Program {
    let mut reflector = Command::new(netns::binary("stamp-reflector").get_program());
    reflector.args(["--listen", "0.0.0.0:862", "--stateful", "--packet-loss-count", "3"]);
    let program = far.spawn(reflector.args(["--web.listen-address", "0.0.0.0:9863"]).args(more));
    far.wait_for_udp_listener(&program, 862);
    program
}

/// A wire for probes, and a network of management beside it.
fn hosts() -> Wired {
    let net = netns::wired(Families::V4);
    net.near.join("eth1", &net.far, "eth1");
    for (host, address, other) in [
        (&net.near, "198.51.100.1", ("198.51.100.2", &net.far)),
        (&net.far, "198.51.100.2", ("198.51.100.1", &net.near)),
    ] {
        host.add_address("eth1", &format!("{address}/24"));
        host.set_neighbour("eth1", other.0.parse().expect("an address"), other.1.mac("eth1"));
    }
    net
}

/// Loses all datagrams of a way while it is set; what else passes is left alone.
fn breaker(net: &Wired, way: Way) -> Arc<AtomicBool> {
    let is_broken = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_broken);
    let is_meant = move |_: &Datagram<'_>| asked.load(Ordering::Relaxed);
    net.wire.impair(way, Which::only(is_meant), Effect::Drop);
    is_broken
}

fn a_far_end_that_is_heard_says_which_way_is_broken() {
    let net = hosts();
    let far = reflector(&net.far, &["--event-export", "-"]);
    let breakers = [Way::Forward, Way::Backward].map(|way| breaker(&net, way));
    let daemon = Daemon::start(&net.near, &net.far, LISTENED_TO);
    daemon.told("the reflector is heard");
    let received = "stamp_session_packets_received_total{session=\"a\"}";
    for (round, (is_broken, direction)) in breakers.iter().zip(["forward", "backward"]).enumerate()
    {
        daemon.told_times("msg=\"session is up\" session=a", round + 1);
        // By then the far end knows how often probes come.
        wait_for((&net.near, 9862), received, |received| received >= 20.0);
        is_broken.store(true, Ordering::Relaxed);
        daemon.told(&format!("is broken\" session=a direction={direction}"));
        wait_for_ways_down(&net.near, [direction == "forward", direction == "backward"]);
        is_broken.store(false, Ordering::Relaxed);
    }
    daemon.told_times("msg=\"session is up\" session=a", 3);
    let text = wait_for_ways_down(&net.near, [false; 2]);
    let went_down = "stamp_session_state_transitions_total{session=\"a\",to=\"down\"}";
    assert_eq!(value(&text, went_down), Some(2.0));
    far.signal(Signal::SIGTERM);
    let of_far = far.wait();
    of_far.assert_code(0);
    let line = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let of_far: Vec<Value> = of_far.stdout.lines().map(line).collect();
    daemon.told("the reflector is not heard");
    daemon.told_times("msg=\"session is down\" session=a", 3);
    let (_, events) = daemon.stop();
    let told: Vec<&Value> =
        of_type(&events, "state").filter(|event| event["direction"] != "round_trip").collect();
    let mut brief: Vec<_> =
        told.iter().map(|it| (&it["direction"], &it["to"], &it["reason"])).collect();
    // Where a busy machine kept our probes back, the far end missed them for a moment.
    brief.dedup();
    assert_eq!(
        brief,
        [
            (&"forward".into(), &"down".into(), &"far_end_misses_probes".into()),
            (&"backward".into(), &"down".into(), &"far_end_hears_probes".into()),
        ],
        "whoever is not heard says nothing"
    );
    for verdict in told {
        assert!(is_what_was_told(verdict, &of_far), "{verdict}: {of_far:?}");
    }
}

/// Waits until exactly these ways are told to be broken, there and back: what is scraped may be a moment old.
#[track_caller]
fn wait_for_ways_down(near: &Host, [forward, backward]: [bool; 2]) -> String {
    let series = |way| format!("stamp_session_direction_down{{session=\"a\",direction=\"{way}\"}}");
    let is = |wanted| move |told: f64| told == f64::from(u8::from(wanted));
    wait_for((near, 9862), &series("forward"), is(forward));
    let text = wait_for((near, 9862), &series("backward"), is(backward));
    assert_eq!(value(&text, &series("forward")).map(is(forward)), Some(true), "{text}");
    text
}

/// How many probes are missed, and which.
fn numbers(event: &Value) -> (&Value, &Value) {
    (&event["value"], &event["sequences"])
}

/// It has the numbers of something that the far end told; it has none where the far end was asked, which tells nothing
/// by itself while probes come unevenly, as from a busy machine.
fn is_what_was_told(verdict: &Value, of_far: &[Value]) -> bool {
    let instant = |event: &Value| event["monotonic_ns"].as_u64().expect("an instant");
    let is_missed = |event: &Value| event["to"] == "down";
    let before = of_far.iter().take_while(|event| instant(event) < instant(verdict));
    let is_asked = numbers(verdict) == (&Value::Null, &Value::Null);
    match verdict["direction"] == "forward" {
        true if is_asked => !before.last().is_some_and(is_missed),
        true => of_far.iter().any(|it| is_missed(it) && numbers(it) == numbers(verdict)),
        false => is_asked,
    }
}

fn probes_that_want_no_reply_are_measured_by_what_the_far_end_tells() {
    let net = hosts();
    let clock = ["--clock", "synchronized,error=1us"];
    let far = reflector(&net.far, &clock);
    let is_meant = |datagram: &Datagram<'_>| {
        let number = datagram.payload.first_chunk().copied().map(u32::from_be_bytes);
        number.is_some_and(|number| number % 100 == 50)
    };
    net.wire.impair(Way::Forward, Which::only(is_meant), Effect::Drop);
    let text = LISTENED_TO.replace(
        "[[reflector]]",
        "clock = { synchronized = true, error = \"1us\" }\n\n[[reflector]]",
    ) + "mode = \"one-way\"\nreturn-path = \"none\"\nloss-threshold = { lost = 1, of = 50, direction = \"forward\" }\n";
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("the reflector is heard");
    daemon.told("msg=\"session is up\" session=a");
    let at = (&net.near, 9862);
    let lost = "stamp_session_packets_lost_total{session=\"a\",direction=\"forward\"}";
    wait_for(at, lost, |lost| lost >= 2.0);
    let text = scrape(at);
    let sent = value(&text, "stamp_session_packets_sent_total{session=\"a\"}").expect("it is told");
    let lost = value(&text, lost).expect("it is told");
    assert!((lost - sent / 100.0).abs() <= 3.0, "one of a hundred: {lost} of {sent}");
    far.signal(Signal::SIGTERM);
    far.wait().assert_code(0);
    daemon.told("the reflector is not heard");
    let (_, events) = daemon.stop();
    let states: Vec<_> = of_type(&events, "state").map(|event| event["to"].clone()).collect();
    assert_eq!(states, ["up"], "whoever is not heard takes nothing down");
    let loss = of_type(&events, "loss").next().expect("a limit was exceeded");
    assert_eq!((&loss["direction"], &loss["to"]), (&"forward".into(), &"exceeded".into()));
}
