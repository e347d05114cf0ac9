use super::*;
use crate::happening::{Ended as RunEnded, Happening};
use crate::output::rehearsal::{Fate, Plot, play};
use crate::output::{golden, written};

fn lossy() -> Plot {
    Plot {
        count: 60,
        fate: |probe| match probe {
            20..24 => Fate::LostForward,
            41 => Fate::LostBackward,
            50 => Fate::Passes(2_600_000, 61_000),
            _ => Fate::Passes(58_000 + probe * 700 % 9_000, 61_000 + probe * 1_100 % 4_000),
        },
        ..Plot::default()
    }
}

fn shown(text: &str) -> String {
    rendered(&read::read(text).unwrap(), &Look::default())
}

fn refused(text: &str) -> String {
    read::read(text).unwrap_err().to_string()
}

#[test]
fn a_saved_document_is_shown_again() {
    golden::check("report.txt", &shown(&written::json(&[play(&lossy())], RunEnded::Complete)));
}

#[test]
fn a_saved_stream_is_shown_as_the_document_of_the_same_run() {
    let runs = [play(&lossy()), play(&Plot { name: "r2", ..Plot::default() })];
    assert_eq!(
        shown(&written::ndjson(&runs, RunEnded::Complete)),
        shown(&written::json(&runs, RunEnded::Complete))
    );
}

#[test]
fn clocks_apart_are_shown_above_their_smallest_value() {
    let plot = Plot { far_offset_ns: -37_000_000_000, synchronized: false, ..lossy() };
    golden::check("report-apart.txt", &shown(&written::json(&[play(&plot)], RunEnded::Complete)));
}

#[test]
fn an_interrupted_run_says_so() {
    let text = shown(&written::json(&[play(&lossy())], RunEnded::Interrupted));
    assert!(text.lines().next().unwrap().ends_with(", interrupted"), "{text}");
}

#[test]
fn a_stream_that_was_cut_off_shows_what_there_is() {
    let stream = written::ndjson(&[play(&lossy())], RunEnded::Complete);
    let (cut, _) = stream.rsplit_once("{\"type\":\"end\"").unwrap();
    let text = shown(cut);
    assert!(text.contains("55 received, 5 lost; the stream has no end"), "{text}");
    assert!(text.contains("forward (55 samples)"), "{text}");
}

#[test]
fn a_run_without_any_reply_is_shown_without_distribution() {
    let run = play(&Plot { fate: |_| Fate::LostForward, ..Plot::default() });
    let text = shown(&written::json(&[run], RunEnded::Complete));
    assert!(text.contains("None of 10 probes"), "{text}");
    assert!(text.contains("lost        1111111111  10 lost"), "{text}");
    assert!(!text.contains("samples"), "{text}");
}

#[test]
fn every_line_fits_80_columns() {
    let plot = Plot { far_offset_ns: 5_000_000, synchronized: false, ..lossy() };
    for line in shown(&written::json(&[play(&plot), play(&lossy())], RunEnded::Complete)).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn types_of_later_versions_are_passed_over() {
    let stream = written::ndjson(&[play(&lossy())], RunEnded::Complete);
    let extended = stream.replacen('\n', "\n{\"type\":\"prophecy\",\"session\":\"r1\"}\n", 1);
    assert_eq!(shown(&stream), shown(&extended));
}

#[test]
fn what_is_no_saved_run_is_refused_with_its_place() {
    assert_eq!(refused(" \n"), "1:1: nothing in it; expected what --json or --ndjson wrote");
    assert_eq!(
        refused("{\n \"schema_version\": 1,\n \"tool\": 5\n}"),
        "3:10: invalid type: integer `5`, expected struct Tool"
    );
    assert_eq!(
        refused("1"),
        "1:1: invalid type: integer `1`, expected what --json or --ndjson wrote"
    );
    assert!(refused("{\"a\": 1").starts_with("1:7: EOF while parsing"), "{}", refused("{\"a\": 1"));
    assert_eq!(
        refused("{\"type\":\"sample\"}"),
        "1:1: the stream does not begin with a line of type \"start\""
    );
}

#[test]
fn a_broken_line_of_a_stream_is_named() {
    let stream = written::ndjson(&[play(&lossy())], RunEnded::Complete);
    let mut lines: Vec<&str> = stream.lines().collect();
    lines[3] = "{\"type\":\"lost\",\"session\":\"r1\",\"sequence\":-1}";
    let error = refused(&lines.join("\n"));
    assert!(error.starts_with("4:43: invalid value: integer `-1`"), "{error}");
    lines[3] =
        "{\"type\":\"lost\",\"session\":\"r9\",\"sequence\":1,\"time\":\"2026-11-23T02:58:01Z\"}";
    assert_eq!(refused(&lines.join("\n")), "4:1: session \"r9\" is not in the first line");
}

#[test]
fn another_version_is_refused() {
    let document = written::json(&[play(&lossy())], RunEnded::Complete);
    let newer = document.replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
    assert_eq!(refused(&newer), "1:1: schema_version is 2; this program reads 1");
}

#[test]
fn what_is_not_text_is_refused_with_its_place() {
    let error = read::utf8(b"{\n  \"a\": \xff}".to_vec()).unwrap_err();
    assert_eq!((error.line, error.column), (2, 8));
}

#[test]
fn samples_around_a_jump_of_a_clock_are_left_out() {
    let mut run = play(&lossy());
    for happening in &mut run.happenings {
        if let Happening::Outcome(stamp_session::sender::Outcome::Sample(sample)) = happening {
            sample.clock_step = sample.sequence < 10;
        }
    }
    let text = shown(&written::ndjson(&[run], RunEnded::Complete));
    assert!(text.contains("forward (45 samples)"), "{text}");
}
