//! What both programs tell of themselves.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalogue::{
    BUILD_INFO, CONFIG_RELOADS, CONFIG_SUCCESSFUL, CONFIG_TIMESTAMP, EVENT_FAILURES, EVENT_QUEUE,
    EVENTS_DELIVERED, EVENTS_DROPPED, SANDBOX, SESSIONS_OMITTED, WEB_EVICTED,
};
use crate::exposition::{Family, Of};
use crate::process::{self, Process};

/// A program at one moment.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its configuration, where it has a file.
    pub config: Option<Reloads>,
    /// Layers of its sandbox, and whether each is in force.
    pub layers: Vec<(&'static str, bool)>,
    /// Where events go.
    pub sinks: Vec<Sink>,
    /// Connections that were closed to make room.
    pub evicted: u64,
    /// Sessions that are left out of metrics.
    pub omitted: usize,
    /// What the kernel knows of it.
    pub process: Process,
}

impl AsRef<Self> for Program {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What became of the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reloads {
    /// The latest file that was read is in force.
    pub successful: bool,
    /// When the one in force was read.
    pub since: SystemTime,
    /// How often another was put in force.
    pub succeeded: u64,
    /// How often one was refused.
    pub refused: u64,
}

impl Reloads {
    /// The first one is in force now.
    #[must_use]
    pub fn started() -> Self {
        Self { successful: true, since: SystemTime::now(), succeeded: 0, refused: 0 }
    }

    /// Another was read now, and put in force or refused.
    pub fn add(&mut self, successful: bool) {
        self.successful = successful;
        if successful {
            self.succeeded += 1;
            self.since = SystemTime::now();
        } else {
            self.refused += 1;
        }
    }
}

/// A place that events go to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// Events that got there.
    pub delivered: u64,
    /// Events that never got there.
    pub dropped: u64,
    /// Attempts that went wrong, though their events may have got there by another.
    pub failures: u64,
    /// Events on their way there.
    pub queued: u64,
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Its metrics, and those of its process.
pub(crate) fn families<P: AsRef<Program>, I>() -> impl Iterator<Item = Family<P, I>> {
    own().into_iter().chain(process::families())
}

const fn own<P: AsRef<Program>, I>() -> [Family<P, I>; 11] {
    [
        Family::new(
            &BUILD_INFO,
            Of::Program(|of, to| {
                let Program { name, version, .. } = of.as_ref();
                let revision = option_env!("STAMP_REVISION").unwrap_or_default();
                to.add(&[name, version, revision, env!("STAMP_RUSTC")], 1.0);
            }),
        ),
        Family::new(
            &CONFIG_SUCCESSFUL,
            Of::Program(|of, to| {
                let config = of.as_ref().config.iter();
                config.for_each(|config| to.truth(&[], config.successful));
            }),
        ),
        Family::new(
            &CONFIG_TIMESTAMP,
            Of::Program(|of, to| {
                to.some(&[], of.as_ref().config.map(|config| seconds(config.since)));
            }),
        ),
        Family::new(
            &CONFIG_RELOADS,
            Of::Program(|of, to| {
                if let Some(config) = &of.as_ref().config {
                    to.count(&["success"], config.succeeded);
                    to.count(&["refused"], config.refused);
                }
            }),
        ),
        Family::new(
            &SANDBOX,
            Of::Program(|of, to| {
                of.as_ref().layers.iter().for_each(|(layer, on)| to.truth(&[layer], *on));
            }),
        ),
        Family::new(
            &EVENTS_DELIVERED,
            Of::Program(|of, to| {
                of.as_ref().sinks.iter().for_each(|sink| to.count(&[&sink.name], sink.delivered));
            }),
        ),
        Family::new(
            &EVENTS_DROPPED,
            Of::Program(|of, to| {
                of.as_ref().sinks.iter().for_each(|sink| to.count(&[&sink.name], sink.dropped));
            }),
        ),
        Family::new(
            &EVENT_FAILURES,
            Of::Program(|of, to| {
                of.as_ref().sinks.iter().for_each(|sink| to.count(&[&sink.name], sink.failures));
            }),
        ),
        Family::new(
            &EVENT_QUEUE,
            Of::Program(|of, to| {
                of.as_ref().sinks.iter().for_each(|sink| to.count(&[&sink.name], sink.queued));
            }),
        ),
        Family::new(&WEB_EVICTED, Of::Program(|of, to| to.count(&[], of.as_ref().evicted))),
        Family::new(
            &SESSIONS_OMITTED,
            Of::Program(|of, to| to.count(&[], of.as_ref().omitted as u64)),
        ),
    ]
}
