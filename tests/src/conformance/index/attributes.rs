//! What the attributes of an item say about when it is built and whether it is a test.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Token};

/// What attributes decide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Conditions {
    /// There in a build for tests.
    pub(super) built_for_tests: bool,
    /// There in an ordinary build.
    pub(super) built_for_use: bool,
    /// `#[test]` in any spelling.
    pub(super) is_test: bool,
    /// `#[ignore]`, also behind a `cfg_attr` that holds.
    pub(super) is_ignored: bool,
    /// `#[path = "…"]` of a module.
    pub(super) path: Option<String>,
}

impl Conditions {
    pub(super) fn of(attributes: &[Attribute]) -> Self {
        let mut conditions = Self {
            built_for_tests: true,
            built_for_use: true,
            is_test: false,
            is_ignored: false,
            path: None,
        };
        for attribute in attributes {
            conditions.add(&attribute.meta);
        }
        conditions
    }

    fn add(&mut self, meta: &Meta) {
        let name = meta.path().segments.last().map(|last| last.ident.to_string());
        match (name.as_deref(), meta) {
            (Some("cfg"), Meta::List(list)) => {
                let condition = list.parse_args::<Meta>().ok();
                self.built_for_tests &= condition.as_ref().is_some_and(|meta| holds(meta, true));
                self.built_for_use &= condition.as_ref().is_some_and(|meta| holds(meta, false));
            }
            (Some("cfg_attr"), Meta::List(list)) => {
                let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
                let Ok(parts) = list.parse_args_with(parser) else {
                    return;
                };
                let mut parts = parts.iter();
                if parts.next().is_some_and(|condition| holds(condition, true)) {
                    parts.for_each(|meta| self.add(meta));
                }
            }
            (Some("test"), _) => self.is_test = true,
            (Some("ignore"), _) => self.is_ignored = true,
            (Some("path"), Meta::NameValue(pair)) => self.path = text(&pair.value),
            _ => {}
        }
    }
}

/// Whether a `cfg` predicate holds on this machine without extra flags.
///
/// What is not known here counts as false in both senses of `not`: a test behind it is no proof.
fn holds(meta: &Meta, test: bool) -> bool {
    decide(meta, test).unwrap_or(false)
}

fn decide(meta: &Meta, test: bool) -> Option<bool> {
    let name = meta.path().segments.last()?.ident.to_string();
    match meta {
        Meta::Path(_) => match name.as_str() {
            "test" => Some(test),
            "unix" => Some(cfg!(unix)),
            "debug_assertions" => Some(cfg!(debug_assertions)),
            _ => None,
        },
        Meta::NameValue(pair) => match name.as_str() {
            "target_os" => Some(text(&pair.value)? == std::env::consts::OS),
            "target_family" => Some(text(&pair.value)? == std::env::consts::FAMILY),
            "target_arch" => Some(text(&pair.value)? == std::env::consts::ARCH),
            "target_pointer_width" => Some(text(&pair.value)? == usize::BITS.to_string()),
            _ => None,
        },
        Meta::List(list) => {
            let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
            let parts = list.parse_args_with(parser).ok()?;
            let parts: Option<Vec<bool>> = parts.iter().map(|part| decide(part, test)).collect();
            match name.as_str() {
                "all" => Some(parts?.into_iter().all(|part| part)),
                "any" => Some(parts?.into_iter().any(|part| part)),
                "not" => Some(!parts?.into_iter().next()?),
                _ => None,
            }
        }
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// The attributes of any item.
pub(super) fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        _ => &[],
    }
}
