//! A program of the host that was started here: how it is waited for and ended, and what it prints.

mod printed;

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

pub use printed::Printed;

/// The program and whatever it has started, unless that has left.
#[derive(Clone, Copy)]
pub struct Group(Pid);

impl Group {
    /// Starts a program in a process group of its own, so that what is typed at a terminal is not for it.
    ///
    /// # Errors
    ///
    /// Why it cannot be run.
    pub fn start(command: &mut Command) -> Result<(Child, Self), String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child =
            command.process_group(0).spawn().map_err(|error| format!("{program}: {error}"))?;
        let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
        Ok((child, Self(Pid::from_raw(pid))))
    }

    /// Waits for the end of the program, and leaves it to be taken note of: until then nobody else has
    /// its number, so that [`Self::signal`] meets nobody else.
    pub fn wait(self) {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(self.0), flags) == Err(Errno::EINTR) {}
    }

    /// Sends all of them a signal.
    pub fn signal(self, signal: Signal) {
        // None may be left.
        let _ = killpg(self.0, signal);
    }
}
