//! Many runs of one simulation, each from a seed.

use std::env;
use std::thread;

/// The environment variable that repeats a single run.
const VARIABLE: &str = "STAMP_SEED";

/// Runs `simulation` for `count` seeds, or for the one that `STAMP_SEED` names.
///
/// A run that fails prints the line that repeats it.
///
/// # Panics
///
/// When `STAMP_SEED` is no number, and when a run does.
pub fn for_each_seed(count: u64, simulation: impl Fn(u64)) {
    match env::var(VARIABLE) {
        Ok(seed) => {
            let seed = seed.parse().expect("STAMP_SEED is a whole number");
            run(seed, &simulation);
        }
        Err(_) => (0..count).for_each(|seed| run(seed, &simulation)),
    }
}

fn run(seed: u64, simulation: &impl Fn(u64)) {
    let _told = TellOnPanic(seed);
    simulation(seed);
}

/// Says which seed it was when a run ends in a panic.
struct TellOnPanic(u64);

impl Drop for TellOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let test = thread::current().name().unwrap_or_default().to_owned();
            let seed = self.0;
            eprintln!(
                "repeat it with: {VARIABLE}={seed} cargo test -p stamp-tests --test simulation {test}"
            );
        }
    }
}
