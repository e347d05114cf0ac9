//! A program of the host that is told of what was written.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::child::{Group, Printed};

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take that was asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// What it said of that.
    pub said: String,
}

impl Ended {
    /// What went wrong with `program`.
    pub fn failure(&self, program: &str) -> String {
        format!("{program} ended with {}: {}", self.status, self.said.trim())
    }
}

/// Runs it to its end. One that takes longer than a minute is asked to end, and killed with all that it has
/// started where that is in vain: the same is tried again later, and two at once would undo each other's work.
///
/// # Errors
///
/// Why it cannot be started, or that it took too long.
pub async fn run(command: Command) -> Result<Ended, String> {
    run_until(command, sleep(PATIENCE), sleep(GRACE)).await
}

/// The same, with what ends the patience and then the grace.
async fn run_until(
    mut command: Command,
    patience: impl Future,
    grace: impl Future,
) -> Result<Ended, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let (pipe, end) = std::io::pipe().map_err(failed)?;
    let other_end = end.try_clone().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(end).stderr(other_end);
    // Anything of it may be the reason.
    let mut said = Printed::of(pipe.into(), usize::MAX).map_err(failed)?;
    let (mut child, group) = Group::start(&mut command)?;
    let mut ended = spawn_blocking(move || group.wait());
    let in_time = tokio::select! {
        _ = said.until(&mut ended) => true,
        _ = patience => false,
    };
    if !in_time {
        group.signal(Signal::SIGTERM);
        tokio::select! {
            _ = said.until(&mut ended) => {}
            _ = grace => {}
        }
        // Of what it has started some may be left even where it has ended itself.
        group.signal(Signal::SIGKILL);
        if !ended.is_finished() {
            let _over = ended.await;
        }
    }
    let status = child.wait().map_err(failed)?;
    if !in_time {
        return Err(format!("{program} took too long, and was ended: {status}"));
    }
    Ok(Ended { status, said: said.text().unwrap_or_default() })
}

#[cfg(test)]
mod tests;
