//! Names that others build on: of metrics, of keys in files and in JSON.
//!
//! `docs/names.txt` has those of the last release. What differs from them is told in the changelog, by
//! name, under `[Unreleased]`; a release writes the list anew.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::tree::File;

/// The list.
pub const LIST: &str = "docs/names.txt";
/// Lists that tests of the crates keep right, and what a line of each names.
const LISTS: [(&str, &str); 6] = [
    ("stamp-metrics/reference/metrics.txt", "metric"),
    ("stamp-sender/reference/keys.txt", "key of run"),
    ("stamp-path/reference/topology-keys.txt", "key of topology"),
    ("stamp-reflector/reference/keys.txt", "key of reflector"),
    ("stamp-sender/reference/session-keys.txt", "key of run"),
    ("stamp-sender/reference/flags.txt", "flag of"),
];
/// Where the schemas of what is told lie, what a line of each names, and the program that prints them.
const SCHEMAS: [(&str, &str, &str); 2] = [
    ("stamp-sender/schemas/", "JSON", "stamp-sender"),
    ("stamp-reflector/schemas/", "JSON of reflector", "stamp-reflector"),
];

/// Every name there is, a line each as the list has them: what it is a name of, a blank, the name.
#[must_use]
pub fn current(files: &[File]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, kind) in LISTS {
        let lines = files.iter().filter(|file| file.path == path).flat_map(File::lines);
        names.extend(lines.map(|(_, line)| format!("{kind} {line}")));
    }
    for (folder, kind, _) in SCHEMAS {
        for file in files.iter().filter(|file| file.path.starts_with(folder)) {
            let schema: Value = serde_json::from_str(file.text()).unwrap_or_default();
            properties(&schema, &format!("{kind} {}", file.stem()), &mut names);
        }
    }
    names
}

/// Every property of a schema, behind the objects it lies in.
fn properties(schema: &Value, path: &str, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (word, inner) in map {
                match (word.as_str(), inner) {
                    ("properties", Value::Object(keys)) => {
                        for (key, inner) in keys {
                            let path = format!("{path}.{key}");
                            properties(inner, &path, names);
                            names.insert(path);
                        }
                    }
                    ("$defs", Value::Object(parts)) => {
                        for (part, inner) in parts {
                            properties(inner, &format!("{path}.{part}"), names);
                        }
                    }
                    _ => properties(inner, path, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, path, names)),
        _ => {}
    }
}

/// Names that were added or taken away and are not told.
#[must_use]
pub fn check(current: &BTreeSet<String>, list: &File, changelog: &File) -> Vec<Finding> {
    let promised: BTreeSet<String> = list.lines().map(|(_, line)| line.to_owned()).collect();
    let told = unreleased(changelog.text());
    // A schema that is new as a whole is told by its own name.
    let is_of_new_schema = |line: &str| {
        // The last first: its kind begins with that of the other.
        let schema = SCHEMAS.iter().rev().find_map(|(_, kind, program)| {
            let name = line.strip_prefix(kind)?.strip_prefix(' ')?;
            Some((kind, program, name.split('.').next()?))
        });
        schema.is_some_and(|(kind, program, schema)| {
            let of_it = format!("{kind} {schema}.");
            told.contains(&format!("`{program} schema {schema}`"))
                && !promised.iter().any(|line| line.starts_with(&of_it))
        })
    };
    let untold =
        |line: &&String| !told.contains(&format!("`{}`", leaf(line))) && !is_of_new_schema(line);
    let gone = promised.difference(current).filter(untold).map(|line| (line, "is gone"));
    let new = current.difference(&promised).filter(untold).map(|line| (line, "is new"));
    gone.chain(new)
        .map(|(line, what)| {
            let message = format!("{line} {what}: name `{}` under [Unreleased]", leaf(line));
            Finding::at(&changelog.path, 0, message)
        })
        .collect()
}

/// The part of a name that the changelog has to have.
fn leaf(line: &str) -> &str {
    // `gauge NAME {labels}` of a metric.
    let name = match line.strip_prefix("metric ") {
        Some(metric) => metric.split(' ').nth(1).unwrap_or(metric),
        None => line.rsplit(' ').next().unwrap_or(line),
    };
    if line.starts_with("flag of ") {
        return name;
    }
    name.rsplit('.').next().unwrap_or(name)
}

/// What stands under `[Unreleased]`.
fn unreleased(changelog: &str) -> &str {
    let begin = changelog.find("## [Unreleased]").map_or(0, |at| at + 1);
    let rest = &changelog[begin..];
    rest.find("\n## [").map_or(rest, |end| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(list: &str, changelog: &str) -> Vec<String> {
        let files = [
            File::imagined(LISTS[0].0, "gauge stamp_a {session}\n"),
            File::imagined(LISTS[1].0, "session[].target\n"),
            File::imagined(
                "stamp-sender/schemas/json.json",
                r#"{"$defs": {"delay": {"properties": {"p50": {}}}},
                    "properties": {"packets": {"properties": {"lost": {}}}}}"#,
            ),
        ];
        let (list, changelog) =
            (File::imagined(LIST, list), File::imagined("CHANGELOG.md", changelog));
        check(&current(&files), &list, &changelog).into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn a_flag_is_told_as_it_is_typed() {
        let files = [File::imagined(LISTS[5].0, "stamp-sender run --web.listen-address\n")];
        let current = current(&files);
        let findings = |changelog: &str| {
            let changelog = File::imagined("CHANGELOG.md", changelog);
            check(&current, &File::imagined(LIST, ""), &changelog).len()
        };
        assert_eq!(findings("## [Unreleased]\n- `listen-address`\n"), 1);
        assert_eq!(findings("## [Unreleased]\n- `--web.listen-address`\n"), 0);
    }

    const ALL: &str = "metric gauge stamp_a {session}\nkey of run session[].target\n\
                       JSON json.delay.p50\nJSON json.packets\nJSON json.packets.lost\n";

    #[test]
    fn what_was_promised_needs_no_word() {
        assert_eq!(findings(ALL, "## [Unreleased]\n"), [] as [&str; 0]);
    }

    #[test]
    fn what_is_new_is_told_by_name() {
        let list = ALL.replace("metric gauge stamp_a {session}\n", "");
        let untold = findings(&list, "## [Unreleased]\n\n## [0.1.0]\n- `stamp_a`\n");
        let message = "metric gauge stamp_a {session} is new: name `stamp_a` under [Unreleased]";
        assert_eq!(untold, [message]);
        assert!(findings(&list, "## [Unreleased]\n- `stamp_a` tells that.\n").is_empty());
    }

    #[test]
    fn what_is_gone_is_told_by_name() {
        let list = format!("{ALL}key of run session[].goal\n");
        let untold = findings(&list, "## [Unreleased]\n");
        assert_eq!(untold, ["key of run session[].goal is gone: name `goal` under [Unreleased]"]);
        assert!(findings(&list, "## [Unreleased]\n- `goal` is now `target`.\n").is_empty());
    }

    #[test]
    fn a_schema_that_is_new_is_told_by_its_name() {
        let list = "metric gauge stamp_a {session}\nkey of run session[].target\n";
        assert_eq!(findings(list, "## [Unreleased]\n").len(), 3);
        assert!(findings(list, "## [Unreleased]\n- `stamp-sender schema json`\n").is_empty());
        let list = format!("{list}JSON json.packets\n");
        assert_eq!(findings(&list, "## [Unreleased]\n- `stamp-sender schema json`\n").len(), 2);
    }

    #[test]
    fn the_schemas_of_the_reflector_are_its_own() {
        let schema = r#"{"properties": {"draining": {}}}"#;
        let files = [File::imagined("stamp-reflector/schemas/json.json", schema)];
        let current = current(&files);
        assert_eq!(current.iter().collect::<Vec<_>>(), ["JSON of reflector json.draining"]);
        let findings = |changelog: &str| {
            let changelog = File::imagined("CHANGELOG.md", changelog);
            check(&current, &File::imagined(LIST, ""), &changelog).len()
        };
        assert_eq!(findings("## [Unreleased]\n- `stamp-sender schema json`\n"), 1);
        assert_eq!(findings("## [Unreleased]\n- `stamp-reflector schema json`\n"), 0);
        assert_eq!(findings("## [Unreleased]\n- `draining`\n"), 0);
    }

    #[test]
    fn a_metric_with_another_label_is_another() {
        let list = ALL.replace("{session}", "{session,direction}");
        assert_eq!(findings(&list, "## [Unreleased]\n").len(), 2);
    }
}
