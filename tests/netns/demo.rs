//! `stamp-sender demo` on a machine that can build a network, and on one that cannot.

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Host, Need, Trial, trials};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        every_way_is_measured_over_both_data_planes: [Need::IPV6],
        people_see_the_change_beside_what_was_set: [Need::IPV6],
        without_namespaces_the_demo_runs_on_loopback_and_says_why,
    ]
}

/// As an ordinary user, on a machine without any connection.
fn demo(host: &Host, flags: &str) -> Finished {
    let mut command = netns::binary("stamp-sender");
    host.spawn_as_user(command.arg("demo").args(flags.split_whitespace())).wait()
}

fn every_way_is_measured_over_both_data_planes() {
    let finished = demo(&Host::new("machine", Families::V4), "-c 40 -i 10ms --json");
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
            40
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
    let finished = demo(&Host::new("machine", Families::Both), "-c 40 -i 10ms");
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
        assert!(row[row.len() - 2] == "forward" && row[row.len() - 1].starts_with('+'), "{row:?}");
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
    let document = finished.json();
    let names: Vec<&str> = document["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .filter_map(|session| session["name"].as_str())
        .collect();
    assert_eq!(names, ["demo-open", "demo-authenticated"]);
}
