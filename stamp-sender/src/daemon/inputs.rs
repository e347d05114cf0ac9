//! Files that a session is made of beside the configuration: when one of them changes, so does it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::config::SessionSpec;

/// Keys whose files are part of a session.
const KEYS: [&str; 2] = ["key-file", "topology"];

/// What stood in the files of a session, as a digest; a file that cannot be read is none.
///
/// Never kept beyond the process, nor shown: it tells whether something changed, and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Inputs([Option<u64>; KEYS.len()]);

impl Inputs {
    pub(super) fn of(spec: &SessionSpec) -> Self {
        Self(KEYS.map(|key| {
            let octets = fs::read(spec.settings.get(key)?).ok()?;
            let mut hasher = DefaultHasher::new();
            octets.hash(&mut hasher);
            Some(hasher.finish())
        }))
    }
}
