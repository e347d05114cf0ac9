//! The process that keeps the rights: the same program under another name.

use std::env;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};

use stamp_net::capability::{self, Capability};
use stamp_net::rights::{self, USEFUL};

use super::{calls, capabilities, files};

/// The one argument of such a process.
const VERB: &str = "rights-helper";

/// Starts it, if this process has a right that it could keep and that this process itself does not.
///
/// # Errors
///
/// Why there is none.
pub(super) fn start(kept: &[Capability]) -> Result<Option<Child>, String> {
    let held = capability::own().map_err(|error| error.to_string())?;
    let given_away = |useful: &&Capability| !kept.contains(useful);
    if !USEFUL.iter().filter(given_away).any(|useful| held.has(*useful)) {
        return Ok(None);
    }
    let (near, far) = rights::line().map_err(|error| error.to_string())?;
    // The program that runs, whatever has become of its file since.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("stamp-rights")
        .arg(VERB)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(far))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is for the service, which then closes the line.
        .process_group(0);
    let child = command.spawn().map_err(|error| format!("the helper: {error}"))?;
    // Else the end of a helper that cannot start would not be seen.
    drop(command);
    rights::rely_on(near).map_err(|error| format!("the helper: {error}"))?;
    Ok(Some(child))
}

/// Is the helper if this process was started as one, until whoever started it ends. To be asked before
/// anything else.
#[must_use]
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let asked = arguments.next().is_some_and(|word| word == OsStr::new(VERB));
    if !asked || arguments.next().is_some() {
        return None;
    }
    let wanted = calls::Wanted { commands: false, programs: false, raw_sockets: true };
    // Whatever of this fails leaves the helper with more than it needs, and the service with none.
    let _ = capabilities::keep(&USEFUL);
    let held = capability::own();
    let _ = files::none();
    let _ = calls::allow_only(wanted);
    let served = held.and_then(|held| rights::serve(std::io::stdin().as_fd(), held));
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
