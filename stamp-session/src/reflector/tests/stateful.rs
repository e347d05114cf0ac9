//! Counters, sessions, and what a batch that failed does to them.

use std::time::Duration;

use super::kit::*;
use crate::clock::MonotonicTime;
use crate::reflector::*;

#[test]
fn replies_are_numbered_per_session_from_zero() {
    let mut reflector = reflector(stateful(config()));
    for reply in 0..5 {
        // Every second probe was lost on its way here.
        assert_eq!(number(answer(&mut reflector, &Probe::number(reply * 2))), Ok(reply));
    }
    let other = Probe::number(0).from("192.0.2.2:49200");
    assert_eq!(number(answer(&mut reflector, &other)), Ok(0));
    assert_eq!(reflector.snapshot().sessions, 2);
}

#[test]
fn each_part_of_the_name_makes_another_session() {
    let mut reflector = reflector(stateful(config()));
    let first = Probe::number(0);
    for probe in [
        first.clone(),
        first.clone().from("192.0.2.2:49200"),
        first.clone().from("192.0.2.1:49201"),
        first.clone().to("192.0.2.12:862"),
        first.clone().to("192.0.2.11:863"),
        first.clone().set(14, &[0, 1]),
    ] {
        assert_eq!(number(answer(&mut reflector, &probe)), Ok(0));
    }
    assert_eq!(reflector.snapshot().sessions, 6);
}

#[test]
fn a_stateless_reflector_copies_the_number_and_keeps_nothing() {
    let mut reflector = reflector(config());
    for sequence in [5, 5, 5, 3] {
        assert_eq!(number(answer(&mut reflector, &Probe::number(sequence))), Ok(sequence));
    }
    assert_eq!(reflector.sessions().count(), 0);
    assert_eq!(reflector.next_timeout(), None);
}

#[test]
fn a_probe_the_network_doubled_is_answered_once() {
    let mut reflector = reflector(stateful(config()));
    assert_eq!(number(answer(&mut reflector, &Probe::number(0))), Ok(0));
    assert_eq!(answer(&mut reflector, &Probe::number(0)), Err(DropReason::Replay));
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(1));
}

/// Makes a batch of replies and says which of them could not be sent, in which order.
fn batch(
    reflector: &mut Reflector,
    sequences: core::ops::Range<u32>,
    unsent: &[usize],
) -> Vec<u32> {
    let mut tokens = Vec::new();
    let mut numbers = Vec::new();
    for sequence in sequences {
        let probe = Probe::number(sequence);
        let mut out = [0; 100];
        let Verdict::Reply(reply) = reflector.handle_probe(at_ms(0), probe.received(), &mut out)
        else {
            panic!("no reply to {sequence}");
        };
        let reply = reply.seal(T3);
        numbers.push(u32::from_be_bytes(*reply.octets.first_chunk().unwrap()));
        tokens.push(Some(reply.token));
    }
    for place in unsent {
        reflector.handle_unsent(tokens[*place].take().unwrap());
    }
    numbers
}

#[test]
fn the_counter_is_that_of_replies_that_were_sent() {
    for order in [[2, 3, 4], [4, 3, 2], [3, 4, 2]] {
        let mut reflector = reflector(stateful(config()));
        assert_eq!(batch(&mut reflector, 0..5, &order), [0, 1, 2, 3, 4]);
        assert_eq!(batch(&mut reflector, 5..7, &[]), [2, 3], "2, 3 and 4 were never on the wire");
        let counted = reflector.snapshot();
        assert_eq!(counted.drops(DropReason::SendError), 3);
        assert_eq!((counted.answered, counted.reflected()), (7, 4));
    }
}

#[test]
fn a_failure_in_the_middle_of_a_batch_leaves_a_gap() {
    let mut reflector = reflector(stateful(config()));
    assert_eq!(batch(&mut reflector, 0..4, &[1]), [0, 1, 2, 3]);
    assert_eq!(batch(&mut reflector, 4..5, &[]), [4], "2 and 3 are on the wire");
}

#[test]
fn a_reply_that_is_given_up_takes_its_number_back() {
    let mut reflector = reflector(stateful(config()));
    let probe = Probe::number(0);
    let mut out = [0; 100];
    if let Verdict::Reply(reply) = reflector.handle_probe(at_ms(0), probe.received(), &mut out) {
        let token = reply.discard();
        reflector.handle_unsent(token);
    }
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(0));
}

#[test]
fn a_token_of_a_forgotten_session_changes_no_other() {
    let mut reflector = reflector(stateful(config()));
    let probe = Probe::number(0);
    let mut out = [0; 100];
    let Verdict::Reply(reply) = reflector.handle_probe(at_ms(0), probe.received(), &mut out) else {
        panic!("no reply");
    };
    let token = reply.seal(T3).token;
    let later = MonotonicTime::ZERO.saturating_add(Duration::from_secs(900));
    reflector.handle_timeout(later);
    assert_eq!(reflector.snapshot().sessions, 0);
    // Takes the same slot.
    let other = Probe::number(0).from("192.0.2.2:49200");
    assert_eq!(number(answer_at(&mut reflector, later, &other)), Ok(0));
    reflector.handle_unsent(token);
    let other = Probe::number(1).from("192.0.2.2:49200");
    assert_eq!(number(answer_at(&mut reflector, later, &other)), Ok(1));
}

#[test]
fn a_silent_session_is_forgotten_after_its_time() {
    let mut reflector = reflector(stateful(config()));
    assert!(answer(&mut reflector, &Probe::number(0)).is_ok());
    let expiry = MonotonicTime::ZERO.saturating_add(Duration::from_secs(900));
    assert_eq!(reflector.next_timeout(), Some(expiry));
    reflector.handle_timeout(MonotonicTime::from_ns(expiry.ns() - 1));
    assert_eq!(reflector.snapshot().sessions, 1);
    reflector.handle_timeout(expiry);
    assert_eq!(reflector.snapshot().sessions, 0);
    assert_eq!(reflector.snapshot().sessions_expired, 1);
    assert_eq!(reflector.next_timeout(), None);
}

#[test]
fn a_session_past_its_time_begins_anew_even_if_nobody_looked() {
    let mut reflector = reflector(stateful(config()));
    assert_eq!(number(answer(&mut reflector, &Probe::number(0))), Ok(0));
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(1));
    let late = MonotonicTime::ZERO.saturating_add(Duration::from_secs(901));
    assert_eq!(number(answer_at(&mut reflector, late, &Probe::number(2))), Ok(0));
}

#[test]
fn a_sender_that_begins_again_is_told() {
    let mut reflector = reflector(stateful(config()));
    for sequence in 0..10 {
        assert!(answer(&mut reflector, &Probe::number(sequence)).is_ok());
    }
    // The same session, its first probe sent a second later.
    let again = Probe::number(0).set(4, &hex("e98af871 c9fcb68a"));
    assert_eq!(number(answer(&mut reflector, &again)), Ok(0));
    let (source, ssid) = (again.from, stamp_proto::packet::Ssid(0x1234));
    assert_eq!(reflector.poll_event(), Some(ReflectorEvent::SenderRestarted { source, ssid }));
    assert_eq!(reflector.snapshot().sender_restarts, 1);
    assert_eq!(reflector.snapshot().sessions, 1);
}

#[test]
fn a_full_table_is_told() {
    let mut config = stateful(config());
    config.session_limit = 1;
    let mut reflector = reflector(config);
    assert!(answer(&mut reflector, &Probe::number(0)).is_ok());
    assert!(answer(&mut reflector, &Probe::number(1)).is_ok());
    let other = Probe::number(0).from("192.0.2.2:49200");
    assert_eq!(answer(&mut reflector, &other), Err(DropReason::Capacity));
    let event = ReflectorEvent::SessionsFull { source: other.from, sessions: 1 };
    assert_eq!(reflector.poll_event(), Some(event));
    assert!(answer(&mut reflector, &Probe::number(2)).is_ok(), "the session itself goes on");
}

#[test]
fn a_session_can_be_looked_at() {
    let mut reflector = reflector(stateful(authenticated()));
    for sequence in 0..3 {
        let probe = Probe::signed(sequence, &k1());
        assert!(answer_at(&mut reflector, at_ms(u64::from(sequence)), &probe).is_ok());
    }
    let session = reflector.sessions().next().unwrap();
    assert_eq!(session.source, "192.0.2.1:49200".parse().unwrap());
    assert_eq!(session.destination, "192.0.2.11:862".parse().unwrap());
    assert_eq!(session.ssid, stamp_proto::packet::Ssid(0x1234));
    assert_eq!((session.mode, session.key), (AUTHENTICATED, Some(stamp_proto::auth::KeyId(1))));
    assert_eq!((session.received, session.next_sequence), (3, 3));
    assert_eq!((session.created, session.last_seen), (at_ms(0), at_ms(2)));
}
