//! Words for how a far end answers TLVs that are wrong.

use core::fmt::Write as _;

use super::{Conformity, Document, Malformation, Row, TlvFlags, Verdict};

/// Every kind, with its clause and what has to come back.
pub(super) fn list() -> String {
    let mut text = String::new();
    for kind in Malformation::all() {
        let needs = match (kind.fits(false), kind.fits(true)) {
            (false, _) => "; with keys only",
            (_, false) => "; without keys only",
            _ => "",
        };
        push(&mut text, kind.name(), kind.clause(), &format!("{}{needs}", kind.about()));
        behind(&mut text, kind.expected());
    }
    text
}

/// What was not as expected.
pub(super) fn seen(kind: Malformation, deviation: Conformity) -> String {
    match deviation {
        Conformity::Conformant => "as expected".to_owned(),
        Conformity::Unsupported => "all as it was sent: the far end knows no TLVs".to_owned(),
        Conformity::Missing => "fewer octets than were sent".to_owned(),
        Conformity::Differs { place, flags } => {
            let name =
                kind.kind_at(place).map_or_else(String::new, |kind| format!(" (type {})", kind.0));
            format!("TLV {}{name} came back with {}", place.saturating_add(1), flag_words(flags))
        }
    }
}

fn flag_words(flags: TlvFlags) -> String {
    let named = [
        (TlvFlags::UNRECOGNIZED, "U"),
        (TlvFlags::MALFORMED, "M"),
        (TlvFlags::INTEGRITY, "I"),
        (TlvFlags::CONFORMANCE, "C"),
    ];
    let set: Vec<&str> =
        named.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    let reserved = named.iter().fold(flags, |left, (flag, _)| left.without(*flag));
    match (set.as_slice(), reserved.0) {
        ([], 0) => "no flag".to_owned(),
        ([], bits) => format!("reserved flags ({bits:#04x})"),
        (set, 0) => format!("flags {}, or another value", set.join(" and ")),
        (set, bits) => format!("flags {} and reserved ones ({bits:#04x})", set.join(", ")),
    }
}

impl Document {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut session = "";
        for row in &self.malformed {
            if session != row.session {
                session = &row.session;
                let _ = writeln!(text, "{session}");
            }
            push_row(&mut text, row);
        }
        let met = self.malformed.iter().filter(|row| row.verdict == Verdict::Conformant).count();
        let _ = writeln!(text, "\n{met} of {} answered as the RFC asks", self.malformed.len());
        if !self.left_out.is_empty() {
            let _ = writeln!(
                text,
                "left out: {} (an HMAC TLV is needed there, or cannot be reached)",
                self.left_out.join(", ")
            );
        }
        text
    }
}

fn push_row(text: &mut String, row: &Row) {
    let verdict = match row.verdict {
        Verdict::Conformant => "ok",
        Verdict::Deviates => "WRONG",
        Verdict::Silent => "SILENT",
    };
    push(text, row.kind, row.clause, &format!("{verdict:6}  {}", row.about));
    if let Some(seen) = &row.seen {
        behind(text, &format!("{} of {} replies: {seen}", row.deviating, row.received));
    }
    if row.verdict != Verdict::Conformant {
        behind(text, &format!("expected: {}", row.expected));
    }
}

fn push(text: &mut String, name: &str, clause: &str, rest: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name:18}  {clause:15}  {rest}");
}

fn behind(text: &mut String, rest: &str) {
    let _ = writeln!(text, "{:18}  {:15}  {rest}", "", "");
}
