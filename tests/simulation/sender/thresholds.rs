//! Thresholds over rough paths, told when a list of all that happened says so.

use std::sync::Arc;

use stamp_proto::time::TimeDelta;
use stamp_session::sender::{
    ByDirection, DelayThreshold, LossThreshold, MeasuredDirection, Outcome, SenderEvent,
    ThresholdState, Thresholds,
};
use stamp_tests::simulation::{Random, for_each_seed};

use crate::session::compare::Truth;
use crate::session::expect::Fate;
use crate::session::scenario::Scenario;
use crate::session::world::{Left, Record, run};

/// A crossing: exceeded or cleared, at which probe.
type Crossing = (bool, u32);

/// A rough path on which every loss is one of the path, and no clock is set.
fn rough(seed: u64) -> Scenario {
    let mut scenario = Scenario::rough(seed, 300);
    scenario.vanished_per_mille = 0;
    scenario.near.steps.clear();
    scenario.far.clock.steps.clear();
    scenario
}

fn is_exceeded(state: ThresholdState) -> bool {
    state == ThresholdState::Exceeded
}

fn losses_told(record: &Record) -> Vec<Crossing> {
    let told = record.events.iter().filter_map(|event| match event {
        SenderEvent::Loss(change) if change.direction == MeasuredDirection::RoundTrip => {
            Some((is_exceeded(change.to), change.last))
        }
        _ => None,
    });
    told.collect()
}

/// Looks at the last Y fates anew for each probe.
fn losses_expected(truth: &Truth, lost: usize, of: usize) -> Vec<Crossing> {
    let probes = truth.expected.probes.iter().zip(&truth.expected.fates);
    let fates: Vec<(u32, bool)> = probes
        .filter(|(probe, fate)| probe.left == Left::Yes && **fate != Fate::Unsent)
        .map(|(probe, fate)| (probe.sequence, *fate == Fate::Lost))
        .collect();
    let exceeds = |index: usize| {
        let from = (index + 1).saturating_sub(of);
        fates[from..=index].iter().filter(|(_, lost)| *lost).count() >= lost
    };
    crossings((0..fates.len()).map(|index| (fates[index].0, exceeds(index))))
}

fn crossings(states: impl Iterator<Item = (u32, bool)>) -> Vec<Crossing> {
    let mut exceeded = false;
    let mut crossings = Vec::new();
    for (sequence, exceeds) in states {
        if exceeds != exceeded {
            exceeded = exceeds;
            crossings.push((exceeds, sequence));
        }
    }
    crossings
}

#[test]
fn x_of_y_is_crossed_where_the_fates_of_all_probes_say() {
    for_each_seed(1_000, |seed| {
        let mut random = Random::new(seed ^ 0x1055);
        let of = random.between(1, 40) as u32;
        let lost = random.between(1, u64::from(of)) as u32;
        let round_trip = Some(LossThreshold::new(lost, of).unwrap());
        let loss = ByDirection { round_trip, ..ByDirection::default() };
        let mut scenario = rough(seed);
        scenario.config.thresholds = Some(Arc::new(Thresholds { loss, ..Thresholds::default() }));
        let record = run(&scenario, scenario.far.clone());
        let truth = Truth::of(&scenario, &record);
        let expected = losses_expected(&truth, lost as usize, of as usize);
        assert_eq!(losses_told(&record), expected, "{lost} of {of}");
    });
}

#[test]
fn m_in_a_row_cross_a_limit_in_the_order_of_arrival() {
    for_each_seed(1_000, |seed| {
        let mut scenario = rough(seed);
        let mut random = Random::new(seed ^ 0xde1a);
        let way = scenario.forward.delay_ns + scenario.backward.delay_ns;
        let limit = TimeDelta::from_ns((way + random.below(way)) as i64);
        let count = random.between(1, 4) as usize;
        let round_trip = Some(DelayThreshold::absolute(limit, count as u32).unwrap());
        let delay = ByDirection { round_trip, ..ByDirection::default() };
        scenario.config.thresholds = Some(Arc::new(Thresholds { delay, ..Thresholds::default() }));
        let record = run(&scenario, scenario.far.clone());
        let samples: Vec<(u32, bool)> = record
            .outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Sample(sample) => Some((sample.sequence, sample.round_trip > limit)),
                _ => None,
            })
            .collect();
        // The state after a sample is that of the last M samples that were all alike.
        let mut exceeded = false;
        let states = (0..samples.len()).map(|index| {
            let latest = &samples[(index + 1).saturating_sub(count)..=index];
            let (sequence, exceeds) = samples[index];
            if latest.len() == count && latest.iter().all(|sample| sample.1 == exceeds) {
                exceeded = exceeds;
            }
            (sequence, exceeded)
        });
        let told: Vec<Crossing> = record
            .events
            .iter()
            .filter_map(|event| match event {
                SenderEvent::Delay(change) => Some((is_exceeded(change.to), change.last)),
                _ => None,
            })
            .collect();
        assert_eq!(told, crossings(states), "{} ns, {count} in a row", limit.ns());
    });
}

#[test]
fn losses_of_each_direction_are_those_that_are_told_of_it() {
    for_each_seed(1_000, |seed| {
        let whole = Some(LossThreshold::new(1, 100_000).unwrap());
        let loss = ByDirection { forward: whole, backward: whole, round_trip: whole };
        let mut scenario = rough(seed).countable();
        scenario.config.thresholds = Some(Arc::new(Thresholds { loss, ..Thresholds::default() }));
        let record = run(&scenario, scenario.far.clone());
        let run = record.run.as_ref().unwrap();
        let thresholds = run.thresholds.as_ref().unwrap().loss;
        assert_eq!(run.packets.lost.forward, thresholds.forward.map(|it| it.lost.into()));
        assert_eq!(run.packets.lost.backward, thresholds.backward.map(|it| it.lost.into()));
        assert_eq!(run.packets.lost.round_trip, u64::from(thresholds.round_trip.unwrap().lost));
    });
}
