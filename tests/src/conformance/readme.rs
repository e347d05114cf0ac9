//! What the README promises: its length, its two commands, the count of gaps.

use super::Finding;
use super::evidence::Count;
use super::tree::File;

/// One screen too many and nobody reads it.
const LONGEST: usize = 150;

/// The commands that must work in a fresh clone.
const COMMANDS: [&str; 2] =
    ["cargo run --release --bin stamp-sender -- demo", "cargo test --workspace"];

/// The sentence about the tables, which must be in the README word for word.
#[must_use]
pub fn sentence(count: Count) -> String {
    format!(
        "{} clauses are listed in [docs/conformance](docs/conformance/README.md), {} of them are gaps.",
        count.clauses, count.gaps
    )
}

/// Findings in the README.
#[must_use]
pub fn check(readme: &File, count: Count) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fault = |message: String| findings.push(Finding::at(&readme.path, 0, message));
    let lines = readme.lines().count();
    if lines >= LONGEST {
        fault(format!("{lines} lines; it stays under {LONGEST}"));
    }
    for command in COMMANDS {
        if !readme.lines().any(|(_, line)| line.trim().trim_start_matches("$ ") == command) {
            fault(format!("no line with the command `{command}`"));
        }
    }
    let sentence = sentence(count);
    if !readme.lines().any(|(_, line)| line == sentence) {
        fault(format!("the count of gaps is stale; the line must read: {sentence}"));
    }
    findings
}

/// Findings in the index of the tables: the count of every table stands in its line.
#[must_use]
pub fn check_index(index: &File, table: &str, count: Count) -> Option<Finding> {
    let name = table.rsplit('/').next().unwrap_or(table);
    let cells = format!("| {} | {} |", count.clauses, count.gaps);
    let line = index.lines().find(|(_, line)| line.contains(&format!("({name})")));
    match line {
        None => Some(Finding::at(&index.path, 0, format!("`{name}` is not listed"))),
        Some((_, line)) if line.contains(&cells) => None,
        Some((number, _)) => {
            let message = format!("the counts of `{name}` are stale: `{cells}`");
            Some(Finding::at(&index.path, number, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: Count = Count { clauses: 9, gaps: 2 };

    fn good() -> String {
        format!("# T\n\n    {}\n    $ {}\n\n{}\n", COMMANDS[0], COMMANDS[1], sentence(COUNT))
    }

    fn messages(text: &str) -> Vec<String> {
        let findings = check(&File::imagined("README.md", text), COUNT);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_good_one_passes() {
        assert_eq!(messages(&good()), [""; 0]);
    }

    #[test]
    fn a_long_one_is_found() {
        assert_eq!(messages(&(good() + &"\n".repeat(150))), ["156 lines; it stays under 150"]);
    }

    #[test]
    fn a_missing_command_is_found() {
        let without = good().replace("-- demo", "-- --demo");
        assert!(messages(&without)[0].starts_with("no line with the command"));
    }

    #[test]
    fn a_stale_count_is_found() {
        let stale = good().replace(", 2 of", ", 1 of");
        assert!(messages(&stale)[0].contains("9 clauses are listed"));
    }

    #[test]
    fn the_index_counts_each_table() {
        let index = File::imagined("i", "| RFC 8762 | x | 9 | 2 | [rfc8762.md](rfc8762.md) |\n");
        assert_eq!(check_index(&index, "docs/conformance/rfc8762.md", COUNT), None);
        let stale = Count { clauses: 9, gaps: 3 };
        assert!(check_index(&index, "docs/conformance/rfc8762.md", stale).is_some());
        assert!(check_index(&index, "docs/conformance/rfc1.md", COUNT).is_some());
    }
}
