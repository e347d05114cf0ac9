//! Metrics of `stamp-sender select`: what it hands in and what is made of it.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use crate::catalogue::*;
use crate::exposition::{Exposition, Family, Of};
use crate::policy::{self, PolicyView};
use crate::program::{self, Program, seconds};

/// Who decides over what others measured, at one moment.
#[derive(Debug, Default)]
pub struct Selector {
    /// The program.
    pub program: Program,
    /// Policies, and what was decided.
    pub policies: Vec<PolicyView>,
    /// Questions that were answered, and those that were not.
    pub asked: (u64, u64),
    /// When the latest answer came.
    pub answered: Option<SystemTime>,
    /// Nobody decides now.
    pub is_frozen: bool,
    /// Segment lists by state.
    pub lists: Vec<(&'static str, usize)>,
}

/// All of it, for as long as it is sent.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Selector>);

impl Selector {
    /// Its metrics, as text.
    #[must_use]
    pub fn exposition(self) -> Exposition<Shared, PolicyView> {
        Exposition::new(&FAMILIES, Shared(Arc::new(self)))
    }
}

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0.program
    }
}

impl AsRef<[PolicyView]> for Shared {
    fn as_ref(&self) -> &[PolicyView] {
        &self.0.policies
    }
}

type Metrics = Family<Shared, PolicyView>;

/// In the order of their sending.
static FAMILIES: LazyLock<Vec<Metrics>> = LazyLock::new(|| {
    // Who measures a list says what it is: nobody else may, for the two would be taken for one another.
    let left_out = [SESSIONS_OMITTED, POLICY_LIST];
    let questions: [Metrics; 4] = [
        Family::new(
            &SELECT_QUERIES,
            Of::Program(|of: &Shared, to| {
                to.count(&["answered"], of.0.asked.0);
                to.count(&["failed"], of.0.asked.1);
            }),
        ),
        Family::new(
            &SELECT_TIMESTAMP,
            Of::Program(|of: &Shared, to| to.some(&[], of.0.answered.map(seconds))),
        ),
        Family::new(&SELECT_FROZEN, Of::Program(|of: &Shared, to| to.truth(&[], of.0.is_frozen))),
        Family::new(
            &SELECT_LISTS,
            Of::Program(|of: &Shared, to| {
                of.0.lists.iter().for_each(|(state, it)| to.count(&[state], *it as u64));
            }),
        ),
    ];
    program::families()
        .chain(policy::families())
        .filter(|family| !left_out.contains(family.metric()))
        .chain(questions)
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_with_what_was_decided() {
        let program = Program { name: "stamp-sender", version: "0", ..Program::default() };
        let policy = PolicyView { name: "p".to_owned(), ..PolicyView::default() };
        let selector = Selector {
            program,
            policies: vec![policy],
            asked: (7, 2),
            answered: Some(SystemTime::UNIX_EPOCH),
            is_frozen: true,
            lists: vec![("known", 3), ("twice", 1)],
        };
        let text: Vec<u8> = selector.exposition().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        for line in [
            "stamp_select_queries_total{result=\"answered\"} 7",
            "stamp_select_queries_total{result=\"failed\"} 2",
            "stamp_select_last_success_timestamp_seconds 0",
            "stamp_select_frozen 1",
            "stamp_select_lists{state=\"known\"} 3",
            "stamp_select_lists{state=\"twice\"} 1",
            "stamp_policy_up{policy=\"p\"} 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        assert!(!text.contains(POLICY_LIST.name), "{text}");
    }
}
