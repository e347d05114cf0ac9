//! What a session costs.

use core::time::Duration;

use super::rig::*;
use crate::sender::{Schedule, SenderConfig, SessionHistograms, StatisticsScope};
use crate::statistics::Buckets;

fn octets(config: SenderConfig) -> usize {
    let mut rig = Rig::new(config);
    let interval = u64::try_from(rig.sender.config().schedule.interval().as_nanos()).unwrap();
    for slot in 0..20 {
        let _ = rig.answered(slot * interval.max(100 * MS));
        let _ = rig.events();
    }
    rig.sender.memory_octets()
}

#[test]
fn a_session_with_window_histograms_of_three_directions_takes_40_kib_at_most() {
    for statistics in [StatisticsScope::Window, StatisticsScope::Run] {
        let schedule = Schedule::Fixed { interval: Duration::from_millis(100) };
        let timeout = Duration::from_secs(1);
        let octets = octets(SenderConfig { schedule, timeout, statistics, ..config() });
        assert!(octets <= 40 * 1_024, "{octets}");
    }
}

#[test]
fn histograms_of_twenty_buckets_take_1500_octets_at_most() {
    let bounds: Vec<u64> = (1..=20).collect();
    let octets = SessionHistograms::new(&Buckets::new(&bounds).unwrap()).octets();
    assert!(octets <= 1_500, "{octets}");
}

#[test]
fn both_runs_and_windows_cost_a_second_set_of_histograms() {
    let octets = octets(SenderConfig { statistics: StatisticsScope::Both, ..config() });
    assert!(octets <= 76 * 1_024, "{octets}");
}
