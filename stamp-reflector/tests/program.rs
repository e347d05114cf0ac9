//! The program as a whole, where no network is needed: verbs, statuses, streams.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn program(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stamp-reflector"));
    command.args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

#[track_caller]
fn ended(command: &mut Command, status: i32) -> (String, String) {
    let Output { status: actual, stdout, stderr } = command.output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(actual.code(), Some(status), "{stdout}\n{stderr}");
    (stdout, stderr)
}

/// A file that does not outlive its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("stamp-program-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn with(name: &str, text: &str) -> Self {
        let file = Self::new(name);
        fs::write(&file.0, text).unwrap();
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the target directory goes with `cargo clean`.
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_good_file_is_found_good_in_both_spellings() {
    let file = Scratch::with("good.toml", "stateful = true\n");
    let expected = format!("{}: no mistake found\n", file.0.display());
    let (stdout, _) = ended(program("config check").arg(&file.0), 0);
    assert_eq!(stdout, expected);
    let (stdout, _) = ended(program("--config.check --config.file").arg(&file.0), 0);
    assert_eq!(stdout, expected);
}

#[test]
fn a_bad_file_is_refused_with_status_3_and_every_mistake() {
    let file = Scratch::with("bad.toml", "statefull = true\nrate-limit = 0\n");
    let (stdout, stderr) = ended(program("config check").arg(&file.0), 3);
    assert_eq!(stdout, "");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{stderr}");
    assert!(lines[0].contains("bad.toml:1:1: statefull: unknown key; did you mean \"stateful\"?"));
    assert!(lines[1].contains("bad.toml:2:14: rate-limit = 0: expected packets per second from"));
    assert_eq!(lines[2], "stamp-reflector: 2 mistakes in the configuration");
}

#[test]
fn a_missing_file_and_wrong_usage_have_status_3() {
    let (_, stderr) = ended(&mut program("/nonexistent/r.toml"), 3);
    assert!(stderr.starts_with("stamp-reflector: /nonexistent/r.toml: No such file"), "{stderr}");
    let (_, stderr) = ended(&mut program("--statefull"), 3);
    assert!(stderr.contains("unexpected argument '--statefull'"), "{stderr}");
    ended(&mut program("a.toml b.toml"), 3);
}

#[test]
fn help_and_version_are_answers() {
    let (stdout, stderr) = ended(&mut program("--help"), 0);
    assert!(stdout.contains("--rate-limit <PPS|off>"), "{stdout}");
    assert_eq!(stderr, "");
    let (stdout, _) = ended(&mut program("--version"), 0);
    assert_eq!(stdout, concat!("stamp-reflector ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = Scratch::with("order.toml", "session-cap = 1\nworkers = 2\nttl-floor = 3\n");
    let mut command = program("config show --session-cap 7");
    command.env("STAMP_REFLECTOR_SESSION_CAP", "8").env("STAMP_REFLECTOR_WORKERS", "9");
    let (stdout, _) = ended(command.arg(&file.0), 0);
    for line in [
        "session-cap = 7  # flag",
        "workers = 9  # environment",
        "ttl-floor = 3  # file",
        "stateful = false  # default",
    ] {
        assert!(stdout.lines().any(|shown| shown == line), "{line} in {stdout}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let mut command = program("config show");
    let (_, stderr) = ended(command.env("STAMP_REFLECTOR_RATE_LIMIT", "lots"), 3);
    assert!(stderr.starts_with("STAMP_REFLECTOR_RATE_LIMIT=lots: expected packets"), "{stderr}");
}

#[test]
fn a_template_is_a_good_file_and_overwrites_nothing() {
    let file = Scratch::new("template.toml");
    ended(program("config template").arg(&file.0), 0);
    ended(program("config check").arg(&file.0), 0);
    let (printed, _) = ended(&mut program("config template"), 0);
    assert_eq!(fs::read_to_string(&file.0).unwrap(), printed);
    fs::write(&file.0, "mine").unwrap();
    let (_, stderr) = ended(program("config template").arg(&file.0), 4);
    assert!(stderr.contains("template.toml: File exists"), "{stderr}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), "mine");
}

#[test]
fn completions_and_manual_page_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = ended(&mut program(&format!("completions {shell}")), 0);
        assert!(script.contains("zero-only"), "{shell} completes words");
    }
    let (page, _) = ended(&mut program("man"), 0);
    assert!(page.contains(".SH \"EXIT STATUS\""), "{page}");
}

#[test]
fn a_full_standard_output_is_no_success() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = program("config template").stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(4));
}

#[test]
fn a_reader_of_messages_that_is_gone_does_not_end_the_reflector() {
    let mut command = program("--listen 127.0.0.1:0");
    let mut child: Child = command.stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("listening on 127.0.0.1:")));
    drop(lines);
    for signal in [Signal::SIGUSR1, Signal::SIGHUP, Signal::SIGTERM] {
        kill(pid, signal).unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
