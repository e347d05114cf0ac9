//! Do the tables tell the truth about code and tests?

use std::collections::BTreeMap;

use super::Finding;
use super::index::{Index, TestState};
use super::log::{Outcome, RunLog};
use super::table::{Proof, Row};

/// Rows whose code or tests do not exist, or whose tests never run.
#[must_use]
pub fn check(rows: &[Row], index: &Index) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in rows {
        let mut fault = |message: String| {
            findings.push(Finding::at(&row.file, row.line, format!("{}: {message}", row.clause)));
        };
        for code in &row.code {
            let exists =
                code.split_once("::").is_some_and(|(file, item)| index.has_item(file, item));
            if !exists {
                fault(format!("no code item `{code}`"));
            }
        }
        for test in tests(row) {
            match index.tests.get(test) {
                Some(TestState::Runs) => {}
                Some(TestState::Ignored) => fault(format!("the test `{test}` is ignored")),
                None => fault(format!("no test `{test}`")),
            }
        }
    }
    findings
}

/// Rows whose tests did not pass in a recorded run.
#[must_use]
pub fn check_run(rows: &[Row], run: &RunLog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in rows {
        for test in tests(row) {
            let message = match run.outcome(test) {
                Some(Outcome::Passed) => continue,
                Some(Outcome::Ignored) => format!("`{test}` was skipped in that run"),
                Some(Outcome::Failed) => format!("`{test}` failed in that run"),
                None => format!("`{test}` did not run"),
            };
            findings.push(Finding::at(&row.file, row.line, format!("{}: {message}", row.clause)));
        }
    }
    findings
}

/// Rows and gaps of all tables together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Count {
    /// Rules listed.
    pub clauses: usize,
    /// Those of them without proof.
    pub gaps: usize,
}

impl Count {
    /// Counts `rows`.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let gaps = rows.iter().filter(|row| matches!(row.proof, Proof::Gap(_))).count();
        Self { clauses: rows.len(), gaps }
    }

    /// Counts `rows` by table file.
    #[must_use]
    pub fn by_file(rows: &[Row]) -> BTreeMap<String, Self> {
        let mut counts = BTreeMap::new();
        for row in rows {
            let count = counts.entry(row.file.clone()).or_insert(Self { clauses: 0, gaps: 0 });
            count.clauses += 1;
            count.gaps += usize::from(matches!(row.proof, Proof::Gap(_)));
        }
        counts
    }
}

fn tests(row: &Row) -> &[String] {
    match &row.proof {
        Proof::Tests(tests) => tests,
        Proof::Gap(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::log::Owners;
    use crate::conformance::table;
    use crate::conformance::tree::File;

    fn row(code: &str, test: &str) -> Vec<Row> {
        let text = format!(
            "| Clause | Strength | Code | Test |\n|-|-|-|-|\n| RFC 8762 §4 x | MUST | {code} | {test} |\n"
        );
        let parsed = table::parse(&File::imagined("docs/conformance/rfc8762.md", &text));
        assert_eq!(parsed.findings, []);
        parsed.rows
    }

    fn index() -> Index {
        let mut index = Index::default();
        index.items.entry("a/src/b.rs".into()).or_default().insert("C::d".into());
        index.tests.insert("a lib b::tests::d_works".into(), TestState::Runs);
        index.tests.insert("a lib b::tests::slow".into(), TestState::Ignored);
        index
    }

    fn messages(code: &str, test: &str) -> Vec<String> {
        let findings = check(&row(code, test), &index());
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn what_exists_passes() {
        assert_eq!(messages("`a/src/b.rs::C::d`", "`a lib b::tests::d_works`"), [""; 0]);
        assert_eq!(messages("–", "gap: nobody can prove it"), [""; 0]);
    }

    #[test]
    fn a_missing_test_is_found() {
        let messages = messages("`a/src/b.rs::C::d`", "`a lib b::tests::d_work`");
        assert_eq!(messages, ["RFC 8762 §4: no test `a lib b::tests::d_work`"]);
    }

    #[test]
    fn an_ignored_test_is_found() {
        let messages = messages("`a/src/b.rs::C::d`", "`a lib b::tests::slow`");
        assert_eq!(messages, ["RFC 8762 §4: the test `a lib b::tests::slow` is ignored"]);
    }

    #[test]
    fn a_missing_code_item_is_found_even_beside_a_gap() {
        let expected = ["RFC 8762 §4: no code item `a/src/b.rs::C::e`"];
        assert_eq!(messages("`a/src/b.rs::C::e`", "gap: not proven yet"), expected);
        assert_eq!(messages("`a/src/b.rs`", "gap: not proven yet").len(), 1);
    }

    #[test]
    fn a_run_that_left_a_test_out_is_found() {
        let log = "     Running unittests src/lib.rs (target/debug/deps/a-0123456789abcdef)\n\
            test b::tests::slow ... ignored\ntest b::tests::bad ... FAILED\n\
            test b::tests::good ... ok\n";
        let run = RunLog::parse(log, &Owners::default());
        let rows = row(
            "`a/src/b.rs::C::d`",
            "`a lib b::tests::good` `a lib b::tests::bad` `a lib b::tests::slow` `a lib gone`",
        );
        let messages: Vec<_> =
            check_run(&rows, &run).into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            messages,
            [
                "RFC 8762 §4: `a lib b::tests::bad` failed in that run",
                "RFC 8762 §4: `a lib b::tests::slow` was skipped in that run",
                "RFC 8762 §4: `a lib gone` did not run",
            ]
        );
    }

    #[test]
    fn gaps_are_counted() {
        let mut rows = row("–", "gap: nobody can prove it");
        rows.extend(row("`a/src/b.rs::C::d`", "`a lib b::tests::d_works`"));
        assert_eq!(Count::of(&rows), Count { clauses: 2, gaps: 1 });
        assert_eq!(
            Count::by_file(&rows)["docs/conformance/rfc8762.md"],
            Count { clauses: 2, gaps: 1 }
        );
    }
}
