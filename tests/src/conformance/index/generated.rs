//! Tests that stand inside macro calls, and trials of targets that bring their own harness.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

/// Names of the `#[test] fn` inside a macro call such as `proptest!`, and whether they are ignored.
///
/// Only what is spelled out counts: a name that a macro makes up cannot be seen, so such a test
/// cannot stand in a clause table.
pub(super) fn tests(tokens: &TokenStream) -> Vec<(String, bool)> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut found = Vec::new();
    let (mut is_test, mut is_ignored) = (false, false);
    for (position, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let after_hash = matches!(position.checked_sub(1).map(|last| &tokens[last]),
                    Some(TokenTree::Punct(mark)) if mark.as_char() == '#');
                let words = group.stream().to_string();
                is_test |= after_hash && words == "test";
                is_ignored |= after_hash && words.starts_with("ignore");
            }
            TokenTree::Ident(word) if word == "fn" => {
                if let (true, Some(TokenTree::Ident(name))) = (is_test, tokens.get(position + 1)) {
                    found.push((name.to_string(), is_ignored));
                }
                (is_test, is_ignored) = (false, false);
            }
            _ => {}
        }
    }
    found
}

/// A trial of a target that brings its own harness.
#[derive(Debug)]
pub(super) enum Trial {
    /// `Trial::test("name", …)`.
    Named(String),
    /// `trials![function, …]`, named by the module it stands in: path inside of the file.
    Function(String),
}

/// Trials made in a source file.
pub(super) fn trials(source: &str) -> Vec<Trial> {
    let mut found = Vec::new();
    if let Ok(tokens) = TokenStream::from_str(source) {
        collect_trials(tokens, "", &mut found);
    }
    found
}

fn collect_trials(tokens: TokenStream, module: &str, found: &mut Vec<Trial>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (position, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let before = &tokens[position.saturating_sub(4)..position];
        let before: String = before.iter().map(ToString::to_string).collect();
        if group.delimiter() == Delimiter::Parenthesis && before.ends_with("Trial::test") {
            let name = group.stream().into_iter().next();
            if let Some(Ok(name)) = name.map(|name| syn::parse2::<LitStr>(name.into())) {
                found.push(Trial::Named(name.value()));
            }
        } else if before.ends_with("trials!") {
            let paths = listed(group.stream()).map(|name| format!("{module}{name}"));
            found.extend(paths.map(Trial::Function));
        }
        let inner = match &tokens[position.saturating_sub(2)..position] {
            [TokenTree::Ident(keyword), TokenTree::Ident(name)] if keyword == "mod" => {
                format!("{module}{name}::")
            }
            _ => module.to_owned(),
        };
        collect_trials(group.stream(), &inner, found);
    }
}

/// Functions of `trials![first, second: [Need::IPV6]]`: identifiers at the start or behind a comma.
fn listed(tokens: TokenStream) -> impl Iterator<Item = String> {
    let mut expected = true;
    tokens.into_iter().filter_map(move |token| {
        let name = match &token {
            TokenTree::Ident(name) if expected => Some(name.to_string()),
            _ => None,
        };
        expected = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == ',');
        name
    })
}
