//! What others may see of the writers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::damping::Admitted;
use super::outcome::Outcome;
use super::table::Table;

/// How all of them fare.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, State>>>);

/// How one fares.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Its daemon is heard.
    pub connected: bool,
    /// Why not, where it is not.
    pub trouble: Option<String>,
    /// The number of the table that was written last, and when.
    pub written: Option<(u64, SystemTime)>,
    /// Policies whose paths are written.
    pub policies: usize,
    /// Policies whose change is held back.
    pub held: Vec<String>,
    /// Policies whose path cannot be written there, with the reason.
    pub refused: Vec<(String, String)>,
    /// What was done, by what became of it.
    pub changes: BTreeMap<&'static str, u64>,
}

impl Board {
    /// How all of them fare now.
    pub fn read(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is such a writer.
    pub fn expect(&self, writer: &str) {
        self.change(writer, |_| {});
    }

    /// Its daemon is heard, or is not for a reason.
    pub fn heard(&self, writer: &str, trouble: Option<&str>) {
        self.change(writer, |state| {
            state.connected = trouble.is_none();
            state.trouble = trouble.map(str::to_owned);
        });
    }

    /// Something was done so often.
    pub fn count(&self, writer: &str, result: &'static str, times: u64) {
        self.change(writer, |state| *state.changes.entry(result).or_default() += times);
    }

    /// A table was written, as far as it could be.
    pub fn wrote(&self, writer: &str, table: &Table, admitted: &Admitted, outcome: &Outcome) {
        let carries = |path: &&super::table::ChosenPath| !path.said.lists.is_empty();
        self.change(writer, |state| {
            state.policies = admitted.paths.iter().filter(carries).count();
            state.held = admitted.held.iter().map(|(policy, _)| policy.clone()).collect();
            state.refused = table.unreadable.clone();
            state.refused.extend(outcome.refused.iter().cloned());
            if outcome.failure.is_none() && outcome.changes.iter().all(|it| it.result.is_ok()) {
                state.written = Some((table.sequence, SystemTime::now()));
            }
        });
    }

    fn change(&self, writer: &str, change: impl FnOnce(&mut State)) {
        change(self.read().entry(writer.to_owned()).or_default());
    }
}
