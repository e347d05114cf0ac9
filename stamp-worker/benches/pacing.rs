//! How punctual probes are, and what punctuality costs.
//!
//! `cargo bench -p stamp-worker --bench pacing`
//!
//! One session on loopback, kernel transmit stamps on. Lateness is the time from the slot of the
//! schedule to the reading of the clock that becomes T1, as the session itself reports it; `core` is
//! the share of a processor that the worker thread took, receiving included.

mod far_end;
mod measure;
mod near_end;
mod reflection;
mod threads;

use std::time::Duration;

use measure::{Effort, median};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::TimeDelta;

/// Name of the sender's thread.
const SENDER: &str = "sender";

fn main() {
    let effort = Effort::asked_for();
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(300)), (9, Duration::from_secs(5)));
    println!("medians of {rounds} runs of {length:?}; best in brackets");
    println!(
        "{:>9} {:>18} {:>18} {:>18} {:>16} {:>7}",
        "interval", "late p50 us", "late p99 us", "late p99.9 us", "core %", "unsent"
    );
    for interval in [10_000, 3_300, 1_000].map(Duration::from_micros) {
        let mut rows: [Vec<f64>; 5] = Default::default();
        for _ in 0..rounds {
            for (row, value) in rows.iter_mut().zip(run(interval, length)) {
                row.push(value);
            }
        }
        let [p50, p99, p99_9, core, unsent] = rows.map(|row| {
            let best = row.iter().copied().fold(f64::INFINITY, f64::min);
            format!("{:.1} [{best:.1}]", median(row))
        });
        let interval = format!("{interval:?}");
        println!("{interval:>9} {p50:>18} {p99:>18} {p99_9:>18} {core:>16} {unsent:>7}");
    }
}

/// Lateness at three quantiles in µs, processor time in per cent, unused slots.
fn run(interval: Duration, length: Duration) -> [f64; 5] {
    let far = far_end::start(near_end::loopback(), AuthenticationMode::Unauthenticated, false);
    let setup = near_end::session(far.address, interval, length, true);
    let pool = near_end::start(vec![setup]);
    std::thread::sleep(length.mul_f64(0.95));
    let spent = threads::processor_ns(SENDER) as f64;
    let session = pool.join().expect("the worker ends well").remove(0);
    assert!(far.pool.stop().reflected() > 0, "nothing was answered");
    let micros = |value: Option<TimeDelta>| value.map_or(f64::NAN, |v| v.ns() as f64 / 1_000.0);
    let late = &session.lateness;
    let core = spent / (length.as_nanos() as f64 * 0.95) * 100.0;
    let unsent = session.packets.unsent.total() as f64;
    [micros(late.p50), micros(late.p99), micros(late.p99_9), core, unsent]
}
