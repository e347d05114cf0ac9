//! Plain loopback while the far node does not stamp.

use std::sync::atomic::{AtomicU64, Ordering};

use stamp_session::sender::SenderEvent;
use stamp_tests::simulation::{Random, for_each_seed};

use super::runs::agreed;
use super::scenario::{declared, enhanced, wrong_place};
use crate::session::scenario::{Node, Scenario};
use crate::session::world::Record;

/// What probes were asked for is known to be right only where each of them really left.
fn that_may_fall_back(mut scenario: Scenario, node: Node) -> Scenario {
    (scenario.refused_per_mille, scenario.vanished_per_mille) = (0, 0);
    scenario.config.timestamp_fallback = true;
    enhanced(scenario, node)
}

fn changes(record: &Record) -> usize {
    let told = |event: &&SenderEvent| matches!(event, SenderEvent::Fallback(_));
    record.events.iter().filter(told).count()
}

/// Loss, reordering, duplicates, stalls, clocks that step, and a node that changes its mind: what each
/// probe asks for, each change, and every count.
#[test]
fn a_node_that_changes_is_followed_exactly() {
    let followed = AtomicU64::new(0);
    for_each_seed(3_000, |seed| {
        let mut scenario = that_may_fall_back(Scenario::rough(seed, 400), Node::Stamps);
        let mut random = Random::new(seed ^ 0xfa11);
        let elsewhere = wrong_place(seed, &scenario);
        let length_ns = scenario.length_ns();
        for part in 0..random.between(1, 5) {
            let nodes = [Node::Stamps, Node::Unknowing, Node::PoppedEarly, elsewhere];
            scenario.nodes.push((part * length_ns / 5, random.pick(&nodes)));
        }
        let scenario = if random.chance(500) { declared(scenario) } else { scenario };
        let (record, _) = agreed(&scenario);
        followed.fetch_add(changes(&record) as u64, Ordering::Relaxed);
    });
    assert!(followed.into_inner() > 3_000, "it was put to the test");
}

/// A path that only loses now and then is not blamed on the node.
#[test]
fn a_node_that_always_stamps_is_asked_to_the_end() {
    for_each_seed(1_000, |seed| {
        let mut scenario = Scenario::calm(seed, 200);
        scenario.forward.loss_per_mille = 20;
        scenario.backward.loss_per_mille = 20;
        let (record, _) = agreed(&declared(that_may_fall_back(scenario, Node::Stamps)));
        assert_eq!(changes(&record), 0);
    });
}

/// A node that drops what asks does not look like a path that loses.
#[test]
fn what_a_node_drops_is_not_held_against_the_path_for_long() {
    for_each_seed(500, |seed| {
        let scenario = that_may_fall_back(Scenario::calm(seed, 1_500), Node::Unknowing);
        let (record, truth) = agreed(&scenario);
        let run = record.run.as_ref().unwrap();
        // What was sent until the first of them was given up, and one less than what proves it.
        let on_their_way = scenario.timeout_ns().div_ceil(scenario.interval_ns()) + 1;
        let limit = u64::from(scenario.config.packet_loss_count);
        assert!(truth.lost() <= on_their_way + limit, "{} lost", truth.lost());
        assert_eq!(run.packets.received, run.packets.sent - truth.lost());
        assert_eq!(run.delay.forward.count, 0);
    });
}
