//! What a file may hold, for programs.

use serde_json::Value;

use super::Configuration;
use super::settings::keys;

/// A JSON Schema of the file.
pub fn schema() -> Value {
    Configuration::outline().json_schema("configuration of stamp-sender run", |path| {
        let own = ["webhook", "hook", "client", "reflector", "probe", "writer", "write", "select"];
        if own.iter().any(|table| path.starts_with(table)) {
            return None;
        }
        // Sessions, profiles and defaults take the flags of an ad hoc run.
        let key = path.rsplit('.').next()?;
        let (_, flag) = keys().find(|(name, _)| *name == key)?;
        flag.get_help().map(ToString::to_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::config::template;

    /// Files of others are written in these words. What changes in them is told in CHANGELOG.md;
    /// `STAMP_GOLDEN=write cargo test` writes the list anew.
    #[test]
    fn the_list_of_keys_is_what_was_promised() {
        let outline = Configuration::outline();
        // Those of a session have a list of their own: one of all would be longer than a file may be.
        let of_session = |key: &str| key.split(['[', '.']).next() == Some("session");
        for (name, is_session) in [("keys", false), ("session-keys", true)] {
            let path = format!("{}/reference/{name}.txt", env!("CARGO_MANIFEST_DIR"));
            let keys = outline.keys().filter(|key| of_session(key) == is_session);
            let text: String = keys.map(|key| format!("{key}\n")).collect();
            if std::env::var_os("STAMP_GOLDEN").is_some_and(|value| value == "write") {
                std::fs::write(&path, &text).unwrap();
            }
            let wanted = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(text == wanted, "{path} differs: tell it in CHANGELOG.md; it is now:\n{text}");
        }
    }

    #[test]
    fn the_schema_takes_what_the_reader_takes() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let fault = |text: &str| {
            let document: toml::Table = text.parse().unwrap();
            let document = serde_json::to_value(document).unwrap();
            schema.iter_errors(&document).next().map(|it| format!("{}: {it}", it.instance_path()))
        };
        for text in [
            template().as_str(),
            "[[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\ninterval = \"10ms\"\n",
            "[[session]]\nname = \"a\"\ntarget = \"b\"\nlabels = { site = \"ams\" }\n",
            "[[session]]\nname = \"a\"\ntarget = \"b\"\nloss-threshold = \"3/100\"\n",
            "[[discovery]]\nfiles = [\"targets/*.json\"]\n",
            "[web]\nlisten = [\":9862\"]\n",
            "[[webhook]]\nurl = \"http://a/\"\nbatch = { every = \"1s\" }\n",
            "[[hook]]\ncommand = [\"/bin/true\"]\n",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in [
            "[[session]]\nname = \"a\"\n",
            "[[session]]\nname = \"a\"\ntarget = \"b\"\nintervall = \"10ms\"\n",
            "[web]\nseries-limit = \"many\"\n",
        ] {
            assert_ne!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn the_schema_of_a_topology_takes_every_key() {
        let schema = stamp_path::Topology::outline().json_schema("topology", |_| None);
        let text = include_str!("../../../../stamp-path/reference/topology.toml");
        let document: toml::Table = text.parse().unwrap();
        let document = serde_json::to_value(document).unwrap();
        if let Err(error) = jsonschema::validate(&schema, &document) {
            panic!("{}: {error}", error.instance_path());
        }
    }
}
