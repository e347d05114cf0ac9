//! A TOML document, read so that every mistake is reported at once and where it stands.
//!
//! ```
//! use stamp_document::document::read;
//!
//! let (stateful, port): (Option<bool>, Option<String>) =
//!     read("reflector.toml", "stateful = true\n", |root| (root.get("stateful"), root.get("name")))
//!         .unwrap();
//! assert_eq!((stateful, port), (Some(true), None));
//!
//! let errors = read("reflector.toml", "stateful = 7\nstatefull = true\n", |root| {
//!     root.get::<bool>("stateful");
//! })
//! .unwrap_err();
//! assert_eq!(
//!     errors.to_string(),
//!     "reflector.toml:1:12: stateful = 7: expected true or false\n\
//!      reflector.toml:2:1: statefull: unknown key; did you mean \"stateful\"?"
//! );
//! ```

mod error;
mod find;
mod flag;
mod nearest;
mod outline;
mod place;
mod source;

use core::cell::{Cell, RefCell};
use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use error::{ConfigError, ConfigErrors, Problem};
pub use flag::FlagText;
use nearest::nearest;
pub use outline::Outline;
use outline::{Describing, Holds, Words};
pub use place::{Place, TablePlaces};
use source::Source;

use crate::quantity::is_bare_duration;
use crate::setting::{Form, Setting};

/// Reads `text`, called `file` in messages, by handing its root table to `build`.
///
/// # Errors
///
/// Every mistake found, in the order of the file; the result of `build` is then dropped.
pub fn read<T>(
    file: &str,
    text: &str,
    build: impl FnOnce(&Section<'_>) -> T,
) -> Result<T, ConfigErrors> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    let source = Source::new(file, text);
    for error in &syntax {
        let (message, span) = (error.message().to_owned(), error.span().unwrap_or(0..0));
        // The parser points at the key and does not say it.
        let key = source.shown(&span).filter(|_| message == "duplicate key").unwrap_or_default();
        source.report(span, key, None, Problem::Syntax { message });
    }
    if !syntax.is_empty() {
        // What was recovered from a broken text would only yield misleading follow-up errors.
        return Err(source.into_errors());
    }
    let root = Section::new(&source, String::new(), table.get_ref(), table.span());
    let built = build(&root);
    root.finish();
    let errors = source.into_errors();
    if errors.0.is_empty() { Ok(built) } else { Err(errors) }
}

/// One table of a document. Keys nobody asked for are mistakes, found when it is dropped.
#[derive(Debug)]
pub struct Section<'s> {
    source: &'s Source<'s>,
    path: String,
    table: &'s DeTable<'s>,
    span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
    /// Its keys are the operator's own, so that none is unknown.
    takes_any: Cell<bool>,
    sections: RefCell<Vec<Section<'s>>>,
    /// Nothing is read: what is asked for is noted.
    describing: Option<&'s Describing>,
}

impl<'s> Section<'s> {
    fn new(
        source: &'s Source<'s>,
        path: String,
        table: &'s DeTable<'s>,
        span: Range<usize>,
    ) -> Self {
        Self {
            source,
            path,
            table,
            span,
            asked: RefCell::default(),
            takes_any: Cell::new(false),
            sections: RefCell::default(),
            describing: None,
        }
    }

    fn describing(
        source: &'s Source<'s>,
        describing: &'s Describing,
        table: &'s DeTable<'s>,
    ) -> Self {
        Self { describing: Some(describing), ..Self::new(source, String::new(), table, 0..0) }
    }

    fn note(&self, key: &str, holds: Holds) {
        if let Some(describing) = self.describing {
            describing.note(self.name(key), holds);
        }
    }

    /// The value of `key`, if it is there and right.
    pub fn get<T: Setting>(&self, key: &'static str) -> Option<T> {
        self.note(key, Holds::One(Words::of::<T>()));
        let value = self.value(key)?;
        self.setting(key, value)
    }

    /// The value of `key`, which has to be there.
    pub fn require<T: Setting>(&self, key: &'static str) -> Option<T> {
        if let Some(describing) = self.describing {
            describing.note_required(self.name(key), Holds::One(Words::of::<T>()));
            return None;
        }
        if self.value(key).is_none() {
            self.problem(key, Problem::Missing { expected: T::EXPECTED });
            return None;
        }
        self.get(key)
    }

    /// The values of `key`, a list, or one value that stands for a list of one.
    pub fn list<T: Setting>(&self, key: &'static str) -> Option<Vec<T>> {
        self.note(key, Holds::List(Words::of::<T>()));
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.setting(key, value).map(|item| vec![item]);
        };
        // Every wrong item is reported, so the reading may not stop at the first.
        let read: Vec<Option<T>> = items.iter().map(|item| self.setting(key, item)).collect();
        read.into_iter().collect()
    }

    /// The lists of `key`, such as `[[16000, 16999], [20000, 20999]]`.
    pub fn lists<T: Setting>(&self, key: &'static str) -> Option<Vec<Vec<T>>> {
        self.note(key, Holds::Lists(Words::of::<T>()));
        let value = self.value(key)?;
        let DeValue::Array(lists) = value.get_ref() else {
            self.mistake(key, value, Problem::Malformed { expected: "a list of lists" });
            return None;
        };
        let read: Vec<Option<Vec<T>>> = lists
            .iter()
            .map(|list| match list.get_ref() {
                DeValue::Array(items) => {
                    let read: Vec<_> = items.iter().map(|item| self.setting(key, item)).collect();
                    read.into_iter().collect()
                }
                _ => {
                    self.mistake(key, list, Problem::Malformed { expected: "a list" });
                    None
                }
            })
            .collect();
        read.into_iter().collect()
    }

    /// The table under `key`, if it is there and is one; `read` gets it.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Section<'s>) -> T) -> Option<T> {
        self.note(key, Holds::Table);
        if self.describing.is_some() {
            return Some(self.enter(self.name(key), self.table, 0..0, read));
        }
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.enter(self.name(key), table, value.span(), read)),
            _ => {
                self.mistake(key, value, Problem::Malformed { expected: "a table" });
                None
            }
        }
    }

    /// The same where a missing table means that nothing stands in it.
    pub fn section_or_empty<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        self.note(key, Holds::Table);
        if self.describing.is_some() {
            return self.enter(self.name(key), self.table, 0..0, |section| read(section));
        }
        match self.value(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => {
                let span = self.value(key).map_or_else(|| self.span.clone(), Spanned::span);
                self.enter(self.name(key), table, span, |section| read(section))
            }
            other => {
                if other.is_some() {
                    self.problem(key, Problem::Malformed { expected: "a table" });
                }
                let empty = DeTable::new();
                read(&Section::new(self.source, self.name(key), &empty, self.span.clone()))
            }
        }
    }

    /// Every `[[key]]` table; `read` gets each.
    pub fn sections<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&Section<'s>) -> T,
    ) -> Vec<T> {
        self.note(key, Holds::Tables);
        if self.describing.is_some() {
            return vec![self.enter(format!("{}[]", self.name(key)), self.table, 0..0, read)];
        }
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.mistake(key, value, Problem::Malformed { expected: "[[tables]]" });
            return Vec::new();
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    let path = format!("{}[{index}]", self.name(key));
                    found.push(self.enter(path, table, item.span(), &mut read));
                }
                _ => self.mistake(key, item, Problem::Malformed { expected: "a table" }),
            }
        }
        found
    }

    /// Every `[key.NAME]` table, in the order of the file; `read` gets each with its name.
    pub fn named_sections<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&str, &Section<'s>) -> T,
    ) -> Vec<(String, T)> {
        self.note(key, Holds::Named);
        if self.describing.is_some() {
            let path = format!("{}.*", self.name(key));
            let read = self.enter(path, self.table, 0..0, |section| read("name", section));
            return vec![("name".to_owned(), read)];
        }
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(named) = value.get_ref() else {
            self.mistake(key, value, Problem::Malformed { expected: "[tables] with names" });
            return Vec::new();
        };
        let mut tables: Vec<_> = named.iter().collect();
        tables.sort_by_key(|(name, _)| name.span().start);
        let mut found = Vec::new();
        for (name, value) in tables {
            let name = name.get_ref();
            let path = format!("{}.{name}", self.name(key));
            match value.get_ref() {
                DeValue::Table(table) => {
                    let built =
                        self.enter(path, table, value.span(), |section| read(name, section));
                    found.push((name.to_string(), built));
                }
                _ => {
                    let shown = self.source.shown(&value.span());
                    let problem = Problem::Malformed { expected: "a table" };
                    self.source.report(value.span(), path, shown, problem);
                }
            }
        }
        found
    }

    /// The items of `key` where each may be a plain setting or a table of its own.
    pub fn list_or_tables<T: Setting>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&Section<'s>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.note(key, Holds::ListOrTables(Words::of::<T>()));
        if self.describing.is_some() {
            self.enter(format!("{}[]", self.name(key)), self.table, 0..0, &mut read);
            return None;
        }
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.setting(key, value).map(|item| vec![item]);
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            found.push(match item.get_ref() {
                DeValue::Table(table) => {
                    let path = format!("{}[{index}]", self.name(key));
                    self.enter(path, table, item.span(), &mut read)
                }
                _ => self.setting(key, item),
            });
        }
        found.into_iter().collect()
    }

    /// Whether `key` stands there at all.
    pub fn has(&self, key: &'static str) -> bool {
        self.describing.map_or_else(|| self.value(key).is_some(), Describing::is_there)
    }

    /// The value of `key` as it stands in the text.
    pub fn written(&self, key: &'static str) -> Option<String> {
        self.source.text(self.value(key)?.span()).map(str::to_owned)
    }

    /// The value of `key` as a flag of that name would be given it.
    pub fn flag_text(&self, key: &'static str) -> Option<FlagText> {
        self.note(key, Holds::Text);
        let value = self.value(key)?;
        let text = flag::text(value.get_ref());
        if text.is_none() {
            let expected = "a text, a number, true or false, a list or a table of these";
            self.mistake(key, value, Problem::Malformed { expected });
        }
        text
    }

    /// Every key with its value as text, in the order of the file: a table whose keys are the
    /// operator's own.
    pub fn entries(&self) -> Vec<(String, Place, Option<FlagText>)> {
        if let Some(describing) = self.describing {
            describing.note(self.path.clone(), Holds::Entries);
        }
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| {
                let (name, span) = (key.get_ref().to_string(), value.span());
                let shown = self.source.shown(&span);
                let place = self.source.place(span.start, self.name(&name), shown);
                (name, place, flag::text(value.get_ref()))
            })
            .collect();
        entries.sort_by_key(|(_, place, _)| place.offset);
        self.takes_any.set(true);
        entries
    }

    /// Which keys there can be depends on something that is wrong already. Where the document is read
    /// all are right; where it is described `read` tells of each.
    pub fn take_any(&self, read: impl FnOnce()) {
        match self.describing {
            Some(_) => read(),
            None => self.takes_any.set(true),
        }
    }

    /// Whether `key` holds a table.
    pub fn is_table(&self, key: &'static str) -> bool {
        let is_table = |value: &Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::Table(_));
        let read = || self.value(key).is_some_and(is_table);
        self.describing.map_or_else(read, Describing::is_there)
    }

    /// Reports a mistake at a place of the same document.
    pub fn report(&self, place: &Place, problem: Problem) {
        self.source.report_at(place, problem);
    }

    /// Reports a mistake that only the caller can see, such as two keys that exclude each other.
    pub fn problem(&self, key: &'static str, problem: Problem) {
        match self.value(key) {
            Some(value) => self.mistake(key, value, problem),
            None => {
                self.source.report(self.span.clone(), self.name(key), None, problem);
            }
        }
    }

    fn enter<T>(
        &self,
        path: String,
        table: &'s DeTable<'s>,
        span: Range<usize>,
        read: impl FnOnce(&Section<'s>) -> T,
    ) -> T {
        let describing = self.describing;
        let section = Section { describing, ..Section::new(self.source, path, table, span) };
        let read = read(&section);
        self.sections.borrow_mut().push(section);
        read
    }

    fn value(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        drop(asked);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn setting<T: Setting>(&self, key: &'static str, value: &'s Spanned<DeValue<'s>>) -> Option<T> {
        let form = T::FORM;
        let lacks_unit = match value.get_ref() {
            DeValue::String(text) => is_bare_duration::<T>(text),
            DeValue::Integer(_) | DeValue::Float(_) => form == Form::Text,
            _ => false,
        };
        if lacks_unit {
            self.mistake(key, value, Problem::WithoutUnit { expected: T::EXPECTED });
            return None;
        }
        let read = match value.get_ref() {
            DeValue::String(text) if matches!(form, Form::Text | Form::TextOrNumber) => {
                T::read(text)
            }
            DeValue::Integer(number) if matches!(form, Form::Number | Form::TextOrNumber) => {
                T::read(number.as_str())
            }
            DeValue::Boolean(flag) if form == Form::Flag => {
                T::read(if *flag { "true" } else { "false" })
            }
            _ => None,
        };
        if read.is_none() {
            self.mistake(key, value, Problem::Malformed { expected: T::EXPECTED });
        }
        read
    }

    fn mistake(&self, key: &str, value: &Spanned<DeValue<'_>>, problem: Problem) {
        let shown = self.source.shown(&value.span());
        self.source.report(value.span(), self.name(key), shown, problem);
    }

    fn name(&self, key: &str) -> String {
        place::name(&self.path, key)
    }

    fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.takes_any.get() && !asked.contains(&name) {
                let problem = Problem::UnknownKey { nearest: nearest(name, &asked) };
                self.source.report(key.span(), self.name(name), None, problem);
            }
        }
        for section in self.sections.borrow().iter() {
            section.finish();
        }
    }
}

#[cfg(test)]
mod tests;
