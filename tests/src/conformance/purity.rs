//! What a source file may not reach for: `unsafe` outside of the system calls, and clocks, sockets,
//! files, threads, locks, the environment or chance in the pure crates; sleep in tests.
//!
//! Decided on tokens, so that comments and strings neither hide nor feign anything.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Finding;
use super::tree::File;

/// The only place for `unsafe`.
const SYSTEM_CALLS: &str = "stamp-net/src/sys";

/// Crates to which time, randomness and datagrams come as values.
const PURE: [&str; 4] =
    ["stamp-proto/src/", "stamp-session/src/", "stamp-document/src/", "stamp-path/src/"];

/// Paths that reach outside of a pure crate, as they end in the source.
const REACHING: &[(&str, &str)] = &[
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("UdpSocket", "a socket"),
    ("TcpStream", "a socket"),
    ("TcpListener", "a socket"),
    ("std::fs", "files"),
    ("std::env", "the environment"),
    ("std::thread", "threads"),
    ("thread::spawn", "threads"),
    ("std::process", "processes"),
    ("std::io", "input and output"),
    ("Mutex", "a lock"),
    ("RwLock", "a lock"),
    ("Condvar", "a lock"),
    ("RandomState", "chance"),
    ("HashMap::new", "chance (a randomly keyed map)"),
    ("HashMap::with_capacity", "chance (a randomly keyed map)"),
    ("HashSet::new", "chance (a randomly keyed set)"),
    ("HashSet::with_capacity", "chance (a randomly keyed set)"),
    ("println", "the terminal"),
    ("eprintln", "the terminal"),
];

/// Findings in the Rust files among `files`.
#[must_use]
pub fn check(files: &[File]) -> Vec<Finding> {
    let rust = files.iter().filter(|file| file.extension() == "rs");
    rust.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let Ok(tokens) = TokenStream::from_str(file.text()) else {
        return vec![Finding::at(&file.path, 0, "this is not Rust")];
    };
    let whole = file.stem() == "tests" || file.path.contains("/tests/");
    let mut words = Vec::new();
    collect(tokens, "", whole || file.path.starts_with("tests/"), &mut words);
    let mut findings = Vec::new();
    if !in_system_calls(&file.path) {
        for word in words.iter().filter(|word| word.path == "unsafe") {
            let message = format!("`unsafe` outside of {SYSTEM_CALLS}");
            findings.push(Finding::at(&file.path, word.line, message));
        }
    }
    if PURE.iter().any(|folder| file.path.starts_with(folder)) {
        for word in words.iter().filter(|word| !word.for_tests) {
            for (reaching, what) in REACHING {
                if ends_with(&word.path, reaching) {
                    let message =
                        format!("`{}`: a pure crate does not reach for {what}", word.path);
                    findings.push(Finding::at(&file.path, word.line, message));
                }
            }
        }
    }
    for word in words.iter().filter(|word| word.for_tests) {
        if ends_with(&word.path, "thread::sleep") || word.path == "sleep" {
            let message = "a test waits for an event, it does not sleep";
            findings.push(Finding::at(&file.path, word.line, message));
        }
    }
    findings
}

/// Crates whose library must say `#![forbid(unsafe_code)]`: every one but the one with system calls.
#[must_use]
pub fn check_forbids(files: &[File]) -> Vec<Finding> {
    let libraries = files
        .iter()
        .filter(|file| file.path.ends_with("/src/lib.rs") && file.path.matches('/').count() == 2);
    libraries
        .filter(|file| !SYSTEM_CALLS.starts_with(file.path.trim_end_matches("/lib.rs")))
        .filter(|file| !file.lines().any(|(_, line)| line.trim() == "#![forbid(unsafe_code)]"))
        .map(|file| Finding::at(&file.path, 0, "`#![forbid(unsafe_code)]` is missing"))
        .collect()
}

fn in_system_calls(path: &str) -> bool {
    let below = path.strip_prefix(SYSTEM_CALLS);
    below.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Whether `path` ends in the segments of `tail`.
fn ends_with(path: &str, tail: &str) -> bool {
    path == tail || path.ends_with(&format!("::{tail}"))
}

#[derive(Debug)]
struct Word {
    /// Identifiers joined by `::`, up to and including this one.
    path: String,
    line: usize,
    /// Inside an item under `#[cfg(test)]` or marked `#[test]`.
    for_tests: bool,
}

/// Walks `tokens`; `prefix` is the path in front of a `use` group.
fn collect(tokens: TokenStream, prefix: &str, for_tests: bool, words: &mut Vec<Word>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut path = String::new();
    let mut joined = false;
    // An attribute for tests holds until the item it stands before has ended.
    let mut marked = false;
    for (position, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) => {
                if !joined {
                    path.clear();
                    path.push_str(prefix);
                }
                path.push_str(&word.to_string());
                joined = false;
                let line = word.span().start().line;
                words.push(Word { path: path.clone(), line, for_tests: for_tests || marked });
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                let half = separator_half(&tokens, position);
                if half == Some(1) && !path.is_empty() {
                    path.push_str("::");
                }
                joined = half.is_some() && !path.is_empty();
            }
            TokenTree::Group(group) => {
                marked |= is_for_tests(group, position.checked_sub(1).map(|last| &tokens[last]));
                let braces = group.delimiter() == Delimiter::Brace;
                let prefix = if joined && braces { path.as_str() } else { "" };
                collect(group.stream(), prefix, for_tests || marked, words);
                marked &= !braces;
                joined = false;
            }
            TokenTree::Punct(mark) => {
                marked &= mark.as_char() != ';';
                joined = false;
            }
            TokenTree::Literal(_) => joined = false,
        }
    }
}

/// Which half of a `::` stands at `position`.
fn separator_half(tokens: &[TokenTree], position: usize) -> Option<u8> {
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    if is_colon(tokens.get(position + 1)) {
        return Some(1);
    }
    let before = position.checked_sub(1).and_then(|last| tokens.get(last));
    is_colon(before).then_some(2)
}

fn is_for_tests(group: &Group, before: Option<&TokenTree>) -> bool {
    let hash = matches!(before, Some(TokenTree::Punct(mark)) if mark.as_char() == '#');
    let text = group.stream().to_string().replace(' ', "");
    hash && (text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

#[cfg(test)]
mod tests;
