//! Clocks that are wrong, and clocks that jump.

use stamp_proto::time::{ErrorEstimate, TimeDelta, Timestamp, TimestampFormat, WallTime};

use super::rig::*;
use crate::clock::{ClockState, Now};
use crate::sender::{End, Outcome, Sample, SenderConfig, SenderEvent};
use crate::snapshot::ClockFinding;

/// A session over 30 slots; our clock is ahead by what `near` says, the far one by what `far` says.
fn run(
    config: SenderConfig,
    near: impl Fn(u64) -> i64,
    far: impl Fn(u64) -> i64,
) -> (Rig, Vec<Sample>) {
    let shifted = |ns: u64| Now { wall: shift(wall(ns), near(ns)), ..at(ns) };
    let mut rig = Rig::new(config);
    let mut samples = Vec::new();
    for slot in 0..30 {
        let sent = slot * 100 * MS;
        let mut out = [0; 44];
        let transmit = rig.sender.poll_transmit(shifted(sent), &mut out).unwrap();
        let mut reply = Reply::to(transmit.octets, sent).unsynchronized();
        rig.sender.handle_sent(transmit.token, None);
        let stamp = |ns: u64| Timestamp::from_wall(shift(wall(ns), far(ns)), TimestampFormat::Ntp);
        reply.packet.receive_timestamp = stamp(sent + 8 * MS);
        reply.packet.timestamp = stamp(sent + 9 * MS);
        let arrives = sent + 20 * MS;
        reply.arrives = arrives.wrapping_add_signed(near(arrives));
        match rig.receive_at(shifted(arrives), &reply) {
            Outcome::Sample(sample) => samples.push(sample),
            other => panic!("{other:?}"),
        }
    }
    (rig, samples)
}

fn shift(at: WallTime, by: i64) -> WallTime {
    at.saturating_add(TimeDelta::from_ns(by))
}

fn steps(rig: &mut Rig) -> Vec<(End, TimeDelta)> {
    let steps = rig.events().into_iter().filter_map(|event| match event {
        SenderEvent::ClockStep { end, by, .. } => Some((end, by)),
        _ => None,
    });
    steps.collect()
}

const SECOND: i64 = 1_000 * MS as i64;

#[test]
fn a_sample_that_spans_a_step_of_ours_is_shown_and_kept_out() {
    // Forward by 5 s while probe 10 is under way, back again between probes 20 and 21.
    let near = |ns: u64| if (1_010 * MS..2_050 * MS).contains(&ns) { 5 * SECOND } else { 0 };
    let (mut rig, samples) = run(config(), near, |_| 0);
    let marked: Vec<u32> =
        samples.iter().filter(|sample| sample.clock_step).map(|sample| sample.sequence).collect();
    assert_eq!(marked, [10]);
    assert_eq!(steps(&mut rig), [(End::Near, ns(5 * SECOND)), (End::Near, ns(-5 * SECOND))]);
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.clock.excluded), (30, 1));
    assert_eq!(snapshot.delay.round_trip.count, 29);
    assert_eq!(snapshot.delay.round_trip.max, Some(ns(19 * MS as i64)));
    // One-way values under the wrong clock are what they are; no variation spans a step.
    assert_eq!(snapshot.delay.forward.negative, 10);
    assert_eq!(snapshot.ipdv.forward.max, Some(ns(0)));
    assert_eq!(snapshot.ipdv.round_trip.count, 27);
    assert_eq!(snapshot.ipdv.forward.count, 26);
    let last = ns(-5 * SECOND);
    assert!(snapshot.clock.findings.contains(&ClockFinding::NearStep { count: 2, last }));
}

#[test]
fn a_step_of_the_far_clock_is_kept_out_of_one_way_values_only() {
    let far = |ns: u64| if ns > 1_550 * MS { -2 * SECOND } else { 0 };
    let (mut rig, samples) = run(config(), |_| 0, far);
    let marked: Vec<u32> =
        samples.iter().filter(|sample| sample.clock_step).map(|sample| sample.sequence).collect();
    assert_eq!(marked, [16]);
    assert_eq!(steps(&mut rig), [(End::Far, ns(-2 * SECOND))]);
    let snapshot = rig.sender.snapshot();
    assert_eq!(snapshot.delay.round_trip.count, 30);
    assert_eq!((snapshot.delay.forward.count, snapshot.clock.excluded), (29, 1));
    assert_eq!(snapshot.ipdv.forward.max, Some(ns(0)));
    assert_eq!(snapshot.ipdv.round_trip.count, 29);
}

#[test]
fn a_far_step_while_it_has_the_probe_spoils_the_whole_sample() {
    // Forward by 2 s between T2 and T3 of probe 12: the residence swallows the round trip.
    let far = |ns: u64| if ns > 1_208 * MS { 2 * SECOND } else { 0 };
    let (rig, samples) = run(config(), |_| 0, far);
    assert!(samples[12].clock_step);
    assert_eq!(samples[12].round_trip, ns(19 * MS as i64 - 2 * SECOND));
    let delay = rig.sender.snapshot().delay;
    assert_eq!((delay.round_trip.count, delay.round_trip.negative), (29, 0));
}

#[test]
fn negative_values_are_kept_counted_and_told() {
    let (rig, samples) = run(config(), |_| 0, |_| -SECOND);
    assert_eq!(samples[0].forward_delay, Some(ns(8 * MS as i64 - SECOND)));
    let snapshot = rig.sender.snapshot();
    assert_eq!(snapshot.delay.forward.negative, 30);
    assert_eq!(snapshot.delay.forward.mean, Some(ns(8 * MS as i64 - SECOND)));
    assert_eq!(snapshot.delay.backward.negative, 0);
    let lowest = ns(8 * MS as i64 - SECOND);
    assert_eq!(
        snapshot.clock.findings,
        [
            ClockFinding::NearUnsynchronized,
            ClockFinding::FarUnsynchronized,
            ClockFinding::NegativeForward { count: 30, lowest },
        ]
    );
}

#[test]
fn an_offset_does_not_blur_the_variation_of_delay() {
    // Thirty years apart, and a millisecond more in each slot.
    let slow = |ns: u64| (ns / (100 * MS)) as i64 * MS as i64;
    let far = |ns: u64| 30 * 365 * 86_400 * SECOND + slow(ns);
    let (rig, _) = run(config(), |_| 0, far);
    let pdv = rig.sender.snapshot().pdv;
    assert_eq!(pdv.forward.max, Some(ns(29 * MS as i64)));
    let p50 = pdv.forward.p50.unwrap().ns() - 14 * MS as i64;
    assert!(p50.abs() <= 100_000, "off by {p50}");
}

#[test]
fn tai_against_utc_is_recognised_by_its_37_seconds() {
    let (rig, _) = run(config(), |_| 0, |_| 37 * SECOND);
    let findings = rig.sender.snapshot().clock.findings;
    let found = findings.iter().find_map(|finding| match finding {
        ClockFinding::TaiOffset { offset, formats_differ } => Some((*offset, *formats_differ)),
        _ => None,
    });
    let (offset, formats_differ) = found.unwrap();
    assert!(offset.saturating_sub(ns(37 * SECOND)).abs() < ns(20 * MS as i64));
    assert!(!formats_differ);
    let (rig, _) = run(config(), |_| 0, |_| 36 * SECOND);
    let is_tai = |finding: &ClockFinding| matches!(finding, ClockFinding::TaiOffset { .. });
    assert!(!rig.sender.snapshot().clock.findings.iter().any(is_tai));
}

#[test]
fn mixed_formats_are_told() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    let ptp = |ns| Timestamp::from_wall(wall(ns), TimestampFormat::Ptp);
    reply.packet.error_estimate = ErrorEstimate::new(1_000, true, TimestampFormat::Ptp);
    reply.packet.receive_timestamp = ptp(8 * MS);
    reply.packet.timestamp = ptp(9 * MS);
    assert_eq!(sample(rig.receive(&reply)).forward_delay, Some(ns(8 * MS as i64)));
    assert!(rig.sender.snapshot().clock.findings.contains(&ClockFinding::MixedFormats));
}

#[test]
fn claims_that_contradict_each_other_are_told() {
    let mut rig = Rig::new(SenderConfig { clock: synchronized(1_000), ..config() });
    let probe = rig.send(0);
    let reply = Reply::to(&probe, 0).far_clock(0, -SECOND);
    assert!(matches!(rig.receive(&reply), Outcome::Rejected(_)));
    let findings = rig.sender.snapshot().clock.findings;
    assert_eq!(findings, [ClockFinding::ClaimsContradicted { count: 1 }]);
}

#[test]
fn stamps_of_another_clock_are_not_used_and_told() {
    let mut rig = Rig::new(SenderConfig { clock: synchronized(1_000), ..config() });
    let probe = rig.send(0);
    let source = stamp_proto::time::StampSource::Hardware;
    let stamp = stamp_proto::time::Stamp { time: shift(wall(0), 37 * SECOND), source };
    rig.sender.handle_transmit_stamp(0, stamp);
    assert_eq!(sample(rig.receive(&Reply::to(&probe, 0))).forward_delay, Some(ns(8 * MS as i64)));
    let findings = rig.sender.snapshot().clock.findings;
    assert_eq!(findings, [ClockFinding::StampsApart { count: 1 }]);
}

#[test]
fn the_far_clock_is_told_when_it_changes_its_mind() {
    let mut rig = Rig::new(config());
    let mut receive = |slot: u64, good: bool| {
        let probe = rig.send(slot * 100 * MS);
        let reply = Reply::to(&probe, slot * 100 * MS);
        let reply = if good { reply } else { reply.unsynchronized() };
        let _ = sample(rig.receive(&reply));
        let news = rig.events().into_iter().filter_map(|event| match event {
            SenderEvent::FarClock(ClockState { synchronized, .. }) => Some(synchronized),
            _ => None,
        });
        news.collect::<Vec<_>>()
    };
    assert_eq!(receive(0, true), [true]);
    assert_eq!(receive(1, true), []);
    assert_eq!(receive(2, false), [false]);
    assert_eq!(receive(3, true), [true]);
}
