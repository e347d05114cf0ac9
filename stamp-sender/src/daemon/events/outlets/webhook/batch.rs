//! What one request tells.

use std::sync::Arc;

use serde_json::json;
use stamp_metrics::feed::Told;

use crate::output::document::{Origin, SCHEMA_VERSION};
use crate::output::ndjson::Entry;

/// Events that go together.
#[derive(Debug)]
pub(super) struct Batch {
    /// The webhook.
    name: String,
    lines: Vec<Line>,
    missing: u64,
}

/// A part of it.
#[derive(Debug)]
enum Line {
    Told(Arc<Told>),
    /// Says that something is missing here.
    Missing(String),
}

impl Batch {
    pub(super) const fn new(name: String) -> Self {
        Self { name, lines: Vec::new(), missing: 0 }
    }

    pub(super) fn add(&mut self, told: Arc<Told>) {
        self.lines.push(Line::Told(told));
    }

    /// So many are missing here.
    pub(super) fn miss(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        self.missing = self.missing.saturating_add(count);
        let entry = Entry::dropped(&self.name, count, stamp_worker::now().wall);
        self.lines.extend(serde_json::to_string(&entry).ok().map(Line::Missing));
    }

    /// Lines of it.
    pub(super) const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Events in it.
    pub(super) fn events(&self) -> u64 {
        self.lines.iter().filter(|line| matches!(line, Line::Told(_))).count() as u64
    }

    /// Events that it says are missing.
    pub(super) const fn missing(&self) -> u64 {
        self.missing
    }
}

/// What stands around the events of a request.
#[derive(Debug)]
pub(super) struct Envelope {
    origin: Origin,
    /// Tells the numbers of this task from those of any other.
    run: u64,
    batches: u64,
}

impl Envelope {
    pub(super) fn new() -> Self {
        Self { origin: Origin::of_this_process(), run: crate::random::u64(), batches: 0 }
    }

    /// An identifier for the next batch.
    pub(super) fn next(&mut self) -> String {
        self.batches += 1;
        format!("{:016x}-{}", self.run, self.batches)
    }

    /// The document of `schemas/webhook.json`. Whoever gets a batch twice knows it by its `id`.
    pub(super) fn body(&self, id: &str, attempt: u32, batch: &Batch) -> String {
        let head = json!({
            "schema_version": SCHEMA_VERSION,
            "tool": self.origin.tool,
            "host": self.origin.host,
            "webhook": batch.name,
            "id": id,
            "attempt": attempt,
        });
        let mut text = head.to_string();
        text.truncate(text.len().saturating_sub(1));
        text.push_str(",\"events\":[");
        for (index, line) in batch.lines.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            text.push_str(match line {
                Line::Told(told) => &told.line,
                Line::Missing(line) => line,
            });
        }
        text.push_str("]}");
        text
    }
}
