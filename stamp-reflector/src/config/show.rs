//! The configuration in effect, as a file, with who said what.

use core::fmt::Write as _;

use super::key::Definition;
use super::reading::Shown;
use super::{Config, keys};

/// The configuration as a file that would give the same; secrets are never part of it.
pub(crate) fn show(config: &Config) -> String {
    let mut text = String::new();
    for definition in keys::ROOT {
        let shown = config.shown.iter().find(|shown| is(shown, None, definition));
        push(&mut text, definition, shown);
    }
    for (table, definitions) in [
        ("allow", keys::allow::ALL),
        ("session", keys::session::ALL),
        ("timestamp", keys::timestamp::ALL),
        ("forward", keys::forward::ALL),
    ] {
        for index in 0.. {
            let here = Some((table, index));
            if !config.shown.iter().any(|shown| shown.table == here) {
                break;
            }
            let _ = writeln!(text, "\n[[{table}]]");
            for definition in definitions {
                let shown = config.shown.iter().find(|shown| is(shown, here, definition));
                push(&mut text, definition, shown);
            }
        }
    }
    text
}

fn is(shown: &Shown, table: Option<(&str, usize)>, definition: &Definition) -> bool {
    shown.table == table && shown.key == definition.key
}

fn push(text: &mut String, definition: &Definition, shown: Option<&Shown>) {
    let key = definition.key;
    // Writing to a String cannot fail.
    let _ = match shown.and_then(|shown| Some((shown.value.as_deref()?, shown.origin))) {
        Some((value, origin)) => writeln!(text, "{key} = {value}  # {origin}"),
        None => writeln!(text, "# {key}: {}", definition.otherwise),
    };
}
