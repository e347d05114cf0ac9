//! When probes leave, when they do not, and when a session is over.

use core::time::Duration;

use super::rig::*;
use crate::clock::MonotonicTime;
use crate::sender::{Outcome, Padding, Sender, SenderConfig, SenderEvent, UnsentReason};

#[test]
fn a_probe_says_when_it_was_intended_and_how_late_it_is() {
    let mut rig = Rig::new(config());
    let _ = rig.send(0);
    let mut out = [0; 44];
    assert!(rig.sender.poll_transmit(at(99 * MS), &mut out).is_none());
    let transmit = rig.sender.poll_transmit(at(103 * MS), &mut out).unwrap();
    assert_eq!(transmit.sequence, 1);
    assert_eq!(transmit.intended, MonotonicTime::from_ns(100 * MS));
    assert_eq!(transmit.lateness, Duration::from_millis(3));
    rig.sender.handle_sent(transmit.token, None);
    let lateness = rig.sender.snapshot().lateness;
    assert_eq!((lateness.count, lateness.max), (2, Some(ns(3 * MS as i64))));
}

#[test]
fn missed_slots_are_counted_and_told() {
    let mut rig = Rig::new(config());
    let _ = rig.send(450 * MS);
    assert!(rig.try_send(450 * MS).is_none());
    assert_eq!(rig.events(), [SenderEvent::MissedSlots { count: 4 }]);
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.unsent.get(UnsentReason::MissedSlot)), (1, 4));
}

#[test]
fn a_refused_probe_gives_its_sequence_number_back() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.fail(0, UnsentReason::NoBuffer), 0);
    assert_eq!(rig.fail(100 * MS, UnsentReason::TooBig { mtu: Some(1_280) }), 0);
    let probe = rig.send(200 * MS);
    assert_eq!(probe[..4], [0; 4]);
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.unsent.total(), packets.outstanding), (1, 2, 1));
}

#[test]
fn of_a_batch_only_the_last_can_give_it_back() {
    let mut rig = Rig::new(config());
    let mut first = [0; 44];
    let mut second = [0; 44];
    let first = rig.sender.poll_transmit(at(0), &mut first).unwrap().token;
    let second = rig.sender.poll_transmit(at(100 * MS), &mut second).unwrap().token;
    rig.sender.handle_unsent(first, UnsentReason::NoBuffer);
    rig.sender.handle_sent(second, None);
    assert_eq!(rig.answered(200 * MS).sequence, 2);
    rig.sender.handle_timeout(at(400 * MS));
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.received, packets.lost.round_trip), (2, 1, 1));
}

#[test]
fn a_probe_the_kernel_dropped_later_is_unsent_while_it_is_awaited() {
    let mut rig = Rig::new(config());
    let _ = rig.send(0);
    let _ = rig.send(100 * MS);
    let reason = UnsentReason::NoNeighbour;
    rig.sender.handle_unsent_late(0, reason);
    rig.sender.handle_unsent_late(0, reason);
    assert_eq!(rig.events(), [SenderEvent::Unsent { sequence: 0, reason }]);
    rig.sender.handle_timeout(at(500 * MS));
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.unsent.get(reason)), (1, 1));
    assert_eq!((packets.lost.round_trip, packets.lost.local), (1, 0));
}

#[test]
fn a_probe_the_kernel_dropped_is_local_loss_once_it_was_called_lost() {
    let mut rig = Rig::new(config());
    let _ = rig.send(0);
    rig.sender.handle_timeout(at(300 * MS));
    rig.sender.handle_unsent_late(0, UnsentReason::NoNeighbour);
    rig.sender.handle_unsent_late(0, UnsentReason::NoNeighbour);
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.lost.round_trip, packets.lost.local), (1, 1, 1));
    assert_eq!(packets.loss_ratio(), None);
}

#[test]
fn drops_of_our_own_queue_explain_losses_but_make_none() {
    let mut rig = Rig::new(config());
    let _ = rig.answered(0);
    rig.sender.handle_local_drop(5);
    assert_eq!(rig.sender.snapshot().packets.lost.local, 0);
    let _ = rig.send(100 * MS);
    rig.sender.handle_timeout(at(400 * MS));
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.lost.round_trip, packets.lost.local), (1, 1));
    assert_eq!(packets.loss_ratio(), Some(0.0));
}

#[test]
fn a_buffer_too_small_is_no_probe() {
    let mut rig =
        Rig::new(SenderConfig { payload_octets: 100, padding: Padding::Random, ..config() });
    assert!(rig.sender.poll_transmit(at(0), &mut [0; 99]).is_none());
    assert_eq!(rig.sender.snapshot().packets.unsent.get(UnsentReason::NoBuffer), 1);
    assert_eq!(rig.sender.payload_octets(), 100);
}

#[test]
fn stragglers_are_awaited_before_a_session_is_over() {
    let mut rig = Rig::new(SenderConfig { count: Some(2), ..config() });
    let _ = rig.answered(0);
    let _ = rig.send(100 * MS);
    assert!(rig.try_send(200 * MS).is_none());
    assert!(!rig.sender.is_finished());
    assert_eq!(rig.sender.next_timeout(), Some(MonotonicTime::from_ns(400 * MS)));
    rig.sender.handle_timeout(at(400 * MS));
    assert!(rig.sender.is_finished());
    assert_eq!(rig.sender.next_timeout(), None);
    let finished = rig.events().iter().filter(|event| **event == SenderEvent::Finished).count();
    assert_eq!(finished, 1);
}

#[test]
fn the_last_reply_ends_a_session() {
    let mut rig = Rig::new(SenderConfig { duration: Some(Duration::from_millis(101)), ..config() });
    let _ = rig.answered(0);
    let _ = rig.answered(100 * MS);
    assert!(rig.sender.is_finished());
    assert!(rig.sender.snapshot().finished);
}

#[test]
fn stopping_awaits_what_is_on_the_way() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    rig.sender.stop();
    assert!(rig.try_send(100 * MS).is_none() && !rig.sender.is_finished());
    let _ = sample(rig.receive(&Reply::to(&probe, 0)));
    assert!(rig.sender.is_finished());
    let mut idle = Rig::new(config());
    idle.sender.stop();
    assert!(idle.sender.is_finished());
}

#[test]
fn the_next_timeout_is_the_next_slot_or_the_oldest_deadline() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.sender.next_timeout(), Some(MonotonicTime::ZERO));
    let _ = rig.send(0);
    let _ = rig.send(100 * MS);
    assert_eq!(rig.sender.next_timeout(), Some(MonotonicTime::from_ns(200 * MS)));
    let _ = rig.send(200 * MS);
    assert_eq!(rig.sender.next_timeout(), Some(MonotonicTime::from_ns(300 * MS)));
}

#[test]
fn a_session_that_begins_later_has_missed_nothing() {
    let duration = Some(Duration::from_millis(150));
    let mut rig = Rig::new(SenderConfig { duration, ..config() });
    rig.sender.begin(MonotonicTime::from_ns(1_000 * MS));
    assert!(rig.try_send(999 * MS).is_none());
    let _ = rig.answered(1_000 * MS);
    rig.sender.begin(MonotonicTime::from_ns(5_000 * MS));
    let _ = rig.answered(1_100 * MS);
    assert!(rig.sender.is_finished());
    assert_eq!(rig.sender.snapshot().packets.unsent.total(), 0);
}

#[test]
fn giving_up_loses_what_is_on_the_way() {
    let mut rig = Rig::new(config());
    let _ = rig.answered(0);
    let late = rig.send(100 * MS);
    assert_eq!(rig.sender.longest_round_trip(), Some(Duration::from_millis(19)));
    rig.sender.give_up(at(150 * MS));
    assert!(rig.sender.is_done_sending() && rig.sender.is_finished());
    assert_eq!(rig.sender.snapshot().packets.lost.round_trip, 1);
    let reply = Reply { arrives: 160 * MS, ..Reply::to(&late, 100 * MS) };
    assert!(matches!(rig.receive(&reply), Outcome::Late(_)));
}

#[test]
fn sequences_wrap() {
    let mut rig = Rig::new(SenderConfig { first_sequence: u32::MAX - 1, ..config() });
    for (slot, sequence) in (0..).zip([u32::MAX - 1, u32::MAX, 0, 1, 2]) {
        assert_eq!(rig.answered(slot * 100 * MS).sequence, sequence);
    }
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.ipdv.round_trip.count), (5, 4));
    assert_eq!(snapshot.next_sequence, 3);
}

#[test]
fn the_error_estimate_follows_the_clock() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.send(0)[12..14], [0x19, 0x80]);
    rig.sender.handle_clock(synchronized(1_000));
    assert_eq!(rig.send(100 * MS)[12..14], [0x85, 0x87]);
}

#[test]
fn an_impossible_session_is_refused() {
    let config = SenderConfig { payload_octets: 46, ..config() };
    let error = Sender::new(config, MonotonicTime::ZERO).err().unwrap();
    assert!(error.to_string().starts_with("a payload of 46 octets is not possible: 44, or 48"));
}
