//! Target groups as Prometheus has them, in files and over HTTP.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Targets that one place may name.
const MOST: usize = 100_000;

/// A far end that was discovered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Where it is, as it was written.
    pub address: String,
    /// What is said of it.
    pub labels: BTreeMap<String, String>,
}

/// How groups are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notation {
    /// `.json`, and whatever comes over HTTP.
    Json,
    /// `.yml` and `.yaml`.
    Yaml,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    targets: Vec<String>,
    labels: Option<BTreeMap<String, Word>>,
}

/// YAML has numbers where nobody meant one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Truth(bool),
    Whole(i64),
    Broken(f64),
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Truth(truth) => truth.to_string(),
            Self::Whole(number) => number.to_string(),
            Self::Broken(number) => number.to_string(),
        }
    }
}

/// Reads a list of groups.
///
/// # Errors
///
/// What is wrong with the text.
pub fn read(text: &str, notation: Notation) -> Result<Vec<Target>, String> {
    let groups: Vec<Group> = match notation {
        Notation::Json => serde_json::from_str(text).map_err(|error| error.to_string())?,
        // An empty file is an empty list.
        Notation::Yaml if text.trim().is_empty() => Vec::new(),
        Notation::Yaml => serde_saphyr::from_str(text).map_err(|error| error.to_string())?,
    };
    let mut targets = Vec::new();
    for group in groups {
        let labels = group.labels.unwrap_or_default().into_iter();
        let labels: BTreeMap<_, _> = labels.map(|(name, word)| (name, word.text())).collect();
        let of_group = |address| Target { address, labels: labels.clone() };
        targets.extend(group.targets.into_iter().map(of_group));
        if targets.len() > MOST {
            return Err(format!("more than {MOST} targets"));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_same_in_both_notations() {
        let json = r#"[{"targets": ["192.0.2.1:862", "r2"], "labels": {"site": "ams", "rack": "7"}},
                       {"targets": ["r3"]}, {"targets": []}]"#;
        let yaml = "- targets: ['192.0.2.1:862', r2]\n  labels:\n    site: ams\n    rack: 7\n\
                    - targets: [r3]\n- targets: []\n";
        let targets = read(json, Notation::Json).unwrap();
        assert_eq!(targets, read(yaml, Notation::Yaml).unwrap());
        assert_eq!(targets.len(), 3);
        assert_eq!((targets[1].address.as_str(), targets[1].labels["rack"].as_str()), ("r2", "7"));
        assert!(targets[2].labels.is_empty());
        assert_eq!(read("", Notation::Yaml), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_groups_is_refused_with_its_place() {
        for (text, notation) in [
            ("", Notation::Json),
            ("{}", Notation::Json),
            ("[{\"target\": [\"r1\"]}]", Notation::Json),
            ("[{\"targets\": \"r1\"}]", Notation::Json),
            ("- targets: r1\n", Notation::Yaml),
            ("- targets: [r1\n", Notation::Yaml),
        ] {
            let error = read(text, notation).unwrap_err();
            assert!(error.contains("line"), "{text}: {error}");
        }
    }
}
