use super::*;
use crate::conformance::table;

const LISTED: [(u32, Listing); 3] =
    [(8762, Listing::Table), (9503, Listing::Later), (1624, Listing::Background)];

fn rows() -> Vec<Row> {
    let table = "| Clause | Strength | Code | Test |\n|---|---|---|---|\n\
        | RFC 8762 §4.2.1 a | MUST | `a` | `b` |\n| RFC 8762 §4.4 b | MUST | – | gap: not done at all |\n";
    table::parse(&File::imagined("docs/conformance/rfc8762.md", table)).rows
}

fn faults(line: &str) -> Vec<String> {
    line_faults(line, &rows(), &LISTED)
}

#[test]
fn a_row_backs_its_own_section_and_those_above() {
    for line in ["RFC 8762 §4.2.1", "(RFC 8762 §4.2.1).", "see RFC 8762 §4.2.", "RFC 8762 §4"] {
        assert_eq!(faults(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_row_backs_nothing_below_or_beside_it() {
    for section in ["4.4.1", "4.2.10", "4.3", "5", "42"] {
        let faults = faults(&format!("// RFC 8762 §{section}: why"));
        assert_eq!(faults.len(), 1, "{section}");
        assert!(faults[0].contains(&format!("§{section} has no row")), "{faults:?}");
    }
}

#[test]
fn two_citations_in_a_line_are_both_checked() {
    assert_eq!(faults("RFC 8762 §4.4 and RFC 8762 §6").len(), 1);
    assert_eq!(faults("RFC 8762 §4.4, RFC 8762 §4.2.1").len(), 0);
}

#[test]
fn every_section_of_a_list_is_checked() {
    assert_eq!(faults("RFC 8762 §4.4, §4.2.1 and §4.2.").len(), 0);
    assert!(faults("RFC 8762 §4.4 and §4.5")[0].contains("§4.5 has no row"));
    assert!(faults("RFC 8762 §4.4, §4.2.1, and §7")[0].contains("§7 has no row"));
    assert!(faults("RFC 8762 §4.4; §4.2.1")[0].contains("belongs to no RFC"));
}

#[test]
fn other_spellings_are_refused() {
    let wrong =
        ["RFC8762 §4.4", "RFC-8762", "RFC 8762 §", "RFC 8762 Section 4.4", "RFC 8762, section 4.4"];
    for line in wrong {
        assert!(!faults(line).is_empty(), "{line}");
    }
    assert!(faults("see §4.4")[0].contains("belongs to no RFC"));
}

#[test]
fn words_that_only_look_alike_pass() {
    for line in ["RFC_OFFSET", "the RFC says", "RFCs", "draft-ietf-ippm-stamp-yang §3", "RFC 8762"]
    {
        assert_eq!(faults(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn an_rfc_must_be_listed() {
    assert!(faults("RFC 768")[0].contains("not listed"));
    assert_eq!(faults("RFC 9503 §4.1.1"), Vec::<String>::new());
    assert!(faults("RFC 1624 §3")[0].contains("background"));
    assert_eq!(faults("RFC 1624"), Vec::<String>::new());
}

#[test]
fn the_index_is_read() {
    let index = File::imagined(
        "docs/conformance/README.md",
        "| RFC | Title | Table |\n| --- | --- | --- |\n\
         | RFC 8762 | STAMP | [rfc8762.md](rfc8762.md) |\n| RFC 9503 | SR | later |\n\
         | RFC 1624 | Checksum | background |\n| RFC 1 | x | [rfc2.md](rfc2.md) |\n",
    );
    assert_eq!(listings(&index), LISTED);
}

#[test]
fn a_finding_names_file_and_line() {
    let file = File::imagined("a.rs", "//! fine\n// RFC 8762 §9\n");
    let found = check(&[file], &rows(), &LISTED);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].file.as_str(), found[0].line), ("a.rs", 2));
}
