//! Probes that want no reply, and a Session-Reflector that tells of their arrival.

use core::time::Duration;

use stamp_proto::time::{TimeDelta, WallTime};

use super::rig::{MS, Rig, at, config, ns, synchronized};
use crate::clock::ClockState;
use crate::sender::{
    MeasurementMode, RejectReason, ReportedArrival, Requests, ReturnWish, SenderConfig,
    SenderEvent, SessionState,
};

fn one_way() -> SenderConfig {
    SenderConfig {
        measurement: MeasurementMode::OneWay,
        requests: Requests { return_path: Some(ReturnWish::NoReply), ..Requests::default() }.into(),
        payload_octets: 60,
        clock: synchronized(1_000),
        packet_loss_count: 2,
        timeout: Duration::from_millis(250),
        ..config()
    }
}

fn heard() -> Rig {
    let mut rig = Rig::new(one_way());
    rig.sender.handle_hearing(true);
    rig
}

/// A probe of this number and instant that took 8 ms.
fn arrival(sequence: u32, sent_at: u64) -> ReportedArrival {
    ReportedArrival {
        sequence,
        probe_sent: at(sent_at).wall,
        probe_received: at(sent_at + 8 * MS).wall,
        clock: ClockState { declared: false, ..synchronized(1_000) },
    }
}

#[test]
fn what_is_told_is_measured_and_what_is_not_is_lost_forward() {
    let mut rig = heard();
    for step in 0..5 {
        rig.send(step * 100 * MS);
    }
    for (step, told_at) in [(0, 50), (1, 150), (3, 350), (4, 450)] {
        let told =
            rig.sender.handle_arrival(at(told_at * MS), &arrival(step, u64::from(step) * 100 * MS));
        assert_eq!(told, Ok(ns(8 * MS as i64)), "{step}");
    }
    rig.sender.handle_timeout(at(900 * MS));
    let snapshot = rig.sender.snapshot();
    let lost = &snapshot.packets.lost;
    assert_eq!((snapshot.packets.sent, snapshot.packets.received), (5, 4));
    assert_eq!((lost.round_trip, lost.forward, lost.backward), (1, Some(1), Some(0)));
    assert_eq!((snapshot.delay.forward.count, snapshot.delay.round_trip.count), (4, 0));
    assert_eq!(snapshot.delay.forward.max, Some(ns(8 * MS as i64)));
    assert_eq!(snapshot.state, SessionState::Up);
    assert_eq!((snapshot.packets.outstanding, snapshot.clock.excluded), (0, 0));
}

#[test]
fn so_many_in_a_row_that_nobody_tells_of_take_it_down() {
    let mut rig = heard();
    for step in 0..4 {
        rig.send(step * 100 * MS);
    }
    rig.sender.handle_arrival(at(20 * MS), &arrival(0, 0)).unwrap();
    rig.sender.handle_timeout(at(350 * MS));
    assert_eq!(rig.sender.state(), SessionState::Up);
    rig.sender.handle_timeout(at(450 * MS));
    assert_eq!(rig.sender.state(), SessionState::Down);
    let down = |event: &SenderEvent| matches!(event, SenderEvent::State(change) if (change.first, change.last) == (1, 2));
    assert!(rig.events().iter().any(down));
}

#[test]
fn while_nobody_tells_nothing_is_lost() {
    let mut rig = heard();
    rig.send(0);
    rig.send(100 * MS);
    rig.sender.handle_arrival(at(120 * MS), &arrival(0, 0)).unwrap();
    rig.sender.handle_hearing(false);
    rig.send(200 * MS);
    rig.sender.handle_hearing(true);
    rig.send(300 * MS);
    for unknown in [1, 2] {
        let told = rig
            .sender
            .handle_arrival(at(320 * MS), &arrival(unknown, u64::from(unknown) * 100 * MS));
        assert_eq!(told, Err(RejectReason::Forgotten), "nothing was to be known of it");
    }
    rig.sender.handle_arrival(at(330 * MS), &arrival(3, 300 * MS)).unwrap();
    rig.sender.handle_timeout(at(2_000 * MS));
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.packets.lost.round_trip), (2, 0));
    assert_eq!(snapshot.packets.lost.forward, Some(0));
}

#[test]
fn only_who_saw_the_probe_is_believed_and_only_once() {
    let mut rig = heard();
    rig.send(0);
    let told = arrival(0, 0);
    let off = ReportedArrival { probe_sent: at(1_001).wall, ..told };
    assert_eq!(rig.sender.handle_arrival(at(MS), &off), Err(RejectReason::EchoedTimestamp));
    let before = ReportedArrival { probe_received: WallTime::from_unix_ns(0), ..told };
    assert_eq!(rig.sender.handle_arrival(at(MS), &before), Err(RejectReason::ReceivedBeforeSent));
    let never = ReportedArrival { sequence: 9, ..told };
    assert_eq!(rig.sender.handle_arrival(at(MS), &never), Err(RejectReason::NeverSent));
    let rounded = ReportedArrival { probe_sent: at(300).wall, ..told };
    assert_eq!(rig.sender.handle_arrival(at(MS), &rounded), Ok(TimeDelta::from_ns(8 * MS as i64)));
    assert_eq!(rig.sender.handle_arrival(at(MS), &told), Err(RejectReason::Forgotten));
    assert_eq!(rig.sender.snapshot().packets.received, 1);
}

#[test]
fn a_session_that_wants_replies_hears_them_itself() {
    let mut rig = Rig::new(config());
    rig.sender.handle_hearing(true);
    rig.answered(0);
    rig.sender.handle_hearing(false);
    rig.send(100 * MS);
    rig.sender.handle_timeout(at(20_000 * MS));
    assert_eq!(rig.sender.snapshot().packets.lost.round_trip, 1);
}
