//! How many instructions the octet work of one probe takes, compared with a committed baseline.
//!
//! `cargo bench -p stamp-proto --bench instructions` counts with callgrind, whose simulated
//! processor gives the same numbers on a busy machine; a step that takes more than 3 % and more than
//! ten instructions above `instructions.toml` fails. Behind a wanted change, `-- --bless` writes the
//! file anew.

mod callgrind;
mod work;

use std::process::ExitCode;
use std::{env, fs};

use work::{Bench, STEPS};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.toml");
const TOLERANCE_PERCENT: u64 = 3;
/// What a call costs that the compiler inlined before: it decides anew whenever the crate grows.
const TOLERANCE_INSTRUCTIONS: u64 = 10;

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
    if !callgrind::is_there() {
        return ExitCode::SUCCESS;
    }
    let baseline = fs::read_to_string(BASELINE).unwrap_or_default();
    let mut written = String::from(HEADER);
    let mut worse = 0;
    println!("{:<28}{:>10}{:>10}{:>9}", "instructions per call", "baseline", "now", "change");
    for (name, _) in STEPS {
        let now = callgrind::per_call(name);
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
