//! Guide pages: well-formed, and each played by a stage that exists.

use stamp_tests::conformance::guide::{self, Page};
use stamp_tests::conformance::index::Index;
use stamp_tests::conformance::tree::{self, File};
use stamp_tests::conformance::workspace::Workspace;
use stamp_tests::conformance::{Finding, assert_none};

/// Journeys that must have a page.
const PAGES: [&str; 12] = [
    "first-measurement.md",
    "loss.md",
    "clocks.md",
    "mtu.md",
    "nat.md",
    "dscp.md",
    "ipv6-only.md",
    "without-root.md",
    "vrf.md",
    "lab.md",
    "srh.md",
    "lag.md",
];

/// Programs that a page may call.
const PROGRAMS: [&str; 13] = [
    "stamp-sender",
    "stamp-reflector",
    "cargo",
    "printf",
    "bash",
    "sed",
    "sudo",
    "setcap",
    "ip",
    "sysctl",
    "chronyc",
    "cat",
    "head",
];

/// The page `ipv6-only.md` is played by the trial `ipv6_only` of the target `guide`, or by one in a
/// module of that name.
#[test]
fn every_page_is_played() {
    let index = Index::of(&Workspace::read(&tree::root()));
    let mut findings = Vec::new();
    for file in guide_files() {
        let trial = format!("stamp-tests guide {}", file.stem().replace('-', "_"));
        let inside = format!("{trial}::");
        if !index.tests.keys().any(|test| *test == trial || test.starts_with(&inside)) {
            findings.push(Finding::at(
                &file.path,
                0,
                format!("no trial `{trial}` plays this page"),
            ));
        }
    }
    assert_none(findings);
}

fn guide_files() -> Vec<File> {
    let files = tree::files(&tree::root());
    files.into_iter().filter(|file| file.path.starts_with("docs/guide/")).collect()
}

#[test]
fn every_journey_has_a_page() {
    let files = guide_files();
    let missing = PAGES.iter().filter(|page| !files.iter().any(|file| file.name() == **page));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "missing in docs/guide: {missing:?}");
}

#[test]
fn every_page_is_well_formed() {
    let files = guide_files();
    let faults = files.iter().filter_map(|file| guide::parse(file).err());
    assert_none(faults.flatten().collect());
}

#[test]
fn commands_call_known_programs() {
    let mut findings = Vec::new();
    let pages = guide_files();
    let pages: Vec<Page> = pages.iter().filter_map(|file| guide::parse(file).ok()).collect();
    for page in &pages {
        for step in &page.steps {
            let program = step.command.split_whitespace().next().unwrap_or_default();
            if !PROGRAMS.contains(&program) {
                let message = format!("`{program}` is no program of the guide");
                findings.push(Finding::at(&page.file, step.line, message));
            }
        }
    }
    assert_none(findings);
}
