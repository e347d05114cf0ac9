//! The clause tables under `docs/conformance`.
//!
//! A table file holds prose and one Markdown table with the columns clause, strength, code and
//! test. Other tables and prose are left alone.

use super::Finding;
use super::citation::Clause;
use super::tree::File;

/// Words a standard, or this project, puts behind a rule.
const STRENGTHS: [&str; 7] =
    ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "definition", "local"];

/// A reason shorter than this explains nothing.
const SHORTEST_REASON: usize = 12;

/// One rule, where it is kept and what proves it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// File of the table.
    pub file: String,
    /// Line of the row.
    pub line: usize,
    /// Where the rule stands.
    pub clause: Clause,
    /// The rule in our words.
    pub text: String,
    /// How strongly it is put.
    pub strength: String,
    /// Items as `path/of/file.rs::Type::item`.
    pub code: Vec<String>,
    /// Evidence.
    pub proof: Proof,
}

/// The test column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// Tests as `PACKAGE TARGET module::path::name`.
    Tests(Vec<String>),
    /// Not proven, for this reason.
    Gap(String),
}

/// Rows of one file, and what is wrong with its form.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Rows that could be read.
    pub rows: Vec<Row>,
    /// Rows that could not.
    pub findings: Vec<Finding>,
}

/// Reads the clause table of `file`.
#[must_use]
pub fn parse(file: &File) -> Parsed {
    let mut parsed = Parsed::default();
    let mut inside = false;
    let mut seen_table = false;
    for (line, text) in file.lines() {
        let cells = cells(text);
        if cells == ["Clause", "Strength", "Code", "Test"] {
            (inside, seen_table) = (true, true);
        } else if !text.starts_with('|') {
            inside = false;
        } else if inside && !is_rule(&cells) {
            match row(file, line, &cells) {
                Ok(row) => parsed.rows.push(row),
                Err(message) => parsed.findings.push(Finding::at(&file.path, line, message)),
            }
        }
    }
    if !seen_table {
        let message = "no table with the columns Clause, Strength, Code, Test";
        parsed.findings.push(Finding::at(&file.path, 0, message));
    }
    parsed.findings.extend(misplaced(file, &parsed.rows));
    parsed
}

/// Rows that belong to another file, and rules that are written twice.
fn misplaced(file: &File, rows: &[Row]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        if row.clause.table() != file.stem() {
            let message = format!("a row of {} in {}", row.clause, file.name());
            findings.push(Finding::at(&file.path, row.line, message));
        }
        let before = &rows[..position];
        if before.iter().any(|other| (&other.clause, &other.text) == (&row.clause, &row.text)) {
            findings.push(Finding::at(&file.path, row.line, "the same rule stands twice"));
        }
    }
    findings
}

fn row(file: &File, line: usize, cells: &[String]) -> Result<Row, String> {
    let [clause, strength, code, test] = cells else {
        return Err(format!("{} columns instead of 4", cells.len()));
    };
    let (clause, text) = Clause::split(clause)?;
    if text.is_empty() {
        return Err(format!("{clause}: the rule itself is missing"));
    }
    if !STRENGTHS.contains(&strength.as_str()) {
        return Err(format!("{clause}: strength `{strength}` is none of {}", STRENGTHS.join(", ")));
    }
    if (strength == "local") != (clause.table() == "local") {
        return Err(format!("{clause}: strength `local` and local.md belong together"));
    }
    let proof = match test.strip_prefix("gap:") {
        Some(reason) if reason.trim().len() >= SHORTEST_REASON => Proof::Gap(reason.trim().into()),
        Some(_) => return Err(format!("{clause}: a gap without a reason")),
        None => Proof::Tests(spans(test).ok_or(format!("{clause}: tests go in backticks"))?),
    };
    let code = match code.as_str() {
        "–" => Vec::new(),
        code => spans(code).ok_or(format!("{clause}: code goes in backticks, or `–`"))?,
    };
    if code.is_empty() && matches!(proof, Proof::Tests(_)) {
        return Err(format!("{clause}: proven, but by which code?"));
    }
    let (text, strength) = (text.to_owned(), strength.clone());
    Ok(Row { file: file.path.clone(), line, clause, text, strength, code, proof })
}

/// Cells of a table line, trimmed; `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let Some(line) = line.trim().strip_prefix('|') else {
        return Vec::new();
    };
    let line = line.strip_suffix('|').unwrap_or(line).replace("\\|", "\u{0}");
    line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

fn is_rule(cells: &[String]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|mark| "-: ".contains(mark)))
}

/// What stands in backticks, or `None` when anything but separators stands outside of them.
fn spans(cell: &str) -> Option<Vec<String>> {
    let cell = cell.replace("<br>", " ");
    let parts: Vec<&str> = cell.split('`').collect();
    let outside = parts.iter().step_by(2).all(|part| part.trim_matches([' ', ',']).is_empty());
    let inside = parts.iter().skip(1).step_by(2).map(|part| (*part).to_owned());
    let inside: Vec<String> = inside.collect();
    let whole = parts.len() % 2 == 1 && !inside.is_empty();
    (outside && whole && inside.iter().all(|span| !span.trim().is_empty())).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| Clause | Strength | Code | Test |\n| --- | --- | --- | --- |\n";

    fn parse_rows(rows: &str) -> Parsed {
        parse(&File::imagined("docs/conformance/rfc8762.md", &format!("# T\n\n{HEAD}{rows}\n")))
    }

    fn complaint(row: &str) -> String {
        let parsed = parse_rows(row);
        assert_eq!(parsed.findings.len(), 1, "{:?}", parsed.findings);
        parsed.findings[0].message.clone()
    }

    #[test]
    fn a_row_is_read() {
        let parsed = parse_rows(
            "| RFC 8762 §4.2.1 zero \\| one | MUST NOT | `a/b.rs::C::d` | `p lib x::y`<br>`p sim z` |",
        );
        assert_eq!(parsed.findings, []);
        let [row] = &parsed.rows[..] else { panic!("one row") };
        assert_eq!(row.clause.to_string(), "RFC 8762 §4.2.1");
        assert_eq!(row.text, "zero | one");
        assert_eq!(row.code, ["a/b.rs::C::d"]);
        assert_eq!(row.proof, Proof::Tests(vec!["p lib x::y".into(), "p sim z".into()]));
        assert_eq!((row.line, row.strength.as_str()), (5, "MUST NOT"));
    }

    #[test]
    fn a_gap_keeps_its_reason() {
        let parsed =
            parse_rows("| RFC 8762 §4.5 secrecy | MUST | – | gap: left to the transport |");
        assert_eq!(parsed.findings, []);
        assert_eq!(parsed.rows[0].proof, Proof::Gap("left to the transport".into()));
    }

    #[test]
    fn bad_rows_are_named() {
        let cases = [
            ("| RFC 8762 §4 x | MUST | `a` |", "3 columns instead of 4"),
            ("| RFC 8762 §4 x | MUST | `a` | `b` | c |", "5 columns instead of 4"),
            ("| RFC8762 §4 x | MUST | `a` | `b` |", "not a clause"),
            ("| RFC 8762 §4 | MUST | `a` | `b` |", "the rule itself is missing"),
            ("| RFC 8762 §4 x | WILL | `a` | `b` |", "none of MUST"),
            ("| RFC 8762 §4 x | local | `a` | `b` |", "belong together"),
            ("| RFC 8762 §4 x | MUST | `a` | gap: soon |", "without a reason"),
            ("| RFC 8762 §4 x | MUST | a | `b` |", "code goes in backticks"),
            ("| RFC 8762 §4 x | MUST | `a` | see `b` |", "tests go in backticks"),
            ("| RFC 8762 §4 x | MUST | `a` | |", "tests go in backticks"),
            ("| RFC 8762 §4 x | MUST | – | `b` |", "by which code?"),
            ("| RFC 8972 §4 x | MUST | `a` | `b` |", "a row of RFC 8972 §4 in rfc8762.md"),
        ];
        for (row, expected) in cases {
            let complaint = complaint(row);
            assert!(complaint.contains(expected), "{row}: {complaint}");
        }
    }

    #[test]
    fn the_same_rule_twice_is_found() {
        let row = "| RFC 8762 §4 x | MUST | `a` | `b` |";
        assert_eq!(complaint(&format!("{row}\n{row}")), "the same rule stands twice");
    }

    #[test]
    fn a_file_without_a_table_is_found() {
        let parsed =
            parse(&File::imagined("docs/conformance/rfc8762.md", "# Nothing\n\n| a | b |\n"));
        assert!(parsed.findings[0].message.starts_with("no table"));
    }

    #[test]
    fn other_tables_are_left_alone() {
        let parsed =
            parse_rows("| RFC 8762 §4 x | MUST | `a` | `b` |\n\n| a | b |\n| - | - |\n| 1 | 2 |");
        assert_eq!((parsed.rows.len(), parsed.findings.len()), (1, 0));
    }
}
