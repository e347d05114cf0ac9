//! `stamp-sender write`: the paths that a daemon has chosen, carried to where packets are sent.
//!
//! ```text
//!  daemon ── /api/v1/paths ──► follow ─► table ─► choice ─► damping ─► target
//!                                                                      routes, FRR, Pola, file, server
//! ```
//!
//! It is a process of its own, for it may need a right that whoever measures must not have. Each writer
//! is a task that waits for no other. Nothing is written unless `dry-run = false` says so.

mod board;
pub mod config;
mod damping;
mod document;
mod follow;
mod frr;
mod linux;
mod needs;
mod outcome;
mod pola;
mod program;
mod table;
mod target;
mod task;
mod web;

use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_service::sandbox::Sandbox;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Ended;
use crate::command_line::Write;
use crate::daemon::{Asked, Configuration, Signals};
use crate::exit::{Failure, Status};
use board::Board;
use config::Writers;
use task::Task;

/// Writes until SIGTERM or SIGINT, or once.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(write: &Write) -> Ended {
    let configuration = Configuration::load(&write.file)?;
    let Configuration { service, writers, .. } = configuration;
    if writers.writers.is_empty() {
        let file = write.file.display();
        return Err(Failure::Input(format!("{file}: no [[writer]] in it")));
    }
    let fail = |source| Failure::System { what: "going on with what was passed on", source };
    let mut inherited = Inherited::take().map_err(fail)?;
    // While there is one thread: those to come have what it has.
    let mut sandbox = Sandbox::enter(service.sandbox, &needs::of(&writers, &write.file))?;
    let _log = Log::start(service.log_level, service.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    let board = Board::default();
    let ended = runtime.block_on(async {
        let tasks = writers.writers.iter().map(|writer| Task::new(writer, &board));
        let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
        sandbox.close()?;
        if write.once {
            return once(tasks).await;
        }
        sandbox.tell();
        // Before there is a socket: whoever sees one may ask this process to end.
        let signals = Signals::listen()?;
        let _server = web::start(&writers, &board, (sandbox.in_force(), &mut inherited))?;
        inherited.close();
        serve(tasks, signals, &writers, &board).await
    });
    // A name that is still being looked up is nobody's any more.
    runtime.shutdown_background();
    ended
}

/// Each once, one after the other.
async fn once(tasks: Vec<Task>) -> Ended {
    let mut complete = true;
    for task in tasks {
        let written = task.once().await?;
        complete &= written;
    }
    Ok(if complete { Status::Done } else { Status::Unmet })
}

/// All of them, until the process is told to stop.
async fn serve(tasks: Vec<Task>, mut signals: Signals, writers: &Writers, board: &Board) -> Ended {
    let (end, ends) = watch::channel(false);
    let mut running = JoinSet::new();
    for (task, writer) in tasks.into_iter().zip(&writers.writers) {
        board.expect(&writer.name);
        tracing::info!(
            writer = writer.name,
            from = writer.source.url.text(),
            dry_run = writer.dry_run,
            "writes"
        );
        running.spawn(task.run(ends.clone()));
    }
    manager::ready();
    let mut watchdog = manager::watchdog().map(tokio::time::interval);
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => break,
                // The file is read at the start alone.
                Asked::Reload | Asked::Status => {}
            },
            () = ticked(watchdog.as_mut()) => manager::alive(),
        }
    }
    manager::stopping();
    let _ = end.send(true);
    while running.join_next().await.is_some() {}
    tracing::info!("stopped");
    Ok(Status::Done)
}

/// The next tick; never where there are none.
async fn ticked(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}
