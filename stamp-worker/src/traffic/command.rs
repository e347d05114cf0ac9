//! A command that prints counters: one line and an end, or a line whenever they have changed.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stamp_session::traffic::TrafficCounters;

use super::{Latest, TrafficError, modulo};

/// How long after its end a command is run again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the first line may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The command, and the process it is now.
#[derive(Debug)]
pub(super) struct Hook {
    command: String,
    process: Mutex<Process>,
}

#[derive(Debug, Default)]
struct Process {
    child: Option<Child>,
    stopped: bool,
}

impl Hook {
    pub(super) fn new(command: &str) -> Self {
        Self { command: command.to_owned(), process: Mutex::default() }
    }

    /// Waits for the first line that [`Self::watch`] tells of.
    ///
    /// # Errors
    ///
    /// [`TrafficError::Command`] or [`TrafficError::Silent`].
    pub(super) fn wait_for_first(
        &self,
        first: &Receiver<io::Result<()>>,
    ) -> Result<(), TrafficError> {
        let command = self.command.clone();
        match first.recv_timeout(PATIENCE) {
            Ok(told) => told.map_err(|source| TrafficError::Command { command, source }),
            Err(_) => Err(TrafficError::Silent { command, within: PATIENCE }),
        }
    }

    /// Runs the command again and again until it is told to stop.
    pub(super) fn watch(
        &self,
        latest: &Latest,
        stopped: &Receiver<Infallible>,
        first: &Sender<io::Result<()>>,
    ) {
        loop {
            match self.run() {
                Ok(None) => return,
                Ok(Some(output)) => self.read(output, latest, first),
                Err(refusal) => {
                    latest.set(None);
                    // Nobody may be waiting any more.
                    let _ = first.send(Err(refusal));
                }
            }
            let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PAUSE) else { return };
        }
    }

    /// Ends the process, and lets no other one begin.
    pub(super) fn stop(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.stopped = true;
        process.end();
    }

    /// Begins one process, unless it was told to stop.
    fn run(&self) -> io::Result<Option<ChildStdout>> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.stopped {
            return Ok(None);
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.command]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = shell.spawn()?;
        let output = child.stdout.take();
        process.child = Some(child);
        Ok(output)
    }

    /// Takes its lines until it ends.
    fn read(&self, output: ChildStdout, latest: &Latest, first: &Sender<io::Result<()>>) {
        let mut told = false;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let counters = read_line(&line);
            latest.set(counters);
            if counters.is_some() {
                told = true;
                let _ = first.send(Ok(()));
            }
        }
        if !told {
            latest.set(None);
        }
        self.process.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
}

impl Process {
    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It has closed its output, or nobody wants it any more.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Packets sent and received.
fn read_line(line: &str) -> Option<TrafficCounters> {
    let mut numbers = line.split_whitespace().map(|word| word.parse().ok().map(modulo));
    let (transmitted, received) = (numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(TrafficCounters { transmitted, received })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use stamp_session::traffic::TrafficSource;

    use super::*;
    use crate::error::WorkerError;
    use crate::traffic::TrafficWatch;

    fn watch(command: &str) -> Result<TrafficWatch, WorkerError> {
        TrafficWatch::start(&TrafficSource::Command(command.to_owned()))
    }

    #[test]
    fn a_line_has_two_numbers_modulo_two_to_the_32() {
        let counters = |transmitted, received| Some(TrafficCounters { transmitted, received });
        assert_eq!(read_line("12 7"), counters(12, 7));
        assert_eq!(read_line(" 4294967297\t0 "), counters(1, 0));
        for line in ["", "12", "12 7 3", "12 x", "-1 7", "12,7", "1.5 2"] {
            assert_eq!(read_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_command_is_run_until_nobody_holds_it() {
        let counters = Some(TrafficCounters { transmitted: 12, received: 7 });
        assert_eq!(watch("echo 12 7").unwrap().counters(), counters);
        // One that goes on: only its end lets this test end.
        assert_eq!(watch("echo 12 7; exec sleep 1000").unwrap().counters(), counters);
    }

    #[test]
    fn a_command_that_ends_without_counters_is_refused() {
        let hook = Hook::new("true");
        let (first, told) = mpsc::channel();
        drop(first);
        let silent = hook.wait_for_first(&told);
        assert!(matches!(silent, Err(TrafficError::Silent { .. })), "{silent:?}");
        let latest = Latest::default();
        latest.set(Some(TrafficCounters::default()));
        let (first, told) = mpsc::channel();
        let output = hook.run().unwrap().unwrap();
        hook.read(output, &latest, &first);
        assert_eq!(latest.get(), None, "what was before is too old");
        assert!(told.try_recv().is_err());
        hook.stop();
        assert!(hook.run().unwrap().is_none());
    }
}
