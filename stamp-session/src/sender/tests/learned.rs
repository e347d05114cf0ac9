//! The far clock of looped probes, learned from a session beside theirs.

use stamp_proto::ip::HopLimit;
use stamp_proto::time::{Stamp, StampSource, Timestamp, TimestampFormat};

use super::rig::*;
use crate::clock::ClockState;
use crate::datagram::{Headers, Received};
use crate::sender::{
    Looped, MeasurementMode, Sample, SenderConfig, SenderEvent, Stamping, TimestampPlace,
};
use crate::snapshot::ClockReport;

const SOURCE: &str = "192.0.2.1:50000";
const SECOND: u64 = 1_000 * MS;

const FAR: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(3_000), declared: false };

fn enhanced() -> SenderConfig {
    let config = config();
    let place = TimestampPlace::of(config.mode());
    let looped = Looped { source: SOURCE.parse().unwrap() };
    SenderConfig {
        measurement: MeasurementMode::EnhancedLoopback(looped, place),
        clock: synchronized(1_000),
        ..config
    }
}

/// A probe of `at_ns` that is back after 20 ms, with T2 of `stamped` after it left.
fn stamped(rig: &mut Rig, at_ns: u64, stamped: u64) -> Sample {
    let mut probe = rig.send(at_ns);
    let stamp = Timestamp::from_wall(wall(at_ns + stamped), TimestampFormat::Ptp);
    probe[16..24].copy_from_slice(&stamp.octets());
    let back = at_ns + 20 * MS;
    sample(rig.sender.handle_reply(
        at(back),
        Received {
            octets: &probe,
            from: SOURCE.parse().unwrap(),
            to: TARGET.parse().unwrap(),
            interface: 2,
            stamp: Stamp { time: wall(back), source: StampSource::Kernel },
            hop_limit: Some(HopLimit(249)),
            traffic_class: None,
            headers: Headers::UNKNOWN,
        },
    ))
}

fn clock(rig: &Rig) -> ClockReport {
    rig.sender.snapshot().clock
}

fn learned(rig: &mut Rig) -> Vec<Option<ClockState>> {
    let state = |event| match event {
        SenderEvent::FarClockLearned(state) => Some(state),
        _ => None,
    };
    rig.events().into_iter().filter_map(state).collect()
}

#[test]
fn what_a_companion_learns_speaks_for_the_far_clock() {
    let mut rig = Rig::new(enhanced());
    let before = stamped(&mut rig, 0, 8 * MS);
    assert_eq!((before.clock_synchronized, before.error_bound_ns), (false, None));
    assert_eq!((clock(&rig).far, clock(&rig).far_learned), (None, false));
    rig.sender.handle_far_clock(at(50 * MS), FAR);
    let after = stamped(&mut rig, 100 * MS, 8 * MS);
    assert_eq!((after.clock_synchronized, after.error_bound_ns), (true, Some(4_000)));
    let report = clock(&rig);
    assert_eq!((report.far, report.far_learned, report.synchronized), (Some(FAR), true, true));
    assert_eq!(learned(&mut rig), [Some(FAR)]);
    let impossible = stamped(&mut rig, 200 * MS, 30 * MS);
    assert_eq!(impossible.stamping, Stamping::Implausible, "it can be contradicted too");
}

#[test]
fn a_silent_companion_leaves_it_unknown_again_after_35_seconds() {
    let mut rig = Rig::new(enhanced());
    rig.sender.handle_far_clock(at(0), FAR);
    rig.sender.handle_timeout(at(35 * SECOND - 1));
    assert!(clock(&rig).far_learned);
    rig.sender.handle_far_clock(at(35 * SECOND - 1), FAR);
    assert_eq!(learned(&mut rig), [Some(FAR)], "what stays as it is, is told once");
    rig.sender.handle_timeout(at(70 * SECOND - 1));
    assert_eq!(learned(&mut rig), [None]);
    assert_eq!((clock(&rig).far, clock(&rig).far_learned), (None, false));
    let sample = stamped(&mut rig, 70 * SECOND, 8 * MS);
    assert!(!sample.clock_synchronized);
    rig.sender.handle_far_clock(at(71 * SECOND), FAR);
    assert_eq!(learned(&mut rig), [Some(FAR)]);
}

#[test]
fn what_the_operator_declares_goes_before_what_is_learned() {
    let declared = synchronized(9_000);
    let mut rig = Rig::new(SenderConfig { far_clock: Some(declared), ..enhanced() });
    rig.sender.handle_far_clock(at(0), FAR);
    assert_eq!((clock(&rig).far, clock(&rig).far_learned), (Some(declared), false));
    assert_eq!(learned(&mut rig), []);
}

#[test]
fn replies_tell_of_their_clock_themselves() {
    let mut rig = Rig::new(config());
    rig.sender.handle_far_clock(at(0), FAR);
    assert_eq!(rig.sender.far_clock(), (None, 0));
    let _ = rig.answered(0);
    let (far, replies) = rig.sender.far_clock();
    assert_eq!((far.map(|far| far.synchronized), replies), (Some(true), 1));
    assert_eq!(learned(&mut rig), []);
}

#[test]
fn an_interval_may_change_while_it_runs() {
    let mut rig = Rig::new(config());
    rig.send(0);
    rig.sender.set_interval(core::time::Duration::from_secs(10));
    rig.send(100 * MS);
    assert!(rig.try_send(10_099 * MS).is_none());
    rig.send(10_100 * MS);
}
