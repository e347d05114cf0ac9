//! One value from flag, environment, file or default, in this order.

use core::cell::RefCell;

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};

use super::flags::{FlagProblem, Flags, Origin};
use super::key::{Definition, Key};

/// A configuration while it is put together.
#[derive(Debug)]
pub(crate) struct Reading<'f> {
    flags: &'f Flags,
    problems: RefCell<Vec<FlagProblem>>,
    shown: RefCell<Vec<Shown>>,
}

/// A key in effect, for `config show`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shown {
    /// The `[[table]]` it stands in and which of them; none for the root.
    pub(crate) table: Option<(&'static str, usize)>,
    /// Name of the key.
    pub(crate) key: &'static str,
    /// The value as it would stand in a file; none where there is no default.
    pub(crate) value: Option<String>,
    /// Who gave it.
    pub(crate) origin: Origin,
}

impl<'f> Reading<'f> {
    /// Begins with what flags and environment say.
    pub(crate) fn new(flags: &'f Flags) -> Self {
        Self { flags, problems: RefCell::default(), shown: RefCell::default() }
    }

    /// Takes what was found: mistakes of the flags, and every key for `config show`.
    pub(crate) fn finish(self) -> (Vec<FlagProblem>, Vec<Shown>) {
        (self.problems.into_inner(), self.shown.into_inner())
    }

    /// The value of a key of the root or of a table that flags reach; `section` is its table.
    ///
    /// The file is checked even where a flag wins: a mistake there would come back to bite.
    pub(crate) fn value<T: Setting>(&self, section: &Section<'_>, key: &Key<T>) -> Option<T> {
        let leaf = key.definition.leaf();
        let from_file = section.get(leaf);
        self.flag_or(key, from_file, section.written(leaf))
    }

    /// The same where the file was read in a way of its own; `written` is what stands there.
    pub(crate) fn flag_or<T: Setting>(
        &self,
        key: &Key<T>,
        from_file: Option<T>,
        written: Option<String>,
    ) -> Option<T> {
        self.show(None, &key.definition, written);
        match self.flags.values(key) {
            Some(values) => values.into_iter().next(),
            None => from_file.or_else(|| key.default_value()),
        }
    }

    /// The list of a key of the root that a flag may give; none where nobody said anything.
    /// Items may be tables; `print` writes one as it would stand in a file.
    pub(crate) fn list<T: Setting>(
        &self,
        section: &Section<'_>,
        key: &Key<T>,
        table: impl FnMut(&Section<'_>) -> Option<T>,
        print: impl Fn(&T) -> String,
    ) -> Option<Vec<T>> {
        let from_file = section.list_or_tables(key.definition.leaf(), table);
        let written = from_file.as_ref().map(|items| {
            let items: Vec<String> = items.iter().map(print).collect();
            format!("[{}]", items.join(", "))
        });
        self.show(None, &key.definition, written);
        match self.flags.values(key) {
            Some(values) => Some(values),
            None => from_file,
        }
    }

    /// The value of a key of the `index`th `[[table]]`.
    pub(crate) fn item<T: Setting>(
        &self,
        table: (&'static str, usize),
        section: &Section<'_>,
        key: &Key<T>,
    ) -> Option<T> {
        self.show(Some(table), &key.definition, section.written(key.definition.leaf()));
        section.get(key.definition.leaf()).or_else(|| key.default_value())
    }

    /// The same for a key that has to be there.
    pub(crate) fn required_item<T: Setting>(
        &self,
        table: (&'static str, usize),
        section: &Section<'_>,
        key: &Key<T>,
    ) -> Option<T> {
        self.show(Some(table), &key.definition, section.written(key.definition.leaf()));
        section.require(key.definition.leaf())
    }

    /// The same for a list; none where it is not there.
    pub(crate) fn items<T: Setting>(
        &self,
        table: (&'static str, usize),
        section: &Section<'_>,
        key: &Key<T>,
    ) -> Option<Vec<T>> {
        self.show(Some(table), &key.definition, section.written(key.definition.leaf()));
        section.list(key.definition.leaf())
    }

    fn show(
        &self,
        table: Option<(&'static str, usize)>,
        definition: &Definition,
        written: Option<String>,
    ) {
        let from_flag = if table.is_none() { self.flags.in_file(definition) } else { None };
        let from_file = written.map(|value| (value, Origin::File));
        let (value, origin) = match from_flag.or(from_file) {
            Some((value, origin)) => (Some(value), origin),
            None => (definition.default.map(str::to_owned), Origin::Default),
        };
        self.shown.borrow_mut().push(Shown { table, key: definition.key, value, origin });
    }

    /// Reports a mistake that only shows when a key of the root is used, where it was said.
    pub(crate) fn problem(&self, section: &Section<'_>, definition: &Definition, problem: Problem) {
        match self.flags.problem(definition, in_flags(&problem)) {
            Some(found) => self.problems.borrow_mut().push(found),
            None => section.problem(definition.leaf(), problem),
        }
    }

    /// Which of command line and environment gave the value of a key, if any did.
    pub(crate) fn origin(&self, definition: &Definition) -> Option<Origin> {
        self.flags.in_file(definition).map(|(_, origin)| origin)
    }
}

/// The words of a problem where keys go by the names of their flags.
fn in_flags(problem: &Problem) -> String {
    match problem {
        Problem::Needs { other: "auth.key-file" } => "needs --key-file FILE as well".to_owned(),
        Problem::Conflict { with } => format!("cannot stand together with --{with}"),
        other => other.to_string(),
    }
}
