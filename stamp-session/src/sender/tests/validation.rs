//! Which datagrams are replies.

use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat};

use super::rig::*;
use crate::sender::{Outcome, RejectReason, SenderConfig, SenderEvent, UnsentReason, ZeroSsid};
use crate::snapshot::SessionSnapshot;

fn rejected(reason: RejectReason) -> Outcome {
    Outcome::Rejected(reason)
}

/// Sends one probe and answers it with what `spoil` makes of a good reply.
fn outcome_of(config: SenderConfig, spoil: impl FnOnce(&mut Reply)) -> Outcome {
    let mut rig = Rig::new(config);
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    spoil(&mut reply);
    rig.receive(&reply)
}

#[test]
fn a_good_reply_is_a_sample() {
    assert!(matches!(outcome_of(config(), |_| {}), Outcome::Sample(_)));
}

#[test]
fn a_reply_comes_from_where_the_probe_went() {
    for from in ["192.0.2.2:862", "192.0.2.1:863"] {
        assert_eq!(outcome_of(config(), |reply| reply.from = from), rejected(RejectReason::Source));
    }
    let mapped = outcome_of(config(), |reply| reply.from = "[::ffff:192.0.2.1]:862");
    assert!(matches!(mapped, Outcome::Sample(_)));
}

#[test]
fn a_reply_has_a_whole_base_packet() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let short = crate::datagram::Received {
        octets: &probe[..40],
        from: TARGET.parse().unwrap(),
        to: TARGET.parse().unwrap(),
        interface: 0,
        stamp: stamp_proto::time::Stamp::default(),
        hop_limit: None,
        traffic_class: None,
        headers: crate::datagram::Headers::UNKNOWN,
    };
    assert_eq!(rig.sender.handle_reply(at(MS), short), rejected(RejectReason::Short));
}

#[test]
fn a_reply_names_the_session_or_none() {
    let foreign = outcome_of(config(), |reply| reply.packet.ssid = Ssid(0x4321));
    assert_eq!(foreign, rejected(RejectReason::Ssid));
    let none = outcome_of(config(), |reply| reply.packet.ssid = Ssid::NONE);
    assert!(matches!(none, Outcome::Sample(_)));
}

#[test]
fn an_authenticated_reply_is_signed_with_one_of_the_keys() {
    let authenticated = |secret: &'static [u8]| {
        let mut rig =
            Rig::new(SenderConfig { keys: Some(keys(b"right")), payload_octets: 112, ..config() });
        let probe = rig.send(0);
        let mut reply = Reply::with(AuthenticationMode::Authenticated, &probe, 0);
        reply.keys = Some(keys(secret));
        rig.receive(&reply)
    };
    assert!(matches!(authenticated(b"right"), Outcome::Sample(_)));
    assert_eq!(authenticated(b"wrong"), rejected(RejectReason::Authentication));
}

#[test]
fn an_open_reply_is_none_in_an_authenticated_session() {
    let mut rig =
        Rig::new(SenderConfig { keys: Some(keys(b"right")), payload_octets: 112, ..config() });
    let probe = rig.send(0);
    let mut reply = Reply::with(AuthenticationMode::Authenticated, &probe, 0);
    reply.area = vec![0; 68];
    assert_eq!(rig.receive(&reply), rejected(RejectReason::Authentication));
}

#[test]
fn a_probe_that_comes_back_is_no_reply() {
    for payload_octets in [44, 100] {
        let mut rig = Rig::new(SenderConfig { payload_octets, ..config() });
        let probe = rig.send(0);
        let back = crate::datagram::Received {
            octets: &probe,
            from: TARGET.parse().unwrap(),
            to: TARGET.parse().unwrap(),
            interface: 0,
            stamp: stamp_proto::time::Stamp { time: wall(MS), ..Default::default() },
            hop_limit: None,
            traffic_class: None,
            headers: crate::datagram::Headers::UNKNOWN,
        };
        assert_eq!(rig.sender.handle_reply(at(MS), back), rejected(RejectReason::OwnProbe));
    }
}

#[test]
fn a_probe_nobody_sent_has_no_reply() {
    for sequence in [1, 77, u32::MAX] {
        let outcome = outcome_of(config(), |reply| reply.packet.sender_sequence = sequence);
        assert_eq!(outcome, rejected(RejectReason::NeverSent));
    }
}

#[test]
fn a_probe_of_long_ago_is_forgotten() {
    let mut rig = Rig::new(config());
    let first = rig.send(0);
    for slot in 1..50 {
        let _ = rig.send(slot * 100 * MS);
        rig.sender.handle_timeout(at(slot * 100 * MS));
    }
    let reply = Reply { arrives: 4_950 * MS, ..Reply::to(&first, 0) };
    assert_eq!(rig.receive(&reply), rejected(RejectReason::Forgotten));
}

#[test]
fn a_probe_that_never_left_has_no_reply() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let _ = rig.send(100 * MS);
    rig.sender.handle_unsent_late(0, UnsentReason::NoNeighbour);
    assert_eq!(rig.receive(&Reply::to(&probe, 0)), rejected(RejectReason::Unsent));
}

#[test]
fn the_timestamp_must_be_echoed_bit_for_bit() {
    let other = ntp(1);
    let outcome = outcome_of(config(), |reply| reply.packet.sender_timestamp = other);
    assert_eq!(outcome, rejected(RejectReason::EchoedTimestamp));
    let zero = Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
    let outcome = outcome_of(config(), |reply| reply.packet.sender_timestamp = zero);
    assert_eq!(outcome, rejected(RejectReason::EchoedTimestamp));
}

#[test]
fn the_error_estimate_must_be_echoed_bit_for_bit() {
    let outcome = outcome_of(config(), |reply| {
        reply.packet.sender_error_estimate = ErrorEstimate::new(5, true, TimestampFormat::Ntp);
    });
    assert_eq!(outcome, rejected(RejectReason::EchoedErrorEstimate));
}

#[test]
fn a_multiplier_of_zero_is_refused_unless_allowed() {
    let spoil = |reply: &mut Reply| reply.packet.error_estimate = ErrorEstimate::from_bits(0x8000);
    assert_eq!(outcome_of(config(), spoil), rejected(RejectReason::ErrorEstimate));
    let lenient = SenderConfig { accept_zero_multiplier: true, ..config() };
    let Outcome::Sample(sample) = outcome_of(lenient, spoil) else {
        panic!("allowed");
    };
    assert_eq!(sample.error_bound_ns, None);
}

#[test]
fn missing_and_impossible_timestamps_are_refused() {
    let zero = Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
    let outcome = outcome_of(config(), |reply| reply.packet.receive_timestamp = zero);
    assert_eq!(outcome, rejected(RejectReason::Timestamp));
    let outcome = outcome_of(config(), |reply| reply.packet.timestamp = zero);
    assert_eq!(outcome, rejected(RejectReason::Timestamp));
    let outcome = outcome_of(config(), |reply| {
        let second = [0x65, 0xe0, 0x79, 0xf0, 0x3b, 0x9a, 0xca, 0x00];
        reply.packet.error_estimate = ErrorEstimate::new(1_000, true, TimestampFormat::Ptp);
        reply.packet.receive_timestamp = Timestamp::from_octets(second, TimestampFormat::Ptp);
        reply.packet.timestamp = Timestamp::from_octets(second, TimestampFormat::Ptp);
    });
    assert_eq!(outcome, rejected(RejectReason::Timestamp));
}

#[test]
fn a_reply_leaves_after_its_probe_arrived() {
    let outcome = outcome_of(config(), |reply| reply.packet.timestamp = ntp(8 * MS - 1));
    assert_eq!(outcome, rejected(RejectReason::ReplySentBeforeReceived));
    let outcome = outcome_of(config(), |reply| reply.packet.timestamp = ntp(8 * MS));
    assert!(matches!(outcome, Outcome::Sample(_)));
}

#[test]
fn a_reply_arrives_after_its_probe_left() {
    let mut rig = Rig::new(config());
    let probe = rig.send(MS);
    let mut reply = Reply::to(&probe, 0);
    reply.arrives = 0;
    assert_eq!(rig.receive_at(at(2 * MS), &reply), rejected(RejectReason::ReplyReceivedBeforeSent));
}

#[test]
fn a_probe_that_arrived_before_it_left_is_a_forgery_between_good_clocks() {
    let early = |near, offset: i64| {
        outcome_of(SenderConfig { clock: near, ..config() }, |reply| {
            *reply = reply.clone().far_clock(0, -8 * MS as i64 + offset);
        })
    };
    // The far end claims 1 us (1.006 us on the wire), we claim 1 us.
    let contradiction = early(synchronized(1_000), -2_100);
    assert_eq!(contradiction, rejected(RejectReason::ReceivedBeforeSent));
    assert!(matches!(early(synchronized(1_000), -1_900), Outcome::Sample(_)));
    // With an unsynchronised clock it is an offset.
    assert!(matches!(early(crate::clock::ClockState::UNKNOWN, -2_100), Outcome::Sample(_)));
}

#[test]
fn a_second_copy_is_a_duplicate_and_no_sample() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let reply = Reply::to(&probe, 0);
    let _ = sample(rig.receive(&reply));
    assert_eq!(rig.receive(&reply), Outcome::Duplicate { sequence: 0 });
    assert_eq!(rig.receive(&reply), Outcome::Duplicate { sequence: 0 });
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.packets.duplicate), (1, 2));
    assert_eq!(snapshot.delay.round_trip.count, 1);
}

#[test]
fn a_copy_that_echoes_something_else_is_no_duplicate() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    let _ = sample(rig.receive(&reply));
    reply.packet.sender_timestamp = ntp(1);
    assert_eq!(rig.receive(&reply), rejected(RejectReason::EchoedTimestamp));
}

#[test]
fn a_reply_after_the_timeout_is_late_and_the_probe_stays_lost() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    rig.sender.handle_timeout(at(300 * MS));
    let reply = Reply { arrives: 310 * MS, ..Reply::to(&probe, 0) };
    let Outcome::Late(late) = rig.receive(&reply) else {
        panic!("too late");
    };
    assert_eq!(late.round_trip.ns(), 309 * MS as i64);
    assert_eq!(rig.receive(&reply), Outcome::Duplicate { sequence: 0 });
    let snapshot = rig.sender.snapshot();
    let packets = snapshot.packets;
    assert_eq!((packets.received, packets.late, packets.lost.round_trip), (0, 1, 1));
    assert_eq!(snapshot.delay.round_trip.count, 0);
}

#[test]
fn lateness_is_judged_by_the_stamp_and_not_by_when_it_is_read() {
    // Arrived after 299 ms, read after 350 ms: in time. After 300 ms: late, though nobody has
    // called it lost yet.
    for (arrives, in_time) in [(299, true), (300, false)] {
        let mut rig = Rig::new(config());
        let probe = rig.send(0);
        let reply = Reply { arrives: arrives * MS, ..Reply::to(&probe, 0) };
        let outcome = rig.receive_at(at(350 * MS), &reply);
        assert_eq!(matches!(outcome, Outcome::Sample(_)), in_time);
        assert_eq!(matches!(outcome, Outcome::Late(_)), !in_time);
    }
}

fn without_rejections(mut snapshot: SessionSnapshot) -> SessionSnapshot {
    snapshot.packets.rejected = Default::default();
    snapshot
}

#[test]
fn what_is_rejected_changes_nothing_but_its_counter() {
    let spoilers: [fn(&mut Reply); 9] = [
        |reply| reply.from = "203.0.113.1:9",
        |reply| reply.packet.ssid = Ssid(1),
        |reply| reply.packet.sender_sequence = 9,
        |reply| reply.packet.sender_timestamp = ntp(5),
        |reply| reply.packet.sender_error_estimate = ErrorEstimate::from_bits(1),
        |reply| reply.packet.error_estimate = ErrorEstimate::from_bits(0),
        |reply| reply.packet.timestamp = ntp(0),
        |reply| {
            reply.packet.ssid = Ssid::NONE;
            reply.packet.sender_timestamp = ntp(5);
        },
        |reply| {
            reply.packet.sender_ttl = HopLimit(1);
            reply.packet.sequence = 500;
            reply.packet.sender_timestamp = ntp(5);
        },
    ];
    let mut rig = Rig::new(SenderConfig { zero_ssid: ZeroSsid::Stop, ..config() });
    let _ = rig.answered(0);
    let probe = rig.send(100 * MS);
    let _ = rig.events();
    let before = rig.sender.snapshot();
    for spoil in spoilers {
        let mut reply = Reply::to(&probe, 100 * MS);
        spoil(&mut reply);
        assert!(matches!(rig.receive(&reply), Outcome::Rejected(_)));
    }
    let after = rig.sender.snapshot();
    assert_eq!(after.packets.rejected.total(), 9);
    assert_eq!(without_rejections(after), without_rejections(before));
    assert_eq!(rig.events(), []);
    let _ = sample(rig.receive(&Reply::to(&probe, 100 * MS)));
}

#[test]
fn checks_come_in_their_order() {
    // Each spoils one check more, from the last to the first.
    type Spoil = fn(&mut Reply);
    let spoilers: [(Spoil, RejectReason); 7] = [
        (|reply| reply.packet.timestamp = ntp(0), RejectReason::ReplySentBeforeReceived),
        (
            |reply| reply.packet.error_estimate = ErrorEstimate::from_bits(0),
            RejectReason::ErrorEstimate,
        ),
        (
            |reply| reply.packet.sender_error_estimate = ErrorEstimate::from_bits(1),
            RejectReason::EchoedErrorEstimate,
        ),
        (|reply| reply.packet.sender_timestamp = ntp(5), RejectReason::EchoedTimestamp),
        (|reply| reply.packet.sender_sequence = 9, RejectReason::NeverSent),
        (|reply| reply.packet.ssid = Ssid(1), RejectReason::Ssid),
        (|reply| reply.from = "203.0.113.1:9", RejectReason::Source),
    ];
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    for (spoil, reason) in spoilers {
        spoil(&mut reply);
        assert_eq!(rig.receive(&reply), rejected(reason));
    }
}

#[test]
fn a_missing_ssid_is_told_once_and_acted_upon_as_configured() {
    for (zero_ssid, finished, next_ssid) in [
        (ZeroSsid::ContinueWithSsid, false, Some(0x1234)),
        (ZeroSsid::ContinueBase, false, Some(0)),
        (ZeroSsid::Stop, true, None),
    ] {
        let mut rig = Rig::new(SenderConfig { zero_ssid, ..config() });
        let probe = rig.send(0);
        let mut reply = Reply::to(&probe, 0);
        reply.packet.ssid = Ssid::NONE;
        let _ = sample(rig.receive(&reply));
        assert_eq!(rig.events().iter().filter(|event| **event == SenderEvent::ZeroSsid).count(), 1);
        assert_eq!(rig.sender.is_finished(), finished);
        assert!(rig.sender.snapshot().reflector.zero_ssid);
        let ssid = rig.try_send(100 * MS).map(|probe| u16::from_be_bytes([probe[14], probe[15]]));
        assert_eq!(ssid, next_ssid);
    }
}

#[test]
fn a_twamp_light_reply_of_41_octets_is_enough() {
    let mut rig = Rig::new(SenderConfig { ssid: Ssid::NONE, ..config() });
    let probe = rig.send(0);
    let reply = Reply::to(&probe, 0);
    let mut octets = [0; 44];
    reply.packet.emit(AuthenticationMode::Unauthenticated, &mut octets).unwrap();
    let received = crate::datagram::Received {
        octets: &octets[..41],
        from: TARGET.parse().unwrap(),
        to: TARGET.parse().unwrap(),
        interface: 0,
        stamp: stamp_proto::time::Stamp { time: wall(20 * MS), ..Default::default() },
        hop_limit: None,
        traffic_class: None,
        headers: crate::datagram::Headers::UNKNOWN,
    };
    let sample = sample(rig.sender.handle_reply(at(20 * MS), received));
    assert_eq!(sample.forward_hops, Some(5));
    assert_eq!(sample.backward_hops, None);
}
