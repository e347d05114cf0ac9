//! Metrics of a reflector: what it hands in and what is made of it.

use std::sync::{Arc, LazyLock};

use stamp_session::clock::ClockState;
use stamp_session::forwarding::{self, ForwardingSnapshot, UnstampedReason};
use stamp_session::reflector::{DropReason, ProbeCounts, ReflectorSnapshot};
use stamp_session::statistics::Histogram;

use crate::catalogue::*;
use crate::exposition::{Exposition, Family, Of, Samples};
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
    /// Where probes come in.
    pub listeners: Vec<Listener>,
    /// What it forwarded, where it is a timestamp-and-forward node too.
    pub node: Option<Node>,
}

/// What a listener has done.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where it listens, as the operator may write it.
    pub name: Arc<str>,
    /// What became of its probes.
    pub probes: ProbeCounts,
    /// Time between probes and their replies.
    pub turnaround: Arc<Histogram>,
}

/// What a timestamp-and-forward node has done.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Timestamp labels and SIDs by name, in the order of the counters.
    pub entries: Vec<String>,
    /// What it has counted.
    pub counters: ForwardingSnapshot,
    /// Packets that found no room in a ring.
    pub queue_drops: u64,
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
    program::families()
        .filter(|family| family.metric() != &SESSIONS_OMITTED)
        .chain([
            one(&PROBES, |of, to| {
                of.0.listeners.iter().for_each(|it| to.count(&[&it.name], it.probes.received));
            }),
            one(&REFLECTED, |of, to| {
                of.0.listeners.iter().for_each(|it| to.count(&[&it.name], it.probes.reflected()));
            }),
            one(&DROPPED, |of, to| {
                let listeners = of.0.listeners.iter();
                for (it, reason) in listeners.flat_map(|it| DropReason::ALL.map(|why| (it, why))) {
                    to.count(&[&it.name, reason.label()], it.probes.drops(reason));
                }
            }),
            one(&QUEUE_DROPS, |of, to| to.count(&["receive_queue"], of.0.queue_drops)),
            one(&HELD, |of, to| to.count(&[], of.0.counters.sessions as u64)),
            one(&HELD_LIMIT, |of, to| to.count(&[], of.0.counters.session_limit as u64)),
            one(&DRAINING, |of, to| to.truth(&[], of.0.counters.is_draining)),
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
            one(&TURNAROUND, |of, to| {
                of.0.listeners.iter().for_each(|it| to.histogram(&[&it.name], &it.turnaround));
            }),
        ])
        .chain(of_node())
        .collect()
});

fn of_node() -> [Metrics; 5] {
    [
        one(&STAMPED, |of, to| {
            let nodes = of.0.node.iter();
            let rules = nodes.flat_map(|node| node.entries.iter().zip(&node.counters.rules));
            for (entry, rule) in rules {
                to.count(&[entry, "stamped"], rule.stamped);
                to.count(&[entry, "unstamped"], rule.unstamped);
            }
        }),
        one(&UNSTAMPED, |of, to| {
            for (node, reason) in each(of, UnstampedReason::ALL) {
                to.count(&[&label(reason)], node.counters.unstamped(reason));
            }
        }),
        one(&NOT_FORWARDED, |of, to| {
            for (node, reason) in each(of, forwarding::DropReason::ALL) {
                to.count(&[&label(reason)], node.counters.dropped(reason));
            }
        }),
        one(&SWITCHED, |of, to| {
            of.0.node.iter().for_each(|node| to.count(&[], node.counters.switched));
        }),
        one(&NODE_DROPS, |of, to| {
            of.0.node.iter().for_each(|node| to.count(&["receive_queue"], node.queue_drops));
        }),
    ]
}

/// Each reason, where there is a node to have it.
fn each<R, const N: usize>(of: &Shared, reasons: [R; N]) -> impl Iterator<Item = (&Node, R)> {
    of.0.node.iter().flat_map(std::iter::repeat).zip(reasons)
}

/// A reason in the form that labels have.
fn label(reason: impl ToString) -> String {
    reason.to_string().replace('-', "_")
}

fn source(of: &Shared) -> &'static str {
    if of.0.clock.declared { "declared" } else { "detected" }
}

#[cfg(test)]
mod tests {
    use stamp_session::forwarding::{Fate, Handling};
    use stamp_session::statistics::Buckets;

    use super::*;

    #[test]
    fn every_reason_has_a_series_from_the_start() {
        let counters = ReflectorSnapshot::default();
        let probes = ProbeCounts { received: 3, answered: 2, ..Default::default() };
        let program = Program { name: "stamp-reflector", ..Program::default() };
        let clock = ClockState::UNKNOWN;
        let turnaround = Arc::new(Histogram::new(Buckets::rising([1_000])));
        let listeners = vec![Listener { name: ":862".into(), probes, turnaround }];
        let mut stamped = ForwardingSnapshot::of_rules(1);
        stamped.add_sent(Fate { rule: Some(0), handling: Handling::Stamped }, 5);
        let entries = vec!["label 15001".to_owned()];
        let node = Some(Node { entries, counters: stamped, queue_drops: 0 });
        let reflector = Reflector { program, counters, queue_drops: 1, clock, listeners, node };
        let text: String = reflector
            .shared()
            .exposition()
            .map(|piece| String::from_utf8(piece).unwrap())
            .collect();
        for reason in DropReason::ALL {
            let series = format!(
                "packets_dropped_total{{listener=\":862\",reason=\"{}\"}} 0\n",
                reason.label()
            );
            assert!(text.contains(&series), "{text}");
        }
        for line in [
            "stamp_reflector_packets_received_total{listener=\":862\"} 3\n",
            "stamp_reflector_packets_reflected_total{listener=\":862\"} 2\n",
            "stamp_reflector_local_drops_total{reason=\"receive_queue\"} 1\n",
            "stamp_reflector_clock_synchronized{source=\"detected\"} 0\n",
            "stamp_reflector_turnaround_seconds_bucket{listener=\":862\",le=\"0.000001\"} 0\n",
            "stamp_timestamp_packets_total{entry=\"label 15001\",result=\"stamped\"} 5\n",
            "stamp_timestamp_packets_unstamped_total{reason=\"not_udp\"} 0\n",
            "stamp_timestamp_packets_dropped_total{reason=\"no_route\"} 0\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("stamp_reflector_clock_error_bound_seconds{"), "unknown: {text}");
        for metric in
            OF_REFLECTORS.iter().chain(OF_TIMESTAMP_NODES).filter(|metric| **metric != &CLOCK_BOUND)
        {
            assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{}", metric.name);
        }
    }
}
