//! Metrics of a reflector: what it hands in and what is made of it.

use std::sync::{Arc, LazyLock};

use stamp_session::clock::ClockState;
use stamp_session::reflector::{DropReason, ReflectorSnapshot};

use crate::catalogue::*;
use crate::exposition::{Exposition, Family, Of, Samples};
use crate::process::{self, Process};
use crate::program::{self, Program};

/// A reflector at one moment.
#[derive(Debug)]
pub struct Reflector {
    /// The program.
    pub program: Program,
    /// What its workers have counted.
    pub counters: ReflectorSnapshot,
    /// Probes that the receive queues of this host dropped.
    pub queue_drops: u64,
    /// The clock of this host.
    pub clock: ClockState,
}

/// A reflector at one moment, for as many scrapes as want it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Reflector>);

/// There is nothing that a reflector tells item by item: who probes it is no label.
#[derive(Debug)]
pub struct Nothing;

impl Reflector {
    /// For as many scrapes as want it.
    #[must_use]
    pub fn shared(self) -> Shared {
        Shared(Arc::new(self))
    }
}

impl Shared {
    /// Its metrics, as text.
    #[must_use]
    pub fn exposition(&self) -> Exposition<Self, Nothing> {
        Exposition::new(&FAMILIES, self.clone())
    }
}

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0.program
    }
}

impl AsRef<Process> for Shared {
    fn as_ref(&self) -> &Process {
        &self.0.program.process
    }
}

impl AsRef<[Nothing]> for Shared {
    fn as_ref(&self) -> &[Nothing] {
        &[]
    }
}

type Metrics = Family<Shared, Nothing>;

const fn one(metric: &'static Metric, of: fn(&Shared, &mut Samples)) -> Metrics {
    Family::new(metric, Of::Program(of))
}

/// In the order of their sending.
static FAMILIES: LazyLock<Vec<Metrics>> = LazyLock::new(|| {
    let programs = program::families().into_iter().chain(process::families());
    programs
        .filter(|family| family.metric() != &SESSIONS_OMITTED)
        .chain([
            one(&PROBES, |of, to| to.count(&[], of.0.counters.received)),
            one(&REFLECTED, |of, to| to.count(&[], of.0.counters.reflected())),
            one(&DROPPED, |of, to| {
                for reason in DropReason::ALL {
                    to.count(&[reason.label()], of.0.counters.drops(reason));
                }
            }),
            one(&QUEUE_DROPS, |of, to| to.count(&["receive_queue"], of.0.queue_drops)),
            one(&HELD, |of, to| to.count(&[], of.0.counters.sessions as u64)),
            one(&HELD_LIMIT, |of, to| to.count(&[], of.0.counters.session_limit as u64)),
            one(&ENDED, |of, to| {
                to.count(&["expired"], of.0.counters.sessions_expired);
                to.count(&["evicted"], of.0.counters.sessions_evicted);
            }),
            one(&SENDER_RESTARTS, |of, to| to.count(&[], of.0.counters.sender_restarts)),
            one(&CLOCK, |of, to| to.truth(&[source(of)], of.0.clock.synchronized)),
            one(&CLOCK_BOUND, |of, to| {
                let bound = of.0.clock.error_bound_ns;
                to.some(&[source(of)], bound.map(|ns| ns as f64 / 1e9));
            }),
        ])
        .collect()
});

fn source(of: &Shared) -> &'static str {
    if of.0.clock.declared { "declared" } else { "detected" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_series_from_the_start() {
        let counters = ReflectorSnapshot { received: 3, answered: 2, ..Default::default() };
        let program = Program { name: "stamp-reflector", ..Program::default() };
        let clock = ClockState::UNKNOWN;
        let reflector = Reflector { program, counters, queue_drops: 1, clock };
        let text: String = reflector
            .shared()
            .exposition()
            .map(|piece| String::from_utf8(piece).unwrap())
            .collect();
        for reason in DropReason::ALL {
            let series = format!("packets_dropped_total{{reason=\"{}\"}} 0\n", reason.label());
            assert!(text.contains(&series), "{text}");
        }
        for line in [
            "stamp_reflector_packets_received_total 3\n",
            "stamp_reflector_packets_reflected_total 2\n",
            "stamp_reflector_local_drops_total{reason=\"receive_queue\"} 1\n",
            "stamp_reflector_clock_synchronized{source=\"detected\"} 0\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("stamp_reflector_clock_error_bound_seconds{"), "unknown: {text}");
        for metric in OF_REFLECTORS.iter().filter(|metric| **metric != &CLOCK_BOUND) {
            assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{}", metric.name);
        }
    }
}
