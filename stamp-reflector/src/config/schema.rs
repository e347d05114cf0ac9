//! What a file may hold, for programs.

use std::path::Path;

use serde_json::Value;
use stamp_config::document::Outline;

use super::flags::Flags;
use super::key::Definition;
use super::reading::Reading;
use super::{assemble, keys};

/// Every key, found out from what reads them.
pub(super) fn outline() -> Outline {
    let flags = Flags::default();
    Outline::of(|root| assemble::config(&Reading::new(&flags), root, Path::new("")))
}

/// A JSON Schema of the file.
pub(crate) fn schema() -> Value {
    let tables: [(&str, &[Definition]); 4] = [
        ("allow", keys::allow::ALL),
        ("session", keys::session::ALL),
        ("timestamp", keys::timestamp::ALL),
        ("forward", keys::forward::ALL),
    ];
    let about = |definition: &Definition| {
        let expected = definition.expected;
        format!("{} Takes {expected}.", definition.help)
    };
    outline().json_schema("configuration of stamp-reflector", |path| {
        let in_root = keys::ROOT.iter().find(|it| it.key == path);
        let in_table = || {
            let (table, key) = path.split_once("[].")?;
            let (_, all) = tables.iter().find(|(name, _)| *name == table)?;
            all.iter().find(|it| it.leaf() == key)
        };
        in_root.or_else(in_table).map(about)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::template;

    /// Paths of the keys that the template has.
    fn template_keys() -> Vec<String> {
        let roots = keys::ROOT.iter().map(|it| it.key.to_owned());
        let of = |table: &str, all: &[Definition]| -> Vec<String> {
            all.iter().map(|it| format!("{table}[].{}", it.leaf())).collect()
        };
        roots
            .chain(of("allow", keys::allow::ALL))
            .chain(of("session", keys::session::ALL))
            .chain(of("timestamp", keys::timestamp::ALL))
            .chain(of("forward", keys::forward::ALL))
            .collect()
    }

    #[test]
    fn the_schema_knows_every_key_of_the_template() {
        let outline = outline();
        let known: Vec<&str> = outline.keys().collect();
        for key in template_keys() {
            assert!(known.contains(&key.as_str()), "{key} in {known:#?}");
        }
    }

    /// Files of others are written in these words. What changes in them is told in CHANGELOG.md;
    /// `UPDATE_REFERENCE=1 cargo test -p stamp-reflector` writes the list anew.
    #[test]
    fn the_list_of_keys_is_what_was_promised() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/keys.txt");
        let text: String = outline().keys().map(|key| format!("{key}\n")).collect();
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let wanted = std::fs::read_to_string(path).unwrap_or_default();
        assert!(text == wanted, "{path} differs: tell it in CHANGELOG.md; it is now:\n{text}");
    }

    #[test]
    fn the_schema_takes_what_the_reader_takes() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let fault = |text: &str| {
            let document: toml::Table = text.parse().unwrap();
            let document = serde_json::to_value(document).unwrap();
            schema.iter_errors(&document).next().map(|it| format!("{}: {it}", it.instance_path()))
        };
        let every_default: String = template()
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' ') && line.contains(" = "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(fault(&every_default), None, "{every_default}");
        for text in [
            "clock = { synchronized = true, error = \"1us\" }\n",
            "listen = [\":862\", { address = \"[::1]:862\", vrf = \"blue\" }]\n",
            "[[timestamp]]\nextended = 240\ninterfaces = [\"eth1\"]\n",
            "[[allow]]\nprefix = \"2001:db8::/32\"\nrate-limit = \"off\"\n",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in ["listn = 862\n", "stateful = \"yes\"\n", "[[allow]]\nrate-limit = \"off\"\n"] {
            assert_ne!(fault(text), None, "{text}");
        }
    }
}
