//! Thousands of runs of each kind of far node.

use stamp_session::sender::{Outcome, Sample, Stamping};
use stamp_session::snapshot::ClockFinding;
use stamp_tests::simulation::{Answer, FarEnd, for_each_seed};

use super::node::{DataPlane, FarNode};
use super::scenario::{declared, enhanced, loopback, with_wrong_far_clock, wrong_place};
use crate::session::compare::{Truth, assert_agrees};
use crate::session::scenario::{Node, Scenario};
use crate::session::world::{Record, run};

/// Runs it on one of the data planes and compares everything.
pub(super) fn agreed(scenario: &Scenario) -> (Record, Truth) {
    let planes = [DataPlane::MplsV4, DataPlane::MplsV6, DataPlane::Srv6];
    let plane = planes[scenario.seed as usize % planes.len()];
    let record = run(scenario, FarNode::new(scenario, plane));
    let truth = assert_agrees(scenario, &record);
    (record, truth)
}

fn samples(record: &Record) -> impl Iterator<Item = &Sample> {
    record.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Sample(sample) => Some(sample),
        _ => None,
    })
}

fn open(seed: u64) -> Scenario {
    Scenario::rough(seed, 150)
}

fn authenticated(seed: u64) -> Scenario {
    Scenario::rough(seed, 80).authenticated()
}

#[test]
fn loopback_measures_round_trips_whatever_is_done_to_probes() {
    for_each_seed(2_000, |seed| {
        let scenario = if seed % 4 == 0 { authenticated(seed) } else { open(seed) };
        let mut scenario = loopback(scenario);
        // It is asked nothing: nobody would know where to write.
        scenario.nodes.clear();
        let record = run(&scenario, Back(scenario.far.residence_ns));
        let _ = assert_agrees(&scenario, &record);
        assert!(samples(&record).all(|sample| sample.forward_delay.is_none()));
    });
}

#[test]
fn a_node_that_stamps_splits_round_trips_exactly() {
    for_each_seed(3_000, |seed| {
        let scenario = if seed % 4 == 0 { authenticated(seed) } else { open(seed) };
        let (record, truth) = agreed(&declared(enhanced(scenario, Node::Stamps)));
        let counts = record.run.as_ref().unwrap().stamping_counts;
        assert_eq!(counts.stamped + counts.implausible, truth.figures.received.len() as u64);
    });
}

/// Whatever the clocks: nothing says they are to be believed when nobody did.
#[test]
fn a_far_clock_that_nobody_declared_is_never_called_synchronized() {
    for_each_seed(2_000, |seed| {
        let scenario = with_wrong_far_clock(enhanced(open(seed), Node::Stamps));
        let (record, _) = agreed(&scenario);
        assert!(!record.run.as_ref().unwrap().clock.synchronized);
        assert!(samples(&record).all(|sample| !sample.clock_synchronized));
    });
}

/// Where the error is longer than the flight, T2 contradicts both clocks: no delay, and a finding.
#[test]
fn a_declared_far_clock_that_is_wrong_by_more_than_a_flight_is_found_out() {
    for_each_seed(2_000, |seed| {
        let mut scenario = Scenario::calm(seed, 100);
        scenario.forward.loss_per_mille = 100;
        scenario.backward.loss_per_mille = 100;
        let scenario = declared(with_wrong_far_clock(enhanced(scenario, Node::Stamps)));
        let (record, truth) = agreed(&scenario);
        let run = record.run.as_ref().unwrap();
        let received = truth.figures.received.len() as u64;
        let flight_ns = scenario.forward.delay_ns + scenario.backward.delay_ns;
        let longest = flight_ns + scenario.far.residence_ns + 1_000_000;
        if scenario.far.clock.offset_ns.unsigned_abs() < longest || received == 0 {
            return;
        }
        assert_eq!(run.stamping_counts.implausible, received);
        assert_eq!((run.delay.forward.count, run.delay.backward.count), (0, 0));
        assert_eq!(run.delay.round_trip.count, received);
        assert!(!run.clock.synchronized);
        let finding = ClockFinding::FarImplausible { count: received };
        assert!(run.clock.findings.contains(&finding), "{:?}", run.clock.findings);
    });
}

/// Every probe that came back names what is wrong, and the round trip is measured all the same.
fn assert_recognised(scenario: &Scenario, stamping: Stamping) {
    let (record, truth) = agreed(scenario);
    assert!(samples(&record).all(|sample| sample.stamping == stamping));
    let run = record.run.as_ref().unwrap();
    let received = truth.figures.received.len() as u64;
    assert_eq!((run.delay.forward.count, run.delay.backward.count), (0, 0));
    assert_eq!(run.packets.received, received);
    let expected = if received > 0 { stamping } else { Stamping::NotAsked };
    assert_eq!(run.stamping, expected);
}

#[test]
fn a_node_that_stamps_at_the_wrong_place_is_recognised() {
    for_each_seed(1_500, |seed| {
        let scenario = if seed % 3 == 0 { authenticated(seed) } else { open(seed) };
        let node = wrong_place(seed, &scenario);
        let Node::Elsewhere(offset) = node else { unreachable!() };
        let scenario = declared(enhanced(scenario, node));
        assert_recognised(&scenario, Stamping::Elsewhere { offset });
    });
}

#[test]
fn a_node_before_that_pops_too_early_is_recognised() {
    for_each_seed(1_000, |seed| {
        let scenario = declared(enhanced(open(seed), Node::PoppedEarly));
        assert_recognised(&scenario, Stamping::Missing);
    });
}

#[test]
fn a_node_that_does_not_know_the_label_or_sid_loses_everything() {
    for_each_seed(500, |seed| {
        let (record, truth) = agreed(&declared(enhanced(open(seed), Node::Unknowing)));
        let run = record.run.as_ref().unwrap();
        assert_eq!((run.packets.received, truth.lost()), (0, run.packets.sent));
        assert_eq!(run.delay.round_trip.count, 0);
    });
}

/// The way back, and nothing else.
struct Back(u64);

impl FarEnd for Back {
    fn answer(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        Some(Answer { leaves_ns: at_ns + self.0, octets: probe.to_vec() })
    }
}
