//! From a file to sessions, and from what they measure to the lists that carry.

mod site;

use std::path::Path;

use stamp_path::class::{Direction, Measure, Quantile, Value};
use stamp_path::selection::Measured;

use super::*;
use crate::daemon::{Configuration, SessionSpec};
use crate::output::ndjson::Entry;
use crate::output::ndjson::path::PathEntry;
use crate::output::schema::tests::{assert_valid_line, assert_valid_paths};

/// Where the shipped file stands.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");
const EXAMPLE: &str = include_str!("../../../examples/policies/three-paths.toml");

fn configuration(text: &str) -> Configuration {
    let read = Configuration::read("run.toml", text, Path::new(FOLDER));
    read.unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(text: &str) -> String {
    Configuration::read("run.toml", text, Path::new(FOLDER)).unwrap_err().to_string()
}

fn plan(text: &str, circumstances: &Circumstances) -> Plan {
    // This host is none of the network, which the file says.
    let text = text.replacen("topology =", "from = \"s\"\ntopology =", 1);
    Plan::make(&configuration(&text).paths, circumstances, None).unwrap()
}

fn key<'s>(spec: &'s SessionSpec, key: &str) -> &'s str {
    spec.settings.get(key).unwrap_or_default()
}

#[test]
fn each_list_has_a_session_that_is_told_what_steers_it() {
    let plan = plan(EXAMPLE, &Circumstances::default());
    assert_eq!(plan.notes(), []);
    let told: Vec<_> = plan
        .sessions
        .iter()
        .map(|spec| (spec.name.as_str(), spec.target.as_str(), key(spec, "segments")))
        .collect();
    assert_eq!(
        told,
        [
            ("gaming-to-r/past-c/0", "192.0.2.2", "16002"),
            ("gaming-to-r/past-b/0", "192.0.2.2", "16002"),
            ("bulk-to-r/cheapest/0", "192.0.2.2", "16002"),
            ("bulk-to-r/other/0", "192.0.2.2", "16002"),
        ]
    );
    // A neighbour wants no label of its own: what leads there is where frames leave towards.
    let first = &plan.sessions[0];
    let toward: Vec<String> = first.toward.iter().map(ToString::to_string).collect();
    assert_eq!(toward, ["192.0.2.13", "2001:db8::13"]);
    assert_eq!((key(first, "interval"), key(first, "topology")), ("20ms", ""));
    let membership = first.policy.as_ref().unwrap();
    assert_eq!((membership.policy.as_str(), membership.preference), ("gaming-to-r", 200));
}

/// The example in another mode, and over SIDs.
fn looped(keys: &str) -> Plan {
    let profile = format!("[profile.loop]\nmode = \"enhanced-loopback\"\n{keys}\n[class.gaming]");
    let text = EXAMPLE.replacen("[class.gaming]", &format!("{profile}\nprofile = \"loop\""), 1);
    let text = text.replacen(
        "segments = [\"b\", \"r\"]",
        "dataplane = \"srv6\"\nsegments = [\"c\", \"r\"]",
        1,
    );
    plan(&text, &Circumstances::default())
}

#[test]
fn a_loop_comes_back_by_the_same_links_and_asks_the_far_node_for_its_timestamp() {
    let plan = looped("");
    let [labels, sids] = [&plan.sessions[0], &plan.sessions[1]];
    assert_eq!(key(labels, "timestamp-label"), "extended:240");
    assert_eq!(key(labels, "return-segments"), "16013,16001");
    assert_eq!(sids.target, "2001:db8::2");
    assert_eq!(key(sids, "segments"), "fc00:bb:13:1::,fc00:bb:2:1::");
    assert_eq!(key(sids, "end-tsf"), "fc00:bb:2:f::");
    assert_eq!(key(sids, "return-segments"), "fc00:bb:13:1::", "its own address follows");
    let plan = looped("srv6 = \"usid\"");
    assert_eq!(key(&plan.sessions[1], "segments"), "fcbb:bb00:13::,fcbb:bb00:2::");
}

/// Such a SID takes a header off (RFC 8986), so that there has to be one around the probe.
#[test]
fn a_list_that_ends_in_end_dt6_is_put_around_the_probe() {
    let list = "segments = [\"b\", \"r\"]";
    let other = "dataplane = \"srv6\"\nsegments = [\"fc00:bb:13:1::\", \"fc00:bb:2:d6::\"]";
    assert!(EXAMPLE.contains(list));
    let planned = |text: &str| {
        let plan = plan(&text.replacen(list, other, 1), &Circumstances::default());
        let sids = plan.sessions.iter().find(|spec| key(spec, "segments").starts_with("fc00"));
        let sids = sids.unwrap_or_else(|| panic!("{:?}", plan.notes()));
        ["segments", "srv6", "return-segments"].map(|name| key(sids, name).to_owned())
    };
    let whole = "fc00:bb:13:1::,fc00:bb:2:d6::";
    assert_eq!(planned(EXAMPLE), [whole, "encap", ""]);
    let profile = "[profile.loop]\nmode = \"loopback\"\n[class.gaming]\nprofile = \"loop\"";
    assert_eq!(planned(&EXAMPLE.replacen("[class.gaming]", profile, 1)), [whole, "encap", ""]);
}

#[test]
fn a_topology_with_mistakes_is_told_with_what_else_is_wrong() {
    let broken = EXAMPLE.replacen("reference/three-paths.toml", "reference/keys.txt", 1);
    let text = broken.replacen("hold =", "hold = 30\nmargin = \"10%\"\n# ", 1);
    let told = errors(&text);
    assert!(told.contains("topology = \"../../stamp-lab/reference/keys.txt\""), "{told}");
    assert!(told.contains("class.gaming.hold = 30"), "{told}");
    assert!(!told.contains("a name needs a topology"), "that follows from it: {told}");
    let itself =
        EXAMPLE.replacen("../../stamp-lab/reference/three-paths.toml", "three-paths.toml", 1);
    let told = errors(&itself);
    assert!(told.contains("three-paths.toml:") && told.contains("unknown key"), "{told}");
}

#[test]
fn what_a_policy_names_has_to_be_there() {
    let told = errors(&EXAMPLE.replacen(
        "class = \"gaming\"",
        "class = \"gaming\"\nprofile = \"gold\"",
        1,
    ));
    assert!(told.contains("policy[0].profile = \"gold\": there is no [profile.gold]"), "{told}");
    let session = "[[session]]\nname = \"x\"\ntarget = \"192.0.2.1\"\npolicy = \"bulk-to-r\"\n";
    let told = errors(&format!("{EXAMPLE}\n{session}"));
    assert!(told.contains("sessions are made of its lists"), "{told}");
    let told = errors(&EXAMPLE.replacen("topology =", "from = \"z\"\ntopology =", 1));
    assert!(told.contains("from = \"z\""), "{told}");
}

#[test]
fn policies_of_other_nodes_are_left_to_these() {
    let text = EXAMPLE.replacen("topology =", "from = \"a\"\ntopology =", 1);
    let plan = Plan::make(&configuration(&text).paths, &Circumstances::default(), None).unwrap();
    assert_eq!((plan.sessions.len(), plan.elsewhere), (0, 2));
}

/// A chooser of the example whose lists say what a test wants, window by window.
struct Scene {
    chooser: Chooser,
    now: stamp_session::clock::Now,
}

impl Scene {
    fn new(text: &str) -> Self {
        let mut chooser = Chooser::default();
        chooser.put_in_force(plan(text, &Circumstances::default()));
        let mut scene = Self { chooser, now: stamp_session::clock::Now::default() };
        scene.pass(1_000);
        scene
    }

    fn pass(&mut self, seconds: u64) {
        let later = self.now.monotonic.saturating_add(std::time::Duration::from_secs(seconds));
        self.now.monotonic = later;
    }

    /// Each second a window in which all lists take so long; what has moved.
    fn windows(&mut self, seconds: u64, lists: &[(&str, i64)]) -> Vec<PathEntry> {
        let mut moved = Vec::new();
        for _ in 0..seconds {
            self.pass(1);
            for (list, ms) in lists {
                let delay = Value::Delay { ns: ms * 1_000_000 };
                let p99 = Measure::Delay(Direction::Forward, Quantile::P99);
                let values = [(p99, delay), (Measure::Loss(Direction::RoundTrip), share(0))].into();
                let window = Measured {
                    at: std::time::Duration::from_nanos(self.now.monotonic.ns()),
                    samples: 50,
                    integrity: stamp_config::quantity::Ratio::from_billionths(1_000_000_000)
                        .unwrap(),
                    clock: stamp_path::selection::ClockTrust { synchronized: true, error: None },
                    values,
                    ..Measured::default()
                };
                let state = stamp_session::sender::SessionState::Up;
                self.chooser.window((list, 0), Known { state, window: Some(window) });
            }
            moved.extend(self.chooser.decide(self.now).into_iter().map(PathEntry::from));
        }
        for entry in &moved {
            assert_valid_line(&serde_json::to_value(Entry::from(entry.clone())).unwrap());
        }
        moved
    }

    /// What is in force goes on under the circumstances as they are.
    fn replan(&mut self, text: &str) {
        let circumstances = self.chooser.circumstances();
        self.chooser.put_in_force(plan(text, &circumstances));
    }

    fn document(&self) -> serde_json::Value {
        let table = stamp_metrics::table::Table::new(|| "2026-11-28T23:40:00Z".to_owned());
        table.publish(self.chooser.rows(&self.chooser.shown(self.now)));
        let text = table.document(&stamp_metrics::table::Asked::default());
        let document = serde_json::from_str(&text).unwrap();
        assert_valid_paths(&document);
        document
    }
}

fn share(billionths: u32) -> Value {
    Value::Share(stamp_config::quantity::Ratio::from_billionths(billionths).unwrap())
}

fn told(moved: &[PathEntry]) -> Vec<(&str, &str, &str)> {
    let word = |word: &'_ Option<String>| -> &'static str {
        match word.as_deref() {
            Some("past-c") => "c",
            Some("past-b") => "b",
            Some("cheapest") => "cheapest",
            Some("other") => "other",
            _ => "none",
        }
    };
    moved.iter().map(|it| (word(&it.from), word(&it.to), it.reason.as_str())).collect()
}

const PAST_C: &str = "gaming-to-r/past-c/0";
const PAST_B: &str = "gaming-to-r/past-b/0";

#[test]
fn a_limit_that_is_exceeded_moves_traffic_and_what_is_better_brings_it_back() {
    let mut scene = Scene::new(EXAMPLE);
    let moved = scene.windows(1, &[(PAST_C, 2), (PAST_B, 3)]);
    // What needs nothing takes what it prefers though nothing was measured of it.
    assert_eq!(told(&moved), [("none", "c", "first"), ("none", "cheapest", "first")]);
    let document = scene.document();
    let path = &document["paths"][0];
    assert_eq!((&path["policy"], &path["active"]), (&"gaming-to-r".into(), &"past-c".into()));
    assert_eq!(path["lists"][0]["labels"], serde_json::json!([16002]));
    assert_eq!(path["lists"][0]["segments"], serde_json::json!(["c", "r"]));
    assert_eq!(path["traffic"]["dscp"], serde_json::json!(["AF41"]));
    assert_eq!(document["paths"][1]["standing"], "provisional");
    scene.windows(60, &[(PAST_C, 2), (PAST_B, 3)]);
    let moved = scene.windows(1, &[(PAST_C, 25), (PAST_B, 3)]);
    // Bulk stays apart from it, and makes room.
    assert_eq!(told(&moved), [("c", "b", "violation"), ("cheapest", "other", "forbidden")]);
    assert_eq!((moved[0].before, moved[0].after), (Some(25e6), Some(3e6)));
    let because = moved[0].because.as_deref();
    assert_eq!(because, Some("forward-p99 is 25ms, at most 20ms is allowed"));
    let moved = scene.windows(40, &[(PAST_C, 2), (PAST_B, 3)]);
    assert_eq!(told(&moved), [("b", "c", "preference")]);
}

#[test]
fn classes_apart_share_no_link_and_a_session_that_ends_freezes_what_it_measured() {
    let mut scene = Scene::new(EXAMPLE);
    let all = [(PAST_C, 50), (PAST_B, 3), ("bulk-to-r/cheapest/0", 3), ("bulk-to-r/other/0", 3)];
    let moved = scene.windows(1, &all);
    assert_eq!(told(&moved), [("none", "b", "first"), ("none", "other", "first")]);
    let shown = scene.chooser.shown(scene.now);
    let (word, words) = &shown[1].candidates[0].eligibility;
    assert_eq!(*word, "shared");
    assert!(words.contains("class gaming"), "{words}");
    for session in all.map(|(session, _)| session) {
        scene.chooser.ends(session);
    }
    assert_eq!(told(&scene.windows(1, &[])), []);
    assert_eq!(scene.document()["paths"][0]["standing"], "frozen");
    scene.chooser.state(PAST_B, 0, stamp_session::sender::SessionState::Down);
    assert_eq!(told(&scene.windows(1, &[(PAST_C, 2)])), [("b", "c", "down")]);
}

#[test]
fn a_drain_moves_what_is_computed_before_the_old_list_goes() {
    let text = EXAMPLE.replacen("apart-from = { classes = [\"gaming\"] }", "hold = \"5s\"", 1);
    let mut scene = Scene::new(&text);
    let cheapest = "bulk-to-r/cheapest/0";
    assert_eq!(told(&scene.windows(1, &[(cheapest, 3)])), [("none", "cheapest", "first")]);
    let mut drain = |node: &str| {
        let topology = scene.chooser.plan().topology.clone();
        let drained = scene.chooser.drain(&topology, Drain::Node(node.to_owned()), true);
        drained.map(|()| scene.chooser.takes_plan())
    };
    assert_eq!(drain("b"), Ok(true));
    assert_eq!(drain("b"), Ok(false), "nothing new");
    assert_eq!(drain("x"), Err("there is no node x in the topology".to_owned()));
    scene.replan(&text);
    let names = |scene: &Scene| -> Vec<String> {
        let lists = scene.chooser.plan().sessions.iter().map(|spec| spec.name.clone());
        lists.filter(|name| name.contains("cheapest")).collect()
    };
    assert_eq!(names(&scene), ["bulk-to-r/cheapest/1", cheapest], "the old one carries on");
    let both = [(cheapest, 3), ("bulk-to-r/cheapest/1", 3)];
    let moved = scene.windows(10, &both);
    assert_eq!(told(&moved), [("cheapest", "cheapest", "rebalanced")]);
    assert_eq!(moved[0].lists[0].name, "bulk-to-r/cheapest/1");
    assert!(scene.chooser.takes_plan(), "what carries nothing needs no session");
    scene.replan(&text);
    assert_eq!(names(&scene), ["bulk-to-r/cheapest/1"]);
    assert_eq!(told(&scene.windows(1, &both[1..])), []);
    assert!(!scene.chooser.takes_plan());
}

#[test]
fn what_is_measured_of_a_link_makes_other_paths_and_is_forgotten_with_its_session() {
    let mut values = links::LinkValues::default();
    let topology = &plan(EXAMPLE, &Circumstances::default()).topology;
    let hop = stamp_path::path::Hop {
        link: topology.link_id("s-c").unwrap(),
        side: stamp_path::topology::Side::First,
    };
    let told = |micros: Option<u32>, mode| stamp_session::te::TeAdvertisement {
        sub_tlv: stamp_session::te::TeSubTlv::MinMaxDelay,
        reason: stamp_session::te::TeReason::First,
        values: micros.map(|micros| {
            let min = stamp_session::te::TeDelay::from_micros(micros);
            stamp_session::te::TeValues::MinMaxDelay { min, max: min }
        }),
        previous: None,
        anomalous: false,
        mode: Some(mode),
        start: stamp_session::clock::MonotonicTime::from_ns(1),
        end: stamp_session::clock::MonotonicTime::from_ns(2),
        samples: 30,
        integrity_percent: 100,
        sequence: 1,
    };
    let (one_way, derived) =
        (stamp_session::te::TeMode::OneWay, stamp_session::te::TeMode::Derived);
    let delay =
        |values: &links::LinkValues| values.applied(topology)[hop.link].from(hop.side).delay;
    let in_file = delay(&values);
    let news = |micros, mode| LinkNews::of(&told(micros, mode)).unwrap();
    assert!(values.announced(topology, hop, news(Some(42_000), one_way)));
    assert!(!values.announced(topology, hop, news(Some(42_000), one_way)), "nothing new");
    assert_eq!(delay(&values).as_millis(), 42);
    assert!(values.announced(topology, hop, news(Some(40_000), derived)), "half of a round trip");
    assert_eq!(delay(&values), in_file);
    values.announced(topology, hop, news(Some(42_000), one_way));
    assert!(values.forget(topology, hop));
    assert_eq!(delay(&values), in_file);
}
