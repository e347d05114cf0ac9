//! What stays on the board while sessions come, move and go.

use std::path::Path;

use stamp_proto::time::TimeDelta;
use stamp_session::clock::Now;
use stamp_session::sender::{
    LossChange, MeasuredDirection, SessionState, StateChange, ThresholdState,
};

use super::*;
use crate::daemon::config::Configuration;
use crate::output::rehearsal::{Fate, Plot, play};

fn spec(text: &str) -> Arc<SessionSpec> {
    let text = format!("[[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\n{text}");
    let configuration = Configuration::read("f", &text, Path::new("")).unwrap();
    Arc::clone(&configuration.sessions[0])
}

fn names(board: &Board) -> Vec<String> {
    let posted = board.read();
    let branches = posted.sessions.values().flat_map(|entry| &entry.branches);
    branches.map(|branch| branch.identity.name.clone()).collect()
}

#[test]
fn a_session_is_there_before_it_runs_and_until_it_leaves_the_file() {
    let board = Board::default();
    let spec = spec("labels = { site = \"ams\" }\n");
    board.admit(&spec);
    board.waits("a", "no route");
    assert_eq!(names(&board), ["a"]);
    let posted = board.read();
    assert_eq!(posted.sessions["a"].waits.as_deref(), Some("no route"));
    assert_eq!(posted.sessions["a"].branches[0].identity.labels["site"], "ams");
    drop(posted);
    board.dismiss("a");
    assert!(names(&board).is_empty());
}

#[test]
fn another_configuration_of_a_session_keeps_its_ledger() {
    let board = Board::default();
    board.admit(&spec(""));
    let place = Place { worker: 0, number: 7 };
    board.read().sessions.get_mut("a").unwrap().branches[0].ledger.begin(place);
    board.admit(&spec("dscp = \"EF\"\n"));
    let posted = board.read();
    let entry = &posted.sessions["a"];
    assert_eq!(entry.spec.settings.get("dscp"), Some("EF"));
    let ledger = format!("{:?}", entry.branches[0].ledger);
    assert!(ledger.contains("number: 7"), "{ledger}");
    drop(posted);
    board.admit(&spec("labels = { site = \"lon\" }\n"));
    assert_eq!(board.read().sessions["a"].branches[0].identity.labels["site"], "lon");
}

#[test]
fn the_first_file_in_force_is_no_reload() {
    let board = Board::default();
    assert!(board.read().reloads.is_none());
    board.reloaded(true);
    let first = board.read().reloads.unwrap();
    assert_eq!((first.succeeded, first.refused, first.successful), (0, 0, true));
    board.reloaded(false);
    board.reloaded(true);
    board.reloaded(false);
    let last = board.read().reloads.unwrap();
    assert_eq!((last.succeeded, last.refused, last.successful), (1, 2, false));
}

#[test]
fn the_course_is_that_of_the_latest_windows() {
    let board = Board::default();
    board.admit(&spec(""));
    let plain = play(&Plot { count: 2, fate: |_| Fate::Passes(1_000, 1_000), ..Plot::default() });
    let window = |us: Option<i64>| {
        let mut measured = plain.snapshot.clone();
        measured.delay.round_trip.p50 = us.map(|us| TimeDelta::from_ns(us * 1_000));
        Arc::new(measured)
    };
    (1..=70).for_each(|us| board.window("a", 0, &window(Some(us))));
    // Where nothing came back there is nothing to draw.
    board.window("a", 0, &window(None));
    let posted = board.read();
    let course = &posted.sessions["a"].branches[0].course;
    assert!(course.iter().copied().eq(11..=70), "{course:?}");
}

#[test]
fn what_was_told_holds_until_a_window_knows_it() {
    let board = Board::default();
    board.admit(&spec(""));
    let (from, to, at) = (SessionState::Up, SessionState::Down, Now::default());
    let change = StateChange { from, to, at, run: 3, first: 5, last: 7 };
    board.event("a", 0, &SenderEvent::State(change));
    let limit = Limit::Loss(MeasuredDirection::Forward);
    for to in [ThresholdState::Exceeded, ThresholdState::NotExceeded, ThresholdState::Exceeded] {
        let change = LossChange {
            direction: MeasuredDirection::Forward,
            to,
            at,
            lost: 3,
            limit: 3,
            decided: 5,
            first: 3,
            last: 7,
            clock_synchronized: true,
        };
        board.event("a", 0, &SenderEvent::Loss(change));
        let is_exceeded = Some(to == ThresholdState::Exceeded);
        assert_eq!(board.read().sessions["a"].branches[0].news.is_exceeded(limit), is_exceeded);
    }
    let news = board.read().sessions["a"].branches[0].news.clone();
    assert_eq!(news.state(), Some(SessionState::Down));
    assert_eq!(news.is_exceeded(Limit::Delay(MeasuredDirection::Forward)), None);
    let measured = play(&Plot { count: 2, ..Plot::default() }).snapshot;
    board.window("a", 0, &Arc::new(measured));
    assert_eq!(board.read().sessions["a"].branches[0].news, News::default());
}
