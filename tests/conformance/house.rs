//! Crate arrows, purity, shape of files.

use stamp_tests::conformance::arrows::{self, ARROWS};
use stamp_tests::conformance::tree::{self, File};
use stamp_tests::conformance::workspace::Workspace;
use stamp_tests::conformance::{Finding, assert_none, purity, shape, tlv_types};

#[test]
fn crates_use_each_other_along_the_arrows_only() {
    let workspace = Workspace::read(&tree::root());
    assert!(workspace.packages.len() > 5, "only {} packages", workspace.packages.len());
    assert_none(arrows::check(&workspace));
}

#[test]
fn the_architecture_page_draws_the_same_arrows() {
    let files = tree::files(&tree::root());
    let page = files.iter().find(|file| file.path == "docs/architecture.md").expect("the page");
    let mut findings = Vec::new();
    for (name, uses) in ARROWS {
        let uses = if uses.is_empty() { "–".to_owned() } else { uses.join(", ") };
        let row = format!("| `{name}` | {uses} |");
        if !page.lines().any(|(_, line)| line.starts_with(&row)) {
            findings.push(Finding::at(&page.path, 0, format!("no line begins with `{row}`")));
        }
    }
    assert_none(findings);
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    let files = tree::files(&tree::root());
    let manifests = files.iter().filter(|file| file.name() == "Cargo.toml");
    let members = manifests.filter(|file| file.path != "Cargo.toml" && !is_fuzz(file));
    let mut findings = Vec::new();
    for manifest in members {
        let mut in_dependencies = false;
        for (line, text) in manifest.lines() {
            if text.starts_with('[') {
                in_dependencies = text.trim_end().ends_with("dependencies]");
            } else if in_dependencies && text.contains('=') && !text.contains("workspace = true") {
                let message = format!("`{text}`: versions stand in the root manifest");
                findings.push(Finding::at(&manifest.path, line, message));
            }
        }
    }
    assert_none(findings);
}

/// The fuzz crate is a workspace of its own.
fn is_fuzz(file: &File) -> bool {
    file.path.ends_with("/fuzz/Cargo.toml")
}

#[test]
fn sources_keep_to_what_their_crate_may_reach() {
    let files = tree::files(&tree::root());
    let mut findings = purity::check(&files);
    findings.extend(purity::check_forbids(&files));
    assert_none(findings);
}

#[test]
fn files_have_a_good_shape() {
    assert_none(shape::check(&tree::files(&tree::root())));
}

#[test]
fn a_type_of_tlv_is_known_by_the_file_of_its_name_alone() {
    let files = tree::files(&tree::root());
    assert!(files.iter().any(|file| file.path == "stamp-session/src/tlv/location.rs"));
    assert_none(tlv_types::check(&files));
}
