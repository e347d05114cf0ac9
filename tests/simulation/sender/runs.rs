//! Thousands of runs of each kind.

use stamp_tests::simulation::{MS, for_each_seed};

use crate::session::compare::assert_agrees;
use crate::session::scenario::Scenario;
use crate::session::world::run;

fn assert_each_agrees(seeds: u64, scenario: impl Fn(u64) -> Scenario) {
    for_each_seed(seeds, |seed| {
        let scenario = scenario(seed);
        let record = run(&scenario, scenario.far.clone());
        let _ = assert_agrees(&scenario, &record);
    });
}

#[test]
fn over_a_calm_path_every_number_is_exact() {
    assert_each_agrees(1_000, |seed| Scenario::calm(seed, 100));
}

#[test]
fn over_a_rough_path_every_number_agrees_with_what_was_done_to_it() {
    assert_each_agrees(6_000, |seed| Scenario::rough(seed, 300));
}

#[test]
fn authenticated_sessions_agree_too() {
    assert_each_agrees(500, |seed| Scenario::rough(seed, 150).authenticated());
}

#[test]
fn random_schedules_agree_too() {
    assert_each_agrees(1_000, |seed| Scenario::rough(seed, 300).poisson());
}

#[test]
fn outages_are_noticed_and_ended_at_the_right_probes() {
    assert_each_agrees(1_000, |seed| {
        let mut scenario = Scenario::rough(seed, 300);
        let length = scenario.length_ns();
        scenario.forward.outage_ns = Some((length / 5, length / 4));
        scenario.backward.outage_ns = Some((length / 2, length / 2 + length / 8));
        scenario
    });
}

#[test]
fn long_sessions_agree_across_many_wraps_of_their_tables() {
    assert_each_agrees(10, |seed| {
        let mut scenario = Scenario::rough(seed, 20_000);
        scenario.forward.delay_ns = 8 * MS;
        scenario.backward.delay_ns = 8 * MS;
        scenario
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for_each_seed(20, |seed| {
        let scenario = Scenario::rough(seed, 300);
        let [one, other] = [0; 2].map(|_| run(&scenario, scenario.far.clone()));
        assert_eq!(one.run, other.run);
        assert_eq!(one.events, other.events);
    });
}
