//! T3 replaced by what the next reply tells (RFC 8972 §4.7).

use stamp_proto::time::TimestampFormat;
use stamp_proto::tlv::follow_up_telemetry::{self, FollowUpTelemetry};
use stamp_proto::tlv::timestamp_information::TimestampingMethod;

use super::rig::*;
use crate::sender::*;

const US: u64 = 1_000;
const SLOT: u64 = 100 * MS;

fn asking() -> SenderConfig {
    let mut config = config();
    config.requests = Requests { follow_up: true, ..Requests::default() }.into();
    config.clock = synchronized(1_000);
    config.reflector = ReflectorMode::Stateful;
    config.payload_octets = config.smallest_payload();
    config
}

/// The reply number `number` to the probe of slot `slot`; told is the number of another, and how
/// long after its T3 it left. Each reply leaves 9 ms after its slot.
fn reply(probe: &[u8], slot: u64, number: u32, told: Option<(u32, u64, u64)>) -> Reply {
    let mut reply = Reply::to(probe, slot * SLOT);
    reply.packet.sequence = number;
    let told = told.map(|(sequence, slot, late)| FollowUpTelemetry {
        sequence,
        timestamp: ntp(slot * SLOT + 9 * MS + late),
        method: TimestampingMethod::SW_LOCAL,
    });
    reply.area[0] = 0;
    follow_up_telemetry::reflect(&mut reply.area[4..], told).unwrap();
    reply
}

fn report(rig: &Rig) -> FollowUpReport {
    rig.sender.snapshot().answers.unwrap().follow_up
}

#[test]
fn each_reply_corrects_the_one_before() {
    let mut rig = Rig::new(asking());
    for slot in 0..5 {
        let probe = rig.send(slot * SLOT);
        assert_eq!(probe.len(), 64);
        assert_eq!(probe[44..], [&[0x80, 7, 0, 16][..], &[0; 16]].concat());
        let told = slot.checked_sub(1).map(|before| (before as u32, before, 40 * US));
        let _ = sample(rig.receive(&reply(&probe, slot, slot as u32, told)));
    }
    let (report, plain) = (report(&rig), rig.sender.snapshot().delay);
    assert_eq!((report.replies.told, report.replies.refused, report.unknown), (4, 0, 1));
    assert_eq!(report.replies.latest, Some(TimestampingMethod::SW_LOCAL));
    assert_eq!((report.backward.count, report.residence.count, report.impossible), (4, 4, 0));
    assert_eq!(report.residence.min, Some(ns(1_040_000)));
    assert_eq!(report.residence.max, Some(ns(1_040_000)));
    assert_eq!(report.backward.min, Some(ns(10_960_000)));
    assert_eq!(plain.backward.max, Some(ns(11_000_000)), "what is not corrected stays beside it");
    assert_eq!(plain.residence.max, Some(ns(1_000_000)));
}

#[test]
fn a_follow_up_finds_its_reply_over_loss_and_reordering() {
    let mut rig = Rig::new(asking());
    // Numbers wrap between the third and the fourth reply.
    let number = |slot: u64| (u32::MAX - 2).wrapping_add(slot as u32);
    let probes: Vec<_> = (0..3).map(|slot| rig.send(slot * SLOT)).collect();
    let told = |slot: u64| Some((number(slot), slot, 30 * US));
    let first = reply(&probes[0], 0, number(0), None);
    let mut second = reply(&probes[1], 1, number(1), told(0));
    let mut third = reply(&probes[2], 2, number(2), told(1));
    (second.arrives, third.arrives) = (2 * SLOT + 22 * MS, 2 * SLOT + 21 * MS);
    let _ = sample(rig.receive(&first));
    let _ = sample(rig.receive(&third));
    assert_eq!(report(&rig).backward.count, 0, "neither 0 nor 1 has both halves");
    let _ = sample(rig.receive(&second));
    assert_eq!(report(&rig).backward.count, 2);
    // The fourth is lost on its way here: the third stays as it was, and so does the fourth.
    let _ = rig.send(3 * SLOT);
    let fifth = rig.send(4 * SLOT);
    let _ = sample(rig.receive(&reply(&fifth, 4, number(4), told(3))));
    let sixth = rig.send(5 * SLOT);
    let _ = sample(rig.receive(&reply(&sixth, 5, number(5), told(4))));
    let report = report(&rig);
    assert_eq!((number(2), number(3)), (u32::MAX, 0));
    assert_eq!((report.backward.count, report.impossible, report.replies.told), (3, 0, 4));
    assert_eq!(report.residence.max, Some(ns(1_030_000)));
}

#[test]
fn a_late_reply_tells_of_one_that_was_in_time() {
    let mut rig = Rig::new(asking());
    let probes: Vec<_> = (0..2).map(|slot| rig.send(slot * SLOT)).collect();
    let _ = sample(rig.receive(&reply(&probes[0], 0, 0, None)));
    let mut late = reply(&probes[1], 1, 1, Some((0, 0, 10 * US)));
    late.arrives = SLOT + 310 * MS;
    assert!(matches!(rig.receive(&late), Outcome::Late(_)));
    let third = rig.send(4 * SLOT);
    let _ = sample(rig.receive(&reply(&third, 4, 2, Some((1, 1, 10 * US)))));
    let report = report(&rig);
    assert_eq!(report.backward.count, 1, "the late one is no sample, corrected or not");
}

#[test]
fn what_cannot_be_true_corrects_nothing() {
    for (told, is_possible) in [
        // Behind T3 by less than clocks of one host may be apart, and by more.
        (8_500 * US, true),
        (7_999 * US, false),
        // After T4: the reply was here before.
        (20_100 * US, false),
        (19_000 * US, true),
    ] {
        let mut rig = Rig::new(asking());
        let first = rig.send(0);
        let _ = sample(rig.receive(&reply(&first, 0, 0, None)));
        let second = rig.send(SLOT);
        let mut second = reply(&second, 1, 1, Some((0, 0, 0)));
        second.area[8..16].copy_from_slice(&ntp(told).octets());
        let _ = sample(rig.receive(&second));
        let report = report(&rig);
        let expected = if is_possible { (1, 0) } else { (0, 1) };
        assert_eq!((report.backward.count, report.impossible), expected, "{told}");
    }
}

#[test]
fn no_reply_left_after_it_had_arrived_whatever_the_clocks() {
    let mut config = asking();
    config.clock = ClockState::UNKNOWN;
    let ahead = 3_600_000_000_000_i64;
    for (late, corrected) in [(40 * US, 1), (19_500 * US, 0)] {
        let mut rig = Rig::new(config.clone());
        let first = rig.send(0);
        let first = reply(&first, 0, 0, None).far_clock(0, ahead).unsynchronized();
        let _ = sample(rig.receive(&first));
        let second = rig.send(SLOT);
        let mut second = reply(&second, 1, 1, Some((0, 0, 0))).far_clock(SLOT, ahead);
        let told = ntp(ahead as u64 + 9 * MS + late);
        second.area[8..16].copy_from_slice(&told.octets());
        let _ = sample(rig.receive(&second.unsynchronized()));
        let report = report(&rig);
        assert_eq!((report.backward.count, report.impossible), (corrected, 1 - corrected));
        if corrected > 0 {
            assert_eq!(report.residence.max, Some(ns(1_040_000)));
            assert_eq!(report.backward.max, Some(ns(10_960_000 - ahead)));
        }
    }
}

#[test]
fn a_count_begun_anew_is_not_mixed_with_the_old_one() {
    let mut rig = Rig::new(asking());
    for slot in 0..4 {
        let probe = rig.send(slot * SLOT);
        // Nobody tells of 2, and the count begins anew behind it.
        let (number, told) = match slot {
            0 => (1, None),
            1 => (2, Some((1, 0, 10 * US))),
            2 => (0, None),
            _ => (3, Some((2, 2, 10 * US))),
        };
        let _ = sample(rig.receive(&reply(&probe, slot, number, told)));
    }
    let report = report(&rig);
    assert_eq!((report.backward.count, report.impossible), (1, 0));
}

#[test]
fn the_timestamp_is_in_the_format_of_the_reply() {
    let mut rig = Rig::new(asking());
    let first = rig.send(0);
    let _ = sample(rig.receive(&reply(&first, 0, 0, None)));
    let second = rig.send(SLOT);
    let mut second = reply(&second, 1, 1, Some((0, 0, 0)));
    let ptp = |at_ns| {
        stamp_proto::time::PtpUtcOffset::default().timestamp(wall(at_ns), TimestampFormat::Ptp)
    };
    second.packet.error_estimate = ErrorEstimate::new(1_000, true, TimestampFormat::Ptp);
    second.packet.receive_timestamp = ptp(SLOT + 8 * MS);
    second.packet.timestamp = ptp(SLOT + 9 * MS);
    second.area[8..16].copy_from_slice(&ptp(9 * MS + 10 * US).octets());
    let _ = sample(rig.receive(&second));
    assert_eq!(report(&rig).residence.max, Some(ns(1_010_000)));
}

#[test]
fn who_does_not_know_the_question_is_told_apart_from_who_knows_no_answer() {
    let mut rig = Rig::new(asking());
    for slot in 0..3 {
        let probe = rig.send(slot * SLOT);
        let mut reply = reply(&probe, slot, slot as u32, None);
        if slot == 2 {
            reply.area[0] = 0x80;
        }
        let _ = sample(rig.receive(&reply));
    }
    let report = report(&rig);
    assert_eq!((report.replies.told, report.replies.refused, report.unknown), (0, 1, 2));
}

#[test]
fn what_waits_is_bounded_and_windows_begin_empty() {
    let mut rig = Rig::new(asking());
    for slot in 0..200 {
        let probe = rig.send(slot * SLOT);
        // Of replies that never come.
        let told = Some((slot as u32 + 1_000_000, slot, 0));
        let _ = sample(rig.receive(&reply(&probe, slot, slot as u32, told)));
    }
    assert!(rig.sender.run.answers.as_deref().unwrap().follow_ups.heap_octets() <= 8 * 1_024);
    let probe = rig.send(200 * SLOT);
    let _ = sample(rig.receive(&reply(&probe, 200, 200, Some((199, 199, 5 * US)))));
    let of = |rig: &mut Rig| rig.sender.take_window().answers.unwrap().follow_up;
    assert_eq!(of(&mut rig).backward.count, 1);
    assert_eq!(of(&mut rig), FollowUpReport::default());
}
