//! Everything known about the sessions of a run while it goes on.

use stamp_proto::time::TimeDelta;
use stamp_session::snapshot::SessionSnapshot;

use super::duration::{delay, delay_or_dash};
use super::gather;
use super::heard::Heard;
use super::record::SessionRecord;
use crate::happening::{Happening, SessionInfo};

/// The sessions of a run and what was heard of each.
#[derive(Debug, Default)]
pub struct Ledger {
    infos: Vec<SessionInfo>,
    heard: Vec<Heard>,
}

impl Ledger {
    /// The run begins; `detailed` keeps delay over time and its distribution.
    pub fn start(&mut self, sessions: &[SessionInfo], detailed: bool) {
        self.infos = sessions.to_vec();
        self.heard = sessions.iter().map(|_| Heard::new(detailed)).collect();
    }

    /// Takes note of what happened to one session.
    pub fn note(&mut self, session: usize, happening: &Happening) {
        if let Some(heard) = self.heard.get_mut(session) {
            heard.note(happening);
        }
    }

    /// Who is probed, and how.
    #[must_use]
    pub fn infos(&self) -> &[SessionInfo] {
        &self.infos
    }

    /// What was heard of one session.
    #[must_use]
    pub fn heard(&self, session: usize) -> Option<&Heard> {
        self.heard.get(session)
    }

    /// The record of one session.
    #[must_use]
    pub fn record(&self, session: usize, snapshot: &SessionSnapshot) -> Option<SessionRecord> {
        let (info, heard) = (self.infos.get(session)?, self.heard.get(session)?);
        Some(gather::session(info, snapshot, heard))
    }

    /// The records of all sessions.
    #[must_use]
    pub fn records(&self, snapshots: &[SessionSnapshot]) -> Vec<SessionRecord> {
        let record = |(session, snapshot)| self.record(session, snapshot);
        snapshots.iter().enumerate().filter_map(record).collect()
    }

    /// One line that says how it is going.
    #[must_use]
    pub fn progress(&self) -> String {
        let received: u64 = self.heard.iter().map(|heard| heard.tally.received).sum();
        let lost: u64 = self.heard.iter().map(|heard| heard.tally.lost).sum();
        let mut line = match self.infos.as_slice() {
            [only] => only.name.clone(),
            many => format!("{} sessions", many.len()),
        };
        line.push_str(&format!(": {received} received, {lost} lost"));
        if let [Heard { latest: Some(sample), .. }] = self.heard.as_slice() {
            let mark = if sample.clock_synchronized { "" } else { "?" };
            let one_way = |value: Option<TimeDelta>| match value {
                Some(value) => format!("{}{mark}", delay(value.ns())),
                None => delay_or_dash(None),
            };
            line.push_str(&format!(
                "; forward {}, backward {}, rtt {}",
                one_way(sample.forward_delay),
                one_way(sample.backward_delay),
                delay(sample.round_trip.ns())
            ));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::rehearsal::{Fate, Plot, Rehearsal, play};

    fn after(runs: &[Rehearsal]) -> String {
        let mut ledger = Ledger::default();
        let infos: Vec<SessionInfo> = runs.iter().map(|run| run.info.clone()).collect();
        ledger.start(&infos, false);
        for (session, run) in runs.iter().enumerate() {
            for happening in &run.happenings {
                ledger.note(session, happening);
            }
        }
        ledger.progress()
    }

    fn plot(synchronized: bool) -> Plot {
        let fate = |probe| match probe {
            1 => Fate::LostForward,
            _ => Fate::Passes(58_000, 61_000),
        };
        Plot { count: 3, fate, synchronized, ..Plot::default() }
    }

    #[test]
    fn progress_of_one_session_shows_its_latest_sample() {
        assert_eq!(
            after(&[play(&plot(false))]),
            "r1: 2 received, 1 lost; forward 58.0us?, backward 61.0us?, rtt 119us"
        );
    }

    #[test]
    fn progress_of_several_sessions_is_their_sum() {
        assert_eq!(
            after(&[play(&plot(true)), play(&plot(true))]),
            "2 sessions: 4 received, 2 lost"
        );
    }
}
