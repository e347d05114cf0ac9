use serde_json::Value;

use super::*;
use crate::output::rehearsal::{Fate, Plot, START, play};
use crate::output::screen::paper::Paper;
use crate::output::{golden, written};

fn written(quiet: bool, plot: &Plot) -> String {
    let paper = Paper::default();
    let mut ndjson = Ndjson::new(paper.screen(), written::origin(), quiet, || START);
    written::report(&mut ndjson, &[play(plot)], Ended::Complete);
    paper.text()
}

fn lossy() -> Plot {
    let fate = |probe| match probe {
        1 => Fate::LostForward,
        _ => Fate::Passes(58_000 + probe, 61_000),
    };
    Plot { count: 3, fate, ..Plot::default() }
}

#[test]
fn a_run_with_a_loss() {
    golden::check("run.ndjson", &written(false, &lossy()));
}

#[test]
fn quiet_leaves_out_samples_only() {
    let types: Vec<String> = written(true, &lossy())
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        types,
        ["start", "clock", "state", "reflector_mode", "lost", "loss_direction", "end"]
    );
}

#[test]
fn the_end_is_a_session_object_with_type_time_and_name() {
    let text = written(false, &lossy());
    let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(end["type"], "end");
    assert_eq!(end["session"], "r1");
    assert_eq!(end["packets"]["lost"]["forward"], 1);
    assert_eq!(end["delay_ns"]["round_trip"]["max"], 119_002);
    assert_eq!(end["series"], Value::Null);
}
