//! What a document may hold, found out from the code that reads it.
//!
//! A reader asks for every key it knows. Given a document that is empty, and tables wherever it asks for
//! some, it so tells which keys there are, and what each may hold, with no second list to keep right.

mod schema;

use core::cell::RefCell;

use toml::de::DeTable;

use super::Section;
use super::source::Source;
use crate::setting::{Form, Setting};

/// Every key that a reader asks for.
///
/// ```
/// use stamp_document::document::Outline;
///
/// let outline = Outline::of(|root| {
///     root.section_or_empty("log", |log| log.get::<bool>("verbose"));
///     root.sections("session", |session| session.require::<String>("name"));
/// });
/// let keys: Vec<&str> = outline.keys().collect();
/// assert_eq!(keys, ["log", "log.verbose", "session", "session[].name"]);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outline(Vec<Known>);

/// A key, and one thing that may stand there.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Known {
    path: String,
    holds: Holds,
    /// Its table is wrong without it.
    is_required: bool,
}

/// What may stand at a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    /// A setting.
    One(Words),
    /// A setting, or a list of them.
    List(Words),
    /// A list of lists.
    Lists(Words),
    /// A setting, or a list of settings and tables.
    ListOrTables(Words),
    /// Whatever a flag of that name takes.
    Text,
    /// A table.
    Table,
    /// `[[tables]]`.
    Tables,
    /// Tables whose names are the operator's own.
    Named,
    /// Settings whose names are the operator's own.
    Entries,
}

/// How a setting is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Words {
    expected: &'static str,
    form: Form,
}

impl Words {
    pub(super) const fn of<T: Setting>() -> Self {
        Self { expected: T::EXPECTED, form: T::FORM }
    }
}

impl Outline {
    /// What `build` asks for.
    ///
    /// It is asked twice, with every key missing and with every key there, since some keys are asked for
    /// in one case only. What it makes of it is dropped.
    pub fn of<T>(build: impl Fn(&Section<'_>) -> T) -> Self {
        let mut outline = Self::default();
        for is_there in [false, true] {
            let empty = DeTable::new();
            let source = Source::new("", "");
            let describing = Describing { is_there, known: RefCell::default() };
            let root = Section::describing(&source, &describing, &empty);
            build(&root);
            drop(root);
            for known in describing.known.into_inner() {
                outline.add(known, is_there);
            }
        }
        outline.0.sort_by(|one, other| one.path.cmp(&other.path));
        outline
    }

    /// Paths of all keys, sorted: `a.b` for a key in a table, `a[].b` in each of `[[a]]`, `a.*.b` in tables
    /// whose names are the operator's.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let known = self.0.iter().enumerate();
        let first = |at: usize| at == 0 || self.0[at - 1].path != self.0[at].path;
        known.filter(move |(at, _)| first(*at)).map(|(_, known)| known.path.as_str())
    }

    fn add(&mut self, known: Known, is_there: bool) {
        match self.0.iter_mut().find(|it| it.path == known.path && it.holds == known.holds) {
            // What is missed only beside some other key may well be missing.
            Some(it) => it.is_required &= known.is_required,
            None => {
                let is_required = known.is_required && !is_there;
                self.0.push(Known { is_required, ..known });
            }
        }
    }
}

/// What has been asked for in one reading.
#[derive(Debug)]
pub(super) struct Describing {
    /// What to say where it is asked whether something is there.
    is_there: bool,
    known: RefCell<Vec<Known>>,
}

impl Describing {
    pub(super) const fn is_there(&self) -> bool {
        self.is_there
    }

    pub(super) fn note(&self, path: String, holds: Holds) {
        self.known.borrow_mut().push(Known { path, holds, is_required: false });
    }

    pub(super) fn note_required(&self, path: String, holds: Holds) {
        self.known.borrow_mut().push(Known { path, holds, is_required: true });
    }
}

#[cfg(test)]
mod tests;
