//! `stamp-sender select`: decides for all policies of a file over what many senders measured.
//!
//! ```text
//!  senders ── series ──► Prometheus ◄── one question ── asker ─► readings ─► decider ─► table, events
//! ```
//!
//! The decider is the chooser of `run`, told by series what a daemon is told by packet threads. Without an
//! answer nothing is decided: what carries stays, and everybody is told so.

mod answer;
mod asker;
mod board;
pub mod config;
mod decider;
mod matcher;
mod needs;
mod once;
mod query;
mod reading;
mod readings;
mod selecting;
#[cfg(test)]
mod tests;
mod web;
mod wish;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use stamp_metrics::table::Table;
use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::sandbox::Sandbox;
use tokio::sync::mpsc;

use crate::Ended;
use crate::command_line;
use crate::daemon::{Configuration, Events, Signals};
use crate::exit::Failure;
use crate::output::instant;
use crate::policies::Policies;
use asker::Asker;
use board::Board;
use config::Select;
use decider::Decider;
use readings::Readings;
use selecting::Selecting;
use web::Sources;

/// Decides until SIGTERM or SIGINT, or once.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(asked: &command_line::Select) -> Ended {
    let (configuration, select) = load(&asked.file)?;
    let service = configuration.service.clone();
    let fail = |source| Failure::System { what: "going on with what was passed on", source };
    let mut inherited = Inherited::take().map_err(fail)?;
    // While there is one thread: those to come have what it has.
    let needs = needs::of(&configuration, &select, &asked.file);
    let mut sandbox = Sandbox::enter(service.sandbox, &needs)?;
    let log = Log::start(service.log_level, service.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    let ended = runtime.block_on(async {
        if asked.once {
            sandbox.close()?;
            return once(&configuration, &select, asked.json).await;
        }
        let signals = Signals::listen()?;
        let mut events = Events::open(service.events_file.as_deref())?;
        events.prepare_to_notify(&service.notify)?;
        events.notify(&service.notify);
        let board = Board::default();
        let table = Arc::new(Table::new(|| instant::Instant(stamp_worker::now().wall).to_string()));
        let (wishes, wished) = mpsc::unbounded_channel();
        sandbox.close()?;
        sandbox.tell();
        let sources = Sources {
            board: board.clone(),
            table: Arc::clone(&table),
            events: events.shown(),
            clients: Arc::clone(&service.clients),
            layers: sandbox.in_force(),
            wishes,
        };
        let _server = web::start(sources, &select, &mut inherited)?;
        inherited.close();
        let decider = Decider::new(configuration.paths.clone(), select.stale_after);
        board.read().policies.configure(decider.in_force().sessions.iter());
        let file = asked.file.clone();
        let selecting =
            Selecting { file, configuration, select, decider, events, board, table, log, wished };
        selecting.serve(signals).await
    });
    // A name that is still being looked up is nobody's any more.
    runtime.shutdown_background();
    ended
}

/// A file, and whom it says is to be asked.
fn load(file: &Path) -> Result<(Configuration, Select), Failure> {
    let configuration = Configuration::load(file)?;
    let lacks = |what: &str| Failure::Input(format!("{}: no {what} in it", file.display()));
    let select = configuration.select.clone().ok_or_else(|| lacks("[select]"))?;
    if configuration.paths.policies.policies.is_empty() {
        return Err(lacks("[[policy]] or [[mesh]]"));
    }
    Ok((configuration, select))
}

async fn once(configuration: &Configuration, select: &Select, json: bool) -> Ended {
    let mut decider = Decider::new(configuration.paths.clone(), select.stale_after);
    let asker = Asker::new(select, &decider.in_force().policies);
    let answer = asker.ask(Instant::now()).await;
    let answer = answer
        .map_err(|error| Failure::Requirement(format!("{}: {error}", select.prometheus.text())))?;
    let now = stamp_worker::now();
    decider.decide(&Readings::of(&answer), &mut Policies::default(), now);
    let (shown, rows) = decider.shown(now, None);
    once::tell(&shown, rows, json)
}
