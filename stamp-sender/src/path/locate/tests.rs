use clap::Parser as _;
use serde_json::Value;

use super::*;
use crate::command_line::{CommandLine, SchemaFormat, Verb, path::Path};
use crate::output::record::{FindingRecord, Severity, examples};
use crate::output::schema;

/// The network of the demo: three ways from s to r, of which packets take that over b by themselves.
const NETWORK: &str = stamp_lab::THREE_PATHS;

fn topology() -> Topology {
    Topology::read("net.toml", NETWORK).unwrap()
}

/// A session from s to r over nothing but routing, of which so many of 600 probes are lost.
fn session(name: &str, forward: u64, backward: u64) -> SessionRecord {
    let mut session = examples::good();
    session.name = name.to_owned();
    session.target = "r".to_owned();
    session.address = "192.0.2.2".to_owned();
    session.path.source = "192.0.2.1".to_owned();
    session.packets.lost.forward = Some(forward);
    session.packets.lost.backward = Some(backward);
    session.packets.lost.round_trip = forward + backward;
    for (delay, ms) in [
        (&mut session.delay_ns.forward, 2),
        (&mut session.delay_ns.backward, 2),
        (&mut session.delay_ns.round_trip, 4),
    ] {
        delay.p50 = Some(ms * 1_000_000 + 40_000);
        delay.stddev = Some(5_000);
    }
    session
}

fn over(name: &str, labels: &[&str], toward: &str, lost: u64) -> SessionRecord {
    let mut session = session(name, lost, 0);
    session.path.segments = labels.iter().map(|label| (*label).to_owned()).collect();
    session.path.toward = Some(toward.to_owned());
    session
}

fn judge(sessions: &[SessionRecord]) -> Judged {
    let (topology, assumptions) = (topology(), Assumptions::default());
    judged(&topology, None, (sessions, &[]), &assumptions)
}

fn suspects(located: &Located) -> Vec<String> {
    let topology = topology();
    let words = located.suspects.iter().flat_map(|suspect| &suspect.causes);
    words.map(|cause| cause.in_words(&topology)).collect()
}

#[test]
fn lists_and_routing_together_name_the_link() {
    let mut by_a = over("over a", &["16002"], "a", 120);
    by_a.delay_ns.forward.p50 = Some(5_040_000);
    let mut to_a = session("to a", 0, 0);
    to_a.address = "192.0.2.11".to_owned();
    to_a.target = "a".to_owned();
    to_a.path.toward = Some("a".to_owned());
    to_a.delay_ns.forward.p50 = Some(5_040_000);
    to_a.delay_ns.backward.p50 = Some(1_040_000);
    let judged = judge(&[session("plain", 0, 0), by_a, to_a]);
    assert_eq!(suspects(&judged.loss), ["link a-r", "link a-r from a to r"]);
    assert_eq!(judged.loss.bad, [1]);
    assert!(judged.delay.bad.is_empty(), "{:#?}", judged.delay);
    let text = told::text(&topology(), &judged);
    assert!(text.starts_with(
        "loss: unusual in 1 of 3 sessions\n  link a-r in one direction or both loses 20"
    ));
    assert!(text.contains("delay: nothing unusual in 3 sessions\n"), "{text}");
    assert!(text.contains("no session passes s-c, c-r\n"), "{text}");
}

#[test]
fn a_loop_is_a_way_of_its_own() {
    let mut looped = over("loop", &["16002", "extended:240"], "b", 0);
    looped.mode = "enhanced-loopback".to_owned();
    looped.address = "192.0.2.1".to_owned();
    looped.path.return_segments = vec!["16011".to_owned(), "16001".to_owned()];
    let topology = topology();
    let courses = Courses::new(&topology, None);
    let Ok(locate::Course::Loop(routes)) = courses.of(&looped) else { panic!("loop") };
    let names: Vec<&str> =
        routes[0].nodes.iter().map(|node| topology[*node].name.as_str()).collect();
    assert_eq!((names, routes[0].stamped), (vec!["s", "b", "r", "a", "s"], Some(2)));
}

#[test]
fn sids_lead_to_the_address_behind_them() {
    let mut by_c = over("over c", &["fc00:bb:13:1::"], "c", 0);
    by_c.address = "2001:db8::2".to_owned();
    by_c.path.source = "2001:db8::1".to_owned();
    let topology = topology();
    let course = Courses::new(&topology, None).of(&by_c);
    let Ok(locate::Course::Apart { there, back }) = course else { panic!("apart") };
    let links = |routes: &[stamp_path::encoding::Route]| -> Vec<String> {
        routes[0].hops.iter().map(|hop| topology[hop.link].name.clone()).collect()
    };
    assert_eq!(
        (links(&there), links(&back)),
        (vec!["s-c".into(), "c-r".into()], vec!["b-r".into(), "s-b".into()])
    );
}

#[test]
fn what_says_nothing_of_the_network_is_left_out_with_the_reason() {
    let mut stranger = session("stranger", 0, 0);
    stranger.path.source = "203.0.113.9".to_owned();
    let mut elsewhere = session("elsewhere", 0, 0);
    (elsewhere.address, elsewhere.target) = ("203.0.113.9".to_owned(), "x".to_owned());
    let mut fresh = session("fresh", 0, 0);
    fresh.loss.decided = 0;
    let mut stuck = fresh.clone();
    stuck.findings = vec![FindingRecord {
        kind: "unsent".to_owned(),
        severity: Severity::Error,
        text: "5 probes never left.".to_owned(),
        remedy: String::new(),
    }];
    let odd = over("odd", &["17999"], "a", 0);
    let judged = judge(&[stranger, elsewhere, fresh, stuck, odd]);
    let reasons: Vec<&str> = judged.left_out.iter().map(|(_, reason)| reason.as_str()).collect();
    let expected = [
        "no node of the topology has its source address 203.0.113.9: --from NODE",
        "no node of the topology has the address 203.0.113.9",
        "nothing is known of any probe yet",
        "5 probes never left.",
        "label 17999 means nothing at a",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_was_usual_goes_before_what_the_file_says() {
    let (topology, assumptions) = (topology(), Assumptions::default());
    let mut slow = session("plain", 0, 0);
    slow.delay_ns.forward.p50 = Some(9_000_000);
    let of = |usual: &[SessionRecord]| {
        judged(&topology, None, (std::slice::from_ref(&slow), usual), &assumptions).delay
    };
    let located = of(&[]);
    let severity = located.suspects[0].severity;
    assert!((severity - 7e6).abs() < 5e5, "{located:#?}");
    assert!(of(std::slice::from_ref(&slow)).bad.is_empty());
}

#[test]
fn documents_keep_to_their_schema() {
    let schema: Value = serde_json::from_str(&schema::text(SchemaFormat::Locate)).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut stranger = session("stranger", 0, 0);
    stranger.path.source = "203.0.113.9".to_owned();
    let mut slow = session("slow", 30, 0);
    slow.delay_ns.backward.p50 = Some(9_000_000);
    for sessions in [vec![session("plain", 0, 0)], vec![slow, stranger]] {
        let document = Document::of(&topology(), &judge(&sessions));
        let document = serde_json::to_value(document).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    }
}

#[test]
fn flags_say_where_sessions_begin() {
    let flags = |more: &str| {
        let line = format!("stamp-sender path locate --topology net.toml {more}");
        let parsed = CommandLine::try_parse_from(line.split_whitespace()).ok()?;
        let Some(Verb::Path(Path::Locate(locate))) = parsed.verb else { panic!("locate") };
        Some(locate)
    };
    let topology = topology();
    let at = |more: &str| begin(&topology, &flags(more).unwrap()).unwrap();
    assert!(matches!(at("--sessions x --from s"), Some(Begin::At(_))));
    assert!(matches!(at("--sessions x --sessions y --behind s"), Some(Begin::Behind(_))));
    assert!(at("--sessions x").is_none());
    let wrong = begin(&topology, &flags("--sessions x --from z").unwrap()).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "--from: the topology has no node or link \"z\"; there is a, b, c"
    );
    assert!(flags("").is_none(), "something has to be judged by");
    assert!(flags("--probe").is_none(), "nobody knows where probes begin");
}
