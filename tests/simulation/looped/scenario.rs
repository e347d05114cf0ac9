//! Scenarios of looped sessions.

use stamp_session::sender::{Looped, MeasurementMode, TimestampPlace};
use stamp_tests::simulation::{Random, SECOND};

use crate::session::scenario::{Node, Scenario, synchronized};

fn looped() -> Looped {
    Looped { source: "198.51.100.1:50000".parse().expect("an address") }
}

/// Without a timestamp on the way.
pub(super) fn loopback(mut scenario: Scenario) -> Scenario {
    scenario.config.measurement = MeasurementMode::Loopback(looped());
    // Nobody numbers replies that nobody makes.
    scenario.far.stateful = false;
    scenario
}

/// Past one node.
pub(super) fn enhanced(scenario: Scenario, node: Node) -> Scenario {
    let mut scenario = loopback(scenario);
    let place = TimestampPlace::of(scenario.config.mode());
    scenario.config.measurement = MeasurementMode::EnhancedLoopback(looped(), place);
    scenario.nodes = vec![(0, node)];
    scenario
}

/// Up to a year off, or less than a flight takes; set while the session runs, or not.
pub(super) fn with_wrong_far_clock(mut scenario: Scenario) -> Scenario {
    let mut random = Random::new(scenario.seed ^ 0xc10c);
    let flight_ns = (scenario.forward.delay_ns + scenario.backward.delay_ns) as i64;
    let off_ns = match random.below(3) {
        0 => random.between(1, 365 * 86_400 * SECOND) as i64,
        1 => flight_ns / 3,
        // All clocks that count TAI.
        _ => 37 * SECOND as i64,
    };
    scenario.far.clock.offset_ns = random.pick(&[off_ns, -off_ns]);
    scenario
}

/// As good as ours, by the operator's word, which may be wrong.
pub(super) fn declared(mut scenario: Scenario) -> Scenario {
    scenario.config.far_clock = Some(synchronized());
    scenario
}

/// Places for eight octets in the zeros of a base packet that are not where T2 belongs. Two octets
/// beside it they may end in zeros, and nobody could tell.
pub(super) fn wrong_place(seed: u64, scenario: &Scenario) -> Node {
    let open: &[u16] = &[20, 24, 32, 36];
    let authenticated: &[u16] = &[28, 36, 40, 64, 88];
    let places = if scenario.config.keys.is_some() { authenticated } else { open };
    Node::Elsewhere(Random::new(seed ^ 0x0ff5e7).pick(places))
}
