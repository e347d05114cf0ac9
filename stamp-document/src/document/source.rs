//! The text of a document, places in it, and the mistakes found so far.

use core::cell::RefCell;
use core::ops::Range;

use super::error::{ConfigError, ConfigErrors, Problem};

/// The text of a document and the mistakes found in it so far.
#[derive(Debug)]
pub(super) struct Source<'t> {
    file: &'t str,
    text: &'t str,
    errors: RefCell<Vec<(usize, ConfigError)>>,
}

impl<'t> Source<'t> {
    pub(super) const fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, errors: RefCell::new(Vec::new()) }
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
        let (line, column) = position(self.text, span.start);
        let error = ConfigError { file: self.file.to_owned(), line, column, key, value, problem };
        self.errors.borrow_mut().push((span.start, error));
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

/// Line and column (in characters) of an offset, both from 1.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// Where a value stands in its document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    pub(super) span: Range<usize>,
    pub(super) key: String,
    pub(super) has_value: bool,
}
