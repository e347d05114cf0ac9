use proptest::prelude::*;

use super::*;

/// S_TxC, R_RxC, R_TxC and S_RxC.
fn reading([s_tx, r_rx, r_tx, s_rx]: [u32; 4]) -> Told<TrafficReading> {
    let told = DirectMeasurement {
        sender_transmitted: s_tx,
        reflector_received: r_rx,
        reflector_transmitted: r_tx,
    };
    Told::Told(TrafficReading { told, sender_received: Some(s_rx) })
}

fn series(readings: &[(u32, [u32; 4])]) -> TrafficSeries {
    let mut series = TrafficSeries::default();
    for (sequence, counters) in readings {
        series.add(*sequence, reading(*counters));
    }
    series
}

fn both(series: &TrafficSeries) -> [(u64, u64); 2] {
    [series.forward, series.backward].map(|way| (way.sent, way.received))
}

#[test]
fn two_replies_tell_the_loss_of_each_direction() {
    let one = series(&[(0, [100, 90, 70, 60])]);
    assert_eq!((one.told, one.intervals), (1, 0));
    let two = series(&[(0, [100, 90, 70, 60]), (1, [200, 185, 90, 80])]);
    assert_eq!((two.intervals, both(&two)), (1, [(100, 95), (20, 20)]));
    assert_eq!((two.forward.lost(), two.backward.lost()), (5, 0));
    let surplus = series(&[(0, [100, 90, 70, 60]), (1, [110, 102, 70, 60])]);
    assert_eq!(surplus.forward.lost(), -2, "they were on the way before");
}

#[test]
fn counters_go_on_behind_their_end() {
    let top = u32::MAX;
    let wrapped = series(&[(top, [top, top - 9, top - 4, top]), (0, [9, 0, 15, 9])]);
    assert_eq!((wrapped.restarts, both(&wrapped)), (0, [(10, 10), (20, 10)]));
    // Further in all than a counter holds.
    let step = 1 << 30;
    let far: Vec<_> = (0..9_u32).map(|n| (n, [n.wrapping_mul(step); 4])).collect();
    assert_eq!(both(&series(&far)), [(8 << 30, 8 << 30); 2]);
}

#[test]
fn a_counter_that_begins_anew_is_no_loss() {
    let before = [(0, [1_000, 1_000, 500, 500]), (1, [1_100, 1_090, 520, 520])];
    let after = [(2, [1_200, 3, 2, 540]), (3, [1_300, 95, 12, 550])];
    let restarted = series(&[before, after].concat());
    assert_eq!((restarted.told, restarted.restarts, restarted.intervals), (4, 1, 2));
    assert_eq!(both(&restarted), [(200, 182), (30, 30)]);
    // From so high up that zero looks like a little further on.
    let high = 3_000_000_000;
    let before = [(0, [10, high, high, 10]), (1, [20, high + 10, high + 5, 15])];
    let after = [(2, [30, 1, 1, 20]), (3, [40, 9, 6, 25])];
    let restarted = series(&[before, after].concat());
    assert_eq!((restarted.restarts, both(&restarted)), (1, [(20, 18), (10, 10)]));
    // Our own.
    let own = series(&[(0, [high, 10, 10, high]), (1, [1, 20, 20, 1]), (2, [9, 28, 27, 8])]);
    assert_eq!((own.restarts, both(&own)), (1, [(8, 8), (7, 7)]));
}

#[test]
fn a_probe_that_was_overtaken_is_no_restart() {
    let points = [[100, 100, 50, 50], [110, 110, 60, 60], [120, 119, 70, 70], [130, 130, 80, 80]];
    let at = |sequence: u32| (sequence, points[sequence as usize]);
    let in_order = series(&[at(0), at(1), at(2), at(3)]);
    // On the way back: the later reply is there first.
    let back = series(&[at(0), at(2), at(1), at(3)]);
    assert_eq!((back.restarts, both(&back)), (0, both(&in_order)));
    // On the way there: the later probe has the smaller counters of the far end.
    let there = series(&[at(0), (1, [110, 119, 70, 60]), (2, [120, 110, 60, 70]), at(3)]);
    assert_eq!((there.restarts, both(&there)), (0, both(&in_order)));
}

#[test]
fn a_period_counts_from_the_end_of_the_one_before() {
    let first = series(&[(0, [100, 100, 50, 50]), (1, [110, 110, 60, 60])]);
    let mut second = first.restarted();
    second.add(2, reading([130, 129, 70, 70]));
    second.add(3, Told::Refused);
    second.add(4, Told::NotAsked);
    assert_eq!((second.told, second.refused, second.intervals), (1, 1, 1));
    assert_eq!(both(&second), [(20, 19), (10, 10)]);
}

#[test]
fn without_counters_of_our_own_a_reply_tells_nothing() {
    let counters = TrafficCounters { transmitted: 7, received: 9 };
    let mut near = NearTraffic::default();
    let received = |near: &mut NearTraffic, sequence| {
        let mut answers = Answers {
            direct_measurement: Told::Told(TrafficReading::default()),
            ..Answers::default()
        };
        near.complete(sequence, &mut answers);
        answers.direct_measurement.told().and_then(|reading| reading.sender_received)
    };
    assert_eq!(near.transmitted(0), 0);
    near.set(Some(counters));
    assert_eq!(near.transmitted(1), 7);
    assert_eq!(received(&mut near, 0), None, "what was sent then is not known");
    assert_eq!(received(&mut near, 1), Some(9));
    near.set(None);
    assert_eq!(received(&mut near, 1), None);
    let mut series = TrafficSeries::default();
    series.add(1, Told::Told(TrafficReading::default()));
    assert_eq!((series.told, series.uncounted, series.last), (1, 1, None));
}

proptest! {
    #[test]
    fn the_sum_of_the_steps_is_what_lies_between_first_and_last(
        start in any::<[u32; 4]>(),
        steps in prop::collection::vec([(0..1_u32 << 20, 0..1_u32 << 20), (0..1 << 20, 0..1 << 20)], 1..20),
    ) {
        let mut counters = start;
        let mut readings = vec![(u32::MAX, counters)];
        for (number, [there, back]) in (0..).zip(&steps) {
            // No more arrives than was sent.
            let grown = [there.0 + there.1, there.1, back.0 + back.1, back.1];
            for (counter, by) in counters.iter_mut().zip(grown) {
                *counter = counter.wrapping_add(by);
            }
            readings.push((number, counters));
        }
        let series = series(&readings);
        let lost = |way: usize| steps.iter().map(|step| i64::from(step[way].0)).sum::<i64>();
        prop_assert_eq!((series.forward.lost(), series.backward.lost()), (lost(0), lost(1)));
        prop_assert_eq!((series.restarts, series.intervals), (0, steps.len() as u64));
    }
}
