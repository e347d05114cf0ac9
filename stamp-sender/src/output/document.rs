//! The document of `--json`: one run, all its sessions.

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::record::SessionRecord;

/// Version of the machine formats; raised when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// One run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Document {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What measured.
    pub tool: Tool,
    /// Where it ran.
    pub host: Host,
    /// The command line as it was given.
    pub arguments: Vec<String>,
    /// When the first probe was due.
    pub started: Instant,
    /// When the last reply was judged.
    pub ended: Instant,
    /// The user or the system stopped it.
    pub interrupted: bool,
    /// Every far end answered at least once.
    pub answered: bool,
    /// In the order of the command line.
    pub sessions: Vec<SessionRecord>,
    /// The periods of `--report`, in the order of time.
    pub intervals: Vec<IntervalRecord>,
}

/// What measured.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tool {
    /// `stamp-sender`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where it ran.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Host {
    /// Name of the host.
    pub name: Option<String>,
}

/// One session in one period.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct IntervalRecord {
    /// When the period ended.
    pub time: Instant,
    /// What became of the probes that were decided in it.
    #[serde(flatten)]
    pub session: SessionRecord,
}

/// What every machine format says about itself.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What measures.
    pub tool: Tool,
    /// Where it runs.
    pub host: Host,
    /// The command line.
    pub arguments: Vec<String>,
}

impl Origin {
    /// This process.
    #[must_use]
    pub fn of_this_process() -> Self {
        // Not every character of a command line is UTF-8; what is not is replaced.
        let arguments =
            std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        Self {
            tool: Tool {
                name: "stamp-sender".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            host: Host { name: name.map(|name| name.trim().to_owned()) },
            arguments,
        }
    }
}
