//! Loss of real traffic.

use super::*;
use crate::output::record::{DirectMeasurementRecord, TrafficLossRecord};

fn loss(sent: u64, received: u64) -> Option<TrafficLossRecord> {
    Some(TrafficLossRecord { sent, received, lost: sent as i64 - received as i64 })
}

#[test]
fn real_traffic_is_told_by_direction_where_it_is_worth_a_word() {
    let mut session = examples::good();
    let before = kinds(&session);
    let quiet = DirectMeasurementRecord {
        told: 10,
        forward: loss(10_000, 9_991),
        backward: loss(10_000, 10_010),
        ..DirectMeasurementRecord::default()
    };
    session.answers.direct_measurement = Some(quiet);
    assert_eq!(kinds(&session), before, "on the way");
    let forward = loss(10_000, 9_500);
    session.answers.direct_measurement = Some(DirectMeasurementRecord { forward, ..quiet });
    let text = find(&session, "traffic_lost").text;
    assert_eq!(text, "Real traffic was lost on the way there (forward): 500 of 10000 packets.");
    let backward = loss(10, 700);
    session.answers.direct_measurement =
        Some(DirectMeasurementRecord { backward, restarts: 1, ..quiet });
    assert!(find(&session, "traffic_differs").text.contains("700 packets of 10"));
    assert!(find(&session, "traffic_counter_restart").text.contains("anew 1 time"));
}

#[test]
fn counters_that_are_not_told_name_the_key_that_tells_them() {
    let mut session = examples::good();
    session.tlvs.last = "unrecognized".to_owned();
    session.answers.direct_measurement =
        Some(DirectMeasurementRecord { refused: 5, ..DirectMeasurementRecord::default() });
    let kinds = kinds(&session);
    assert!(kinds.contains(&"not_told") && !kinds.contains(&"tlvs"), "{kinds:?}");
    assert!(find(&session, "not_told").remedy.contains("direct-measurement = \"eth0\""));
}
