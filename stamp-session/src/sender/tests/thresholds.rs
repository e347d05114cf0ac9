//! Thresholds, as a whole session sees them.

use std::sync::Arc;

use super::rig::*;
use crate::sender::{
    ByDirection, DelayChange, DelayThreshold, LossChange, LossThreshold, MeasuredDirection,
    ReflectorMode, SenderConfig, SenderEvent, ThresholdState, Thresholds, UnsentReason,
};

fn with(thresholds: Thresholds) -> SenderConfig {
    SenderConfig { thresholds: Some(Arc::new(thresholds)), clock: synchronized(1_000), ..config() }
}

fn in_every_direction<T: Copy>(threshold: T) -> ByDirection<Option<T>> {
    let threshold = Some(threshold);
    ByDirection { forward: threshold, backward: threshold, round_trip: threshold }
}

/// 8 ms out and 11 ms back exceed 7 ms, so does 19 ms.
fn delay(threshold: DelayThreshold) -> Thresholds {
    Thresholds { delay: in_every_direction(threshold), ..Thresholds::default() }
}

fn delays(rig: &mut Rig) -> Vec<DelayChange> {
    let events = rig.events().into_iter();
    events
        .filter_map(|event| match event {
            SenderEvent::Delay(change) => Some(change),
            _ => None,
        })
        .collect()
}

fn losses(rig: &mut Rig) -> Vec<LossChange> {
    let events = rig.events().into_iter();
    events
        .filter_map(|event| match event {
            SenderEvent::Loss(change) => Some(change),
            _ => None,
        })
        .collect()
}

#[test]
fn each_direction_has_its_own_delay_and_limit() {
    let seven = DelayThreshold::absolute(ns(7 * MS as i64), 2).unwrap();
    let mut rig = Rig::new(with(delay(seven)));
    let _ = rig.answered(0);
    assert!(delays(&mut rig).is_empty());
    let _ = rig.answered(100 * MS);
    let told: Vec<_> = delays(&mut rig)
        .into_iter()
        .map(|change| (change.direction, change.value.ns() / MS as i64, change.first, change.last))
        .collect();
    assert_eq!(
        told,
        [
            (MeasuredDirection::Forward, 8, 0, 1),
            (MeasuredDirection::Backward, 11, 0, 1),
            (MeasuredDirection::RoundTrip, 19, 0, 1),
        ]
    );
}

#[test]
fn a_closed_window_gives_percentages_their_reference() {
    let half_more = DelayThreshold::percent(50, 1).unwrap();
    let mut rig = Rig::new(with(delay(half_more)));
    let _ = rig.answered(0);
    let window = rig.sender.take_window();
    let thresholds = window.thresholds.unwrap().delay;
    assert_eq!(thresholds.forward.unwrap().limit, Some(ns(12 * MS as i64)));
    let probe = rig.send(100 * MS);
    // 23 ms instead of 11 back, which the round trip of 19 ms shows too.
    let reply = Reply { arrives: 132 * MS, ..Reply::to(&probe, 100 * MS) };
    let _ = sample(rig.receive(&reply));
    let told: Vec<_> = delays(&mut rig).into_iter().map(|change| change.direction).collect();
    assert_eq!(told, [MeasuredDirection::Backward, MeasuredDirection::RoundTrip]);
}

#[test]
fn without_synchronised_clocks_only_the_round_trip_is_judged() {
    let seven = DelayThreshold::absolute(ns(7 * MS as i64), 1).unwrap();
    let mut rig = Rig::new(with(delay(seven)));
    let probe = rig.send(0);
    let _ = sample(rig.receive(&Reply::to(&probe, 0).unsynchronized()));
    let told: Vec<_> = delays(&mut rig).into_iter().map(|change| change.direction).collect();
    assert_eq!(told, [MeasuredDirection::RoundTrip]);
    let states = rig.sender.threshold_states().unwrap().delay;
    assert_eq!(states.forward.unwrap().state, ThresholdState::Withheld);
    assert_eq!(states.round_trip.unwrap().state, ThresholdState::Exceeded);
}

#[test]
fn a_clock_that_is_set_during_a_flight_triggers_nothing() {
    let seven = DelayThreshold::absolute(ns(7 * MS as i64), 1).unwrap();
    let mut rig = Rig::new(with(delay(seven)));
    let probe = rig.send(0);
    let mut now = at(20 * MS);
    now.wall = wall(5_000 * MS);
    let mut reply = Reply::to(&probe, 0);
    reply.arrives = 5_000 * MS;
    let _ = sample(rig.receive_at(now, &reply));
    assert!(delays(&mut rig).is_empty());
    let states = rig.sender.threshold_states().unwrap().delay;
    assert_eq!(states.round_trip.unwrap().state, ThresholdState::NoValue);
}

#[test]
fn a_clock_that_was_set_leaves_one_way_percentages_without_reference() {
    let half_more = DelayThreshold::percent(50, 1).unwrap();
    let mut rig = Rig::new(with(delay(half_more)));
    let _ = rig.answered(0);
    let _ = rig.sender.take_window();
    let mut now = at(50 * MS);
    now.wall = wall(5_000 * MS);
    rig.sender.handle_timeout(now);
    let states = rig.sender.threshold_states().unwrap().delay;
    assert_eq!(states.forward.unwrap().reference, None);
    assert_eq!(states.round_trip.unwrap().reference, Some(ns(19 * MS as i64)));
}

fn loss(lost: u32, of: u32) -> Thresholds {
    let threshold = LossThreshold::new(lost, of).unwrap();
    Thresholds { loss: in_every_direction(threshold), ..Thresholds::default() }
}

#[test]
fn losses_are_told_by_direction_where_the_far_end_counts() {
    let config = SenderConfig { reflector: ReflectorMode::Stateful, ..with(loss(2, 5)) };
    let mut rig = Rig::new(config);
    let mut number = 0;
    for slot in 0..8_u64 {
        let sent = slot * 100 * MS;
        let probe = rig.send(sent);
        // 2 and 3 vanish on the way out.
        if ![2, 3].contains(&slot) {
            let mut reply = Reply::to(&probe, sent);
            reply.packet.sequence = number;
            number += 1;
            let _ = sample(rig.receive(&reply));
        }
        rig.sender.handle_timeout(at(sent + 50 * MS));
    }
    rig.sender.handle_timeout(at(1_000 * MS));
    let told: Vec<_> = losses(&mut rig)
        .into_iter()
        .map(|change| (change.direction, change.to, change.first, change.last))
        .collect();
    let (within, beyond) = (ThresholdState::NotExceeded, ThresholdState::Exceeded);
    let (forward, round_trip) = (MeasuredDirection::Forward, MeasuredDirection::RoundTrip);
    assert_eq!(
        told,
        [
            (round_trip, beyond, 0, 3),
            (forward, beyond, 0, 3),
            (forward, within, 3, 7),
            (round_trip, within, 3, 7),
        ]
    );
    let states = rig.sender.threshold_states().unwrap().loss;
    assert_eq!(states.backward.unwrap().state, ThresholdState::NotExceeded);
}

#[test]
fn probes_that_never_left_are_no_loss() {
    let mut rig = Rig::new(with(loss(1, 5)));
    let _ = rig.answered(0);
    let _ = rig.fail(100 * MS, UnsentReason::NoRoute);
    let _ = rig.send(200 * MS);
    rig.sender.handle_unsent_late(1, UnsentReason::NoNeighbour);
    rig.sender.handle_timeout(at(600 * MS));
    assert!(losses(&mut rig).is_empty());
    let decided = rig.sender.threshold_states().unwrap().loss.round_trip.unwrap().decided;
    assert_eq!(decided, 1);
}

#[test]
fn an_event_that_no_clock_comes_with_has_the_time_of_the_call_before() {
    let mut rig = Rig::new(with(loss(1, 1)));
    let _ = rig.send(0);
    let second = rig.send(100 * MS);
    let third = rig.send(200 * MS);
    rig.sender.handle_timeout(at(300 * MS));
    let _ = sample(rig.receive(&Reply { arrives: 310 * MS, ..Reply::to(&third, 200 * MS) }));
    let told: Vec<_> = losses(&mut rig).into_iter().map(|change| change.to).collect();
    assert_eq!(told, [ThresholdState::Exceeded]);
    drop(second);
    // What is behind it is counted off now, without a clock.
    rig.sender.handle_unsent_late(1, UnsentReason::NoNeighbour);
    let cleared = losses(&mut rig);
    assert_eq!(cleared.len(), 1);
    assert_eq!((cleared[0].to, cleared[0].at), (ThresholdState::NotExceeded, at(310 * MS)));
}

#[test]
fn limits_that_stay_keep_what_they_have_seen_when_others_change() {
    let seven = DelayThreshold::absolute(ns(7 * MS as i64), 2).unwrap();
    let mut rig = Rig::new(with(delay(seven)));
    let _ = rig.answered(0);
    let ten = Some(DelayThreshold::absolute(ns(10 * MS as i64), 2).unwrap());
    let changed = ByDirection { backward: ten, ..in_every_direction(seven) };
    let changed = Thresholds { delay: changed, ..Thresholds::default() };
    rig.sender.handle_thresholds(Some(Arc::new(changed)));
    let _ = rig.answered(100 * MS);
    let told: Vec<_> = delays(&mut rig).into_iter().map(|change| change.direction).collect();
    assert_eq!(told, [MeasuredDirection::Forward, MeasuredDirection::RoundTrip]);
    let _ = rig.answered(200 * MS);
    let told: Vec<_> = delays(&mut rig).into_iter().map(|change| change.direction).collect();
    assert_eq!(told, [MeasuredDirection::Backward]);
    rig.sender.handle_thresholds(None);
    assert_eq!(rig.sender.threshold_states(), None);
}

#[test]
fn thresholds_cost_nothing_where_there_are_none() {
    let plain = Rig::new(config()).sender.memory_octets();
    let empty = Rig::new(with(Thresholds::default()));
    assert_eq!(empty.sender.memory_octets(), plain);
    assert_eq!(empty.sender.threshold_states(), None);
    let seven = DelayThreshold::absolute(ns(7 * MS as i64), 1).unwrap();
    let all = Thresholds { delay: in_every_direction(seven), ..loss(3, 100) };
    let watched = Rig::new(with(all)).sender.memory_octets();
    assert!(watched - plain <= 2 * 1_024, "{} octets", watched - plain);
}
