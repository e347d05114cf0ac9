//! Keeps what a run measured, for whoever makes something else of it; prints nothing.

use std::io;

use stamp_session::snapshot::SessionSnapshot;

use super::Reporter;
use super::ledger::Ledger;
use super::record::SessionRecord;
use crate::happening::{Ended, Happening, SessionInfo};

/// Records of the sessions of a run.
#[derive(Default)]
pub struct Keeper {
    ledger: Ledger,
    records: Vec<SessionRecord>,
}

impl Keeper {
    /// When the run has ended: a record for each session, in their order.
    #[must_use]
    pub fn records(self) -> Vec<SessionRecord> {
        self.records
    }
}

impl Reporter for Keeper {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        self.ledger.start(sessions, false);
        Ok(())
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        self.ledger.note(session, happening);
        Ok(())
    }

    fn running_summary(&mut self, _sessions: &[SessionSnapshot]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, sessions: &[SessionSnapshot], _ended: Ended) -> io::Result<()> {
        let record = |(session, snapshot)| self.ledger.record(session, snapshot);
        self.records = sessions.iter().enumerate().filter_map(record).collect();
        Ok(())
    }
}
