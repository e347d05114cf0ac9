use super::*;

fn kind(name: &str) -> Malformation {
    Malformation::named(name).unwrap_or_else(|| panic!("{name}"))
}

fn row(kind: Malformation, verdict: Verdict, deviation: Option<Conformity>) -> Row {
    Row {
        session: "far".to_owned(),
        kind: kind.name(),
        clause: kind.clause(),
        about: kind.about(),
        expected: kind.expected(),
        sent: 3,
        received: 3,
        conformant: if deviation.is_some() { 0 } else { 3 },
        deviating: if deviation.is_some() { 3 } else { 0 },
        verdict,
        seen: deviation.map(|deviation| text::seen(kind, deviation)),
    }
}

fn document() -> Document {
    let (unknown, length) = (kind("unknown-type"), kind("wrong-length"));
    let flags = TlvFlags::UNRECOGNIZED.with(TlvFlags::MALFORMED);
    let differs = Conformity::Differs { place: 0, flags };
    Document {
        schema_version: 1,
        malformed: vec![
            row(unknown, Verdict::Conformant, None),
            row(length, Verdict::Deviates, Some(differs)),
        ],
        left_out: vec!["hmac-wrong"],
    }
}

#[test]
fn what_deviates_is_told_with_what_was_expected() {
    let text = document().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "far");
    assert!(lines[1].starts_with("unknown-type        RFC 8972 §4      ok "), "{text}");
    assert!(lines[2].contains("WRONG   a Class of Service TLV of 3 octets"), "{text}");
    assert!(
        lines[3].ends_with(
            "3 of 3 replies: TLV 1 (type 4) came back with flags U and M, or another value"
        ),
        "{text}"
    );
    assert!(lines[4].contains("expected: M, and what follows"), "{text}");
    assert!(text.contains("\n1 of 2 answered as the RFC asks\nleft out: hmac-wrong"), "{text}");
}

#[test]
fn the_list_has_every_kind_with_its_clause() {
    let list = text::list();
    for kind in Malformation::all() {
        assert!(list.contains(kind.name()) && list.contains(kind.clause()), "{}", kind.name());
    }
    assert!(list.contains("an HMAC TLV in front of others; with keys only"), "{list}");
}

#[test]
fn all_leaves_out_what_does_not_fit_and_one_that_is_named_is_refused() {
    let (open, left_out) = kinds(&[MalformedWord::All], false).unwrap();
    assert!(open.iter().all(|kind| kind.fits(false)));
    assert_eq!(left_out, ["hmac-wrong", "hmac-misplaced", "hmac-twice"]);
    let (_, left_out) = kinds(&[MalformedWord::All], true).unwrap();
    assert_eq!(left_out, ["past-end", "past-end-padding", "short-header"]);
    let word = |name| MalformedWord::Kind(kind(name));
    let (two, none) = kinds(&[word("wrong-length"), word("unknown-type")], false).unwrap();
    assert_eq!(two, [kind("unknown-type"), kind("wrong-length")], "in the order of the clauses");
    assert!(none.is_empty());
    for (name, keyed) in [("hmac-wrong", false), ("past-end", true)] {
        let refused = kinds(&[word(name)], keyed).unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}

#[test]
fn flags_are_told_by_their_letters() {
    let seen = |flags| {
        text::seen(kind("unknown-type"), Conformity::Differs { place: 1, flags: TlvFlags(flags) })
    };
    assert_eq!(seen(0), "TLV 2 (type 1) came back with no flag");
    assert_eq!(seen(0x05), "TLV 2 (type 1) came back with reserved flags (0x05)");
    assert!(seen(0xf0).ends_with("flags U and M and I and C, or another value"));
}

#[test]
fn a_document_keeps_to_its_schema() {
    let schema = crate::output::schema::text(crate::command_line::SchemaFormat::Malformed);
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document().json()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{document:#}");
    assert!(!validator.is_valid(&serde_json::json!({"schema_version": 1, "malformed": [{}]})));
}
