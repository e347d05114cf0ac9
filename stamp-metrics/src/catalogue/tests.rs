//! The rules that names follow, and the list of all names.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

/// Words that stand for another in a name, and those that no name holds.
const NOT_IN_A_NAME: [&str; 13] = [
    "ms",
    "us",
    "ns",
    "msec",
    "usec",
    "sec",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "kb",
    "percent",
    "counter",
    "gauge",
];

fn words(metric: &Metric) -> impl Iterator<Item = &'static str> {
    metric.name.split('_')
}

#[test]
fn every_name_is_in_snake_case_and_unique() {
    let mut seen = BTreeSet::new();
    for metric in all() {
        assert!(seen.insert(metric.name), "{} twice", metric.name);
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(metric.name.chars().all(is_plain), "{}", metric.name);
        assert!(metric.name.starts_with("stamp_") || metric.name.starts_with("process_"));
        assert!(words(metric).all(|word| !NOT_IN_A_NAME.contains(&word)), "{}", metric.name);
    }
}

#[test]
fn counters_and_nothing_else_end_with_total() {
    for metric in all() {
        let is_counter = metric.kind == Kind::Counter;
        assert_eq!(metric.name.ends_with("_total"), is_counter, "{}", metric.name);
        let reserved = ["_count", "_sum", "_bucket"];
        assert!(reserved.iter().all(|end| !metric.name.ends_with(end)), "{}", metric.name);
    }
}

#[test]
fn the_unit_stands_in_the_name() {
    for metric in all() {
        let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
        if let Some(suffix) = metric.unit.suffix() {
            assert!(name.ends_with(suffix), "{}", metric.name);
            continue;
        }
        let units = ["_seconds", "_ratio", "_bytes", "_info"];
        assert!(units.iter().all(|unit| !name.ends_with(unit)), "{}", metric.name);
    }
}

#[test]
fn help_is_a_sentence() {
    for metric in all() {
        let help = metric.help;
        assert!(help.starts_with(char::is_uppercase) && help.ends_with('.'), "{}", metric.name);
        assert!(!help.contains(['\n', '\\']), "{}", metric.name);
    }
}

#[test]
fn labels_are_plain_and_say_nothing_that_the_name_says() {
    for metric in all() {
        let unique: BTreeSet<_> = metric.labels.iter().collect();
        assert_eq!(unique.len(), metric.labels.len(), "{}", metric.name);
        for label in metric.labels {
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(label.chars().all(is_plain) && !label.starts_with('_'), "{label}");
            assert!(!["job", "instance", "le", "quantile"].contains(label), "{}", metric.name);
        }
    }
}

#[test]
fn labels_of_sessions_begin_with_its_name() {
    assert!(
        OF_SESSIONS
            .iter()
            .chain(OF_ANNOUNCEMENTS)
            .all(|metric| metric.labels.first() == Some(&"session"))
    );
}

#[test]
fn what_operators_call_their_labels_hides_none_of_ours() {
    for name in ["session", "direction", "reason", "job", "quantile", "reflector_mode"] {
        assert!(is_reserved_label(name), "{name}");
    }
    assert!(!is_reserved_label("site"));
}

/// Dashboards, rules and alerts of others are built on this list. What changes in it is told in
/// CHANGELOG.md; `STAMP_GOLDEN=write cargo test` writes it anew.
#[test]
fn the_list_of_names_is_what_was_promised() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/metrics.txt");
    let mut text = String::new();
    for metric in all() {
        let labels = metric.labels.join(",");
        writeln!(text, "{} {} {{{labels}}}", metric.kind.label(), metric.name).unwrap();
    }
    if std::env::var_os("STAMP_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(path, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text == wanted, "{path} differs: tell it in CHANGELOG.md; it is now:\n{text}");
}
