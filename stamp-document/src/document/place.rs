//! Where values stand in a document, also for what is found out when the document has gone.

use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use super::Section;
use super::error::{ConfigError, Problem};

/// Where a value stands in its document, also for what is found out when the document has gone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    pub(super) file: Arc<str>,
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) key: String,
    pub(super) value: Option<String>,
}

impl Place {
    /// The key with its path, such as `allow[2].prefix`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A mistake that was made there.
    #[must_use]
    pub fn error(&self, problem: Problem) -> ConfigError {
        ConfigError {
            file: self.file.as_ref().to_owned(),
            line: self.line,
            column: self.column,
            key: self.key.clone(),
            value: self.value.clone(),
            problem,
        }
    }
}

/// Where the keys of one table stand: what a [`Place`] of each would say, in less memory, for
/// documents with thousands of tables.
#[derive(Clone, Debug)]
pub struct TablePlaces {
    file: Arc<str>,
    /// The path of the table, such as `session[2]`; empty for the root.
    path: Box<str>,
    keys: Box<[KeyPlace]>,
}

/// Where one key of a table stands.
#[derive(Clone, Debug)]
struct KeyPlace {
    key: &'static str,
    // Documents are read at once, and none is larger than 4 GiB.
    offset: u32,
    line: u32,
    column: u32,
    value: Box<str>,
}

impl TablePlaces {
    /// Where the value of `key` stands, if it stood there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Place> {
        let found = self.keys.iter().find(|found| found.key == key)?;
        Some(Place {
            file: Arc::clone(&self.file),
            offset: found.offset as usize,
            line: found.line as usize,
            column: found.column as usize,
            key: name(&self.path, key),
            value: Some(found.value.to_string()),
        })
    }
}

impl Section<'_> {
    /// Where the value of `key` stands, for what is found out when the section has been read; the
    /// section itself where the key is missing.
    pub fn place(&self, key: &'static str) -> Place {
        let section = || self.source.place(self.span.start, self.name(key), None);
        self.value(key).map_or_else(section, |value| self.at(key, value))
    }

    /// Where each item of the list `key` stands; one value stands for a list of one.
    pub fn places(&self, key: &'static str) -> Vec<Place> {
        match self.value(key).map(Spanned::get_ref) {
            Some(DeValue::Array(items)) => items.iter().map(|item| self.at(key, item)).collect(),
            Some(_) => vec![self.place(key)],
            None => Vec::new(),
        }
    }

    /// Where those of `keys` stand that are there.
    pub fn places_of(&self, keys: impl IntoIterator<Item = &'static str>) -> TablePlaces {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = |key| {
            let Place { offset, line, column, value, .. } = self.at(key, self.value(key)?);
            let (offset, line, column) = (small(offset), small(line), small(column));
            Some(KeyPlace { key, offset, line, column, value: value.unwrap_or_default().into() })
        };
        TablePlaces {
            file: self.source.file(),
            path: self.path.as_str().into(),
            keys: keys.into_iter().filter_map(place).collect(),
        }
    }

    /// Where a value of `key` stands.
    fn at(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Place {
        let span = value.span();
        let shown = self.source.shown(&span);
        self.source.place(span.start, self.name(key), shown)
    }
}

/// A key with the path of its table.
pub(super) fn name(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
