//! The program as a whole, where no far end is needed: statuses, streams, signals.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Output, Stdio};

fn program(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stamp-sender"));
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

/// A stream whose reader is gone.
fn closed_pipe() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// A local port that takes probes and answers none.
fn silent() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[test]
fn a_reader_of_messages_that_is_gone_changes_no_status() {
    for (arguments, status) in [
        ("fe80::1 -c 1", 3),
        ("--nonsense", 3),
        ("192.0.2.1 --key-file /nonexistent", 3),
        ("report /nonexistent", 3),
    ] {
        let code = program(arguments).stderr(closed_pipe()).status().unwrap().code();
        assert_eq!(code, Some(status), "{arguments}");
    }
    let (_socket, silent) = silent();
    let mut command = program(&format!("{silent} -c 1 -i 2us -W 1ms -qq --log.level debug"));
    assert_eq!(command.stderr(closed_pipe()).status().unwrap().code(), Some(1));
}

#[test]
fn a_reader_of_results_that_has_seen_enough_is_no_news() {
    let mut command = program("man");
    let output = command.stdout(closed_pipe()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(4), &b""[..]));
}

#[test]
fn a_full_standard_output_is_no_success() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program("man").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(output.stderr.starts_with(b"stamp-sender: standard output: No space left"));
}

#[test]
fn more_probes_under_way_than_can_be_remembered_are_refused_before_a_line_is_printed() {
    let (_socket, silent) = silent();
    let (stdout, stderr) = ended(&mut program(&format!("{silent} -i 2us -W 10m")), 3);
    assert_eq!(stdout, "");
    let expected = "stamp-sender: --interval, --timeout: 300000001 probes could be awaited at once";
    assert!(stderr.starts_with(expected), "{stderr}");
}

#[test]
fn a_variable_switches_a_flag_on_with_a_1() {
    let mut command = program("192.0.2.1 -c 1");
    let (_, stderr) = ended(command.env("STAMP_AUTH", "1"), 3);
    assert!(stderr.contains("--key-file <FILE>"), "{stderr}");
}

#[test]
fn a_doctor_tells_of_this_machine_even_when_the_host_has_no_way_to_it() {
    let (stdout, stderr) = ended(&mut program("doctor fe80::1%nope0"), 3);
    assert!(stdout.starts_with("This machine\n"), "{stdout}");
    assert_eq!(stderr, "stamp-sender: fe80::1%nope0: there is no interface \"nope0\"\n");
}

#[test]
fn a_short_key_is_warned_of_once() {
    let name = format!("stamp-command-{}-short-key", std::process::id());
    let file = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let created = options.write(true).create(true).truncate(true).mode(0o600).open(&file);
    created.unwrap().write_all(b"1 aabb\n").unwrap();
    let (_socket, silent) = silent();
    let mut command = program(&format!("{silent} -c 1 -i 2us -W 1ms -qq --auth --key-file"));
    let (_, stderr) = ended(command.arg(&file), 1);
    fs::remove_file(&file).unwrap();
    assert_eq!(stderr.matches("shorter than 16 octets").count(), 1, "{stderr}");
}
