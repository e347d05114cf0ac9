//! A program that runs inside a namespace: its output, its end, and waiting for either.

use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::{HeldThread, PATIENCE};

/// How often something is looked at that cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    command: String,
    pid: Pid,
    shared: Arc<Shared>,
}

/// A program that has ended by itself or by a signal.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its command line.
    pub command: String,
    /// Exit status, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<Signal>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
    /// From its start to its end.
    pub lasted: Duration,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Error,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    output: [Vec<u8>; 2],
    /// How many of the two streams are still open.
    open: u8,
    ended: Option<(ExitStatus, Duration)>,
}

impl Program {
    /// Starts the program in the namespace of the calling thread.
    #[track_caller]
    pub(super) fn start(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
        let pid = Pid::from_raw(child.id().cast_signed());
        let shared = Arc::new(Shared::default());
        shared.lock().open = 2;
        if let Some(output) = child.stdout.take() {
            collect(output, Stream::Out, &shared);
        }
        if let Some(output) = child.stderr.take() {
            collect(output, Stream::Error, &shared);
        }
        await_end(child, pid, &shared);
        Self { command: line, pid, shared }
    }

    /// Process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.lock().ended.is_none()
    }

    /// Its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.shared.lock().text(Stream::Out)
    }

    /// Its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.shared.lock().text(Stream::Error)
    }

    /// Waits for a line of standard output, earlier ones included, and returns it.
    ///
    /// # Panics
    ///
    /// With all output, when the program ends without it or [`PATIENCE`] does.
    #[track_caller]
    pub fn wait_for_line(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.find_line(Stream::Out, is_it)
    }

    /// Waits for a line of standard error, earlier ones included, and returns it.
    ///
    /// # Panics
    ///
    /// As [`Self::wait_for_line`].
    #[track_caller]
    pub fn wait_for_error_line(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.find_line(Stream::Error, is_it)
    }

    /// Sends a signal; one that has ended is left alone.
    pub fn signal(&self, signal: Signal) {
        let state = self.shared.lock();
        if state.ended.is_none() {
            // The number cannot be another's: nobody reaps the child without this lock.
            let _gone = kill(self.pid, signal);
        }
    }

    /// Keeps one of its threads from running.
    ///
    /// # Panics
    ///
    /// When there is no such thread, or several.
    #[must_use]
    #[track_caller]
    pub fn hold_thread(&self, name: &str) -> HeldThread {
        HeldThread::hold(self.id(), name)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// With all output, when it does not within [`PATIENCE`].
    #[must_use]
    #[track_caller]
    pub fn wait(&self) -> Finished {
        self.wait_within(PATIENCE)
    }

    /// Waits until it ends by itself, for as long as told.
    ///
    /// # Panics
    ///
    /// With all output, when it does not.
    #[must_use]
    #[track_caller]
    pub fn wait_within(&self, patience: Duration) -> Finished {
        let state = self.shared.lock();
        let (state, late) = self
            .shared
            .changed
            .wait_timeout_while(state, patience, |state| !state.is_complete())
            .unwrap_or_else(PoisonError::into_inner);
        match state.ended {
            Some((status, lasted)) if !late.timed_out() => Finished {
                command: self.command.clone(),
                code: status.code(),
                signal: status.signal().and_then(|number| Signal::try_from(number).ok()),
                stdout: state.text(Stream::Out),
                stderr: state.text(Stream::Error),
                lasted,
            },
            _ => self.give_up(&state, "did not end"),
        }
    }

    /// Waits until `is_so` says yes, looking every millisecond; ends early with the program.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            let state = self.shared.lock();
            if state.ended.is_some() || Instant::now() > deadline {
                self.give_up(&state, &format!("never: {what}"));
            }
            // Wakes at once when the program prints or ends.
            drop(self.shared.changed.wait_timeout(state, LOOK_AGAIN));
        }
    }

    #[track_caller]
    fn find_line(&self, stream: Stream, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            let text = state.text(stream);
            let done = state.is_complete();
            // A line without its end may still grow.
            let mut lines = text.split_inclusive('\n').filter(|line| done || line.ends_with('\n'));
            if let Some(line) = lines.find(|line| is_it(line.trim_end_matches('\n'))) {
                return line.trim_end_matches('\n').to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if done || left.is_zero() {
                self.give_up(&state, "never printed the awaited line");
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    #[track_caller]
    fn give_up(&self, state: &State, what: &str) -> ! {
        let end = state.ended.map_or("still running".to_owned(), |(status, _)| status.to_string());
        let (stdout, stderr) = (state.text(Stream::Out), state.text(Stream::Error));
        panic!("{} {what}: {end}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", self.command);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let state = self.shared.lock();
        let ended = self.shared.changed.wait_while(state, |state| state.ended.is_none());
        drop(ended);
    }
}

impl Finished {
    /// Standard output read as one JSON document.
    ///
    /// # Panics
    ///
    /// With both streams, when it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Checks the exit status.
    ///
    /// # Panics
    ///
    /// With both streams, when it is another one.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert!(self.code == Some(code), "not exit status {code}: {self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, signal, stdout, stderr, lasted } = self;
        write!(f, "{command}: status {code:?}, signal {signal:?}, after {lasted:?}")?;
        write!(f, "\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ended, and everything it printed has been read.
    const fn is_complete(&self) -> bool {
        self.ended.is_some() && self.open == 0
    }

    fn text(&self, stream: Stream) -> String {
        String::from_utf8_lossy(&self.output[stream as usize]).into_owned()
    }
}

fn collect(mut output: impl Read + Send + 'static, stream: Stream, shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut octets = [0; 4096];
        loop {
            let count = output.read(&mut octets).unwrap_or(0);
            let mut state = shared.lock();
            match count {
                0 => state.open -= 1,
                _ => state.output[stream as usize].extend_from_slice(&octets[..count]),
            }
            drop(state);
            shared.changed.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}

fn await_end(mut child: Child, pid: Pid, shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    let start = Instant::now();
    thread::spawn(move || {
        // Leaves the child unreaped, so that its number stays taken until the lock is held.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(pid), flags) == Err(Errno::EINTR) {}
        let lasted = start.elapsed();
        let mut state = shared.lock();
        let status = child.wait().expect("nobody else reaps this child");
        state.ended = Some((status, lasted));
        drop(state);
        shared.changed.notify_all();
    });
}
