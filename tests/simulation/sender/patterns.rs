//! How losses are spread, as an engineer would ask next.

use std::time::Duration;

use stamp_session::sender::Schedule;
use stamp_session::snapshot::LossPattern;
use stamp_session::statistics::LossCharacter;
use stamp_tests::simulation::{MS, Policer, Random, SECOND, for_each_seed};

use crate::session::compare::assert_agrees;
use crate::session::scenario::Scenario;
use crate::session::world::run;

/// 2 000 probes, 100 a second, over a path that only delays.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::calm(seed, 2_000);
    scenario.config.schedule = Schedule::Fixed { interval: Duration::from_millis(10) };
    scenario.config.timeout = Duration::from_secs(1);
    scenario
}

fn pattern(scenario: &Scenario) -> LossPattern {
    let record = run(scenario, scenario.far.clone());
    let _ = assert_agrees(scenario, &record);
    record.run.unwrap().loss_pattern
}

#[test]
fn a_policer_is_recognised_in_either_direction_by_its_rate() {
    for_each_seed(100, |seed| {
        let mut scenario = scenario(seed);
        let per_second = Random::new(seed).between(30, 90);
        let policer = Some(Policer { per_second, burst: 20 });
        if seed % 2 == 0 {
            scenario.forward.policer = policer;
        } else {
            scenario.backward.policer = policer;
        }
        let pattern = pattern(&scenario);
        assert!(pattern.looks_policed(), "{pattern:?}");
        let rate = pattern.plateau_rate().unwrap();
        assert!(rate.abs_diff(per_second) <= 1, "{rate} for {per_second}");
    });
}

#[test]
fn losses_by_chance_are_even_and_no_policer() {
    for_each_seed(200, |seed| {
        let mut scenario = scenario(seed);
        scenario.forward.loss_per_mille = Random::new(seed).between(20, 500);
        let pattern = pattern(&scenario);
        assert_eq!(pattern.character(), Some(LossCharacter::Even), "{pattern:?}");
        assert!(!pattern.looks_policed(), "{pattern:?}");
    });
}

#[test]
fn losses_in_bursts_are_bursts() {
    for_each_seed(200, |seed| {
        let mut scenario = scenario(seed);
        scenario.backward.loss_per_mille = 10;
        scenario.backward.burst_per_mille = 800;
        let pattern = pattern(&scenario);
        assert_eq!(pattern.character(), Some(LossCharacter::Bursty), "{pattern:?}");
        assert!(!pattern.looks_policed(), "{pattern:?}");
    });
}

#[test]
fn an_outage_of_a_second_is_one_burst() {
    let mut scenario = scenario(1);
    scenario.forward.delay_ns = MS;
    scenario.forward.outage_ns = Some((5 * SECOND, 6 * SECOND));
    let pattern = pattern(&scenario);
    assert_eq!((pattern.lost, pattern.bursts, pattern.longest_run), (100, 1, 100));
    assert_eq!(pattern.character(), Some(LossCharacter::Bursty));
}
