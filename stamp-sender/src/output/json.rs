//! `--json`: one document when the run has ended, however it ended.

use std::io;

use stamp_proto::time::WallTime;
use stamp_session::snapshot::SessionSnapshot;

use super::Reporter;
use super::aside;
use super::document::{Document, IntervalRecord, Origin, SCHEMA_VERSION};
use super::instant::Instant;
use super::layout;
use super::ledger::Ledger;
use super::record::SessionRecord;
use super::screen::Screen;
use crate::happening::{Ended, Happening, SessionInfo};

/// Writes the document.
pub struct Json {
    screen: Screen,
    origin: Origin,
    ledger: Ledger,
    intervals: Vec<IntervalRecord>,
    now: fn() -> WallTime,
}

impl Json {
    /// Writes to `screen`.
    #[must_use]
    pub fn new(screen: Screen, origin: Origin, now: fn() -> WallTime) -> Self {
        Self { screen, origin, ledger: Ledger::default(), intervals: Vec::new(), now }
    }

    /// The record of a session with its delay over time.
    fn in_detail(&self, session: usize, snapshot: &SessionSnapshot) -> Option<SessionRecord> {
        let mut record = self.ledger.record(session, snapshot)?;
        let heard = self.ledger.heard(session)?;
        record.histogram_ns = Some(heard.histograms());
        record.series = Some(heard.series.record());
        Some(record)
    }
}

impl Reporter for Json {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        self.ledger.start(sessions, true);
        Ok(())
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        self.ledger.note(session, happening);
        if let Happening::Window(window) = happening
            && let Some(record) = self.ledger.record(session, window)
        {
            let time = Instant((self.now)());
            self.intervals.push(IntervalRecord { time, session: record });
        }
        Ok(())
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
        let in_detail = |(session, snapshot)| self.in_detail(session, snapshot);
        let sessions: Vec<SessionRecord> =
            sessions.iter().enumerate().filter_map(in_detail).collect();
        let now = Instant((self.now)());
        let started = self.ledger.infos().iter().map(|info| Instant(info.started)).min();
        let document = Document {
            schema_version: SCHEMA_VERSION,
            tool: self.origin.tool.clone(),
            host: self.origin.host.clone(),
            arguments: self.origin.arguments.clone(),
            started: started.unwrap_or(now),
            ended: now,
            interrupted: ended == Ended::Interrupted,
            answered: sessions.iter().all(|session| session.answered),
            sessions,
            intervals: std::mem::take(&mut self.intervals),
        };
        self.screen.print(&layout::text(&document)?)?;
        self.screen.finish()
    }
}
