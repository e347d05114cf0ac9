//! INIT, UP and DOWN by consecutive losses.

use super::rig::*;
use crate::sender::{SenderEvent, SessionState, StateChange, UnsentReason};

/// Drives the session to every instant at which something is due, in order.
fn run_until(
    rig: &mut Rig,
    end_ns: u64,
    mut answer: impl FnMut(u32, u64) -> bool,
) -> Vec<(u64, StateChange)> {
    let mut changes = Vec::new();
    let mut replies: Vec<Reply> = Vec::new();
    for _ in 0..1_000 {
        let timeout = rig.sender.next_timeout().map_or(u64::MAX, |timeout| timeout.ns());
        let arrival = replies.first().map_or(u64::MAX, |reply| reply.arrives);
        let now = timeout.min(arrival);
        if now > end_ns {
            return changes;
        }
        if arrival == now {
            let _ = rig.receive(&replies.remove(0));
        }
        rig.sender.handle_timeout(at(now));
        if let Some(probe) = rig.try_send(now) {
            let reply = Reply {
                arrives: now + 5 * MS,
                ..Reply::to(&probe, now).far_clock(now, -5 * MS as i64)
            };
            if answer(reply.packet.sender_sequence, now) {
                replies.push(reply.unsynchronized());
            }
        }
        for event in rig.events() {
            if let SenderEvent::State(change) = event {
                changes.push((now / MS, change));
            }
        }
    }
    panic!("the session is never content");
}

#[test]
fn a_dead_path_is_noticed_and_a_repaired_one_too() {
    // N = 3, a probe every 100 ms, 300 ms to answer; the path is dead from 2.030 s to 3.05 s.
    let mut rig = Rig::new(config());
    let alive = |_, now: u64| !(2_030 * MS..3_050 * MS).contains(&now);
    let changes = run_until(&mut rig, 4_000 * MS, alive);
    let seen: Vec<_> = changes
        .iter()
        .map(|(ms, change)| (*ms, change.from, change.to, change.run, change.first, change.last))
        .collect();
    assert_eq!(
        seen,
        [
            (5, SessionState::Init, SessionState::Up, 0, 0, 0),
            (2_600, SessionState::Up, SessionState::Down, 3, 21, 23),
            (3_105, SessionState::Down, SessionState::Up, 8, 31, 31),
        ]
    );
    assert_eq!(changes[1].1.at, at(2_600 * MS));
}

#[test]
fn two_losses_and_a_reply_are_no_event() {
    let mut rig = Rig::new(config());
    let changes =
        run_until(&mut rig, 3_000 * MS, |sequence, _| ![5, 6, 8, 10, 11].contains(&sequence));
    assert_eq!(changes.len(), 1);
    assert_eq!(rig.sender.snapshot().packets.lost.longest_run, 2);
}

#[test]
fn a_session_that_is_never_answered_stays_init() {
    let mut rig = Rig::new(config());
    assert!(run_until(&mut rig, 5_000 * MS, |_, _| false).is_empty());
    assert_eq!(rig.sender.state(), SessionState::Init);
}

#[test]
fn probes_that_never_left_take_nothing_down() {
    let mut rig = Rig::new(config());
    let _ = rig.answered(0);
    for slot in 1..20 {
        let _ = rig.fail(slot * 100 * MS, UnsentReason::NoRoute);
        rig.sender.handle_timeout(at(slot * 100 * MS));
    }
    assert_eq!(rig.sender.state(), SessionState::Up);
    let packets = rig.sender.snapshot().packets;
    assert_eq!((packets.sent, packets.lost.round_trip), (1, 0));
    assert_eq!(packets.unsent.get(UnsentReason::NoRoute), 19);
}
