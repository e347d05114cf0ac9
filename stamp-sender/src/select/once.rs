//! `--once`: one decision, as a table or as JSON.

use std::io::Write as _;

use stamp_metrics::table::{Asked, Row, Table};
use stamp_path::selection::Standing;

use crate::Ended;
use crate::exit::{Failure, Status};
use crate::output::instant::Instant;
use crate::paths::ShownPolicy;

/// Prints it; the status says whether every policy has what its class needs.
pub(super) fn tell(shown: &[ShownPolicy], rows: Vec<Row>, json: bool) -> Ended {
    let text = if json { document(rows) } else { lines(shown) };
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    let is_good = |policy: &ShownPolicy| policy.choice.standing == Standing::Good.label();
    Ok(if shown.iter().all(is_good) { Status::Done } else { Status::Unmet })
}

/// The same as at /api/v1/paths.
fn document(rows: Vec<Row>) -> String {
    let table = Table::new(|| Instant(stamp_worker::now().wall).to_string());
    table.publish(rows);
    table.document(&Asked::default()) + "\n"
}

/// A policy a line, with its candidate paths below it.
pub(super) fn lines(shown: &[ShownPolicy]) -> String {
    let mut text = String::new();
    for policy in shown {
        let active = policy.active.as_deref().unwrap_or("none");
        let standing = policy.choice.standing;
        text.push_str(&format!("{}: {active} ({standing})\n", policy.name));
        for candidate in &policy.candidates {
            let mark = if policy.active.as_ref() == Some(&candidate.name) { '*' } else { ' ' };
            let (name, preference) = (&candidate.name, candidate.preference);
            let (word, words) = &candidate.eligibility;
            let reason = if word == words { String::new() } else { format!(": {words}") };
            text.push_str(&format!("  {mark} {name}  preference {preference}  {word}{reason}\n"));
        }
    }
    text
}
