//! What became of what was to be written.

use std::time::Duration;

/// All of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// What was done, or in a dry run would be.
    pub changes: Vec<Change>,
    /// Policies whose path cannot be written at this place, or not all of it, with the reason.
    pub refused: Vec<(String, String)>,
    /// Why nothing could be done.
    pub failure: Option<String>,
    /// How long the place wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// One thing that was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Of which policy, where it is of one.
    pub policy: Option<String>,
    /// What, in the words of the place.
    pub what: String,
    /// Whether it is in force, or why not.
    pub result: Result<(), String>,
}

impl Outcome {
    /// Nothing could be done.
    pub fn failed(reason: String) -> Self {
        Self { failure: Some(reason), ..Self::default() }
    }

    /// All of it was done.
    pub fn is_complete(&self) -> bool {
        let is_done = |change: &Change| change.result.is_ok();
        self.failure.is_none() && self.refused.is_empty() && self.changes.iter().all(is_done)
    }
}
