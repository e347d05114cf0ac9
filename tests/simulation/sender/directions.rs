//! Where probes were lost, by the count of the far end.

use std::collections::HashSet;

use stamp_session::sender::{Reflector, ReflectorMode, SenderEvent};
use stamp_tests::simulation::{Random, for_each_seed};

use crate::session::compare::{Truth, assert_agrees};
use crate::session::expect::Fate;
use crate::session::scenario::Scenario;
use crate::session::world::{Left, Record, run};

/// Losses between the first and the last received probe with one count, as they really happened.
fn true_losses(scenario: &Scenario, record: &Record, truth: &Truth) -> (u64, u64) {
    let answered: HashSet<u32> = record.answers.iter().map(|(sequence, _, _)| *sequence).collect();
    let (mut forward, mut backward) = (0, 0);
    for (first, last) in intervals(scenario, record, truth) {
        for index in first + 1..last {
            let probe = &truth.expected.probes[index];
            if probe.left != Left::Yes || matches!(truth.expected.fates[index], Fate::Received(_)) {
                continue;
            }
            if answered.contains(&probe.sequence) {
                backward += 1;
            } else {
                forward += 1;
            }
        }
    }
    (forward, backward)
}

/// First and last received probe of each count.
fn intervals(scenario: &Scenario, record: &Record, truth: &Truth) -> Vec<(usize, usize)> {
    let mut intervals: Vec<(usize, usize, usize)> = Vec::new();
    for (index, fate) in truth.expected.fates.iter().enumerate() {
        let Fate::Received(arrival) = fate else { continue };
        let reached = record.arrivals[*arrival].reached_far_ns;
        let restarts = scenario.far.restarts_ns.iter().filter(|at_ns| **at_ns <= reached).count();
        match intervals.last_mut() {
            Some((count, _, last)) if *count == restarts => *last = index,
            _ => intervals.push((restarts, index, index)),
        }
    }
    intervals.into_iter().map(|(_, first, last)| (first, last)).collect()
}

fn restarts_told(record: &Record) -> usize {
    let told = |event: &&SenderEvent| matches!(event, SenderEvent::ReflectorRestart { .. });
    record.events.iter().filter(told).count()
}

fn assert_directions(scenario: &Scenario) {
    let record = run(scenario, scenario.far.clone());
    let truth = assert_agrees(scenario, &record);
    let (forward, backward) = true_losses(scenario, &record, &truth);
    let run = record.run.as_ref().unwrap();
    assert_eq!(run.packets.lost.forward, Some(forward), "forward");
    assert_eq!(run.packets.lost.backward, Some(backward), "backward");
    let restarts = intervals(scenario, &record, &truth).len().saturating_sub(1);
    assert_eq!(restarts_told(&record), restarts, "restarts");
    assert_eq!(run.reflector.restarts, restarts as u64);
    let windows = |of: fn(&stamp_session::snapshot::Lost) -> Option<u64>| -> u64 {
        record.windows.iter().map(|window| of(&window.packets.lost).unwrap()).sum()
    };
    assert_eq!(windows(|lost| lost.forward), forward);
    assert_eq!(windows(|lost| lost.backward), backward);
    assert_told(&record, forward, backward);
}

/// What the events of single gaps add up to never exceeds the whole.
fn assert_told(record: &Record, forward: u64, backward: u64) {
    let mut told = (0, 0);
    for event in &record.events {
        if let SenderEvent::LossDirection { forward, backward, .. } = event {
            told = (told.0 + forward, told.1 + backward);
        }
    }
    assert_eq!(told, (forward, backward));
}

#[test]
fn losses_are_told_apart_by_direction() {
    for_each_seed(3_000, |seed| assert_directions(&Scenario::rough(seed, 300).countable()));
}

#[test]
fn a_count_that_begins_anew_is_noticed_and_no_loss_is_made_up() {
    for_each_seed(1_500, |seed| {
        let mut scenario = Scenario::rough(seed, 600).countable();
        let length = scenario.length_ns();
        let mut random = Random::new(seed);
        // Far enough apart, and from zero, that no gap hides a restart.
        scenario.far.first_number = 1_000;
        scenario.forward.loss_per_mille = random.pick(&[0, 20, 100]);
        scenario.forward.burst_per_mille = 0;
        scenario.stalls_ns.clear();
        scenario.refused_per_mille = 0;
        scenario.backward.loss_per_mille = random.pick(&[0, 20, 100]);
        scenario.backward.burst_per_mille = 0;
        scenario.far.restarts_ns =
            (1..4).map(|third| length * third / 4 + random.below(length / 20)).collect();
        assert_directions(&scenario);
    });
}

#[test]
fn copies_of_probes_are_not_taken_for_losses_when_all_replies_come_back() {
    for_each_seed(1_000, |seed| {
        let mut scenario = Scenario::calm(seed, 300).countable();
        scenario.forward.loss_per_mille = 100;
        scenario.forward.duplicate_per_mille = 200;
        let record = run(&scenario, scenario.far.clone());
        let truth = assert_agrees(&scenario, &record);
        let lost = record.run.as_ref().unwrap().packets.lost;
        let (forward, backward) = true_losses(&scenario, &record, &truth);
        assert_eq!((lost.forward, lost.backward), (Some(forward), Some(backward)));
        assert_eq!(restarts_told(&record), 0);
    });
}

#[test]
fn overtaking_probes_are_not_taken_for_restarts() {
    for_each_seed(2_000, |seed| {
        let mut scenario = Scenario::rough(seed, 300).countable();
        scenario.forward.overtaking = true;
        let record = run(&scenario, scenario.far.clone());
        let truth = assert_agrees(&scenario, &record);
        assert_eq!(restarts_told(&record), 0);
        // At the two ends a probe may be numbered on the other side of the interval.
        let lost = record.run.as_ref().unwrap().packets.lost;
        let found = lost.forward.unwrap() + lost.backward.unwrap();
        let (forward, backward) = true_losses(&scenario, &record, &truth);
        assert!(found <= truth.lost() && found.abs_diff(forward + backward) <= truth.lost());
    });
}

#[test]
fn what_kind_of_far_end_it_is_shows_with_the_first_loss() {
    for_each_seed(2_000, |seed| {
        let mut scenario = Scenario::calm(seed, 100);
        scenario.far.stateful = seed % 2 == 0;
        scenario.forward.loss_per_mille = 50;
        let record = run(&scenario, scenario.far.clone());
        let truth = assert_agrees(&scenario, &record);
        let between = true_losses(&scenario, &record, &truth).0 > 0;
        // A far end that numbered everything from zero has lost nothing before its first reply.
        let before = !matches!(truth.expected.fates.first(), Some(Fate::Received(_)));
        let found = record.run.as_ref().unwrap().reflector.mode;
        let expected = match (between || before, scenario.far.stateful) {
            (false, _) => Reflector::Unknown,
            (true, true) => Reflector::Stateful,
            (true, false) => Reflector::Stateless,
        };
        assert_eq!(found, expected);
    });
}

#[test]
fn one_probe_that_starts_at_one_tells_the_kind_of_far_end() {
    for_each_seed(200, |seed| {
        let mut scenario = Scenario::calm(seed, 1);
        scenario.config.first_sequence = 1;
        scenario.config.reflector = ReflectorMode::Detect;
        scenario.far.stateful = seed % 2 == 0;
        let record = run(&scenario, scenario.far.clone());
        let kind = if scenario.far.stateful { Reflector::Stateful } else { Reflector::Stateless };
        assert_eq!(record.run.unwrap().reflector.mode, kind);
    });
}
