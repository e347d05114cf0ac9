//! How many instructions the octet work of one probe takes, compared with a committed baseline.
//!
//! `cargo bench -p stamp-proto --bench instructions` counts with callgrind, whose simulated
//! processor gives the same numbers on a busy machine; a step that takes more than 3 % and more than
//! ten instructions above `instructions.toml` fails. Behind a wanted change, `-- --bless` writes the
//! file anew.
//!
//! Each step runs in two child processes that differ by a known number of calls; the difference of
//! their counts is free of everything that start and end of a process cost.

mod work;

use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use work::{Bench, STEPS};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.toml");
const TOLERANCE_PERCENT: u64 = 3;
/// What a call costs that the compiler inlined before: it decides anew whenever the crate grows.
const TOLERANCE_INSTRUCTIONS: u64 = 10;
const FEW: u64 = 100;
const MANY: u64 = 1_100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [mode, name, calls] if mode == "--child" => run_step(name, calls.parse().unwrap_or(1)),
        arguments if arguments.iter().any(|argument| argument == "--bench") => {
            return compare(arguments.iter().any(|argument| argument == "--bless"));
        }
        // `cargo test --benches`: that every step works is enough.
        _ => STEPS.iter().for_each(|(name, _)| run_step(name, 1)),
    }
    ExitCode::SUCCESS
}

fn run_step(name: &str, calls: u64) {
    let (_, step) = STEPS.into_iter().find(|step| step.0 == name).expect("the name is a step's");
    let mut bench = Bench::new();
    for _ in 0..calls {
        step(&mut bench);
    }
}

fn compare(bless: bool) -> ExitCode {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("SKIPPED: instruction counts need valgrind (Debian: apt install valgrind)");
        return ExitCode::SUCCESS;
    }
    let baseline = fs::read_to_string(BASELINE).unwrap_or_default();
    let mut written = String::from(HEADER);
    let mut worse = 0;
    println!("{:<28}{:>10}{:>10}{:>9}", "instructions per call", "baseline", "now", "change");
    for (name, _) in STEPS {
        let now = (count(name, MANY) - count(name, FEW)).div_ceil(MANY - FEW);
        written.push_str(&format!("{name} = {now}\n"));
        let Some(before) = expected(&baseline, name) else {
            println!("{name:<28}{:>10}{now:>10}  not in the baseline", "-");
            worse += 1;
            continue;
        };
        let change = (now as f64 / before as f64 - 1.0) * 100.0;
        let tolerance = (before * TOLERANCE_PERCENT / 100).max(TOLERANCE_INSTRUCTIONS);
        let too_many = now > before + tolerance;
        let verdict = if too_many { "  TOO MANY" } else { "" };
        println!("{name:<28}{before:>10}{now:>10}{change:>+8.1}%{verdict}");
        worse += u32::from(too_many);
    }
    if bless {
        fs::write(BASELINE, written).expect("the baseline can be written");
        println!("wrote {BASELINE}");
    } else if worse > 0 {
        println!(
            "{worse} above {BASELINE} by more than {TOLERANCE_PERCENT} % and \
             {TOLERANCE_INSTRUCTIONS} instructions"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
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

fn expected(baseline: &str, name: &str) -> Option<u64> {
    let mut entries = baseline.lines().filter_map(|line| line.split_once(" = "));
    let (_, number) = entries.find(|(key, _)| *key == name)?;
    number.trim().parse().ok()
}

const HEADER: &str = "\
# Instructions per call, counted by `cargo bench -p stamp-proto --bench instructions`.
# x86-64 without SHA extensions (callgrind has none), profile `bench`, rustc 1.95.0.
# Another compiler may need other numbers: `-- --bless` writes them, the diff is the review.

";
