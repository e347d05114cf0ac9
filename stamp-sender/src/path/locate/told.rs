//! What was found, for people.

use std::fmt::Write as _;

use stamp_path::Topology;
use stamp_path::locate::{Cause, Located, Suspect};

use super::Judged;
use crate::explain::percent;
use crate::output::duration::delay;

/// How bad a suspect is, in words.
type Severity<'a> = &'a dyn Fn(&Suspect) -> String;

/// Most names of a list.
const MOST: usize = 8;

/// Both symptoms, and what cannot be told.
pub(super) fn text(topology: &Topology, judged: &Judged) -> String {
    let lost = |suspect: &Suspect| format!("loses {}", percent(suspect.severity));
    let late = |suspect: &Suspect| {
        #[expect(clippy::cast_possible_truncation, reason = "a delay of less than 292 years")]
        let ns = suspect.severity as i64;
        format!("adds {}", delay(ns))
    };
    let symptoms: [(_, _, Severity<'_>); 2] =
        [("loss", &judged.loss, &lost), ("delay", &judged.delay, &late)];
    let mut text = String::new();
    for (symptom, located, severity) in symptoms {
        let all = judged.names.len();
        // Writing to a string does not fail.
        let _ = match located.bad.len() {
            0 => writeln!(text, "{symptom}: nothing unusual in {all} sessions"),
            bad => writeln!(text, "{symptom}: unusual in {bad} of {all} sessions"),
        };
        text.push_str(&explanation(topology, located, severity));
        let unexplained = located.unexplained.iter().filter_map(|it| judged.names.get(*it));
        let unexplained: Vec<&str> = unexplained.map(String::as_str).collect();
        if !unexplained.is_empty() {
            let _ = writeln!(text, "  not explained: {}", some(&unexplained));
        }
    }
    let unwatched = judged.loss.unwatched.iter().filter_map(|cause| match cause {
        Cause::Link(link) => Some(topology[*link].name.as_str()),
        _ => None,
    });
    let unwatched: Vec<&str> = unwatched.collect();
    if !unwatched.is_empty() {
        let _ = writeln!(text, "no session passes {}", some(&unwatched));
    }
    for (session, reason) in &judged.left_out {
        let _ = writeln!(text, "left out: {session}: {reason}");
    }
    text
}

fn explanation(topology: &Topology, located: &Located, severity: Severity<'_>) -> String {
    let mut text = String::new();
    for suspect in &located.suspects {
        let _ = writeln!(
            text,
            "  {} {}, {} sure",
            words(topology, suspect),
            severity(suspect),
            percent(suspect.confidence)
        );
        if let Some(member) = &suspect.member {
            let others = member.others.iter().map(|hop| topology[hop.link].name.as_str());
            let _ = writeln!(
                text,
                "    {} chooses among {} and {}: some flows take it",
                topology[member.at].name,
                topology[member.hop.link].name,
                others.collect::<Vec<_>>().join(", ")
            );
        }
    }
    if located.suspects.is_empty() && !located.bad.is_empty() {
        text.push_str("  no link or node explains it\n");
    }
    for other in located.others.iter().take(MOST) {
        let _ = writeln!(
            text,
            "  or else {}, {} sure",
            words(topology, other),
            percent(other.confidence)
        );
    }
    text
}

/// What a suspect may be. A link and its directions are one thing, of which less is known.
fn words(topology: &Topology, suspect: &Suspect) -> String {
    let is_whole = |link| suspect.causes.contains(&Cause::Link(link));
    let has_direction = |link| {
        let of_link = |cause: &Cause| matches!(cause, Cause::Direction(hop) if hop.link == link);
        suspect.causes.iter().any(of_link)
    };
    let one = |cause: &Cause| match cause {
        Cause::Direction(hop) if is_whole(hop.link) => None,
        Cause::Link(link) if has_direction(*link) => {
            Some(format!("{} in one direction or both", cause.in_words(topology)))
        }
        _ => Some(cause.in_words(topology)),
    };
    let words: Vec<String> = suspect.causes.iter().filter_map(one).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [only] => only.to_owned(),
        _ => format!("one of these, which no session tells apart: {}:", some(&words)),
    }
}

/// The first of many names.
fn some(names: &[&str]) -> String {
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
