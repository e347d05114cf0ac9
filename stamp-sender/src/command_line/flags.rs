//! Every flag there is, as scripts write them.

use clap::Command;

/// Flags of a command and of those below it, each behind the words that lead to it.
fn flags(command: &Command, words: &str, lines: &mut Vec<String>) {
    for argument in command.get_arguments() {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        lines.extend(long.into_iter().chain(short).map(|flag| format!("{words} {flag}")));
    }
    for below in command.get_subcommands() {
        flags(below, &format!("{words} {}", below.get_name()), lines);
    }
}

/// What changes in them is told in CHANGELOG.md; `STAMP_GOLDEN=write cargo test` writes the list anew.
#[test]
fn the_list_of_flags_is_what_was_promised() {
    let mut lines = Vec::new();
    flags(&super::command(), "stamp-sender", &mut lines);
    lines.sort_unstable();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/flags.txt");
    if std::env::var_os("STAMP_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(path, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text == wanted, "{path} differs: tell it in CHANGELOG.md; it is now:\n{text}");
}
