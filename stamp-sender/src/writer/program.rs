//! A program of the host that is told of what was written.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it ended.
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// What it said of that, its errors in front.
    pub said: String,
}

impl Ended {
    /// What went wrong with `program`.
    pub fn failure(&self, program: &str) -> String {
        format!("{program} ended with {}: {}", self.status, self.said.trim())
    }
}

/// Runs it to its end.
///
/// # Errors
///
/// Why it cannot be started, or that it does not end.
pub async fn run(mut command: Command) -> Result<Ended, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = match tokio::time::timeout(PATIENCE, ended).await {
        Err(_) => return Err(format!("{program} takes longer than {PATIENCE:?}")),
        Ok(Err(error)) => return Err(error.to_string()),
        Ok(Ok(output)) => output.map_err(|error| format!("{program}: {error}"))?,
    };
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    Ok(Ended { status: output.status, said: said.into_owned() })
}
