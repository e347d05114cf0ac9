use std::collections::BTreeSet;

use jsonschema::Validator;
use stamp_session::sender::{Outcome, RejectReason, SenderEvent, UnsentReason};
use stamp_session::statistics::Reason;

use super::*;
use crate::happening::{Ended, Happening};
use crate::output::record::examples;
use crate::output::rehearsal::{Fate, Plot, Rehearsal, oddities, play};
use crate::output::written;

fn validator(format: SchemaFormat) -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(&text(format)).unwrap()).unwrap()
}

/// Panics unless a line of the stream keeps to its schema.
pub fn assert_valid_line(line: &Value) {
    assert_valid(&validator(SchemaFormat::Ndjson), line);
}

/// Panics unless the table of paths keeps to its schema.
pub fn assert_valid_paths(document: &Value) {
    assert_valid(&validator(SchemaFormat::Paths), document);
}

/// Panics unless what a webhook is sent keeps to its schema, and each event of it to its own.
pub fn assert_valid_webhook(body: &Value) {
    assert_valid(&validator(SchemaFormat::Webhook), body);
    let lines = validator(SchemaFormat::Ndjson);
    body["events"].as_array().unwrap().iter().for_each(|event| assert_valid(&lines, event));
}

fn assert_valid(validator: &Validator, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

/// A run with something of every kind, one without any reply, one with clocks apart.
fn runs() -> Vec<Rehearsal> {
    let fate = |probe| match probe {
        2 => Fate::Passes(1_050_000_000, 61_000),
        3 => Fate::LostForward,
        5 => Fate::Twice(57_000, 63_000),
        6 => Fate::LostBackward,
        _ => Fate::Passes(58_000 + probe * 700, 61_000),
    };
    let mut lively = play(&Plot { fate, ..Plot::default() });
    lively.happenings.extend(oddities());
    let window = Box::new(lively.snapshot.clone());
    lively.happenings.push(Happening::Window(window));
    let silent = Plot {
        name: "r2",
        count: 3,
        synchronized: false,
        fate: |_| Fate::LostForward,
        ..Plot::default()
    };
    let apart =
        Plot { name: "r3", synchronized: false, far_offset_ns: -37_000_000_000, ..Plot::default() };
    vec![lively, play(&silent), play(&apart)]
}

#[test]
fn the_schemas_are_schemas() {
    for format in [SchemaFormat::Json, SchemaFormat::Ndjson, SchemaFormat::Webhook] {
        let schema: Value = serde_json::from_str(&text(format)).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{format:?}");
        let names = schema["$defs"].as_object().unwrap();
        for reference in text(format).split("\"#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(names.contains_key(name), "{format:?}: {name}");
        }
    }
    for format in [SchemaFormat::Path, SchemaFormat::Paths] {
        let schema: Value = serde_json::from_str(&text(format)).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{format:?}");
    }
}

#[test]
fn a_document_keeps_to_its_schema() {
    let document: Value =
        serde_json::from_str(&written::json(&runs(), Ended::Interrupted)).unwrap();
    assert_valid(&validator(SchemaFormat::Json), &document);
    assert_eq!(document["intervals"].as_array().unwrap().len(), 1);
    assert_eq!(document["interrupted"], true);
    assert_eq!(document["answered"], false);
}

#[test]
fn every_type_of_line_is_written_and_keeps_to_its_schema() {
    let stream = written::ndjson(&runs(), Ended::Complete);
    let validator = validator(SchemaFormat::Ndjson);
    let mut seen = BTreeSet::new();
    for line in stream.lines() {
        assert!(line.starts_with("{\"type\":\""), "{line}");
        let value: Value = serde_json::from_str(line).unwrap();
        assert_valid(&validator, &value);
        seen.insert(value["type"].as_str().unwrap().to_owned());
    }
    let schema: Value = serde_json::from_str(&text(SchemaFormat::Ndjson)).unwrap();
    let known: BTreeSet<String> = schema["properties"]["type"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind.as_str().unwrap().to_owned())
        .collect();
    // What only a service tells is held to its schema where it is made.
    seen.extend(["te", "policy", "path", "config", "dropped"].map(str::to_owned));
    assert_eq!(seen, known);
}

#[test]
fn a_field_nobody_told_of_is_refused() {
    let document: Value =
        serde_json::from_str(&written::json(&runs(), Ended::Interrupted)).unwrap();
    let validator = validator(SchemaFormat::Json);
    for place in
        ["", "/sessions/0", "/sessions/0/packets/lost", "/sessions/0/clock/far", "/intervals/0"]
    {
        let mut changed = document.clone();
        changed.pointer_mut(place).unwrap()["surprise"] = 1.into();
        assert!(!validator.is_valid(&changed), "added at {place}");
    }
    for (place, field) in
        [("", "tool"), ("/sessions/0", "state"), ("/sessions/0/delay_ns/forward", "p99_9")]
    {
        let mut changed = document.clone();
        changed.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&changed), "{field} removed at {place}");
    }
}

#[test]
fn every_reason_an_engine_gives_is_in_the_schemas() {
    let validator = validator(SchemaFormat::Ndjson);
    let mut run = play(&Plot { count: 1, ..Plot::default() });
    let rejected = RejectReason::ALL.iter().map(|why| Happening::Outcome(Outcome::Rejected(*why)));
    let unsent = UnsentReason::ALL
        .iter()
        .map(|reason| Happening::Event(SenderEvent::Unsent { sequence: 1, reason: *reason }));
    run.happenings = rejected.chain(unsent).collect();
    let stream = written::ndjson(&[run], Ended::Complete);
    for line in stream.lines() {
        assert_valid(&validator, &serde_json::from_str(line).unwrap());
    }
}

#[test]
fn unknown_is_null_and_never_zero() {
    let document: Value =
        serde_json::from_str(&written::json(&runs(), Ended::Interrupted)).unwrap();
    let silent = &document["sessions"][1];
    for place in [
        "/delay_ns/forward/min",
        "/delay_ns/round_trip/p99_9",
        "/packets/lost/forward",
        "/clock/far/synchronized",
        "/clock/stamps/probe_sent",
        "/path/forward_hops",
        "/reflector/timestamp_format",
    ] {
        assert_eq!(silent.pointer(place), Some(&Value::Null), "{place}");
    }
    assert_eq!(silent["packets"]["lost"]["round_trip"], 3);
}

#[test]
fn records_of_examples_keep_to_the_schema_of_a_session() {
    let schema: Value = serde_json::from_str(&text(SchemaFormat::Json)).unwrap();
    let mut session = schema["$defs"]["session"].clone();
    session["$defs"] = schema["$defs"].clone();
    let validator = jsonschema::draft202012::new(&session).unwrap();
    for record in [examples::good(), examples::silent()] {
        assert_valid(&validator, &serde_json::to_value(&record).unwrap());
    }
}
