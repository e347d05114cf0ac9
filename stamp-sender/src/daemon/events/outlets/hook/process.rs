//! A command while it runs.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use serde_json::Value;

use super::complaints::Complaints;

/// What a command inherits of our environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// Octets of a variable: the kernel runs no program with one that is much longer.
const LONGEST: usize = 4_096;

/// A command in a process group of its own.
pub(super) struct Process {
    child: Child,
    group: Group,
}

/// The command and whatever it has started.
#[derive(Clone, Copy)]
pub(super) struct Group(Pid);

/// The way to its standard input.
pub(super) struct Feeder {
    input: Option<ChildStdin>,
    until: Instant,
}

impl Process {
    /// Runs a program with its arguments, and with what `line` says in its environment. What it prints is
    /// nowhere, but for [`Self::complaints`]: our own output may hold events.
    ///
    /// # Errors
    ///
    /// Why it cannot be run.
    pub(super) fn start(command: &[String], line: &str) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        let inherited =
            INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.args(arguments).env_clear().envs(inherited).envs(environment(line));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.process_group(0);
        let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
        Ok(Self { child, group: Group(Pid::from_raw(pid)) })
    }

    /// What it prints as an error: once.
    ///
    /// # Errors
    ///
    /// Why that cannot be read.
    pub(super) fn complaints(&mut self) -> Result<Complaints, String> {
        let pipe = self.child.stderr.take().ok_or("its errors are read already")?;
        Complaints::of(pipe.into()).map_err(|error| error.to_string())
    }

    /// The way to its standard input, which is given up after so long.
    pub(super) fn feeder(&mut self, within: Duration) -> Feeder {
        Feeder { input: self.child.stdin.take(), until: Instant::now() + within }
    }

    pub(super) const fn group(&self) -> Group {
        self.group
    }

    /// How it ended, once it has.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell.
    pub(super) fn end(mut self) -> Result<ExitStatus, String> {
        self.child.wait().map_err(|error| error.to_string())
    }
}

impl Group {
    /// Waits for the end of the command, and leaves it to be taken note of: until then nobody else has
    /// its number, so that [`Self::kill`] meets nobody else.
    pub(super) fn wait(self) {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(self.0), flags) == Err(nix::errno::Errno::EINTR) {}
    }

    pub(super) fn kill(self) {
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

impl Feeder {
    /// Hands it the event. It may end without reading, or read late.
    pub(super) fn feed(self, mut line: &[u8]) {
        let Some(mut input) = self.input else { return };
        if fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_err() {
            return;
        }
        while !line.is_empty() {
            match input.write(line) {
                Ok(0) => return,
                Ok(count) => line = line.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = self.until.saturating_duration_since(Instant::now());
                    let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
                    let mut awaited = [PollFd::new(input.as_fd(), PollFlags::POLLOUT)];
                    if left.is_zero() || poll(&mut awaited, wait) == Ok(0) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}

/// `STAMP_EVENT_TYPE`, `STAMP_EVENT_SESSION` and so on: what is known of the event and is no object.
/// What is long, such as every mistake of a file, stands in the event alone.
/// Without `EVENT` they would be flags of `stamp-sender`, which a command may well run.
fn environment(line: &str) -> Vec<(String, String)> {
    let Ok(Value::Object(event)) = serde_json::from_str(line) else { return Vec::new() };
    let variable = |(key, value): (String, Value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        if text.len() > LONGEST {
            return None;
        }
        Some((format!("STAMP_EVENT_{}", key.to_ascii_uppercase()), text.replace('\0', "")))
    };
    event.into_iter().filter_map(variable).collect()
}
