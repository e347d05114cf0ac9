//! The worked examples, figure by figure, and what holds for any series.

mod delay;
mod loss;
mod properties;

use super::*;
use crate::clock::MonotonicTime;

/// `ms` milliseconds after the start.
fn at(ms: u64) -> Now {
    Now { monotonic: MonotonicTime::from_ns(ms * 1_000_000), ..Now::default() }
}

fn tenths_of_ms(tenths: i64) -> TimeDelta {
    TimeDelta::from_ns(tenths * 100_000)
}

fn watch(threshold: DelayThreshold) -> DelayWatch {
    DelayWatch::new(MeasuredDirection::Forward, threshold)
}

fn measured(sequence: u32, delay: TimeDelta) -> Measured {
    Measured { sequence, delay, synchronized: true, at: at(sequence.into()) }
}

fn seen() -> Seen {
    Seen { at: Now::default(), clock_synchronized: true }
}
