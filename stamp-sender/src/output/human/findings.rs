//! Findings as people read them: a mark, the sentence, and below it the line that mends.

use super::table::wrap;
use crate::output::paint::Paint;
use crate::output::record::{FindingRecord, SessionRecord, Severity};

/// Widest line.
const WIDTH: usize = 80;

/// All findings of a session, or nothing.
#[must_use]
pub fn text(record: &SessionRecord, paint: Paint) -> String {
    record.findings.iter().map(|finding| one(finding, paint)).collect()
}

fn one(finding: &FindingRecord, paint: Paint) -> String {
    let mark = match finding.severity {
        // They have numbers of their own.
        _ if finding.kind == "silent_cause" => "   ",
        Severity::Error => "!! ",
        Severity::Warning => " ! ",
        Severity::Note => " - ",
    };
    let colour = |line: &str| match finding.severity {
        Severity::Error => paint.bad(line),
        Severity::Warning => paint.odd(line),
        Severity::Note => line.to_owned(),
    };
    let mut text = String::new();
    for (place, line) in wrap(&finding.text, WIDTH - 3).iter().enumerate() {
        let mark = if place == 0 { mark } else { "   " };
        text.push_str(&format!("{}\n", colour(&format!("{mark}{line}"))));
    }
    if finding.remedy.is_empty() {
        return text;
    }
    for (place, line) in wrap(&finding.remedy, WIDTH - 6).iter().enumerate() {
        let arrow = if place == 0 { "   -> " } else { "      " };
        text.push_str(&format!("{arrow}{}\n", paint.strong(line)));
    }
    text
}
