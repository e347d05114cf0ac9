//! What the writers show over HTTP, where they are asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use stamp_metrics::http::{Note, Page, Pieces, Query, Server, Site};
use stamp_metrics::process::Process;
use stamp_metrics::program::Program;
use stamp_metrics::writer::{WriterView, Writers};
use stamp_proto::time::WallTime;
use stamp_service::inherited::Inherited;
use stamp_service::web;

use super::board::{Board, State};
use super::config;
use crate::exit::Failure;
use crate::output::document::SCHEMA_VERSION;
use crate::output::instant::Instant;

/// The pages.
struct WriterSite {
    board: Board,
    layers: Vec<(&'static str, bool)>,
    evicted: AtomicU64,
}

/// Serves them where the file says; `None` where that is nowhere.
///
/// # Errors
///
/// When an address cannot be had, or the file of TLS and users is wrong.
pub fn start(
    writers: &config::Writers,
    board: &Board,
    (layers, inherited): (Vec<(&'static str, bool)>, &mut Inherited),
) -> Result<Option<Server>, Failure> {
    let fail = |source| Failure::System { what: "listening for HTTP", source };
    let listeners = web::listen(&writers.listen, true, inherited).map_err(fail)?;
    if listeners.is_empty() {
        return Ok(None);
    }
    let site = WriterSite { board: board.clone(), layers, evicted: AtomicU64::new(0) };
    let server = Server::start(listeners, writers.config_file.clone(), Arc::new(site));
    server.map(Some).map_err(|error| Failure::Input(error.to_string()))
}

impl Site for WriterSite {
    fn metrics(&self) -> Pieces {
        let view = |(name, state): (&String, &State)| WriterView {
            name: name.clone(),
            connected: state.connected,
            changes: RESULTS.map(|it| (it, state.changes.get(it).copied().unwrap_or(0))).into(),
            policies: vec![
                ("written", state.policies),
                ("held", state.held.len()),
                ("refused", state.refused.len()),
            ],
            succeeded: state.written.map(|(_, at)| at),
        };
        let writers = self.board.read().iter().map(view).collect();
        let program = Program {
            name: "stamp-sender",
            version: env!("CARGO_PKG_VERSION"),
            layers: self.layers.clone(),
            evicted: self.evicted.load(Ordering::Relaxed),
            process: Process::read(),
            ..Program::default()
        };
        Box::new(Writers { program, writers }.exposition())
    }

    fn unready(&self) -> Option<String> {
        let states = self.board.read();
        let unheard = states.iter().find(|(_, state)| state.written.is_none());
        unheard.map(|(name, state)| {
            let reason = state.trouble.as_deref().unwrap_or("no table has come");
            format!("{name} has written nothing: {reason}")
        })
    }

    fn page(&self, path: &str, _query: &Query) -> Option<Page> {
        (path == "/api/v1/writers").then(|| {
            let writers: Vec<Value> = self.board.read().iter().map(shown).collect();
            let document = json!({ "schema_version": SCHEMA_VERSION, "writers": writers });
            Page::whole("application/json", format!("{document}\n"))
        })
    }

    fn reload(&self) -> Option<Result<(), String>> {
        None
    }

    fn note(&self, note: Note) {
        web::tell(note, "write", &self.evicted);
    }
}

/// What may become of a change.
const RESULTS: [&str; 4] = ["made", "failed", "held", "dry_run"];

fn shown((name, state): (&String, &State)) -> Value {
    let wall = |at: std::time::SystemTime| {
        let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        Instant::from(WallTime::from_unix_ns(ns))
    };
    let refused = state.refused.iter();
    let refused = refused.map(|(policy, reason)| json!({ "policy": policy, "reason": reason }));
    json!({
        "name": name,
        "connected": state.connected,
        "trouble": state.trouble,
        "sequence": state.written.map(|(sequence, _)| sequence),
        "written": state.written.map(|(_, at)| wall(at)),
        "policies": state.policies,
        "held": state.held,
        "refused": refused.collect::<Vec<_>>(),
    })
}
