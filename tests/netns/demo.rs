//! `stamp-sender demo` on a machine that can build a network, and on one that cannot.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stamp_session::statistics::QUANTILE_RELATIVE_ERROR;
use stamp_tests::netns::{self, Families, Finished, Host, Need, Signal, Trial, trials};

use crate::folder::Folder;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        every_way_is_measured_over_both_data_planes: [Need::IPV6],
        people_see_the_change_beside_what_was_set: [Need::IPV6],
        a_route_leaves_the_way_that_becomes_slow: [Need::IPV6],
        an_interrupted_demo_leaves_nothing: [Need::IPV6],
        without_namespaces_the_demo_runs_on_loopback_and_says_why,
    ]
}

/// As an ordinary user, on a machine without any connection.
fn demo(host: &Host, flags: &str) -> Finished {
    let mut command = netns::binary("stamp-sender");
    host.spawn_as_user(command.arg("demo").args(flags.split_whitespace())).wait()
}

fn every_way_is_measured_over_both_data_planes() {
    let finished = demo(&Host::new("machine", Families::V4), "-c 120 -i 10ms --json");
    finished.assert_code(0);
    let document = finished.json();
    let sessions = document["sessions"].as_array().expect("sessions");
    let facts = sessions.iter().map(|session| {
        let path = &session["path"];
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&session["name"]), text(&session["mode"]), text(&path["encapsulation"]))
    });
    let expected = ["a", "b", "c"].into_iter().flat_map(|way| {
        [("SR-MPLS", "M7"), ("SRv6", "V6")].map(|(plane, encapsulation)| {
            (format!("{way} {plane}"), "enhanced-loopback".to_owned(), encapsulation.to_owned())
        })
    });
    assert_eq!(facts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    for (number, session) in sessions.iter().enumerate() {
        let packets = &session["packets"];
        assert_eq!(
            packets["sent"].as_u64().expect("a count")
                + packets["unsent"].as_u64().expect("a count"),
            120
        );
        let delay =
            |direction: &str| session["delay_ns"][direction]["min"].as_i64().expect("a delay");
        // The smallest of all is that before the change, and a wire never delivers too early.
        let [forward, backward] =
            [(5, 1), (2, 2), (1, 9)].map(|(there, back)| [there, back])[number / 2];
        assert!(delay("forward") >= forward * 1_000_000, "{session}");
        assert!(delay("backward") >= backward * 1_000_000, "{session}");
        // Nowhere near any other way.
        assert!(delay("forward") < forward * 1_000_000 + 900_000, "{session}");
        assert!(delay("backward") < backward * 1_000_000 + 900_000, "{session}");
        assert_eq!(session["clock"]["far"]["declared"], true, "{session}");
    }
}

fn people_see_the_change_beside_what_was_set() {
    // Each half lasts twice as long as a busy machine keeps something from running: the lowest delays stay.
    let finished = demo(&Host::new("machine", Families::Both), "-c 240 -i 10ms");
    assert!(finished.lasted < Duration::from_secs(60), "{finished}");
    finished.assert_code(0);
    let out = &finished.stdout;
    assert!(out.contains("s ---+--- b ---+--- r   2ms there, 2ms back\n"), "{finished}");
    assert!(out.contains("--mode enhanced-loopback --segments 16011,16002"), "{finished}");
    assert!(out.contains("'s-b:s>b' --delay 8ms --loss 10%"), "{finished}");
    let rows = |way: &str| -> Vec<Vec<String>> {
        let of_way = out.lines().filter(|line| line.starts_with(way) && line.contains(" SR"));
        of_way.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    for way in ["a ", "b ", "c "] {
        assert_eq!(rows(way).len(), 4, "both data planes, before and after: {finished}");
    }
    for row in &rows("b ")[2..] {
        assert_eq!(row[2], "8ms", "{finished}");
        assert!(row[10] == "forward" && row[11].starts_with('+'), "{row:?}");
    }
    for row in rows("a ").iter().chain(&rows("c ")) {
        assert_eq!(row.len(), 10, "nothing is said to have changed: {finished}");
        assert!(row[9].starts_with("0/"), "{finished}");
    }
    let (dropped, counted) = out
        .lines()
        .find_map(|line| line.strip_prefix("Losses: the wires dropped "))
        .and_then(|line| line.strip_suffix('.')?.split_once(" probes, the sessions counted "))
        .expect("the losses are told");
    assert_eq!(dropped, counted, "{finished}");
}

/// The last act: who tells, and what, each line with those below it.
fn story(finished: &Finished) -> Vec<(String, String)> {
    let mut lines = finished.stdout.lines().skip_while(|line| !line.starts_with("seconds  who "));
    lines.next().unwrap_or_else(|| panic!("the last act: {finished}"));
    let mut story: Vec<(String, String)> = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (head, text) = line.split_at(18);
        match (head.split_whitespace().nth(1), story.last_mut()) {
            (Some(who), _) => story.push((who.to_owned(), text.to_owned())),
            (None, Some((_, before))) => *before += text,
            (None, None) => panic!("nobody tells {text}"),
        }
    }
    story
}

/// The first word of this kind in milliseconds.
fn milliseconds(text: &str) -> f64 {
    let mut words = text.split_whitespace().map(|word| word.trim_end_matches(','));
    let delay = words.find_map(|word| word.strip_suffix("ms")?.parse().ok());
    delay.unwrap_or_else(|| panic!("no delay in {text}"))
}

fn a_route_leaves_the_way_that_becomes_slow() {
    let folder = Folder::new();
    let kept = folder.path("kept");
    let finished = demo(
        &Host::new("machine", Families::Both),
        &format!("-c 4 -i 10ms --keep {}", kept.display()),
    );
    finished.assert_code(0);
    let story = story(&finished);
    let degraded =
        ("lab".to_owned(), "stamp-sender lab degrade 's-c:s>c' --delay 120ms".to_owned());
    let change = story.iter().position(|line| *line == degraded);
    let change = change.unwrap_or_else(|| panic!("a way becomes worse: {finished}"));
    let (before, after) = story.split_at(change);
    let of = |part: &[(String, String)], who: &str, words: &str| -> String {
        let found = part.iter().rev().find(|(teller, text)| teller == who && text.contains(words));
        found.unwrap_or_else(|| panic!("{who}: {words}: {finished}")).1.clone()
    };
    let route = |way: &str, link: &str| {
        format!(
            "encap seg6 mode encap segs fc00:bb:{way}:1::,fc00:bb:2:d6:: via fd00:1ab:0:{link}::2"
        )
    };
    assert!(of(before, "write", "ip -6 route replace 2001:db8::2/128").contains(&route("13", "5")));
    let usual = milliseconds(&of(before, "program", "a datagram takes "));
    assert!((1.0..50.0).contains(&usual), "{finished}");
    let threshold = of(after, "run", "threshold: gaming-to-r/past-c/0 forward ");
    assert!(threshold.ends_with(" > 50.0ms") && milliseconds(&threshold) >= 120.0, "{finished}");
    let chosen = of(after, "run", "path: past-c -> past-a, good: violation, for forward-p95 is ");
    let candidates = of(after, "run", "past-c (200) violates: forward-p95 is ");
    for text in [&chosen, &candidates] {
        // The quantile of a histogram is within half a cell, and told in tenths.
        let least = 120.0 * (1.0 - QUANTILE_RELATIVE_ERROR) - 0.05;
        assert!(milliseconds(text) >= least, "{text}: {finished}");
    }
    for words in ["past-b (100) violates: loss is ", "past-a (100) eligible"] {
        assert!(candidates.contains(words), "{words}: {finished}");
    }
    assert!(of(after, "write", "ip -6 route replace").contains(&route("11", "1")), "{finished}");
    let since_then = milliseconds(&of(after, "program", "a datagram takes "));
    assert!((5.0..50.0).contains(&since_then), "{finished}");
    let summary = finished.stdout.lines().last().expect("an end");
    assert!(summary.starts_with("Datagrams took "), "{finished}");
    let slow = summary.split(" from s to r, ").nth(1).expect("how slow it was");
    assert!(milliseconds(slow) >= 120.0, "{summary}");
    // What it ran, a reader can go on from.
    let mut check = netns::binary("stamp-sender");
    let file = kept.join("run.toml");
    let check =
        Host::new("machine", Families::Both).spawn(check.args(["config", "check"]).arg(&file));
    let checked = check.wait();
    checked.assert_code(0);
    assert!(checked.stdout.contains("sessions: 3; policies: 1"), "{checked}");
}

/// The programs that it has started are gone with it, and so are their files.
fn an_interrupted_demo_leaves_nothing() {
    let (machine, folder) = (Host::new("machine", Families::Both), Folder::new());
    let mut command = netns::binary("stamp-sender");
    command.args(["demo", "-c", "4", "-i", "10ms", "--ndjson"]).env("TMPDIR", folder.path(""));
    let running = || {
        let processes = fs::read_dir("/proc").expect("there is /proc").flatten();
        let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let ours = folder.path("stamp-demo-").display().to_string();
        lines.filter(|line| String::from_utf8_lossy(line).contains(&ours)).count()
    };
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let demo = machine.spawn_as_user(&mut command);
        let line = demo.wait_for_line(|line| line.contains(r#""type":"path""#));
        let event: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&event["policy"], &event["reason"]), (&"gaming-to-r".into(), &"first".into()));
        assert_eq!(running(), 2, "stamp-sender run and stamp-sender write");
        demo.signal(signal);
        let finished = demo.wait();
        if signal == Signal::SIGINT {
            finished.assert_code(0);
            assert_eq!(fs::read_dir(folder.path("")).expect("it is ours").count(), 0);
        }
        // The kernel ends what a killed one has left.
        let meanwhile = machine.spawn(Command::new("sleep").arg("60"));
        meanwhile.wait_until("both are gone", || running() == 0);
    }
}

fn without_namespaces_the_demo_runs_on_loopback_and_says_why() {
    let machine = Host::new("machine", Families::V4);
    let mut command = netns::binary("stamp-sender");
    let command = command.args(["demo", "-c", "3", "-i", "5ms", "--json"]);
    // Who may not even map his own number into a user namespace.
    let finished = machine.spawn_without_rights(command).wait();
    finished.assert_code(0);
    assert!(finished.stderr.contains("cannot create a user namespace"), "{finished}");
    assert!(finished.stderr.contains("; allow it: "), "{finished}");
    assert!(finished.stderr.contains("The demo runs on loopback instead."), "{finished}");
    assert!(finished.stderr.contains("With a network it would show three ways"), "{finished}");
    let document = finished.json();
    let names: Vec<&str> = document["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .filter_map(|session| session["name"].as_str())
        .collect();
    assert_eq!(names, ["demo-open", "demo-authenticated"]);
}
