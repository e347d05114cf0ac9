use super::*;
use crate::config::{Config, template};

fn parsed(line: &str) -> CommandLine {
    let arguments = line.split(' ').filter(|word| !word.is_empty()).map(OsString::from);
    parse([OsString::from("stamp-reflector")].into_iter().chain(arguments)).unwrap()
}

fn loaded(line: &str) -> Config {
    parsed(line).source.load().unwrap()
}

fn mistakes(line: &str) -> Vec<String> {
    let failure = parsed(line).source.load().unwrap_err();
    failure.to_string().lines().map(str::to_owned).collect()
}

/// Compares with a file that others read too, or writes it when asked to.
fn assert_reference(name: &str, text: &str) {
    let path = format!("{}/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    assert!(
        known == text,
        "{path} is stale; write it anew with UPDATE_REFERENCE=1 cargo test -p stamp-reflector"
    );
}

#[test]
fn clap_finds_no_contradiction_in_the_definitions() {
    command().debug_assert();
    command_for_completions().debug_assert();
}

#[test]
fn help_is_as_in_the_reference() {
    let help = command().term_width(100).render_long_help().to_string();
    assert_reference("help.txt", &help);
}

#[test]
fn the_manual_page_is_as_in_the_reference() {
    assert_reference("stamp-reflector.1", &String::from_utf8(man().unwrap()).unwrap());
}

#[test]
fn the_template_is_as_in_the_reference() {
    assert_reference("stamp-reflector.toml", &template());
}

#[test]
fn nothing_said_means_reflecting_with_the_defaults() {
    let line = parsed("");
    assert_eq!(line.action, Action::Reflect);
    assert!(line.source.file.is_none());
    let config = line.source.load().unwrap();
    let listeners: Vec<String> = config.listeners.iter().map(ToString::to_string).collect();
    assert_eq!(listeners, ["[::]:862", "0.0.0.0:862"]);
}

#[test]
fn a_file_is_named_with_or_without_its_flag() {
    assert_eq!(parsed("r.toml").source.file, Some("r.toml".into()));
    assert_eq!(parsed("--config.file r.toml").source.file, Some("r.toml".into()));
    assert_eq!(parsed("--stateful r.toml").source.file, Some("r.toml".into()));
}

#[test]
fn two_files_are_refused() {
    let line = ["stamp-reflector", "a.toml", "--config.file", "b.toml"].map(OsString::from);
    let error = parse(line).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
}

#[test]
fn listeners_are_repeatable_and_a_comma_separates_them_too() {
    for line in ["--listen 127.0.0.1:8620 --listen :8621", "--listen 127.0.0.1:8620,:8621"] {
        let config = loaded(line);
        let listeners: Vec<String> = config.listeners.iter().map(ToString::to_string).collect();
        assert_eq!(listeners, ["127.0.0.1:8620", ":8621"]);
    }
}

#[test]
fn a_switch_can_be_turned_off_as_well() {
    assert!(loaded("--stateful").engine.stateful);
    assert!(loaded("--stateful=true").engine.stateful);
    assert!(!loaded("--stateful=false").engine.stateful);
}

#[test]
fn every_wrong_flag_is_reported_at_once() {
    let found = mistakes("--rate-limit 0 --stateful=maybe --listen 862 --workers 0 --dscp XX");
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found[0].starts_with("--listen 862: expected ADDRESS:PORT"), "{found:?}");
    assert_eq!(found[1], "--workers 0: expected a number of threads from 1 to 256");
    assert_eq!(found[2], "--stateful=maybe: expected true or false");
    assert!(found[3].starts_with("--dscp XX: expected copy, a DSCP by name"), "{found:?}");
    assert!(
        found[4].starts_with("--rate-limit 0: expected packets per second from 1"),
        "{found:?}"
    );
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    assert_eq!(mistakes("--auth"), ["--auth: needs --key-file FILE as well"]);
    assert_eq!(
        mistakes("--interface eth0 --vrf blue"),
        ["--interface eth0: cannot stand together with --vrf"]
    );
    assert_eq!(
        mistakes("--unknown-sources deny"),
        ["--unknown-sources deny: needs an [[allow]] in the file as well"]
    );
    assert_eq!(mistakes("--listen :1 --listen :1"), ["--listen :1,:1: :1 stands there twice"]);
}

#[test]
fn a_key_file_that_is_not_there_names_flag_and_reason() {
    let found = mistakes("--auth --key-file /nonexistent/keys");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("--key-file /nonexistent/keys: /nonexistent/keys: No such file"),
        "{found:?}"
    );
}

#[test]
fn the_verbs_are_understood() {
    assert_eq!(parsed("--config.check r.toml").action, Action::Check);
    let check = parsed("config check r.toml --stateful");
    assert_eq!((check.action, check.source.file), (Action::Check, Some("r.toml".into())));
    let show = parsed("config show --rate-limit off");
    assert_eq!(show.action, Action::Show);
    assert_eq!(parsed("config template").action, Action::Template(None));
    assert_eq!(parsed("config template a.toml").action, Action::Template(Some("a.toml".into())));
    assert_eq!(parsed("completions bash").action, Action::Completions(Shell::Bash));
    assert_eq!(parsed("man").action, Action::Man);
}

#[test]
fn an_unknown_flag_is_a_mistake_of_usage() {
    let line = ["stamp-reflector", "--statefull"].map(OsString::from);
    let error = parse(line).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownArgument);
    assert!(error.to_string().contains("--stateful"), "{error}");
}

#[test]
fn help_names_every_flag_with_its_variable_and_default() {
    let help = command().render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for key in keys::ROOT {
        let Some(flag) = key.flag else { continue };
        assert!(help.contains(&format!("--{flag}")), "{flag}");
        assert!(help.contains(&key.variable().unwrap()), "{flag}");
    }
    assert!(help.contains("[default: 2000]"));
    assert!(help.contains("[default: [::]:862, 0.0.0.0:862]"));
}
