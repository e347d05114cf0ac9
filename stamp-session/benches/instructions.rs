//! What the most expensive packet costs a Session-Reflector, in instructions beside a bare probe.
//!
//! `cargo bench -p stamp-session --bench instructions` counts both with callgrind in one run; a packet
//! that costs more than five times its bare probe fails. Sealing is included, sockets are not.

#[path = "../../stamp-proto/benches/callgrind.rs"]
mod callgrind;
#[path = "instructions/work.rs"]
mod work;

use std::env;
use std::process::ExitCode;

use work::{Bench, STEPS};

/// A packet of TLVs may cost so many times a bare probe.
const MOST_TIMES: f64 = 5.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [mode, name, calls] if mode == "--child" => run_step(name, calls.parse().unwrap_or(1)),
        arguments if arguments.iter().any(|argument| argument == "--bench") => return compare(),
        // `cargo test --benches`: that every packet gets the reply it is here for is enough.
        _ => STEPS.iter().for_each(|step| run_step(step.name, 1)),
    }
    ExitCode::SUCCESS
}

fn run_step(name: &str, calls: u64) {
    let step = STEPS.iter().find(|step| step.name == name).expect("the name is a step's");
    let mut bench = Bench::new(step);
    (0..calls).for_each(|_| bench.reflect());
}

fn compare() -> ExitCode {
    if !callgrind::is_there() {
        return ExitCode::SUCCESS;
    }
    let mut too_many = 0;
    println!("{:<34}{:>14}{:>10}", "instructions per packet", "", "times");
    for step in &STEPS {
        let now = callgrind::per_call(step.name);
        let bare = callgrind::per_call(step.beside);
        let times = now as f64 / bare as f64;
        let verdict = if times > MOST_TIMES { "  TOO MANY" } else { "" };
        println!("{:<34}{now:>14}{times:>10.2}{verdict}", step.name);
        too_many += u32::from(times > MOST_TIMES);
    }
    if too_many > 0 {
        println!("{too_many} cost more than {MOST_TIMES} times a bare probe");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
