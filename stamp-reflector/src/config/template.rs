//! A file with every key, its meaning and its default, all of it commented out.

use core::fmt::Write as _;

use stamp_config::quantity::BARE_SECONDS;

use super::key::Definition;
use super::keys;

const WIDTH: usize = 96;

/// The template. Without its leading `#` each key says what holds anyway.
pub(crate) fn template() -> String {
    let mut text = String::from(
        "# Configuration of stamp-reflector. Every key is here with its default; what starts with\n\
         # \"example:\" has none. Durations are texts with a unit, bare numbers are counts. Flags and\n\
         # environment variables win over this file; SIGHUP reads it again, all of it or nothing.\n",
    );
    let mut heading = "";
    for definition in keys::ROOT {
        if definition.heading != heading {
            heading = definition.heading;
            push(&mut text, &format!("\n# == {heading} =="));
        }
        push_key(&mut text, definition);
    }
    push_table(
        &mut text,
        "allow",
        "How sources of a prefix are answered; repeatable. As soon as there is one, all other \
         sources are denied unless unknown-sources says \"answer\".",
        keys::allow::ALL,
    );
    push_table(
        &mut text,
        "session",
        "A session that may be answered; repeatable. As soon as there is one, all others are not. \
         What is left out may be anything.",
        keys::session::ALL,
    );
    push_table(
        &mut text,
        "timestamp",
        "A timestamp label or an End.TSF SID; repeatable. Its packets get T2 and go on along their \
         other segments, without a session and without a reply. Needs CAP_NET_RAW, or the rights \
         of timestamp-shell = \"tc\".",
        keys::timestamp::ALL,
    );
    push_table(
        &mut text,
        "forward",
        "What happens to another label, on hosts whose kernel has no MPLS; repeatable.",
        keys::forward::ALL,
    );
    text
}

fn push_table(text: &mut String, name: &str, about: &str, keys: &[Definition]) {
    push(text, &format!("\n# == [[{name}]] =="));
    push_comment(text, about);
    push(text, &format!("# example: [[{name}]]"));
    for definition in keys {
        push_key(text, definition);
    }
}

fn push_key(text: &mut String, definition: &Definition) {
    push(text, "");
    push_comment(text, definition.help);
    push_comment(text, &format!("Takes {}.", definition.expected.replace(BARE_SECONDS, "")));
    if let Some(variable) = definition.variable() {
        let flag = definition.flag.unwrap_or_default();
        push_comment(text, &format!("Also --{flag} and {variable}."));
    }
    match definition.default {
        // Keys of a table are examples too: there is no table by default.
        Some(default) if !definition.heading.starts_with('[') => {
            push(text, &format!("#{} = {default}", definition.key));
        }
        Some(default) => push(text, &format!("# example: {} = {default}", definition.key)),
        None => {
            push_comment(text, &format!("Left out: {}.", definition.otherwise));
            push(text, &format!("# example: {} = {}", definition.key, definition.example));
        }
    }
}

fn push_comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push(text, &line);
            line.replace_range(.., "#");
        }
        // Writing to a String cannot fail.
        let _ = write!(line, " {word}");
    }
    push(text, &line);
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
