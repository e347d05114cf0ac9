//! What others may see of the decisions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::paths::Drawing;
use crate::policies::Policies;

/// The deciding side writes on it, whoever has a copy reads.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Posted>>);

/// What stands on it.
#[derive(Default)]
pub struct Posted {
    /// What sessions say together, and what was decided.
    pub policies: Policies,
    /// The network with the paths that were chosen.
    pub drawing: Arc<Drawing>,
    /// Questions that were answered, and those that were not.
    pub asked: (u64, u64),
    /// When the latest answer came.
    pub answered: Option<SystemTime>,
    /// Why there is no answer now.
    pub trouble: Option<String>,
    /// Why nothing is known of a list: in one word, and in words. Nothing where it is known.
    pub lists: BTreeMap<String, Option<(&'static str, String)>>,
}

impl Board {
    pub fn read(&self) -> MutexGuard<'_, Posted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Posted {
    /// Something was decided: before there is nothing to follow.
    pub const fn has_decided(&self) -> bool {
        self.answered.is_some()
    }

    /// How many lists are in this state.
    pub fn count(&self, state: &str) -> usize {
        let states = self.lists.values().map(|it| it.as_ref().map_or("known", |(word, _)| *word));
        states.filter(|it| *it == state).count()
    }
}

/// In which states lists can be.
pub const STATES: [&str; 5] = ["known", "missing", "waiting", "stale", "twice"];
