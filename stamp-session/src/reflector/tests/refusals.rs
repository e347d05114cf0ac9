//! Which probe gets no reply, and why.

use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::prelude::*;
use stamp_proto::auth::KeyId;
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::Ssid;
use stamp_proto::time::WallTime;

use super::kit::*;
use crate::reflector::*;

fn refused(config: ReflectorConfig, probe: &Probe) -> Option<DropReason> {
    let mut reflector = reflector(config);
    let verdict = answer(&mut reflector, probe);
    let counted = reflector.snapshot();
    assert_eq!(counted.received, 1);
    assert_eq!(counted.answered + counted.dropped_total(), 1);
    verdict.err().inspect(|reason| assert_eq!(counted.drops(*reason), 1))
}

/// Which rule against loops a probe breaks.
fn rule(config: ReflectorConfig, probe: &Probe) -> Option<LoopRule> {
    let mut reflector = reflector(config);
    let verdict = answer(&mut reflector, probe);
    let counted = reflector.snapshot();
    let broken = LoopRule::ALL.into_iter().find(|rule| counted.loops_broken(*rule) == 1);
    assert_eq!(broken.is_some(), verdict == Err(DropReason::Loop));
    let event = broken.map(|rule| ReflectorEvent::LoopBroken { source: probe.from, rule });
    assert_eq!(reflector.poll_event(), event);
    broken
}

#[test]
fn fewer_octets_than_a_probe_has_are_malformed() {
    for octets in 0..14 {
        let probe = Probe::of(&vec![1; octets]);
        assert_eq!(refused(config(), &probe), Some(DropReason::Malformed));
        assert_eq!(refused(authenticated(), &probe), Some(DropReason::Malformed));
    }
}

#[test]
fn a_stranger_gets_no_more_octets_than_it_sent() {
    for octets in 14..44 {
        let mut probe = Probe::number(1);
        probe.octets.truncate(octets);
        assert_eq!(refused(config(), &probe), Some(DropReason::ShortProbe));
    }
    assert_eq!(refused(config(), &Probe::number(1)), None);
}

#[test]
fn the_mode_is_configured_and_never_guessed() {
    let signed = Probe::signed(1, &k1());
    assert_eq!(refused(config(), &signed), Some(DropReason::Mode));
    let reply = answer(&mut reflector(authenticated()), &signed).unwrap();
    assert_eq!(refused(config(), &Probe::of(&reply)), Some(DropReason::Mode), "nor its reply");
    assert_eq!(refused(authenticated(), &Probe::number(1)), Some(DropReason::Mode));
    let long = Probe::number(1).with(&[0; 100]);
    assert_eq!(refused(authenticated(), &long), Some(DropReason::Hmac));
    assert_eq!(refused(config(), &long), None, "zeros are padding");
}

#[test]
fn whom_nobody_allowed_is_denied() {
    let mut config = config();
    config.unknown_sources = None;
    let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    config.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(OPEN) }];
    assert_eq!(refused(config.clone(), &Probe::number(1)), None);
    let stranger = Probe::number(1).from("198.51.100.1:49200");
    assert_eq!(refused(config, &stranger), Some(DropReason::Denied));
}

#[test]
fn a_source_that_cannot_be_answered_is_denied() {
    for source in ["224.0.0.1:5000", "255.255.255.255:5000", "0.0.0.0:5000", "192.0.2.1:0"] {
        let probe = Probe::number(1).from(source);
        assert_eq!(refused(config(), &probe), Some(DropReason::Denied), "{source}");
    }
}

#[test]
fn only_provisioned_sessions_are_answered_when_they_are_demanded() {
    let mut config = config();
    let session = ProvisionedSession {
        address: Some("192.0.2.1".parse().unwrap()),
        port: None,
        ssid: Some(Ssid(0x1234)),
    };
    config.admission = Admission::Provisioned(vec![session]);
    assert_eq!(refused(config.clone(), &Probe::number(1)), None);
    let other = Probe::number(1).set(14, &[0x12, 0x35]);
    assert_eq!(refused(config, &other), Some(DropReason::NoSession));
}

#[test]
fn a_probe_from_too_far_away_is_dropped_where_that_is_asked() {
    let mut config = config();
    let floor = Some(HopLimit(254));
    let policy = SourcePolicy { hop_limit_floor: floor, ..SourcePolicy::unknown(OPEN) };
    config.unknown_sources = Some(policy);
    for (hop_limit, expected) in [
        (Some(HopLimit(253)), Some(DropReason::Ttl)),
        (None, Some(DropReason::Ttl)),
        (Some(HopLimit(254)), None),
    ] {
        let probe = Probe { hop_limit, ..Probe::number(1) };
        assert_eq!(refused(config.clone(), &probe), expected);
    }
}

#[test]
fn what_is_over_the_limit_is_dropped_and_told_once() {
    let mut reflector = reflector(config());
    let answered = (0..6_000).filter(|_| answer(&mut reflector, &Probe::number(1)).is_ok()).count();
    let counted = reflector.snapshot();
    assert_eq!(answered as u64, 4_000 + counted.leaked);
    assert_eq!(counted.drops(DropReason::RateLimited) + counted.leaked, 2_000);
    assert!((60..=190).contains(&counted.leaked), "{} of 2 000, not 1 in 16", counted.leaked);
    let limit = RateLimit::DEFAULT;
    let source = Probe::number(1).from;
    assert_eq!(reflector.poll_event(), Some(ReflectorEvent::RateLimited { source, limit }));
    assert_eq!(reflector.poll_event(), None);
}

#[test]
fn a_probe_shorter_than_its_reply_counts_as_many() {
    let mut config = config();
    let (rate, burst) = (NonZeroU32::new(10).unwrap(), NonZeroU32::new(40).unwrap());
    let rate_limit = RateLimit::PerSecond { rate, burst };
    let policy = SourcePolicy { rate_limit, ..SourcePolicy::configured(OPEN) };
    config.unknown_sources = Some(policy);
    let mut reflector = reflector(config);
    let mut probe = Probe::number(1);
    probe.octets.truncate(14);
    for _ in 0..100 {
        let _ = answer(&mut reflector, &probe);
    }
    let counted = reflector.snapshot();
    assert_eq!(counted.answered - counted.leaked, 10, "44 octets for 14 count as four probes");
}

#[test]
fn all_sources_together_are_limited_too() {
    let limiter = RateLimiter::new(RateLimiterConfig {
        total: RateLimit::per_second(50).unwrap(),
        ..RateLimiterConfig::new([1, 2])
    });
    let mut reflector = Reflector::new(config(), Arc::new(limiter)).unwrap();
    for host in 0..200 {
        let probe = Probe::number(1).from(&format!("192.0.2.{host}:49200"));
        let _ = answer(&mut reflector, &probe);
    }
    assert_eq!(reflector.snapshot().answered, 100);
    assert_eq!(reflector.snapshot().drops(DropReason::Overload), 100);
    let limit = RateLimit::per_second(50).unwrap();
    assert_eq!(reflector.poll_event(), Some(ReflectorEvent::Overload { limit }));
    assert_eq!(reflector.poll_event(), None);
}

#[test]
fn a_flood_of_strangers_silences_no_key_holder() {
    let limiter = RateLimiter::new(RateLimiterConfig {
        total: RateLimit::per_second(50).unwrap(),
        ..RateLimiterConfig::new([1, 2])
    });
    let mut config = authenticated();
    config.unknown_sources = Some(SourcePolicy::unknown(OPEN));
    let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    config.allow = vec![AllowRule { prefix, policy: SourcePolicy::unknown(AUTHENTICATED) }];
    let mut reflector = Reflector::new(config, Arc::new(limiter)).unwrap();
    for host in 0..200 {
        let _ = answer(&mut reflector, &Probe::number(1).from(&format!("10.0.0.{host}:49200")));
    }
    assert_eq!(reflector.snapshot().drops(DropReason::Overload), 100);
    assert!(answer(&mut reflector, &Probe::signed(1, &k1())).is_ok());
}

#[test]
fn our_own_listeners_are_never_answered() {
    let mut config = config();
    config.own_listeners =
        vec!["192.0.2.11:862".parse().unwrap(), "10.0.0.1:5000".parse().unwrap()];
    config.same_port = SamePort::Allow;
    for own in ["192.0.2.11:862", "10.0.0.1:5000", "[::ffff:10.0.0.1]:5000"] {
        let probe = Probe::number(1).from(own);
        assert_eq!(rule(config.clone(), &probe), Some(LoopRule::OwnListener), "{own}");
    }
    config.own_listeners.clear();
    let to_itself = Probe::number(1).from("192.0.2.11:862");
    assert_eq!(rule(config, &to_itself), Some(LoopRule::OwnListener));
}

#[test]
fn what_reads_as_a_reply_is_never_answered_whatever_its_port() {
    let reply = answer(&mut reflector(config()), &Probe::number(1)).unwrap();
    for from in ["192.0.2.9:862", "192.0.2.9:5000", "192.0.2.9:50000"] {
        let mut config = config();
        config.same_port = SamePort::Allow;
        let probe = Probe::of(&reply).from(from);
        assert_eq!(rule(config, &probe), Some(LoopRule::ReadsAsReply), "{from}");
    }
}

#[test]
fn the_reply_to_a_probe_without_timestamp_still_reads_as_one() {
    let mut zeros = Probe::of(&[0; 44]);
    zeros.hop_limit = None;
    let reply = answer(&mut reflector(config()), &zeros).unwrap();
    assert_eq!(reply[28..36], [0; 8], "there is no T1 to echo");
    assert_eq!(rule(config(), &Probe::of(&reply)), Some(LoopRule::ReadsAsReply));
}

#[test]
fn our_own_timestamp_coming_back_is_a_loop_even_without_a_receive_timestamp() {
    // The far end wrote no T2: only the echoed T1, which is our T3 of 50 ms ago, tells.
    let reply = answer(&mut reflector(config()), &Probe::number(1)).unwrap();
    let mut far = Probe::number(1).set(28, &reply[4..12]).from("192.0.2.9:5000");
    far.arrives = WallTime::from_unix_ns(T3.unix_ns() + 50_000_000);
    assert_eq!(rule(config(), &far), Some(LoopRule::EchoedStamp));
    far.arrives = WallTime::from_unix_ns(T3.unix_ns() + 60_000_000_000);
    assert_eq!(rule(config(), &far), None, "a minute later it is padding");
}

#[test]
fn a_probe_stamped_on_its_way_is_answered() {
    // A timestamp-and-forward node wrote T2 where a reply has it, and nothing else.
    let stamped = Probe::number(1).set(16, &hex("e98af870 ca4d9f23"));
    assert_eq!(refused(config(), &stamped), None);
}

#[test]
fn ports_of_reflectors_demand_what_is_configured() {
    let random = Probe::number(1).set(20, &[1, 2, 3]);
    let clean = Probe::number(1);
    let mut config = config();
    config.own_listeners = vec!["10.0.0.1:4000".parse().unwrap()];
    config.reflector_ports = vec![863, 6_000];
    for (same_port, clean_passes, random_passes) in [
        (SamePort::Strict, false, false),
        (SamePort::ZeroOnly, true, false),
        (SamePort::Allow, true, true),
    ] {
        config.same_port = same_port;
        for port in [862, 863, 4_000, 6_000] {
            for (probe, passes) in [(&clean, clean_passes), (&random, random_passes)] {
                let probe = probe.clone().from(&format!("192.0.2.9:{port}"));
                let expected = (!passes).then_some(LoopRule::ReflectorPort);
                assert_eq!(rule(config.clone(), &probe), expected, "{same_port:?} {port}");
            }
        }
        let elsewhere = random.clone().from("192.0.2.9:7000");
        assert_eq!(rule(config.clone(), &elsewhere), None, "padding is no crime");
    }
}

#[test]
fn ports_of_other_services_are_not_answered() {
    for port in [1, 7, 19, 53, 123, 861, 863, 1_023] {
        let probe = Probe::number(1).from(&format!("192.0.2.9:{port}"));
        assert_eq!(rule(config(), &probe), Some(LoopRule::LowPort), "{port}");
    }
    for port in [862, 1_024, 65_535] {
        let probe = Probe::number(1).from(&format!("192.0.2.9:{port}"));
        assert_eq!(rule(config(), &probe), None, "{port}");
    }
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused() {
    let new = |config| {
        let limiter = RateLimiter::new(RateLimiterConfig::new([1, 2]));
        Reflector::new(config, Arc::new(limiter)).err()
    };
    let mut keyless = config();
    keyless.unknown_sources = Some(SourcePolicy::unknown(AUTHENTICATED));
    assert_eq!(new(keyless), Some(ReflectorConfigError::KeysMissing));
    let mut wrong_key = authenticated();
    let id = KeyId(9);
    wrong_key.unknown_sources.as_mut().unwrap().key_ids = Some(vec![id]);
    assert_eq!(new(wrong_key), Some(ReflectorConfigError::KeyUnknown { id }));
    let mut empty = config();
    empty.session_limit = 0;
    assert!(matches!(new(empty), Some(ReflectorConfigError::SessionLimit { value: 0, .. })));
}

proptest! {
    /// Random padding is what TWAMP Light senders send; no rule may take it for a reply.
    #[test]
    fn random_padding_passes_every_rule(padding in prop::collection::vec(any::<u8>(), 30..200)) {
        let mut probe = Probe::number(1);
        probe.octets.truncate(14);
        let probe = probe.with(&padding);
        prop_assert_eq!(refused(config(), &probe), None);
    }
}
