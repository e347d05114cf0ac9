//! Checks of the house itself: clause tables, crate arrows, purity, shape of files, guide pages.
//!
//! Every check is a pure function from what was read (a file's text, a manifest, a list of tests)
//! to [`Finding`]s, so that each can be shown to fail on bad input; the `conformance` test target
//! feeds them this repository.

use core::fmt;

pub mod arrows;
pub mod citation;
pub mod evidence;
pub mod guide;
pub mod index;
pub mod log;
pub mod names;
pub mod purity;
pub mod readme;
pub mod shape;
pub mod table;
pub mod tlv_types;
pub mod tree;
pub mod workspace;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Finding {
    /// File relative to the repository root.
    pub file: String,
    /// Line from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Finding {
    /// A finding at `line` of `file`.
    pub fn at(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Fails the running test with one line per finding.
///
/// # Panics
///
/// When `findings` is not empty.
#[track_caller]
pub fn assert_none(mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} finding(s):\n{}", lines.len(), lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "1 finding(s):\nREADME.md:3: too long")]
    fn a_finding_fails_the_test_once() {
        let finding = Finding::at("README.md", 3, "too long");
        assert_none(vec![finding.clone(), finding]);
    }

    #[test]
    fn no_finding_passes() {
        assert_none(Vec::new());
    }
}
