//! Traffic that moves, as an event.

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::output::instant::Instant;

/// Traffic of a policy moves to another candidate path, or to other lists of the same.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct PathEntry {
    /// When it was decided.
    pub time: Instant,
    /// The same on the clock that never steps.
    pub monotonic_ns: Option<u64>,
    /// None: it concerns all sessions of the policy.
    pub session: Option<String>,
    /// Name of the policy.
    pub policy: String,
    /// Class of service of its traffic.
    pub class: Option<String>,
    /// The candidate path that carried it; none where none did.
    pub from: Option<String>,
    /// The one that carries it from now on; none where none can.
    pub to: Option<String>,
    /// Why, in one word.
    pub reason: String,
    /// What is said of the former path now.
    pub because: Option<String>,
    /// How good the new one is.
    pub standing: String,
    /// What is compared among paths, such as `forward-p50`.
    pub measure: Option<String>,
    /// What `before` and `after` are measured in: `ns`, `ratio` or `links`.
    pub unit: Option<String>,
    /// What was measured of the former path.
    pub before: Option<f64>,
    /// What was measured of the new one.
    pub after: Option<f64>,
    /// Lists that carry traffic from now on.
    pub lists: Vec<CarryingList>,
}

/// A list that carries traffic.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct CarryingList {
    /// Its name, which is that of its session.
    pub name: String,
    /// Share of traffic, against those of the others.
    pub weight: u32,
}

impl From<PathEntry> for Entry {
    fn from(entry: PathEntry) -> Self {
        Self::Path(Box::new(entry))
    }
}
