//! Hooks as commands of this machine.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Instant;

use stamp_metrics::feed::{Told, Wanted};
use tokio::sync::watch;

use super::super::super::queue::{Sinks, queue};
use super::*;

fn hook(command: &[&str], at_once: usize) -> Hook {
    Hook {
        name: "hook".to_owned(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        wanted: Wanted::default(),
        at_once,
        timeout: Duration::from_secs(60),
    }
}

/// Tells these events, for so many of which there is room, then lets go; delivered and failed.
fn tell(config: Hook, room: usize, lines: impl IntoIterator<Item = String>) -> (u64, u64) {
    let sinks = Sinks::default();
    let counts = sinks.of("hook");
    let (queue, inbox) = queue(room, &counts);
    for (number, line) in (1..).zip(lines) {
        let told = Told { number, kind: "state", session: Some("a b".to_owned()), line };
        queue.offer(&Arc::new(told));
    }
    drop(queue);
    let ((_configure, config), (_closing, closes)) = (watch::channel(config), watch::channel(()));
    let (alive, _ended) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(Station { inbox, counts, config, closes, _alive: alive }));
    let counted = &sinks.all()[0];
    assert_eq!(counted.queued, 0);
    assert!(counted.dropped >= counted.failures, "no other try is made");
    (counted.delivered, counted.failures)
}

fn lines(count: u32) -> impl Iterator<Item = String> {
    let line = |number| format!("{{\"type\":\"state\",\"session\":\"a b\",\"value\":{number}}}");
    (1..=count).map(line)
}

/// A file that a command can write to.
struct Output(PathBuf);

impl Output {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("stamp-hook-{}-{name}", std::process::id())))
    }

    fn text(&self) -> String {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let _ = fs::remove_file(&self.0);
        text
    }
}

#[test]
fn it_has_the_event_on_its_input_and_in_its_environment() {
    let output = Output::new("input");
    let script = format!(
        "read -r line; echo \"$line $STAMP_EVENT_TYPE:$STAMP_EVENT_SESSION:$STAMP_EVENT_VALUE\" >> {}",
        output.0.display()
    );
    assert_eq!(tell(hook(&["/bin/sh", "-c", &script], 1), 10, lines(2)), (2, 0));
    let line = |number: u32| {
        format!(
            "{{\"type\":\"state\",\"session\":\"a b\",\"value\":{number}}} state:a b:{number}\n"
        )
    };
    assert_eq!(output.text(), line(1) + &line(2), "in order");
}

#[test]
fn its_environment_has_the_event_and_what_a_program_cannot_do_without() {
    let output = Output::new("environment");
    let script = format!("/usr/bin/env > {}", output.0.display());
    assert_eq!(tell(hook(&["/bin/sh", "-c", &script], 1), 1, lines(1)), (1, 0));
    let text = output.text();
    let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    // The last three are the shell's own.
    let known = ["PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "_"];
    let other: Vec<&str> =
        names.filter(|name| !name.starts_with("STAMP_EVENT_") && !known.contains(name)).collect();
    assert_eq!(other, [""; 0], "{text}");
}

#[test]
fn of_what_it_prints_a_log_has_the_beginning_and_nobody_waits_for_the_rest() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let said = |script: &str| {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        let ended = runtime.block_on(run_for(&command, "{}", Duration::from_secs(60))).unwrap();
        assert!(ended.status.unwrap().success());
        ended.said
    };
    assert_eq!(said("echo nothing of this"), None);
    assert_eq!(said("echo one >&2; echo two >&2"), Some("one\ntwo".to_owned()));
    let much = said("head -c 1000000 /dev/zero | tr '\\0' x >&2").unwrap();
    assert_eq!(much, "x".repeat(2_048) + "… and 997952 octets more");
    // What it leaves running may hold its standard error open.
    end(&said("tail -f /dev/null & echo $! >&2").unwrap());
}

/// Ends a process by the number that was printed.
fn end(number: &str) {
    let number = number.parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(number), nix::sys::signal::SIGKILL).unwrap();
}

#[test]
fn nothing_is_read_by_a_shell_that_is_none() {
    let output = Output::new("shell");
    let command = ["/usr/bin/tee", output.0.to_str().unwrap(), "; touch /nonexistent", "$(false)"];
    // tee fails for the names behind the first, and has written the first.
    assert_eq!(tell(hook(&command[..2], 1), 10, lines(1)), (1, 0));
    assert_eq!(output.text().lines().count(), 1);
}

#[test]
fn failures_are_counted_and_hold_up_nobody() {
    assert_eq!(tell(hook(&["/bin/false"], 4), 100, lines(10)), (0, 10));
    assert_eq!(tell(hook(&["/nonexistent/program"], 4), 100, lines(2)), (0, 2));
    assert_eq!(tell(hook(&["/bin/true"], 4), 100, lines(10)), (10, 0));
}

#[test]
fn one_that_reads_late_or_never_gets_more_than_a_pipe_holds() {
    let long = || [format!("{{\"reason\":\"{}\"}}", "x".repeat(1_000_000))];
    let output = Output::new("long");
    let script = format!("wc -c > {}", output.0.display());
    assert_eq!(tell(hook(&["/bin/sh", "-c", &script], 1), 10, long()), (1, 0));
    assert_eq!(output.text().trim(), "1000014", "with its end of line");
    assert_eq!(tell(hook(&["/bin/true"], 1), 10, long()), (1, 0));
}

#[test]
fn what_found_no_place_is_told_as_an_event() {
    let output = Output::new("missing");
    let script = format!("echo $STAMP_EVENT_TYPE $STAMP_EVENT_COUNT >> {}", output.0.display());
    assert_eq!(tell(hook(&["/bin/sh", "-c", &script], 1), 1, lines(3)), (1, 0));
    assert_eq!(output.text(), "state\ndropped 2\n");
}

#[test]
fn no_more_run_at_once_than_may() {
    let output = Output::new("at-once");
    let script = format!("mkdir {0}.d && rmdir {0}.d || echo another >> {0}", output.0.display());
    assert_eq!(tell(hook(&["/bin/sh", "-c", &script], 1), 100, lines(20)), (20, 0));
    assert_eq!(output.text(), "");
}

#[test]
fn one_that_takes_too_long_is_killed_with_what_it_started() {
    let output = Output::new("killed");
    let script = format!("tail -f /dev/null & echo $! > {}; wait", output.0.display());
    let config =
        Hook { timeout: Duration::from_millis(500), ..hook(&["/bin/sh", "-c", &script], 1) };
    assert_eq!(tell(config, 10, lines(1)), (0, 1));
    let started = output.text();
    let is_over = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", started.trim()));
        state.map_or(true, |state| state.contains(") Z "))
    };
    // The kernel ends it when it is its turn.
    let until = Instant::now() + Duration::from_secs(60);
    while !is_over() {
        assert!(Instant::now() < until, "{started} runs on");
        std::thread::yield_now();
    }
}
