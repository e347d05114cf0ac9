//! Names that others build on.

use std::fs;

use stamp_tests::conformance::tree::{self, File};
use stamp_tests::conformance::{assert_none, names};

/// `STAMP_NAMES=release cargo test` writes the list anew, which a release does.
#[test]
fn a_name_that_is_new_or_gone_is_told_in_the_changelog() {
    let root = tree::root();
    let mut files = tree::files(&root);
    let current = names::current(&files);
    assert!(current.len() > 500, "only {} names", current.len());
    if std::env::var_os("STAMP_NAMES").is_some_and(|value| value == "release") {
        let lines: String = current.iter().map(|name| format!("{name}\n")).collect();
        fs::write(root.join(names::LIST), lines).expect("the list can be written");
        files = tree::files(&root);
    }
    let find = |path: &str| -> &File {
        files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"))
    };
    assert_none(names::check(&current, find(names::LIST), find("CHANGELOG.md")));
}
