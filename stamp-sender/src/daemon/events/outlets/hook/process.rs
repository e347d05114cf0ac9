//! A command while it runs.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::Value;

use crate::child::{Group, Printed};

/// What a command inherits of our environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// Octets of a variable: the kernel runs no program with one that is much longer.
const LONGEST: usize = 4_096;
/// Octets that a log should hold of what a command prints.
const MOST_PRINTED: usize = 2_048;

/// A command in a process group of its own.
pub(super) struct Process {
    child: Child,
    group: Group,
}

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
        let (child, group) = Group::start(&mut command)?;
        Ok(Self { child, group })
    }

    /// What it prints as an error: once.
    ///
    /// # Errors
    ///
    /// Why that cannot be read.
    pub(super) fn complaints(&mut self) -> Result<Printed, String> {
        let pipe = self.child.stderr.take().ok_or("its errors are read already")?;
        Printed::of(pipe.into(), MOST_PRINTED).map_err(|error| error.to_string())
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
