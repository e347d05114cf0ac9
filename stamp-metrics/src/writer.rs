//! Metrics of `stamp-sender write`: what it hands in and what is made of it.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use crate::catalogue::*;
use crate::exposition::{Exposition, Family, Of, Samples};
use crate::program::{self, Program, seconds};

/// All writers at one moment.
#[derive(Debug)]
pub struct Writers {
    /// The program.
    pub program: Program,
    /// Each writer.
    pub writers: Vec<WriterView>,
}

/// A writer at one moment.
#[derive(Clone, Debug, Default)]
pub struct WriterView {
    /// Its name.
    pub name: String,
    /// Its daemon is heard.
    pub connected: bool,
    /// What was done, by what became of it.
    pub changes: Vec<(&'static str, u64)>,
    /// Policies by state.
    pub policies: Vec<(&'static str, usize)>,
    /// When all that was to be written was there.
    pub succeeded: Option<SystemTime>,
}

/// All of it, for as long as it is sent.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Writers>);

impl Writers {
    /// Its metrics, as text.
    #[must_use]
    pub fn exposition(self) -> Exposition<Shared, WriterView> {
        Exposition::new(&FAMILIES, Shared(Arc::new(self)))
    }
}

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0.program
    }
}

impl AsRef<[WriterView]> for Shared {
    fn as_ref(&self) -> &[WriterView] {
        &self.0.writers
    }
}

type Metrics = Family<Shared, WriterView>;

const fn each(metric: &'static Metric, of: fn(&WriterView, &mut Samples)) -> Metrics {
    Family::new(metric, Of::Item(of))
}

/// In the order of their sending.
static FAMILIES: LazyLock<Vec<Metrics>> = LazyLock::new(|| {
    program::families()
        .filter(|family| family.metric() != &SESSIONS_OMITTED)
        .chain([
            each(&WRITER_CHANGES, |of, to| {
                of.changes.iter().for_each(|(result, it)| to.count(&[&of.name, result], *it));
            }),
            each(&WRITER_CONNECTED, |of, to| to.truth(&[&of.name], of.connected)),
            each(&WRITER_POLICIES, |of, to| {
                of.policies.iter().for_each(|(state, it)| to.count(&[&of.name, state], *it as u64));
            }),
            each(&WRITER_TIMESTAMP, |of, to| to.some(&[&of.name], of.succeeded.map(seconds))),
        ])
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writer_is_told_by_its_name() {
        let writer = WriterView {
            name: "linux".to_owned(),
            connected: true,
            changes: vec![("made", 3), ("failed", 0)],
            policies: vec![("written", 2), ("held", 1)],
            succeeded: Some(SystemTime::UNIX_EPOCH),
        };
        let other = WriterView { name: "file".to_owned(), ..WriterView::default() };
        let program = Program { name: "stamp-sender", version: "0", ..Program::default() };
        let pieces = Writers { program, writers: vec![writer, other] }.exposition();
        let text: Vec<u8> = pieces.flatten().collect();
        let text = String::from_utf8(text).unwrap();
        for line in [
            "stamp_writer_changes_total{writer=\"linux\",result=\"made\"} 3",
            "stamp_writer_changes_total{writer=\"linux\",result=\"failed\"} 0",
            "stamp_writer_connected{writer=\"linux\"} 1",
            "stamp_writer_connected{writer=\"file\"} 0",
            "stamp_writer_policies{writer=\"linux\",state=\"held\"} 1",
            "stamp_writer_last_success_timestamp_seconds{writer=\"linux\"} 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        assert!(!text.contains("last_success_timestamp_seconds{writer=\"file\"}"), "{text}");
    }
}
