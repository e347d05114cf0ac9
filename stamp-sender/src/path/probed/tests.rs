use clap::Parser as _;
use serde_json::Value;
use stamp_path::Topology;

use super::*;
use crate::command_line::{CommandLine, SchemaFormat, Verb, path::Path};
use crate::output::record::{Severity, examples};
use crate::output::schema;

fn flags(more: &str) -> Box<ProbeWays> {
    let line = format!("stamp-sender path probe --topology net.toml --from s --to r {more}");
    let parsed = CommandLine::try_parse_from(line.split_whitespace());
    match parsed.unwrap_or_else(|error| panic!("{error}")).verb {
        Some(Verb::Path(Path::Probe(probe))) => probe,
        other => panic!("{other:?}"),
    }
}

/// The ways of the demo's network, and what is typed for each.
fn typed(more: &str) -> Vec<(String, Result<String, String>)> {
    let topology = Topology::read("net.toml", stamp_lab::THREE_PATHS).unwrap();
    let flags = flags(more);
    let request = asked::request(&topology, &flags.wanted).unwrap();
    let seen = Seen::of(&topology, &request);
    let answers = seen.search(&request, |network, request| found(network, request, &flags));
    let one = |answer: &Answer| {
        let way = way::of(&seen, answer, &flags);
        (
            route::words(&topology, &answer.path),
            way.map(|way| format!("{} {}", way.host, way.flags.join(" "))),
        )
    };
    answers.unwrap().iter().map(one).collect()
}

fn only_typed(more: &str) -> Vec<String> {
    typed(more).into_iter().map(|(_, way)| way.unwrap_or_else(|problem| problem)).collect()
}

#[test]
fn each_way_is_measured_over_the_list_that_keeps_to_it() {
    assert_eq!(
        only_typed("--metric delay --k 3"),
        [
            "r --mode loopback --segments c,r,c,s",
            "r --mode loopback --segments r,s",
            "r --mode loopback --segments a,r,a,s",
        ]
    );
    assert_eq!(
        only_typed("--metric delay --mode enhanced-loopback"),
        ["r --mode enhanced-loopback --segments c,r --return-segments c,s"]
    );
    assert_eq!(only_typed("--mode two-way"), ["r --mode two-way --segments r"]);
    assert_eq!(
        only_typed("--metric delay --dataplane srv6 --mode enhanced-loopback"),
        [
            "r --mode enhanced-loopback --segments c,r --return-segments c --srv6 host --end-tsf fc00:bb:2:f::"
        ]
    );
}

#[test]
fn a_way_that_nothing_came_back_from_says_why() {
    let mut silent = examples::silent();
    silent.findings = vec![FindingRecord {
        kind: "unsent".to_owned(),
        severity: Severity::Error,
        text: "2 probes never left.".to_owned(),
        remedy: "ip neigh".to_owned(),
    }];
    let session = Ok(silent.clone());
    assert_eq!(problem("s c r", &session), "s c r: 2 probes never left.\n   -> ip neigh\n");
    silent.answered = true;
    assert_eq!(problem("s c r", &Ok(silent)), "");
}

#[test]
fn tables_and_documents_hold_what_was_measured_and_what_was_not() {
    let topology = Topology::read("net.toml", stamp_lab::THREE_PATHS).unwrap();
    let flags = flags("--metric delay --k 2 --json");
    let request = asked::request(&topology, &flags.wanted).unwrap();
    let seen = Seen::of(&topology, &request);
    let answers = seen.search(&request, |network, request| found(network, request, &flags));
    let sessions = [Ok(examples::good()), Err("no reason".to_owned())];
    let measured = answers.unwrap().into_iter().zip(sessions);
    let measured: Vec<Measured> =
        measured.map(|(answer, session)| Measured { answer, session }).collect();
    let table = text(&seen, &measured, Turn::Loopback);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("s c r     10ms       119us"), "{table}");
    assert!(lines[2].starts_with("s b r      4ms           -"), "{table}");
    assert_eq!(lines[3], "s b r: no reason");
    let schema: Value = serde_json::from_str(&schema::text(SchemaFormat::Probe)).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let document = serde_json::to_value(Document::of(&seen, &measured, &flags)).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}
