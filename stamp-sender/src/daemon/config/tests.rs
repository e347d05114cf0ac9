//! What a file may say, and what is said about one that is wrong.

use std::time::Duration;

use super::threshold::{Direction, LossLimit};
use super::*;

fn read(text: &str) -> Result<Configuration, String> {
    Configuration::read("f.toml", text, Path::new("/etc/stamp")).map_err(|error| error.to_string())
}

const GOOD: &str = r#"
topology = "net.toml"
clock = { synchronized = true, error = "1us" }

[defaults]
dscp = "EF"

[profile.gold]
interval = "10ms"
window = "10s"
packet-loss-count = 5
delay-threshold = { forward = "20ms", percent = 25, combine = "all", count = 3 }
loss-threshold = "3/100"

[[session]]
name = "ams-lon"
target = "192.0.2.11"
profile = "gold"
interval = "20ms"
labels = { site = "ams", rack = 7 }

[profile.gold.te]
spacing = "4m"
hold = "5m"
integrity-percent = 60
normalize = "100us"
periodic = { percent = 5, delay = "1ms" }
accelerated = { percent = 30, loss = "0.5%" }
delay-anomaly = { upper = "20ms", reuse = "15ms" }
loss-anomaly = { upper = "3%", reuse = "1%" }

[[session]]
name = "plain"
target = "[2001:db8::1]:8620"
te = false
loss-threshold = { lost = 2, of = 10, direction = "forward" }
"#;

#[test]
fn a_session_takes_from_its_profile_and_both_from_the_defaults() {
    let sessions = read(GOOD).unwrap().sessions;
    let [first, second] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((first.name.as_str(), first.target.as_str()), ("ams-lon", "192.0.2.11"));
    let told: Vec<_> = first.settings.iter().collect();
    let expected = [
        ("clock", "synchronized,error=1us"),
        ("dscp", "EF"),
        ("interval", "20ms"),
        ("packet-loss-count", "5"),
        ("topology", "/etc/stamp/net.toml"),
    ];
    assert_eq!(told, expected);
    assert_eq!(first.window, Duration::from_secs(10));
    let delay = first.delay.as_ref().unwrap();
    assert_eq!(
        (delay.forward, delay.percent, delay.all, delay.count),
        (Some(Duration::from_millis(20)), Some(25), true, 3)
    );
    let loss = LossLimit { lost: 3, of: 100, direction: Direction::RoundTrip };
    assert_eq!(first.loss, Some(loss));
    assert_eq!(first.labels["rack"], "7");
    assert_eq!((second.profile.as_deref(), second.delay.as_ref()), (None, None));
    assert_eq!(second.window, Duration::from_secs(30));
    assert_eq!(second.loss.unwrap().direction, Direction::Forward);
}

#[test]
fn what_means_the_same_is_the_same_session() {
    let rearranged = GOOD.replace("interval = \"20ms\"\nlabels", "labels").replace(
        "labels = { site = \"ams\", rack = 7 }",
        "labels = { rack = 7, site = \"ams\" }\ninterval = \"20ms\"",
    );
    assert_eq!(read(GOOD), read(&rearranged));
    assert_ne!(read(GOOD), read(&GOOD.replace("\"20ms\"\nlabels", "\"30ms\"\nlabels")));
}

#[test]
fn every_mistake_is_reported_at_once_where_it_stands() {
    let errors = read(
        r#"[profile.gold]
interval = 10
delay-threshold = { count = 3 }

[[session]]
name = "a"
target = "192.0.2.1:0"

[[session]]
name = "b"
target = "r1"
profile = "silver"
loss-threshold = { lost = 5, of = 3 }
labels = { session = "x", "0" = "y" }
window = "10ms"

[[session]]
name = "b"
target = "r2"

[[session]]
target = "r3"
auth = true
"#,
    )
    .unwrap_err();
    let expected = "\
f.toml:2:12: profile.gold.interval = 10: a bare number has no unit: write it in quotes, with one; expected a duration such as 10ms
f.toml:3:19: profile.gold.delay-threshold = { count = 3 }: no limit: give forward, backward, round-trip or percent
f.toml:7:10: session[0].target = \"192.0.2.1:0\": 192.0.2.1:0: expected HOST, HOST:PORT or [ADDRESS]:PORT with a port from 1 to 65535
f.toml:12:11: session[1].profile = \"silver\": there is no [profile.silver]; known: gold
f.toml:13:18: session[1].loss-threshold = { lost = 5, of = 3 }: 5 of 3 can never be lost
f.toml:14:22: session[1].labels.session = \"x\": metrics have a label of this name already
f.toml:14:33: session[1].labels.0 = \"y\": a label has letters, digits and _ in its name, and no digit or __ in front
f.toml:15:10: session[1].window = \"10ms\": expected a duration from 1s to 1h, such as 30s or 5m
f.toml:18:8: session[2].name = \"b\": another session has this name
f.toml:21:1: session[3].name: missing; expected 1 to 128 printable characters other than quotes and backslashes";
    assert_eq!(errors, expected);
}

#[test]
fn flags_that_do_not_go_together_are_named_at_their_session() {
    let errors = read("[[session]]\nname = \"a\"\ntarget = \"r1\"\nauth = true\n").unwrap_err();
    assert!(errors.starts_with("f.toml:2:8: session[0].name = \"a\": "), "{errors}");
    assert!(errors.contains("key-file"), "{errors}");
}

#[test]
fn what_no_packet_can_be_made_of_is_named_where_it_stands() {
    let start = "[profile.loop]\nmode = \"loopback\"\n[[session]]\nname = \"a\"\ntarget = \"r1\"\n";
    for (keys, expected) in [
        (
            "segments = [1048576]",
            "f.toml:6:12: session[0].segments = [1048576]: \"1048576\" is no label (16 to 1048575) and no \
             SID; names need topology",
        ),
        ("size = 45", "f.toml:6:8: session[0].size = 45: 45 octets; allowed: 44, or 48 to 9216"),
        (
            "profile = \"loop\"",
            "f.toml:2:8: profile.loop.mode = \"loopback\": session a: nothing brings a probe back but \
             segments; name those of the way there",
        ),
        (
            "segments = [16005]\nsrv6 = \"encap\"",
            "f.toml:7:8: session[0].srv6 = \"encap\": for SIDs; segments has labels",
        ),
    ] {
        assert_eq!(read(&format!("{start}{keys}\n")).unwrap_err(), expected);
    }
    // What names mean is told by a file that is read later.
    read(&format!("{start}segments = [\"5\"]\ntopology = \"net.toml\"\n")).unwrap();
}

#[test]
fn what_sessions_have_in_common_is_reported_once() {
    let mut text = "[profile.p]\nsize = 20\nauth = false\n".to_owned();
    for name in ["a", "b", "c"] {
        text.push_str(&format!("[[session]]\nname = \"{name}\"\ntarget = \"192.0.2.1\"\n"));
        text.push_str("profile = \"p\"\n");
    }
    text.push_str("size = 30\n");
    let told = read(&text).unwrap_err().to_string();
    let [shared, own] = told.lines().collect::<Vec<_>>().try_into().unwrap();
    let why = "octets; allowed: 44, or 48 to 9216";
    let in_common = "f.toml:2:8: profile.p.size = 20: session a and another one: 20 ";
    assert_eq!(shared, format!("{in_common}{why}"));
    assert_eq!(own, format!("f.toml:16:8: session[2].size = 30: 30 {why}"));
}

#[test]
fn what_is_shown_says_the_same_when_it_is_read() {
    let shown = show(&read(GOOD).unwrap());
    let again = read(&shown).unwrap();
    let without_profile = |configuration: Configuration| {
        let sessions = configuration.sessions.into_iter();
        sessions
            .map(|spec| SessionSpec { profile: None, ..spec.as_ref().clone() })
            .collect::<Vec<_>>()
    };
    assert_eq!(without_profile(again), without_profile(read(GOOD).unwrap()), "{shown}");
}

#[test]
fn the_template_is_right_as_it_is_and_with_every_default_in_it() {
    let text = template();
    let [session] = &read(&text).unwrap().sessions[..] else { panic!("{text}") };
    assert_eq!(session.name, "example");
    let with_defaults: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.split_whitespace().nth(1) == Some("=") => key,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let from_flags = &with_defaults[with_defaults.find("# == Probing").unwrap()..];
    let session = format!("[[session]]\nname = \"x\"\ntarget = \"r1\"\n{from_flags}");
    if let Err(errors) = read(&session) {
        panic!("{errors}\n{session}");
    }
}

#[test]
fn histograms_go_where_sessions_are_too_many_unless_somebody_says_so() {
    let of =
        |web: &str| read(&format!("{web}[[session]]\nname = \"a\"\ntarget = \"b\"\n")).unwrap();
    let unsaid = of("");
    assert!(unsaid.has_histograms(1_000) && !unsaid.has_histograms(1_001));
    assert_eq!(unsaid.too_many_for_histograms(1_000), None);
    assert_eq!(unsaid.too_many_for_histograms(1_001), Some(1_000), "which is told");
    let always = of("web.histograms = \"classic\"\n");
    assert!(always.has_histograms(10_000));
    assert_eq!(always.too_many_for_histograms(10_000), None);
    let never = of("web.histograms = \"none\"\n");
    assert!(!never.has_histograms(1));
    assert_eq!(never.too_many_for_histograms(10_000), None, "somebody wanted it");
}

#[test]
fn the_command_line_goes_before_the_file_where_it_is_told() {
    let text = "web.listen = \"127.0.0.1:1\"\n[[client]]\nname = \"c\"\ntoken-file = \"t\"\nto = [\"198.51.100.0/24\"]\n";
    let under = |arguments: &WebArguments| {
        Configuration::read_under("f.toml", text, Path::new("/etc/stamp"), arguments)
    };
    let listen = |address: &str| Some(vec![address.parse().unwrap()]);
    let loopback = WebArguments { listen: listen("[::1]:2"), config_file: None };
    assert_eq!(under(&loopback).unwrap().service.web.listen, ["[::1]:2".parse().unwrap()]);
    let open = WebArguments { listen: listen("192.0.2.1:2"), config_file: None };
    let told = under(&open).unwrap_err().to_string();
    assert!(told.contains("192.0.2.1:2"), "clients need users there: {told}");
    let users = WebArguments { config_file: Some("web.yml".into()), ..open };
    assert_eq!(under(&users).unwrap().service.web.config_file, Some("web.yml".into()));
}
