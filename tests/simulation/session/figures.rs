//! The figures that follow from what must be found: delays, variation, runs, directions.

use std::collections::HashSet;

use stamp_session::sender::Stamping;

use super::expect::{Expected, Fate, Instants, instants, spans_near_step, stamping};
use super::scenario::Scenario;
use super::world::{Arrival, Left, Record};

/// What clock steps leave of a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    All,
    RoundTrip,
    Nothing,
}

/// A probe that was answered in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Its place among all probes.
    pub(crate) index: usize,
    pub(crate) arrival: Arrival,
    pub(crate) instants: Instants,
    pub(crate) usable: Use,
    /// The answer to a later probe was read before.
    pub(crate) overtaken: bool,
    /// What became of T2 in a probe that came back itself.
    pub(crate) stamping: Stamping,
    /// There is a T2 that can be believed.
    pub(crate) one_way: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// In the order in which they were read.
    pub(crate) received: Vec<Received>,
    pub(crate) forward: Vec<i64>,
    pub(crate) backward: Vec<i64>,
    pub(crate) round_trip: Vec<i64>,
    pub(crate) residence: Vec<i64>,
    pub(crate) forward_variation: Vec<i64>,
    pub(crate) backward_variation: Vec<i64>,
    pub(crate) round_trip_variation: Vec<i64>,
    /// Lengths of the runs of consecutive losses.
    pub(crate) runs: Vec<u64>,
}

impl Figures {
    pub(crate) fn of(scenario: &Scenario, record: &Record, expected: &Expected) -> Self {
        let mut figures = Self {
            received: received(scenario, record, expected),
            runs: runs(expected),
            ..Self::default()
        };
        let replied = scenario.config.measurement.looped().is_none();
        for Received { instants, usable, one_way, .. } in &figures.received {
            if *usable == Use::All && *one_way {
                figures.forward.push(instants.forward());
                figures.backward.push(instants.backward());
            }
            if *usable != Use::Nothing {
                figures.round_trip.push(instants.round_trip());
                figures.residence.extend(replied.then(|| instants.residence()));
            }
        }
        figures.vary(scenario, expected);
        figures
    }

    /// Between probes that follow each other and both were received.
    fn vary(&mut self, scenario: &Scenario, expected: &Expected) {
        let mut in_order = self.received.clone();
        in_order.sort_by_key(|received| received.index);
        for pair in in_order.windows(2) {
            let [before, this] = pair else { unreachable!() };
            if before.index + 1 != this.index {
                continue;
            }
            let sent = |received: &Received| expected.probes[received.index].at_ns;
            let same_clock =
                scenario.near.ahead_ns(sent(before)) == scenario.near.ahead_ns(sent(this));
            let one_way = |received: &Received| received.usable == Use::All && received.one_way;
            if one_way(before) && one_way(this) && same_clock {
                let change = |of: fn(&Instants) -> i64| of(&this.instants) - of(&before.instants);
                self.forward_variation.push(change(Instants::forward));
                self.backward_variation.push(change(Instants::backward));
            }
            if before.usable != Use::Nothing && this.usable != Use::Nothing {
                let change = this.instants.round_trip() - before.instants.round_trip();
                self.round_trip_variation.push(change);
            }
        }
    }
}

fn received(scenario: &Scenario, record: &Record, expected: &Expected) -> Vec<Received> {
    let mut received: Vec<Received> = Vec::new();
    for (index, fate) in expected.fates.iter().enumerate() {
        if let Fate::Received(arrival) = fate {
            let arrival_index = *arrival;
            let arrival = record.arrivals[arrival_index];
            let probe = &expected.probes[index];
            let instants = instants(scenario, probe, &arrival);
            let stamping = stamping(scenario, probe, &arrival, &instants);
            let replied = scenario.config.measurement.looped().is_none();
            received.push(Received {
                index,
                arrival,
                instants,
                usable: Use::All,
                overtaken: false,
                stamping,
                one_way: replied || stamping == Stamping::Stamped,
            });
        }
    }
    let read_order = |received: &Received| match expected.fates[received.index] {
        Fate::Received(arrival_index) => arrival_index,
        _ => unreachable!(),
    };
    received.sort_by_key(read_order);
    mark(scenario, record, expected, &mut received);
    received
}

/// Marks what overtook what, and what clock steps spoiled.
fn mark(scenario: &Scenario, record: &Record, expected: &Expected, received: &mut [Received]) {
    let mut highest = None;
    // Offset of the far clock under the latest sample in order, if it can still be compared.
    let mut compared: Option<(i64, u64)> = None;
    for sample in received {
        sample.overtaken = highest.is_some_and(|highest| sample.index < highest);
        highest = highest.max(Some(sample.index));
        let probe = &expected.probes[sample.index];
        let impossible = sample.instants.round_trip() < -1_000_000;
        if spans_near_step(scenario, probe, &sample.arrival) || impossible {
            sample.usable = Use::Nothing;
            compared = None;
            continue;
        }
        if sample.overtaken || !sample.one_way {
            continue;
        }
        let far = scenario.far.clock.ahead_ns(sample.arrival.reached_far_ns);
        let now = sample.arrival.read_ns;
        if let Some((before, since)) = compared
            && before != far
            && !own_clock_seen_stepping(scenario, record, since, now)
        {
            sample.usable = Use::RoundTrip;
        }
        compared = Some((far, now));
    }
}

/// The shell ran before and after a step of our own clock in this time.
fn own_clock_seen_stepping(scenario: &Scenario, record: &Record, since: u64, now: u64) -> bool {
    let seen = record.wakes.iter().map(|(at_ns, _)| *at_ns);
    let seen = seen.filter(|at_ns| (since..=now).contains(at_ns));
    let offsets: HashSet<i64> = seen.map(|at_ns| scenario.near.ahead_ns(at_ns)).collect();
    offsets.len() > 1
}

/// Losses in a row, as probes were sent; what never left is no gap.
fn runs(expected: &Expected) -> Vec<u64> {
    let mut runs = Vec::new();
    let mut run = 0;
    for (probe, fate) in expected.probes.iter().zip(&expected.fates) {
        match (probe.left, fate) {
            (Left::Yes, Fate::Lost) => run += 1,
            (Left::Yes, Fate::TrialLost) => {}
            (Left::Yes, _) => runs.push(std::mem::take(&mut run)),
            _ => {}
        }
    }
    runs.push(run);
    runs.retain(|run| *run > 0);
    runs
}
