//! Forged replies between the good ones.

use stamp_session::sender::{RejectCounts, ZeroSsid};
use stamp_session::snapshot::SessionSnapshot;
use stamp_tests::simulation::for_each_seed;

use crate::session::scenario::Scenario;
use crate::session::world::{Record, run};

fn without_rejections(record: &Record) -> SessionSnapshot {
    let mut snapshot = record.run.clone().unwrap();
    snapshot.packets.rejected = RejectCounts::default();
    snapshot
}

fn assert_forgeries_change_nothing(mut scenario: Scenario) {
    scenario.config.zero_ssid = ZeroSsid::Stop;
    let good = run(&scenario, scenario.far.clone());
    scenario.forgeries = 2;
    let mixed = run(&scenario, scenario.far.clone());
    assert!(mixed.forged > 0);
    assert_eq!(without_rejections(&mixed), without_rejections(&good));
    assert_eq!(mixed.events, good.events);
    let rejected = |record: &Record| record.run.as_ref().unwrap().packets.rejected.total();
    assert_eq!(rejected(&mixed), rejected(&good) + mixed.forged);
}

#[test]
fn forged_replies_leave_an_open_session_as_it_was() {
    for_each_seed(400, |seed| assert_forgeries_change_nothing(Scenario::rough(seed, 120)));
}

#[test]
fn forged_replies_leave_an_authenticated_session_as_it_was() {
    for_each_seed(100, |seed| {
        assert_forgeries_change_nothing(Scenario::rough(seed, 120).authenticated());
    });
}
