//! `--ndjson`: one JSON object a line as things happen, `type` first.

mod announcement;
mod convert;
pub mod entry;
mod kind;
pub mod path;
pub mod policy;

use std::io;

use serde::Serialize;
use stamp_proto::time::WallTime;
use stamp_session::sender::Outcome;
use stamp_session::snapshot::SessionSnapshot;

use super::Reporter;
use super::aside;
use super::document::{Origin, SCHEMA_VERSION};
use super::gather;
use super::instant::Instant;
use super::ledger::Ledger;
use super::screen::Screen;
use crate::happening::{Ended, Happening, SessionInfo};
pub use entry::Entry;
use entry::StartedSession;

/// Writes the stream.
pub struct Ndjson {
    screen: Screen,
    origin: Origin,
    ledger: Ledger,
    /// No line for each sample.
    quiet: bool,
    now: fn() -> WallTime,
}

impl Ndjson {
    /// Writes to `screen`.
    #[must_use]
    pub fn new(screen: Screen, origin: Origin, quiet: bool, now: fn() -> WallTime) -> Self {
        Self { screen, origin, ledger: Ledger::default(), quiet, now }
    }

    fn write(&mut self, entry: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(entry)?;
        line.push('\n');
        self.screen.print(&line)
    }
}

impl Reporter for Ndjson {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        self.ledger.start(sessions, false);
        let entry = Entry::Start {
            schema_version: SCHEMA_VERSION,
            time: Instant((self.now)()),
            tool: self.origin.tool.clone(),
            host: self.origin.host.clone(),
            arguments: self.origin.arguments.clone(),
            sessions: sessions.iter().map(started).collect(),
        };
        self.write(&entry)
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        self.ledger.note(session, happening);
        let is_sample = matches!(happening, Happening::Outcome(Outcome::Sample(_)));
        let (Some(info), Some(heard)) =
            (self.ledger.infos().get(session), self.ledger.heard(session))
        else {
            return Ok(());
        };
        if self.quiet && is_sample {
            return Ok(());
        }
        let now = (self.now)();
        let entry = match happening {
            Happening::Window(window) => {
                self.ledger.record(session, window).map(|record| Entry::Interval {
                    time: Instant(now),
                    session: record.name.clone(),
                    record: Box::new(record),
                })
            }
            Happening::Outcome(outcome) => Some(Entry::outcome(&info.name, outcome, now)),
            Happening::Event(event) => Entry::event(&info.name, event, &heard.tally, now),
            Happening::Trouble(trouble) => Some(Entry::trouble(&info.name, *trouble, now)),
        };
        match entry {
            Some(entry) => self.write(&entry),
            None => Ok(()),
        }
    }

    fn running_summary(&mut self, sessions: &[SessionSnapshot]) -> io::Result<()> {
        aside::summary(&mut self.screen, &self.ledger, sessions, (self.now)());
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        let ledger = &self.ledger;
        self.screen.tick(|| ledger.progress())
    }

    fn finish(&mut self, sessions: &[SessionSnapshot], ended: Ended) -> io::Result<()> {
        for record in self.ledger.records(sessions) {
            let entry = Entry::End {
                time: Instant((self.now)()),
                session: record.name.clone(),
                interrupted: ended == Ended::Interrupted,
                record: Box::new(record),
            };
            self.write(&entry)?;
        }
        self.screen.finish()
    }
}

fn started(info: &SessionInfo) -> StartedSession {
    StartedSession {
        name: info.name.clone(),
        target: info.target_text.clone(),
        address: gather::address(info.target),
        port: info.target.port(),
        mode: info.measurement.label().to_owned(),
        source: gather::address(info.source),
        source_port: info.source.port(),
        ssid: info.ssid.0,
        mtu_octets: info.path_mtu,
        config: gather::config(info),
    }
}

#[cfg(test)]
mod tests;
