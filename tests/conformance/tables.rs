//! `docs/conformance` against code, tests and citations.

use std::fs;

use stamp_tests::conformance::citation::{self, Listing};
use stamp_tests::conformance::evidence::{self, Count};
use stamp_tests::conformance::index::Index;
use stamp_tests::conformance::log::{Owners, RunLog};
use stamp_tests::conformance::table::{self, Parsed, Row};
use stamp_tests::conformance::tree::{self, File};
use stamp_tests::conformance::workspace::Workspace;
use stamp_tests::conformance::{Finding, assert_none, readme};

const FOLDER: &str = "docs/conformance/";
const INDEX: &str = "docs/conformance/README.md";

/// Path of a recorded `cargo test --workspace`, set by `.ci/run`.
const RECORD: &str = "STAMP_TEST_RECORD";

fn table_files(files: &[File]) -> impl Iterator<Item = &File> {
    let tables = files.iter().filter(|file| file.path.starts_with(FOLDER));
    tables.filter(|file| file.extension() == "md" && file.path != INDEX)
}

fn parsed(files: &[File]) -> Parsed {
    let mut all = Parsed::default();
    for parsed in table_files(files).map(table::parse) {
        all.rows.extend(parsed.rows);
        all.findings.extend(parsed.findings);
    }
    all
}

fn rows() -> Vec<Row> {
    parsed(&tree::files(&tree::root())).rows
}

fn index_file(files: &[File]) -> &File {
    files.iter().find(|file| file.path == INDEX).expect("the tables have an index")
}

#[test]
fn every_table_is_well_formed_and_listed() {
    let files = tree::files(&tree::root());
    let parsed = parsed(&files);
    assert!(parsed.rows.len() > 100, "only {} rows: were the tables found?", parsed.rows.len());
    let mut findings = parsed.findings;
    let index = index_file(&files);
    for (table, count) in Count::by_file(&parsed.rows) {
        findings.extend(readme::check_index(index, &table, count));
    }
    for (number, listing) in citation::listings(index) {
        let path = format!("{FOLDER}rfc{number}.md");
        let exists = files.iter().any(|file| file.path == path);
        if exists != (listing == Listing::Table) {
            findings.push(Finding::at(INDEX, 0, format!("RFC {number}: is there a table or not?")));
        }
    }
    assert_none(findings);
}

#[test]
fn every_row_names_code_and_tests_that_exist() {
    let index = Index::of(&Workspace::read(&tree::root()));
    let seen = "stamp-tests conformance tables::every_row_names_code_and_tests_that_exist";
    assert!(index.tests.contains_key(seen), "the index does not even see this test");
    assert_none(evidence::check(&rows(), &index));
}

#[test]
fn every_citation_has_a_row() {
    let files = tree::files(&tree::root());
    let listings = citation::listings(index_file(&files));
    assert!(!listings.is_empty(), "no RFC is listed in {INDEX}");
    let sources = files.iter().filter(|file| ["rs", "c", "h"].contains(&file.extension()));
    // The checker's own files hold wrong citations on purpose.
    let sources = sources.filter(|file| !file.path.starts_with("tests/src/conformance"));
    let sources: Vec<File> = sources.cloned().collect();
    assert_none(citation::check(&sources, &rows(), &listings));
}

#[test]
fn the_readme_keeps_its_promises() {
    let files = tree::files(&tree::root());
    let readme = files.iter().find(|file| file.path == "README.md").expect("there is a README");
    assert_none(readme::check(readme, Count::of(&parsed(&files).rows)));
}

/// Does nothing without a record: only a run that has ended can be judged.
#[test]
fn every_row_was_proven_in_the_recorded_run() {
    let Ok(path) = std::env::var(RECORD) else {
        println!("no record of a run in {RECORD}; .ci/run makes one");
        return;
    };
    let log = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{RECORD}={path}: {error}"));
    let run = RunLog::parse(&log, &Owners::of(&Workspace::read(&tree::root())));
    assert!(run.len() > 100, "only {} tests in {path}: is it the whole run?", run.len());
    assert_none(evidence::check_run(&rows(), &run));
}
