//! Probes that are forwarded back to where they came from.

use stamp_proto::ip::HopLimit;
use stamp_proto::packet::Ssid;
use stamp_proto::time::{Stamp, StampSource, Timestamp, TimestampFormat};

use super::rig::*;
use crate::clock::MonotonicTime;
use crate::datagram::{Headers, Received};
use crate::sender::{
    Looped, MeasurementMode, Outcome, Padding, Reflector, RejectReason, Sample, Sender,
    SenderConfig, SenderConfigError, Stamping, TimestampPlace, TlvOutcome,
};
use crate::snapshot::{ClockFinding, StampingCounts};

const SOURCE: &str = "192.0.2.1:50000";
const SECOND_NS: i64 = 1_000_000_000;

fn looped() -> Looped {
    Looped { source: SOURCE.parse().unwrap() }
}

fn loopback() -> SenderConfig {
    SenderConfig { measurement: MeasurementMode::Loopback(looped()), ..config() }
}

fn enhanced(config: SenderConfig) -> SenderConfig {
    let place = TimestampPlace::of(config.mode());
    SenderConfig { measurement: MeasurementMode::EnhancedLoopback(looped(), place), ..config }
}

fn authenticated(config: SenderConfig) -> SenderConfig {
    let keys = Some(keys(b"0123456789abcdef"));
    SenderConfig { keys, payload_octets: 112, ..config }
}

/// Both clocks good to a microsecond.
fn trusted(config: SenderConfig) -> SenderConfig {
    SenderConfig { clock: synchronized(1_000), far_clock: Some(synchronized(1_000)), ..config }
}

/// Writes T2 as a timestamp-and-forward node does.
fn stamp(probe: &mut [u8], offset: usize, at_ns: i64) {
    let at = wall(0).saturating_add(ns(at_ns));
    let stamp = Timestamp::from_wall(at, TimestampFormat::Ptp);
    probe[offset..offset + 8].copy_from_slice(&stamp.octets());
}

fn comes_back(rig: &mut Rig, octets: &[u8], at_ns: u64) -> Outcome {
    from(rig, octets, at_ns, SOURCE)
}

fn from(rig: &mut Rig, octets: &[u8], at_ns: u64, source: &str) -> Outcome {
    rig.sender.handle_reply(
        at(at_ns),
        Received {
            octets,
            from: source.parse().unwrap(),
            to: TARGET.parse().unwrap(),
            interface: 2,
            stamp: Stamp { time: wall(at_ns), source: StampSource::Kernel },
            hop_limit: Some(HopLimit(249)),
            traffic_class: None,
            headers: Headers::UNKNOWN,
        },
    )
}

/// One probe of `config` that `node` has written into, 20 ms after it left.
fn after(config: SenderConfig, node: impl FnOnce(&mut [u8])) -> (Rig, Outcome) {
    let mut rig = Rig::new(config);
    let mut probe = rig.send(0);
    node(&mut probe);
    let outcome = comes_back(&mut rig, &probe, 20 * MS);
    (rig, outcome)
}

fn one(config: SenderConfig, node: impl FnOnce(&mut [u8])) -> Sample {
    sample(after(config, node).1)
}

#[test]
fn a_probe_that_comes_back_measures_the_round_trip_alone() {
    let (rig, outcome) = after(loopback(), |_| {});
    let sample = sample(outcome);
    assert_eq!(sample.round_trip, ns(20 * MS as i64));
    assert_eq!((sample.forward_delay, sample.backward_delay), (None, None));
    assert_eq!((sample.residence, sample.probe_received, sample.reply_sent), (None, None, None));
    assert_eq!((sample.reflector_sequence, sample.sender_ttl), (None, None));
    assert_eq!((sample.forward_hops, sample.backward_hops), (Some(6), None));
    assert_eq!(sample.stamping, Stamping::NotAsked);
    let snapshot = rig.sender.snapshot();
    assert_eq!((snapshot.packets.received, snapshot.packets.lost.round_trip), (1, 0));
    assert_eq!(snapshot.delay.round_trip.count, 1);
    assert_eq!(snapshot.delay.forward.count + snapshot.delay.residence.count, 0);
    assert_eq!(snapshot.reflector.mode, Reflector::Absent);
    assert_eq!(snapshot.packets.lost.forward, None, "nobody can tell the direction of a loss");
}

#[test]
fn the_far_timestamp_splits_the_round_trip() {
    let (rig, outcome) = after(trusted(enhanced(config())), |probe| stamp(probe, 16, 8_000_000));
    let sample = sample(outcome);
    assert_eq!(sample.forward_delay, Some(ns(8_000_000)));
    assert_eq!(sample.backward_delay, Some(ns(12_000_000)));
    assert_eq!(sample.round_trip, ns(20_000_000));
    assert_eq!((sample.residence, sample.stamping), (None, Stamping::Stamped));
    assert!(sample.clock_synchronized);
    assert_eq!(sample.error_bound_ns, Some(2_000));
    let snapshot = rig.sender.snapshot();
    assert!(snapshot.clock.synchronized);
    assert_eq!(snapshot.stamping_counts, StampingCounts { stamped: 1, ..Default::default() });
    assert_eq!(snapshot.delay.backward.mean, Some(ns(12_000_000)));
}

#[test]
fn the_far_clock_is_unknown_unless_declared() {
    let config = SenderConfig { clock: synchronized(1_000), ..enhanced(config()) };
    let (rig, outcome) = after(config, |probe| stamp(probe, 16, 8_000_000));
    let sample = sample(outcome);
    assert_eq!(sample.forward_delay, Some(ns(8_000_000)));
    assert!(!sample.clock_synchronized);
    assert_eq!(sample.error_bound_ns, None);
    let clock = rig.sender.snapshot().clock;
    assert_eq!((clock.far, clock.synchronized), (None, false));
}

#[test]
fn the_hmac_is_that_of_the_probe_as_it_left() {
    let config = || trusted(enhanced(authenticated(config())));
    let sample = one(config(), |probe| stamp(probe, 32, 8_000_000));
    assert_eq!((sample.stamping, sample.forward_delay), (Stamping::Stamped, Some(ns(8_000_000))));
    for octet in [0, 16, 24, 26, 96, 111] {
        let (_, outcome) = after(config(), |probe| probe[octet] ^= 1);
        assert!(matches!(outcome, Outcome::Rejected(_)), "octet {octet}: {outcome:?}");
    }
}

#[test]
fn a_node_that_does_not_stamp_leaves_the_round_trip() {
    let (rig, outcome) = after(trusted(enhanced(config())), |_| {});
    let sample = sample(outcome);
    assert_eq!((sample.stamping, sample.forward_delay), (Stamping::Missing, None));
    assert_eq!(sample.round_trip, ns(20 * MS as i64));
    assert_eq!(rig.sender.snapshot().stamping_counts.missing, 1);
}

#[test]
fn a_node_that_stamps_at_the_wrong_place_is_told_by_it() {
    let authenticated = || trusted(enhanced(authenticated(config())));
    for (config, offset) in [
        (trusted(enhanced(config())), 32_u16),
        (trusted(enhanced(config())), 20),
        (authenticated(), 40),
        (authenticated(), 64),
        (loopback(), 16),
    ] {
        let sample = one(config, |probe| stamp(probe, offset.into(), 8_000_000));
        assert_eq!(sample.stamping, Stamping::Elsewhere { offset });
        assert_eq!((sample.forward_delay, sample.round_trip), (None, ns(20 * MS as i64)));
    }
}

/// Where it runs out of the place of T2, it may do so with zeros.
#[test]
fn a_wrong_place_is_told_right_in_the_first_instants_of_a_second() {
    let next_second = SECOND_NS - wall(0).unix_ns().rem_euclid(SECOND_NS);
    for after_ns in [0, 1, 255, 65_536, 16_777_215] {
        let node = |probe: &mut [u8]| stamp(probe, 20, next_second + (after_ns | 1));
        let sample = one(trusted(enhanced(config())), node);
        assert_eq!(sample.stamping, Stamping::Elsewhere { offset: 20 }, "{after_ns} ns");
    }
}

#[test]
fn a_far_timestamp_outside_of_the_flight_is_never_a_delay_between_trusted_clocks() {
    for (at_ns, plausible) in
        [(-2_001, false), (-2_000, true), (20_002_000, true), (20_002_001, false)]
    {
        let (rig, outcome) = after(trusted(enhanced(config())), |probe| stamp(probe, 16, at_ns));
        let sample = sample(outcome);
        assert_eq!(sample.stamping == Stamping::Stamped, plausible, "{at_ns}");
        assert_eq!(sample.forward_delay.is_some(), plausible);
        let clock = rig.sender.snapshot().clock;
        assert_eq!(clock.synchronized, plausible);
        let told = clock.findings.contains(&ClockFinding::FarImplausible { count: 1 });
        assert_eq!(told, !plausible);
    }
}

#[test]
fn clocks_that_promise_nothing_may_disagree() {
    let sample = one(enhanced(config()), |probe| stamp(probe, 16, -5_000_000_000));
    assert_eq!(sample.forward_delay, Some(ns(-5_000_000_000)));
    assert!(!sample.clock_synchronized);
}

#[test]
fn nanoseconds_of_a_second_or_more_are_no_instant() {
    let sample = one(trusted(enhanced(config())), |probe| probe[20..24].fill(0xff));
    assert_eq!((sample.stamping, sample.forward_delay), (Stamping::Unreadable, None));
}

#[test]
fn only_our_own_probes_come_back() {
    let mut rig = Rig::new(loopback());
    let probe = rig.send(0);
    let refused = |octets: &[u8], source: &str, rig: &mut Rig| from(rig, octets, MS, source);
    let spoil = |place: usize| {
        let mut octets = probe.clone();
        octets[place] ^= 1;
        octets
    };
    for (octets, source, reason) in [
        (probe.clone(), "192.0.2.1:50001", RejectReason::Source),
        (probe.clone(), TARGET, RejectReason::Source),
        (probe[..40].to_vec(), SOURCE, RejectReason::Short),
        (spoil(3), SOURCE, RejectReason::NeverSent),
        (spoil(11), SOURCE, RejectReason::EchoedTimestamp),
        (spoil(13), SOURCE, RejectReason::EchoedErrorEstimate),
        (spoil(15), SOURCE, RejectReason::Ssid),
    ] {
        assert_eq!(refused(&octets, source, &mut rig), Outcome::Rejected(reason));
    }
    assert!(matches!(comes_back(&mut rig, &probe, 2 * MS), Outcome::Sample(_)));
    let again = comes_back(&mut rig, &probe, 3 * MS);
    assert_eq!(again, Outcome::Duplicate { sequence: 0 });
    assert!(rig.events().iter().all(|event| !format!("{event:?}").contains("Reflector")));
}

#[test]
fn a_reply_of_a_reflector_is_foreign() {
    let mut rig = Rig::new(loopback());
    let probe = rig.send(0);
    let reply = Reply { from: SOURCE, ..Reply::to(&probe, 0) };
    assert!(matches!(rig.receive(&reply), Outcome::Rejected(_)));
}

#[test]
fn losses_have_no_direction_and_take_the_session_down() {
    let mut rig = Rig::new(loopback());
    let first = rig.send(0);
    let _ = comes_back(&mut rig, &first, MS);
    for slot in 1..=3 {
        let _ = rig.send(slot * 100 * MS);
    }
    rig.sender.handle_timeout(at(700 * MS));
    let snapshot = rig.sender.snapshot();
    assert_eq!(snapshot.packets.lost.round_trip, 3);
    assert_eq!((snapshot.packets.lost.forward, snapshot.packets.lost.backward), (None, None));
    assert_eq!(snapshot.state, crate::sender::SessionState::Down);
}

#[test]
fn variation_is_that_of_what_was_measured() {
    let mut rig = Rig::new(loopback());
    let first = rig.send(0);
    let _ = comes_back(&mut rig, &first, 20 * MS);
    let second = rig.send(100 * MS);
    let sample = sample(comes_back(&mut rig, &second, 123 * MS));
    assert_eq!(sample.variation.round_trip, Some(ns(3 * MS as i64)));
    assert_eq!((sample.variation.forward, sample.variation.backward), (None, None));
    assert!(!sample.clock_step, "nothing was set");
    assert_eq!(rig.sender.snapshot().clock.excluded, 0);
}

#[test]
fn tlvs_are_nobodys_business_on_the_way_round() {
    let config = SenderConfig { payload_octets: 100, padding: Padding::Random, ..loopback() };
    assert_eq!(one(config, |_| {}).tlvs, TlvOutcome::NotAsked);
}

#[test]
fn a_place_in_the_padding_is_left_zero_and_found_again() {
    let place = TimestampPlace { offset: 60, format: TimestampFormat::Ntp };
    let config = SenderConfig {
        measurement: MeasurementMode::EnhancedLoopback(looped(), place),
        payload_octets: 100,
        padding: Padding::Random,
        ..trusted(config())
    };
    let sample = one(config, |probe| {
        assert!(probe[60..68].iter().all(|octet| *octet == 0));
        assert!(probe[48..60].iter().any(|octet| *octet != 0), "random all around");
        probe[60..68].copy_from_slice(&ntp(8_000_000).octets());
    });
    assert_eq!((sample.stamping, sample.forward_delay), (Stamping::Stamped, Some(ns(8_000_000))));
}

#[test]
fn a_place_that_covers_the_probe_itself_is_refused() {
    let sender = |offset, config: SenderConfig| {
        let place = TimestampPlace { offset, format: TimestampFormat::Ptp };
        let measurement = MeasurementMode::EnhancedLoopback(looped(), place);
        Sender::new(SenderConfig { measurement, ..config }, MonotonicTime::ZERO).map(|_| ())
    };
    for offset in [0, 4, 14, 17, 38, 44, 1_000] {
        let refused = sender(offset, config());
        assert!(matches!(refused, Err(SenderConfigError::TimestampPlace { .. })), "{offset}");
    }
    for offset in [26, 90, 96, 112] {
        let refused = sender(offset, authenticated(config()));
        assert!(matches!(refused, Err(SenderConfigError::TimestampPlace { .. })), "{offset}");
    }
    assert_eq!(sender(36, config()), Ok(()));
    assert_eq!(sender(88, authenticated(config())), Ok(()));
    let text = sender(17, config()).unwrap_err().to_string();
    assert!(text.contains("octet 17") && text.contains("16 to 43"), "{text}");
    let padded = SenderConfig { payload_octets: 60, ..config() };
    let text = sender(44, padded).unwrap_err().to_string();
    assert!(text.contains("48 to 59 (the padding)"), "{text}");
}

#[test]
fn one_way_mode_claims_nothing_of_the_way_back() {
    let mut rig = Rig::new(SenderConfig { measurement: MeasurementMode::OneWay, ..config() });
    let sample = rig.answered(0);
    assert_eq!(sample.forward_delay, Some(ns(8 * MS as i64)));
    assert_eq!(sample.backward_delay, None);
    let delay = rig.sender.snapshot().delay;
    assert_eq!((delay.forward.count, delay.backward.count), (1, 0));
}

#[test]
fn no_session_identifier_is_no_session_of_ours() {
    let (_, outcome) = after(loopback(), |probe| probe[14..16].fill(0));
    assert_eq!(outcome, Outcome::Rejected(RejectReason::Ssid));
    let bare = SenderConfig { ssid: Ssid::NONE, ..loopback() };
    assert!(matches!(after(bare, |_| {}).1, Outcome::Sample(_)));
}
