//! Which events somebody wants.

use super::Told;

/// Which events somebody wants: those of some sessions, of some kinds. No names are all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// Sessions.
    pub sessions: Vec<String>,
    /// Kinds.
    pub kinds: Vec<String>,
}

impl Wanted {
    /// Whether this one is wanted.
    #[must_use]
    pub fn wants(&self, told: &Told) -> bool {
        let is_kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == told.kind);
        let is_session = self.sessions.is_empty()
            || told.session.as_ref().is_some_and(|session| self.sessions.contains(session));
        is_kind && is_session
    }
}
