//! Programs inside namespaces, and the harness.

use std::fs;
use std::process::Command;

use stamp_tests::netns::{Families, Finished, Host, Signal, Trial, binary, trials};

use super::child::Part;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_program_runs_in_the_namespace_of_its_host,
        both_streams_and_the_status_of_a_program_are_kept,
        a_signal_ends_a_program_and_is_named,
        a_dropped_program_is_gone,
        a_bound_port_is_noticed,
        a_program_that_ends_without_the_awaited_line_is_shown,
        a_program_without_rights_has_no_capability,
        the_programs_under_test_are_built_and_start,
        what_a_machine_lacks_is_skipped_and_told,
        what_is_required_fails_instead,
    ]
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn a_program_runs_in_the_namespace_of_its_host() {
    let [here, there] = ["here", "there"].map(|name| Host::new(name, Families::V4));
    let program = here.spawn(&mut Part::Listen.command());
    program.wait_for_line(|line| line == "listening");
    let of_program = fs::read_link(format!("/proc/{}/ns/net", program.id())).expect("it runs");
    let of_thread = || fs::read_link("/proc/thread-self/ns/net").expect("Linux has namespaces");
    assert_eq!(of_program, here.run(of_thread));
    assert_ne!(of_program, there.run(of_thread));
    assert_ne!(of_program, of_thread(), "the test's own thread stays where it was");
}

fn both_streams_and_the_status_of_a_program_are_kept() {
    let host = Host::new("host", Families::V4);
    let program = host.spawn(&mut shell("echo '{\"a\": 1}'; echo oops >&2; exit 3"));
    assert_eq!(program.wait_for_error_line(|line| line.starts_with("oo")), "oops");
    let finished = program.wait();
    assert_eq!(finished.assert_code(3).json()["a"], 1);
    let Finished { code, signal, stderr, .. } = finished;
    assert_eq!((code, signal, &stderr[..]), (Some(3), None, "oops\n"));
}

fn a_signal_ends_a_program_and_is_named() {
    let host = Host::new("host", Families::V4);
    let program = host.spawn(&mut Part::Listen.command());
    program.wait_for_line(|line| line == "listening");
    assert!(program.is_running());
    program.signal(Signal::SIGTERM);
    let finished = program.wait();
    assert_eq!((finished.code, finished.signal), (None, Some(Signal::SIGTERM)));
}

fn a_dropped_program_is_gone() {
    let host = Host::new("host", Families::V4);
    let program = host.spawn(&mut Part::Listen.command());
    let id = program.id();
    assert!(fs::exists(format!("/proc/{id}")).expect("/proc is mounted"));
    drop(program);
    assert!(!fs::exists(format!("/proc/{id}")).expect("/proc is mounted"));
}

fn a_bound_port_is_noticed() {
    let host = Host::new("host", Families::V4);
    let program = host.spawn(&mut Part::Listen.command());
    host.wait_for_udp_listener(&program, 8620);
    let taken = host.run(|| std::net::UdpSocket::bind("127.0.0.1:8620"));
    assert!(taken.is_err(), "the port is taken");
}

fn a_program_that_ends_without_the_awaited_line_is_shown() {
    let finished = run_inner(&mut Part::AwaitInVain.command());
    finished.assert_code(101);
    for told in ["never printed the awaited line", "exit status: 4", "something else"] {
        assert!(finished.stdout.contains(told), "{finished}");
    }
}

fn a_program_without_rights_has_no_capability() {
    let host = Host::new("host", Families::V4);
    // CapInh, CapPrm, CapEff, CapBnd, CapAmb: the third is what counts.
    let script = "while read -r name value; do \
                  case $name in CapEff:) echo \"$value\";; esac; done < /proc/self/status";
    let rights = |finished: Finished| u64::from_str_radix(finished.stdout.trim(), 16);
    assert_ne!(rights(host.spawn(&mut shell(script)).wait()), Ok(0));
    assert_eq!(rights(host.spawn_without_rights(&mut shell(script)).wait()), Ok(0));
    assert_ne!(rights(host.spawn(&mut shell(script)).wait()), Ok(0), "only that program lost them");
}

fn the_programs_under_test_are_built_and_start() {
    let host = Host::new("host", Families::V4);
    for name in ["stamp-sender", "stamp-reflector"] {
        let finished = host.spawn(binary(name).arg("--version")).wait();
        assert!(finished.assert_code(0).stdout.starts_with(name), "{finished}");
    }
}

fn what_a_machine_lacks_is_skipped_and_told() {
    let finished = run_inner(&mut Part::Skip.command());
    finished.assert_code(0);
    assert!(finished.stdout.contains("1 passed; 0 failed; 2 ignored"), "{finished}");
    assert!(finished.stderr.contains("2 × needs wings; allow it: grow wings"), "{finished}");
}

fn what_is_required_fails_instead() {
    let finished = run_inner(Part::Skip.command().env("STAMP_TEST_REQUIRE", "all"));
    finished.assert_code(101);
    assert!(finished.stdout.contains("1 passed; 2 failed; 0 ignored"), "{finished}");
}

/// Runs an inner test program, untouched by the runner and the settings of this very run.
fn run_inner(command: &mut Command) -> Finished {
    command.env_remove("NEXTEST");
    if !command.get_envs().any(|(name, value)| name == "STAMP_TEST_REQUIRE" && value.is_some()) {
        command.env_remove("STAMP_TEST_REQUIRE");
    }
    Host::new("host", Families::V4).spawn(command).wait()
}
