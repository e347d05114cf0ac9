//! A command for each event: the event on its standard input and in its environment.

mod process;

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::super::queue::Next;
use super::Station;
use crate::daemon::config::Hook;
use crate::output::ndjson::Entry;
use process::Process;

/// Runs a hook until the control side has let go and everything is told.
pub(super) async fn run(mut station: Station<Hook>) {
    let mut running = JoinSet::new();
    while let Some(next) = station.inbox.next().await {
        let config = station.config.borrow().clone();
        while running.len() >= config.at_once {
            running.join_next().await;
        }
        let counts = Arc::clone(&station.counts);
        match next {
            Next::Told(told) => drop(running.spawn(async move {
                match tell(&config, told.kind, &told.line).await {
                    Ok(()) => counts.delivered(1),
                    Err(_) => {
                        counts.went_wrong();
                        counts.failed(1);
                    }
                }
            })),
            Next::Missing(count) => drop(running.spawn(async move {
                let entry = Entry::dropped(&config.name, count, stamp_worker::now().wall);
                let line = serde_json::to_string(&entry).unwrap_or_default();
                if tell(&config, entry.kind(), &line).await.is_err() {
                    counts.went_wrong();
                }
            })),
            Next::Nudge => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// It did not do what it should, and the log says why.
struct Failed;

/// Runs the command once.
async fn tell(config: &Hook, kind: &str, line: &str) -> Result<(), Failed> {
    let hook = config.name.as_str();
    let ended = run_for(&config.command, line, config.timeout).await;
    let (ended, said) =
        ended.map_or_else(|reason| (Err(reason), None), |Ended { status, said }| (status, said));
    if let Some(said) = said {
        tracing::warn!(hook, kind, said, "a hook printed an error");
    }
    let reason = match ended {
        Ok(status) if status.success() => {
            tracing::debug!(hook, kind, "a hook has run");
            return Ok(());
        }
        Ok(status) => status.to_string(),
        Err(reason) => reason,
    };
    tracing::warn!(hook, kind, reason, "a hook failed");
    Err(Failed)
}

/// What became of a command.
struct Ended {
    /// Its status, or why it has none of its own.
    status: Result<ExitStatus, String>,
    /// What it printed as an error.
    said: Option<String>,
}

/// How a command ended that gets `line`; `within` that time, or it is killed with all that it started.
async fn run_for(command: &[String], line: &str, within: Duration) -> Result<Ended, String> {
    let mut process = Process::start(command, line)?;
    let mut complaints = process.complaints()?;
    let (feeder, line) = (process.feeder(within), format!("{line}\n"));
    let group = process.group();
    let mut ended = spawn_blocking(move || {
        feeder.feed(line.as_bytes());
        group.wait();
    });
    let in_time = timeout(within, complaints.until(&mut ended)).await.is_ok();
    if !in_time {
        group.signal(Signal::SIGKILL);
        let _ = ended.await;
    }
    let status = process.end();
    let late = || Err(format!("killed: it took longer than {within:?}"));
    Ok(Ended { status: if in_time { status } else { late() }, said: complaints.text() })
}

#[cfg(test)]
mod tests;
