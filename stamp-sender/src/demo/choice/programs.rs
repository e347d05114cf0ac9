//! `stamp-sender run` and `stamp-sender write` at work at a node, and what they tell.

use std::env;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde::Deserialize;
use stamp_net::lifeline;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::exit::Failure;
use crate::output::ndjson::Entry;

/// What one of them tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// `run`: an event, as it stands on its line and as it is understood.
    Event(String, Box<Entry>),
    /// `write`: it has done what this line of `ip` does.
    Written(String),
    /// `write`: this kernel, or the rights here, do not let it.
    Unwritten(String),
    /// One has ended, and what it said last.
    Ended(String),
}

/// Both.
pub(super) struct Programs {
    _running: Vec<Running>,
    told: UnboundedReceiver<Told>,
}

impl Programs {
    /// Starts both in the namespace of this thread.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub(super) fn start(file: &Path) -> Result<Self, Failure> {
        let (telling, told) = unbounded_channel();
        let running = ["run", "write"].map(|verb| Running::start(verb, file, &telling));
        let running = running.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { _running: running, told })
    }

    /// What is told next.
    pub(super) async fn next(&mut self) -> Told {
        let ended = || Told::Ended("both have ended".to_owned());
        self.told.recv().await.unwrap_or_else(ended)
    }
}

/// One of them. It is killed when this is dropped, and when this process ends in another way.
struct Running {
    child: Child,
    _lifeline: UnixStream,
}

impl Running {
    fn start(
        verb: &'static str,
        file: &Path,
        telling: &UnboundedSender<Told>,
    ) -> Result<Self, Failure> {
        let failed = |source| Failure::System { what: "starting a program", source };
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        command.arg(verb).arg(file).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What is typed at the terminal is for the demo.
        command.process_group(0);
        let (mut child, lifeline) = lifeline::start(&mut command)?;
        let (output, log) = (child.stdout.take(), child.stderr.take());
        let running = Self { child, _lifeline: lifeline };
        let told = telling.clone();
        thread::spawn(move || {
            // Nobody listens any more where the act is over.
            lines(output).filter_map(event).for_each(|event| drop(told.send(event)));
        });
        let told = telling.clone();
        thread::spawn(move || {
            let mut last = String::new();
            for line in lines(log) {
                last.clone_from(&line);
                logged(&line).map(|word| told.send(word));
            }
            let _over = told.send(Told::Ended(format!("stamp-sender {verb} has ended: {last}")));
        });
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn lines(stream: Option<impl Read>) -> impl Iterator<Item = String> {
    stream.into_iter().flat_map(|stream| BufReader::new(stream).lines().map_while(Result::ok))
}

/// A line of events.
fn event(line: String) -> Option<Told> {
    let entry = serde_json::from_str(&line).ok()?;
    Some(Told::Event(line, Box::new(entry)))
}

/// A line of the log that the act is about.
fn logged(line: &str) -> Option<Told> {
    #[derive(Deserialize)]
    struct Line {
        message: String,
        what: Option<String>,
        reason: Option<String>,
    }
    let line: Line = serde_json::from_str(line).ok()?;
    match line.message.as_str() {
        "written" => line.what.map(Told::Written),
        "not written" | "nothing could be written" | "this path cannot be written here" => {
            line.reason.map(Told::Unwritten)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_writer_did_and_could_not_do_is_read_from_its_log() {
        let line = |message: &str, more: &str| {
            logged(&format!(r#"{{"level":"INFO","message":"{message}","writer":"linux"{more}}}"#))
        };
        let route = "ip -6 route replace 2001:db8::2/128 table 8300";
        let written = line("written", &format!(r#","policy":"a","what":"{route}""#));
        assert_eq!(written, Some(Told::Written(route.to_owned())));
        let refused = line("not written", r#","what":"ip","reason":"Operation not supported""#);
        assert_eq!(refused, Some(Told::Unwritten("Operation not supported".to_owned())));
        assert_eq!(line("writes", ""), None);
        assert_eq!(logged("stamp-sender: no such file"), None);
    }
}
