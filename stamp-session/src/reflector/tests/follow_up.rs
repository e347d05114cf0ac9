//! Replies that tell when the one before them left (RFC 8972 §4.7).

use stamp_proto::time::{Stamp, StampSource, TimeDelta, TimestampFormat, WallTime};
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_proto::tlv::timestamp_information::TimestampingMethod;

use super::kit::*;
use crate::clock::MonotonicTime;
use crate::reflector::follow_up::FollowUps;
use crate::reflector::keyed_hash::KeyedHash;
use crate::reflector::*;

const REQUEST: [u8; 4] = [0x80, 7, 0, 16];

fn asking(sequence: u32) -> Probe {
    Probe::number(sequence).with(&REQUEST).with(&[0; 16])
}

/// A reply, what it tells, and the token that takes its own stamp, if that is wanted.
fn asked(
    reflector: &mut Reflector,
    probe: &Probe,
) -> (Option<FollowUpTelemetry>, Option<ReplyToken>) {
    let mut out = vec![0xEE; 2_000];
    let Verdict::Reply(reply) =
        reflector.handle_probe(MonotonicTime::ZERO, probe.received(), &mut out)
    else {
        panic!("no reply");
    };
    let reply = reply.seal(T3);
    assert_eq!(reply.octets[44..48], [0, 7, 0, 16], "understood");
    let told = FollowUpTelemetry::parse(&reply.octets[48..64], TimestampFormat::Ntp).unwrap();
    if told.is_none() {
        assert_eq!(reply.octets[48..64], [0; 16]);
    }
    (told, reply.wants_stamp.then_some(reply.token))
}

/// The kernel's word for a reply, `us` after its T3.
fn left(us: i64, source: StampSource) -> Stamp {
    Stamp { time: T3.saturating_add(TimeDelta::from_ns(us * 1_000)), source }
}

fn wall(told: FollowUpTelemetry) -> WallTime {
    told.timestamp.to_wall(T3).unwrap()
}

#[test]
fn each_reply_tells_when_the_one_before_left() {
    let mut reflector = reflector(stateful(config()));
    let (told, token) = asked(&mut reflector, &asking(0));
    assert_eq!(told, None, "none was before");
    reflector.handle_reply_stamp(token.unwrap(), left(5, StampSource::Kernel));
    let (told, token) = asked(&mut reflector, &asking(3));
    let told = told.unwrap();
    assert_eq!((told.sequence, told.method), (0, TimestampingMethod::SW_LOCAL));
    assert_eq!(wall(told), left(5, StampSource::Kernel).time, "to the nanosecond");
    reflector.handle_reply_stamp(token.unwrap(), left(9, StampSource::Hardware));
    let told = asked(&mut reflector, &asking(4)).0.unwrap();
    assert_eq!((told.sequence, told.method), (1, TimestampingMethod::HW_ASSIST));
    assert_eq!(wall(told), left(9, StampSource::Hardware).time);
}

#[test]
fn a_stamp_that_is_not_there_yet_is_not_told() {
    let mut reflector = reflector(stateful(config()));
    let (_, first) = asked(&mut reflector, &asking(0));
    let (told, second) = asked(&mut reflector, &asking(1));
    assert_eq!(told, None);
    reflector.handle_reply_stamp(first.unwrap(), left(5, StampSource::Kernel));
    assert_eq!(asked(&mut reflector, &asking(2)).0, None, "that of 1 is asked for, not that of 0");
    reflector.handle_reply_stamp(second.unwrap(), left(6, StampSource::Kernel));
    assert_eq!(asked(&mut reflector, &asking(3)).0, None, "too late: 2 was the latest");
}

#[test]
fn a_reply_in_between_that_was_not_asked_is_not_known() {
    let mut reflector = reflector(stateful(config()));
    let (_, token) = asked(&mut reflector, &asking(0));
    reflector.handle_reply_stamp(token.unwrap(), left(5, StampSource::Kernel));
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(1));
    assert_eq!(asked(&mut reflector, &asking(2)).0, None, "0 is not the one before 2");
}

#[test]
fn a_reply_that_did_not_leave_is_not_told_of() {
    let mut reflector = reflector(stateful(config()));
    let (_, token) = asked(&mut reflector, &asking(0));
    reflector.handle_reply_stamp(token.unwrap(), left(5, StampSource::Kernel));
    let (_, token) = asked(&mut reflector, &asking(1));
    reflector.handle_unsent(token.unwrap());
    assert_eq!(asked(&mut reflector, &asking(2)).0, None);
}

#[test]
fn sessions_are_told_of_their_own_replies() {
    let mut reflector = reflector(stateful(config()));
    let other = |sequence| asking(sequence).from("192.0.2.2:49200");
    let (_, one) = asked(&mut reflector, &asking(0));
    let (_, two) = asked(&mut reflector, &other(0));
    reflector.handle_reply_stamp(two.unwrap(), left(2, StampSource::Kernel));
    reflector.handle_reply_stamp(one.unwrap(), left(1, StampSource::Kernel));
    let told = asked(&mut reflector, &other(1)).0.unwrap();
    assert_eq!(wall(told), left(2, StampSource::Kernel).time);
    let told = asked(&mut reflector, &asking(1)).0.unwrap();
    assert_eq!(wall(told), left(1, StampSource::Kernel).time);
}

#[test]
fn who_is_stateless_answers_zeros_and_wants_no_stamp() {
    let mut reflector = reflector(config());
    for sequence in 0..3 {
        let (told, token) = asked(&mut reflector, &asking(sequence));
        assert!(told.is_none() && token.is_none());
    }
}

#[test]
fn another_length_is_malformed_and_number_and_time_are_zero() {
    let mut reflector = reflector(stateful(config()));
    let (_, token) = asked(&mut reflector, &asking(0));
    reflector.handle_reply_stamp(token.unwrap(), left(5, StampSource::Kernel));
    let probe = Probe::number(1).with(&[0x80, 7, 0, 20]).with(&[7; 20]);
    let reply = answer(&mut reflector, &probe).unwrap();
    assert_eq!(reply[44..48], [0x40, 7, 0, 20], "malformed");
    assert_eq!(reply[48..60], [0; 12]);
    assert_eq!(reply[60..68], [7; 8]);
    assert_eq!(asked(&mut reflector, &asking(2)).0, None, "nor was its own stamp asked for");
}

#[test]
fn a_session_that_does_not_ask_takes_nothing() {
    let mut reflector = reflector(stateful(config()));
    for sequence in 0..10 {
        assert_eq!(number(answer(&mut reflector, &Probe::number(sequence))), Ok(sequence));
    }
    assert_eq!(reflector.follow_ups.octets(), 0);
    let before = reflector.snapshot().session_octets;
    let _ = asked(&mut reflector, &asking(10));
    assert!(reflector.snapshot().session_octets > before, "it is counted");
    reflector.replace_config(config()).unwrap();
    assert_eq!(reflector.follow_ups.octets(), 0, "forgotten with the sessions");
}

fn token(generation: u32, number: u32) -> ReplyToken {
    ReplyToken { slot: 3, generation, number }
}

#[test]
fn the_numbers_of_replies_may_wrap() {
    let mut follow_ups = FollowUps::new(KeyedHash::new([1, 2]));
    follow_ups.made(&token(0, u32::MAX));
    follow_ups.left(&token(0, u32::MAX), left(5, StampSource::Kernel));
    let told = follow_ups.before(&token(0, 0));
    assert_eq!(told, Some((u32::MAX, left(5, StampSource::Kernel))));
    follow_ups.restarted(3);
    assert_eq!(follow_ups.before(&token(0, 0)), None, "a count begun anew has none before 0");
}

#[test]
fn who_has_the_place_of_another_is_not_told_of_that() {
    let mut follow_ups = FollowUps::new(KeyedHash::new([1, 2]));
    follow_ups.made(&token(0, 0));
    follow_ups.left(&token(1, 0), left(5, StampSource::Kernel));
    assert_eq!(follow_ups.before(&token(0, 1)), None);
    follow_ups.left(&token(0, 0), left(5, StampSource::Kernel));
    assert_eq!(follow_ups.before(&token(1, 1)), None);
    assert!(follow_ups.before(&token(0, 1)).is_some());
}
