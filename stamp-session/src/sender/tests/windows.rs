//! Windows: what happened since the last one.

use std::sync::Arc;

use super::rig::*;
use crate::sender::{
    ByDirection, LossThreshold, ReflectorMode, SenderConfig, SessionHistograms, StatisticsScope,
    Thresholds,
};
use crate::snapshot::{Reflector, SessionStanding};
use crate::statistics::{Buckets, Counted, Histogram};

#[test]
fn windows_tile_the_run() {
    let loss = ByDirection { forward: LossThreshold::new(2, 5).ok(), ..ByDirection::default() };
    let thresholds = Thresholds { loss, ..Thresholds::default() };
    let config = SenderConfig {
        statistics: StatisticsScope::Both,
        reflector: ReflectorMode::Stateful,
        thresholds: Some(Arc::new(thresholds)),
        ..config()
    };
    let mut rig = Rig::new(config);
    let mut number = 0;
    let mut windows = Vec::new();
    for slot in 0..60 {
        let sent = slot * 100 * MS;
        let probe = rig.send(sent);
        let mut reply = Reply::to(&probe, sent);
        reply.packet.sequence = number;
        // Every 7th is lost on the way out, every 11th on the way back.
        if slot % 7 != 3 {
            number += 1;
            if slot % 11 != 5 {
                let _ = sample(rig.receive(&reply));
            }
        }
        rig.sender.handle_timeout(at(sent + 50 * MS));
        if slot % 10 == 9 {
            windows.push(rig.sender.take_window());
        }
    }
    rig.sender.stop();
    rig.sender.handle_timeout(at(10_000 * MS));
    windows.push(rig.sender.take_window());
    let run = rig.sender.snapshot();
    let standing = rig.sender.standing();
    assert_eq!(standing, SessionStanding::from(&run));
    assert_eq!(standing.reflector.mode, Reflector::Stateful);
    assert!(standing.stamps.reply_received.kernel > 0);
    assert!(standing.thresholds.is_some_and(|it| it.loss.forward.is_some()));
    let sum = |of: fn(&crate::snapshot::PacketCounts) -> u64| -> u64 {
        windows.iter().map(|window| of(&window.packets)).sum()
    };
    assert_eq!(sum(|packets| packets.sent), 60);
    assert_eq!(sum(|packets| packets.received), run.packets.received);
    assert_eq!(sum(|packets| packets.lost.round_trip), run.packets.lost.round_trip);
    assert_eq!(run.packets.received + run.packets.lost.round_trip, 60);
    assert_eq!(sum(|packets| packets.lost.forward.unwrap()), run.packets.lost.forward.unwrap());
    assert_eq!(sum(|packets| packets.lost.backward.unwrap()), run.packets.lost.backward.unwrap());
    let counted: u64 = windows.iter().map(|window| window.delay.round_trip.count).sum();
    assert_eq!(counted, run.delay.round_trip.count);
    // Nine were lost on the way out, the last of them after the last reply.
    assert_eq!(run.packets.lost.forward, Some(8));
}

#[test]
fn quantiles_are_kept_where_they_are_wanted() {
    for (statistics, of_run, of_window) in [
        (StatisticsScope::Run, true, false),
        (StatisticsScope::Window, false, true),
        (StatisticsScope::Both, true, true),
    ] {
        let mut rig = Rig::new(SenderConfig { statistics, ..config() });
        let _ = rig.answered(0);
        let run = rig.sender.snapshot().delay.round_trip;
        let window = rig.sender.take_window().delay.round_trip;
        assert_eq!((run.p99.is_some(), window.p99.is_some()), (of_run, of_window));
        assert_eq!((run.mean, window.mean), (Some(ns(19 * MS as i64)), Some(ns(19 * MS as i64))));
    }
}

#[test]
fn an_empty_window_knows_nothing_and_says_so() {
    let mut rig = Rig::new(config());
    let _ = rig.answered(0);
    let _ = rig.sender.take_window();
    let window = rig.sender.take_window();
    assert_eq!((window.packets.sent, window.delay.forward.count), (0, 0));
    assert_eq!(window.delay.forward.min, None);
    assert_eq!(window.packets.loss_ratio(), None);
    // What is known of the far end does not end with a window.
    assert!(window.clock.far.is_some());
}

/// A session that takes the place of another counts on where that one ended.
#[test]
fn histograms_count_each_value_once_over_all_lives() {
    let bounds = [10 * MS, 20 * MS];
    let buckets = Buckets::new(&bounds).unwrap();
    let lag = Arc::new(Histogram::new(buckets.clone()));
    let histograms = Arc::new(SessionHistograms::new(&buckets));
    for _life in 0..2 {
        let (histograms, lag) = (Some(Arc::clone(&histograms)), Some(Arc::clone(&lag)));
        let mut rig = Rig::new(SenderConfig { histograms, lag, ..config() });
        for slot in 0..3 {
            let _ = rig.answered(slot * 100 * MS);
        }
    }
    let round_trip = histograms.delay.round_trip.read();
    let six_of_19_ms = Counted { cumulative: vec![0, 6], count: 6, sum_ns: 6 * 19 * MS };
    assert_eq!(round_trip, six_of_19_ms);
    assert_eq!(histograms.variation.round_trip.read().count, 4, "between neighbours");
    assert_eq!(lag.read().count, 6, "each probe");
}
