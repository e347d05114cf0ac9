//! What the sources really contain: items by file, tests by target.
//!
//! Files are reached as the compiler reaches them, from the root of each target along its `mod`
//! lines, so that an orphaned file, a switched-off module or a test inside a comment counts for
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{ImplItem, Item, TraitItem};

use super::tree::relative;
use super::workspace::{Target, Workspace};

mod attributes;
mod generated;

use attributes::Conditions;
use generated::Trial;

/// Why a test of the sources does or does not run under a plain `cargo test`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestState {
    /// It runs.
    Runs,
    /// It carries `#[ignore]`.
    Ignored,
}

/// Every item and every test that a build of the workspace contains.
#[derive(Debug, Default)]
pub struct Index {
    /// Item paths (`Type::method`, `function`, `Enum::Variant`, `Struct::field`) by file.
    pub items: BTreeMap<String, BTreeSet<String>>,
    /// Tests under their full name `PACKAGE TARGET module::path::name`.
    pub tests: BTreeMap<String, TestState>,
}

impl Index {
    /// Reads every target of `workspace`.
    ///
    /// # Panics
    ///
    /// When a source file is missing or is not Rust: the build would have failed first.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        let mut index = Self::default();
        for package in &workspace.packages {
            for target in &package.targets {
                index.add_target(&workspace.root, &package.name, target);
            }
        }
        index
    }

    /// Whether `item` is defined in `file`.
    #[must_use]
    pub fn has_item(&self, file: &str, item: &str) -> bool {
        self.items.get(file).is_some_and(|items| items.contains(item))
    }

    fn add_target(&mut self, root: &Path, package: &str, target: &Target) {
        let name = format!("{package} {}", target.column());
        let folder = target.root.parent().unwrap_or(root).to_path_buf();
        let mut walk =
            Walk { index: self, root, name, runs: target.tests_run, trials: target.trials };
        walk.file(&target.root, &folder, &Place::default());
    }
}

/// Where in the module tree the walk stands.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Module path from the root of the target.
    modules: Vec<String>,
    /// Modules written inside the current file.
    inline: Vec<String>,
    /// Only there under `cfg(test)`.
    only_for_tests: bool,
}

impl Place {
    fn inside(&self, module: &str, inline: bool, only_for_tests: bool) -> Self {
        let mut place = self.clone();
        place.modules.push(module.into());
        if inline {
            place.inline.push(module.into());
        } else {
            place.inline.clear();
        }
        place.only_for_tests |= only_for_tests;
        place
    }

    fn name_in_file(&self, item: &str) -> String {
        let mut parts = self.inline.clone();
        parts.push(item.into());
        parts.join("::")
    }
}

struct Walk<'a> {
    index: &'a mut Index,
    root: &'a Path,
    name: String,
    runs: bool,
    trials: bool,
}

impl Walk<'_> {
    /// Reads one file whose child modules live in `folder`.
    fn file(&mut self, path: &Path, folder: &Path, place: &Place) {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = relative(self.root, path);
        self.index.items.entry(name.clone()).or_default();
        if self.trials {
            for trial in generated::trials(&text) {
                match trial {
                    Trial::Named(name) => self.test(&name, TestState::Runs),
                    Trial::Function(name) => {
                        let path = place.modules.iter().chain([&name]);
                        let path: Vec<&str> = path.map(String::as_str).collect();
                        self.test(&path.join("::"), TestState::Runs);
                    }
                }
            }
        }
        self.items(&file.items, &Source { name: &name, folder, owner: path }, place);
    }

    fn items(&mut self, items: &[Item], source: &Source<'_>, place: &Place) {
        for item in items {
            let conditions = Conditions::of(attributes::of_item(item));
            if !conditions.built_for_tests {
                continue;
            }
            let mut place = place.clone();
            place.only_for_tests |= !conditions.built_for_use;
            self.item(item, source, &place, &conditions);
        }
    }

    fn item(&mut self, item: &Item, source: &Source<'_>, place: &Place, conditions: &Conditions) {
        match item {
            Item::Mod(module) => {
                let inline = module.content.is_some();
                let name = module.ident.to_string();
                self.define(source, place, &name);
                let inner = place.inside(&name, inline, false);
                match &module.content {
                    Some((_, items)) => self.items(items, &source.inside(&name).borrow(), &inner),
                    None => self.child(source, &name, conditions.path.as_deref(), &inner),
                }
            }
            Item::Fn(function) => {
                let name = function.sig.ident.to_string();
                if conditions.is_test {
                    self.test_in(place, &name, conditions.is_ignored);
                } else {
                    self.define(source, place, &name);
                }
            }
            Item::Macro(call) if call.ident.is_none() => {
                for (name, ignored) in generated::tests(&call.mac.tokens) {
                    self.test_in(place, &name, ignored);
                }
            }
            other => {
                for name in names(other) {
                    self.define(source, place, &name);
                }
            }
        }
    }

    fn child(&mut self, source: &Source<'_>, name: &str, path: Option<&str>, place: &Place) {
        if let Some(path) = path {
            let folder = source.owner.parent().unwrap_or(self.root);
            let file = folder.join(path);
            let below = file.with_extension("");
            return self.file(&file, &below, place);
        }
        let below = source.folder.join(name);
        let nested = below.join("mod.rs");
        let file = if nested.is_file() { nested } else { source.folder.join(format!("{name}.rs")) };
        self.file(&file, &below, place);
    }

    fn define(&mut self, source: &Source<'_>, place: &Place, name: &str) {
        if !place.only_for_tests {
            let items = self.index.items.entry(source.name.into()).or_default();
            items.insert(place.name_in_file(name));
        }
    }

    fn test_in(&mut self, place: &Place, name: &str, ignored: bool) {
        let mut path = place.modules.clone();
        path.push(name.into());
        let state = if ignored { TestState::Ignored } else { TestState::Runs };
        if !self.trials {
            self.test(&path.join("::"), state);
        }
    }

    fn test(&mut self, path: &str, state: TestState) {
        if self.runs {
            self.index.tests.insert(format!("{} {path}", self.name), state);
        }
    }
}

/// The file being read and where its children live.
struct Source<'a> {
    name: &'a str,
    folder: &'a Path,
    owner: &'a Path,
}

struct OwnedSource<'a> {
    name: &'a str,
    folder: PathBuf,
    owner: &'a Path,
}

impl<'a> Source<'a> {
    fn inside(&self, module: &str) -> OwnedSource<'a> {
        OwnedSource { name: self.name, folder: self.folder.join(module), owner: self.owner }
    }
}

impl OwnedSource<'_> {
    fn borrow(&self) -> Source<'_> {
        Source { name: self.name, folder: &self.folder, owner: self.owner }
    }
}

/// Names that an item brings into its file.
fn names(item: &Item) -> Vec<String> {
    match item {
        Item::Const(item) => vec![item.ident.to_string()],
        Item::Static(item) => vec![item.ident.to_string()],
        Item::Type(item) => vec![item.ident.to_string()],
        Item::Union(item) => vec![item.ident.to_string()],
        Item::Macro(item) => item.ident.iter().map(ToString::to_string).collect(),
        Item::Struct(item) => {
            let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
            below(&item.ident.to_string(), fields.map(ToString::to_string))
        }
        Item::Enum(item) => {
            let variants = item.variants.iter().map(|variant| variant.ident.to_string());
            below(&item.ident.to_string(), variants)
        }
        Item::Trait(item) => {
            let members = item.items.iter().filter_map(|member| match member {
                TraitItem::Fn(function) => Some(function.sig.ident.to_string()),
                TraitItem::Const(constant) => Some(constant.ident.to_string()),
                TraitItem::Type(kind) => Some(kind.ident.to_string()),
                _ => None,
            });
            below(&item.ident.to_string(), members)
        }
        Item::Impl(item) => {
            let syn::Type::Path(owner) = &*item.self_ty else {
                return Vec::new();
            };
            let Some(owner) = owner.path.segments.last() else {
                return Vec::new();
            };
            let members = item.items.iter().filter_map(|member| match member {
                ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
                ImplItem::Const(constant) => Some(constant.ident.to_string()),
                _ => None,
            });
            members.map(|member| format!("{}::{member}", owner.ident)).collect()
        }
        _ => Vec::new(),
    }
}

fn below(owner: &str, members: impl Iterator<Item = String>) -> Vec<String> {
    let mut names = vec![owner.to_owned()];
    names.extend(members.map(|member| format!("{owner}::{member}")));
    names
}

#[cfg(test)]
mod tests;
