//! How long the octet work of one probe takes.
//!
//! `cargo bench -p stamp-proto --bench codec`. Budgets: `reply_open` 100 ns, `reply_authenticated`
//! 1.2 us, both for one probe from first to last octet.

mod work;

use divan::Bencher;
use work::{Bench, STEPS};

fn main() {
    divan::main();
}

#[divan::bench(args = STEPS.map(|(name, _)| name))]
fn step(bencher: Bencher<'_, '_>, name: &str) {
    let (_, step) = STEPS.into_iter().find(|step| step.0 == name).expect("the name is a step's");
    let mut bench = Bench::new();
    bencher.bench_local(|| step(&mut bench));
}
