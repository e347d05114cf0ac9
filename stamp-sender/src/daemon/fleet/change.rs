//! What a new configuration changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::daemon::config::SessionSpec;
use crate::daemon::inputs::Inputs;

/// Sessions by name, with the files they were read from.
pub(in crate::daemon) type Known = BTreeMap<String, (Arc<SessionSpec>, Inputs)>;

/// What has to be done to come from one configuration to another.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Change {
    /// Sessions to open, new or changed.
    pub(in crate::daemon) opened: Vec<Arc<SessionSpec>>,
    /// Sessions that go on, held against other limits or called otherwise.
    pub(super) tuned: Vec<Arc<SessionSpec>>,
    /// Names that are gone.
    pub(super) removed: Vec<String>,
    /// Sessions that are as they were.
    pub(super) kept: Vec<Arc<SessionSpec>>,
    added: usize,
}

/// What a change has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::daemon) struct Changed {
    pub(in crate::daemon) added: usize,
    pub(in crate::daemon) changed: usize,
    pub(in crate::daemon) tuned: usize,
    pub(in crate::daemon) removed: usize,
    pub(in crate::daemon) kept: usize,
}

impl Changed {
    /// All that are there now.
    pub(in crate::daemon) const fn sessions(&self) -> usize {
        self.added + self.changed + self.tuned + self.kept
    }
}

impl Change {
    pub(in crate::daemon) fn between(known: &Known, sessions: &[Arc<SessionSpec>]) -> Self {
        let mut change = Self::default();
        for spec in sessions {
            let member = known.get(&spec.name);
            let same_files = member.is_some_and(|(_, inputs)| *inputs == Inputs::of(spec));
            match member.filter(|_| same_files) {
                Some((member, _)) if *member == *spec => change.kept.push(Arc::clone(spec)),
                Some((member, _)) if member.probes_like(spec) => {
                    change.tuned.push(Arc::clone(spec));
                }
                _ => {
                    change.added += usize::from(member.is_none());
                    // Attempts of before are told by whose they are, and files may have changed alone.
                    let is_another = member.is_none_or(|(member, _)| !Arc::ptr_eq(member, spec));
                    change.opened.push(match is_another {
                        true => Arc::clone(spec),
                        false => Arc::new(spec.as_ref().clone()),
                    });
                }
            }
        }
        let wanted: BTreeSet<&str> = sessions.iter().map(|spec| spec.name.as_str()).collect();
        let is_gone = |name: &&String| !wanted.contains(name.as_str());
        change.removed = known.keys().filter(is_gone).cloned().collect();
        change
    }

    pub(in crate::daemon) fn summary(&self) -> Changed {
        Changed {
            added: self.added,
            changed: self.opened.len() - self.added,
            tuned: self.tuned.len(),
            removed: self.removed.len(),
            kept: self.kept.len(),
        }
    }
}
