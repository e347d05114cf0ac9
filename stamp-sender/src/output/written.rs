//! Runs as files, for tests.

use stamp_session::snapshot::SessionSnapshot;

use super::Reporter;
use super::document::{Host, Origin, Tool};
use super::json::Json;
use super::ndjson::Ndjson;
use super::rehearsal::{Rehearsal, START};
use super::screen::paper::Paper;
use crate::happening::{Ended, SessionInfo};

/// What measured, and where.
pub fn origin() -> Origin {
    Origin {
        tool: Tool { name: "stamp-sender".to_owned(), version: "0.1.0".to_owned() },
        host: Host { name: Some("ams1".to_owned()) },
        arguments: vec!["stamp-sender".to_owned(), "r1".to_owned()],
    }
}

/// Tells a reporter everything about `runs`.
pub fn report(reporter: &mut dyn Reporter, runs: &[Rehearsal], ended: Ended) {
    let infos: Vec<SessionInfo> = runs.iter().map(|run| run.info.clone()).collect();
    let snapshots: Vec<SessionSnapshot> = runs.iter().map(|run| run.snapshot.clone()).collect();
    reporter.start(&infos).unwrap();
    for (session, run) in runs.iter().enumerate() {
        for happening in &run.happenings {
            reporter.happening(session, happening).unwrap();
        }
    }
    reporter.finish(&snapshots, ended).unwrap();
}

/// The document of `--json`.
pub fn json(runs: &[Rehearsal], ended: Ended) -> String {
    let paper = Paper::default();
    report(&mut Json::new(paper.screen(), origin(), || START), runs, ended);
    paper.text()
}

/// The stream of `--ndjson`.
pub fn ndjson(runs: &[Rehearsal], ended: Ended) -> String {
    let paper = Paper::default();
    report(&mut Ndjson::new(paper.screen(), origin(), false, || START), runs, ended);
    paper.text()
}
