//! Instructions of one call, counted by callgrind, whose simulated processor gives the same numbers on
//! a busy machine.
//!
//! Each step runs in two child processes that differ by a known number of calls; the difference of
//! their counts is free of everything that start and end of a process cost. A bench that uses this
//! runs the step when it is called with `--child NAME CALLS`.

use std::env;
use std::process::{Command, Stdio};

const FEW: u64 = 100;
const MANY: u64 = 1_100;

/// Whether this machine can count; says so if it cannot.
pub(crate) fn is_there() -> bool {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        println!("SKIPPED: instruction counts need valgrind (Debian: apt install valgrind)");
    }
    found
}

/// Instructions of one call of this step of the program that asks.
pub(crate) fn per_call(name: &str) -> u64 {
    (count(name, MANY) - count(name, FEW)).div_ceil(MANY - FEW)
}

/// Instructions that a child process executes, start and end included.
fn count(name: &str, calls: u64) -> u64 {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--child", name, &calls.to_string()])
        .output()
        .expect("valgrind starts");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let (_, number) = collected.unwrap_or_else(|| panic!("callgrind counted nothing: {report}"));
    number.trim().parse().expect("callgrind counts in digits")
}
