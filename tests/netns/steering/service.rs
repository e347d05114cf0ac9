//! `stamp-sender run` at node s, with files of a test.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use stamp_tests::netns::{self, Program, Signal};

use super::network::Net;
use crate::folder::Folder;

/// Where it tells what it knows.
pub(super) const WEB: u16 = 9862;
const TOKEN: &str = "0123456789abcdef";

/// How long a reply is awaited, and how long a window lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    timeout: &'static str,
    window: &'static str,
}

/// Where a way becomes [`SLOW`].
pub(super) const DELAYS: Pace = Pace { timeout: "1100ms", window: "2s" };
/// Where none does.
pub(super) const LOSSES: Pace = Pace { timeout: "700ms", window: "1600ms" };

/// Longer than the limit of 500 milliseconds, and by so much shorter than what counts as lost as a busy machine keeps a
/// wire from letting go: 400 milliseconds, which the limit leaves room for as well.
pub(super) const SLOW: Duration = Duration::from_millis(650);
/// What the topology says of the way that becomes slow.
pub(super) const QUICK: Duration = Duration::from_micros(700);

/// The head of every file, as far as that of `[defaults]`, to which more may be added. A window lasts longer than it
/// takes to know three losses, even on a busy machine, or one without values would be told before.
pub(super) fn head(Pace { timeout, window }: Pace) -> String {
    format!(
        "topology = \"net.toml\"
events = {{ file = \"events.ndjson\" }}
web = {{ control-token-file = \"token\" }}

[defaults]
port = 8620
interval = \"20ms\"
timeout = \"{timeout}\"
window = \"{window}\"
clock = {{ synchronized = true, error = \"1us\" }}
"
    )
}

/// The service at s, and the folder of its files.
pub(super) struct Service {
    program: Program,
    folder: Folder,
}

impl Service {
    pub(super) fn start(net: &Net, topology: &str, text: &str) -> Self {
        let folder = Folder::new();
        folder.write("token", TOKEN);
        folder.write("net.toml", topology);
        let file = folder.write("run.toml", text);
        let program = net.host("s").spawn(netns::binary("stamp-sender").arg("run").arg(file));
        Self { program, folder }
    }

    /// Where a file of it is.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    /// Puts another file beside its own.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.folder.write(name, text);
    }

    #[track_caller]
    pub(super) fn told(&self, what: &str) -> String {
        self.program.wait_for_error_line(|line| line.contains(what))
    }

    /// Waits until that is so, as long as it runs.
    #[track_caller]
    pub(super) fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        self.program.wait_until(what, is_so);
    }

    /// Waits until traffic has moved so, for the so-manieth time.
    #[track_caller]
    pub(super) fn moved(&self, words: &str, times: usize) -> String {
        let is_it = |line: &str| line.contains("msg=\"traffic moves\"") && line.contains(words);
        told_for_the(times, &self.program, is_it)
    }

    /// Waits until the session of a list was told to be so, for the so-manieth time.
    #[track_caller]
    pub(super) fn session(&self, name: &str, state: &str, times: usize) {
        let (state, name) = (format!("msg=\"session is {state}\""), format!("session={name}"));
        let is_it = |line: &str| line.contains(&state) && line.contains(&name);
        told_for_the(times, &self.program, is_it);
    }

    /// Goes on by another file.
    pub(super) fn reload(&self, text: &str) {
        self.folder.write("run.toml", text);
        self.program.signal(Signal::SIGHUP);
    }

    /// Ends it; its events of a type.
    #[track_caller]
    pub(super) fn stop(self, kind: &str) -> Vec<Value> {
        self.end().into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// Ends it; all that it told.
    #[track_caller]
    pub(super) fn end(self) -> Vec<Value> {
        self.program.signal(Signal::SIGTERM);
        self.program.wait().assert_code(0);
        let text = fs::read_to_string(self.folder.path("events.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }
}

/// Waits for the so-manieth line of its log that is such a one.
#[track_caller]
pub(super) fn told_for_the(
    times: usize,
    program: &Program,
    is_it: impl Fn(&str) -> bool,
) -> String {
    // It is asked about each line again whenever there are more; times make lines differ.
    let seen = RefCell::new(HashSet::new());
    program.wait_for_error_line(|line| {
        let mut seen = seen.borrow_mut();
        seen.extend(is_it(line).then(|| line.to_owned()));
        seen.len() == times
    })
}
