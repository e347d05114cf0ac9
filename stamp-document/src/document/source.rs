//! The text of a document, places in it, and the mistakes found so far.

use core::cell::{OnceCell, RefCell};
use core::ops::Range;
use std::sync::Arc;

use super::error::{ConfigError, ConfigErrors, Problem};
use super::place::Place;

/// The text of a document and the mistakes found in it so far.
#[derive(Debug)]
pub(super) struct Source<'t> {
    file: Arc<str>,
    text: &'t str,
    /// Where each line begins; known once somebody asks.
    lines: OnceCell<Vec<usize>>,
    errors: RefCell<Vec<(usize, ConfigError)>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(file: &str, text: &'t str) -> Self {
        Self { file: file.into(), text, lines: OnceCell::new(), errors: RefCell::default() }
    }

    /// Its name.
    pub(super) fn file(&self) -> Arc<str> {
        Arc::clone(&self.file)
    }

    /// What stands at `span`.
    pub(super) fn text(&self, span: Range<usize>) -> Option<&'t str> {
        self.text.get(span)
    }

    pub(super) fn report(
        &self,
        span: Range<usize>,
        key: String,
        value: Option<String>,
        problem: Problem,
    ) {
        self.report_at(&self.place(span.start, key, value), problem);
    }

    /// Reports a mistake at a place of this document.
    pub(super) fn report_at(&self, place: &Place, problem: Problem) {
        self.errors.borrow_mut().push((place.offset, place.error(problem)));
    }

    /// What stands at `offset`.
    pub(super) fn place(&self, offset: usize, key: String, value: Option<String>) -> Place {
        let (line, column) = self.position(offset);
        Place { file: Arc::clone(&self.file), offset, line, column, key, value }
    }

    /// Line and column (in characters) of an offset, both from 1.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let newlines = self.text.match_indices('\n').map(|(newline, _)| newline + 1);
            core::iter::once(0).chain(newlines).collect()
        });
        let offset = offset.min(self.text.len());
        let line = lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| lines.get(line)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The value at `span` as it is shown in messages: its first line, not all of a long one.
    pub(super) fn shown(&self, span: &Range<usize>) -> Option<String> {
        let line = self.text.get(span.clone())?.lines().next().unwrap_or("");
        Some(line.chars().take(60).collect())
    }

    pub(super) fn into_errors(self) -> ConfigErrors {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|(start, _)| *start);
        ConfigErrors(errors.into_iter().map(|(_, error)| error).collect())
    }
}
