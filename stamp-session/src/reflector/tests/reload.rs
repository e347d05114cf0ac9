//! A new configuration while sessions run.

use super::kit::*;
use crate::reflector::*;

#[test]
fn sessions_and_counters_survive_a_reload() {
    let mut reflector = reflector(stateful(config()));
    for sequence in 0..3 {
        assert_eq!(number(answer(&mut reflector, &Probe::number(sequence))), Ok(sequence));
    }
    let mut changed = stateful(config());
    changed.session_limit = 100;
    changed.dscp = ReplyDscp::Fixed(stamp_proto::ip::Dscp::DEFAULT);
    reflector.replace_config(changed).unwrap();
    assert_eq!(number(answer(&mut reflector, &Probe::number(3))), Ok(3));
    assert_eq!(reflector.snapshot().received, 4);
    assert_eq!(reflector.snapshot().session_limit, 100);
}

#[test]
fn a_configuration_that_is_refused_changes_nothing() {
    let mut reflector = reflector(stateful(config()));
    assert_eq!(number(answer(&mut reflector, &Probe::number(0))), Ok(0));
    let mut wrong = config();
    wrong.unknown_sources = Some(SourcePolicy::unknown(AUTHENTICATED));
    assert_eq!(reflector.replace_config(wrong), Err(ReflectorConfigError::KeysMissing));
    let mut twice = config();
    let prefix = Prefix::host("192.0.2.1".parse().unwrap());
    twice.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(OPEN) }; 2];
    assert_eq!(reflector.replace_config(twice), Err(ReflectorConfigError::PrefixTwice { prefix }));
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(1));
}

#[test]
fn sessions_whose_source_is_not_allowed_any_more_are_forgotten() {
    let mut reflector = reflector(stateful(config()));
    let (kept, gone) = (Probe::number(0), Probe::number(0).from("198.51.100.1:49200"));
    assert!(answer(&mut reflector, &kept).is_ok() && answer(&mut reflector, &gone).is_ok());
    let mut closed = stateful(config());
    closed.unknown_sources = None;
    let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    closed.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(OPEN) }];
    reflector.replace_config(closed).unwrap();
    let sources: Vec<_> = reflector.sessions().map(|session| session.source).collect();
    assert_eq!(sources, [kept.from]);
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(1));
}

#[test]
fn sessions_whose_mode_changes_are_forgotten() {
    let mut reflector = reflector(stateful(config()));
    assert!(answer(&mut reflector, &Probe::number(0)).is_ok());
    reflector.replace_config(stateful(authenticated())).unwrap();
    assert_eq!(reflector.snapshot().sessions, 0);
    assert_eq!(number(answer(&mut reflector, &Probe::signed(0, &k1()))), Ok(0));
}

#[test]
fn a_smaller_table_keeps_the_sessions_it_has() {
    let mut reflector = reflector(stateful(config()));
    let probe = |host: u32, sequence| Probe::number(sequence).from(&format!("10.0.0.{host}:5000"));
    for host in 1..100 {
        assert!(answer(&mut reflector, &probe(host, 0)).is_ok());
        assert!(answer(&mut reflector, &probe(host, 1)).is_ok());
    }
    let mut smaller = stateful(config());
    smaller.session_limit = 10;
    reflector.replace_config(smaller).unwrap();
    for host in 1..100 {
        assert_eq!(number(answer(&mut reflector, &probe(host, 2))), Ok(2));
    }
    assert_eq!(answer(&mut reflector, &probe(200, 0)), Err(DropReason::Capacity));
}

#[test]
fn a_reflector_can_become_stateful_and_stateless() {
    let mut reflector = reflector(config());
    assert_eq!(number(answer(&mut reflector, &Probe::number(7))), Ok(7));
    reflector.replace_config(stateful(config())).unwrap();
    assert_eq!(number(answer(&mut reflector, &Probe::number(8))), Ok(0));
    reflector.replace_config(config()).unwrap();
    assert_eq!(number(answer(&mut reflector, &Probe::number(9))), Ok(9));
    assert_eq!(reflector.snapshot().sessions, 0);
}

#[test]
fn keys_can_be_replaced() {
    let mut reflector = reflector(stateful(authenticated()));
    assert!(answer(&mut reflector, &Probe::signed(0, &k1())).is_ok());
    let mut rotated = stateful(authenticated());
    rotated.keys = Some(keys(&[(2, b"the next key....")]));
    reflector.replace_config(rotated).unwrap();
    assert_eq!(answer(&mut reflector, &Probe::signed(1, &k1())), Err(DropReason::Hmac));
    assert_eq!(number(answer(&mut reflector, &Probe::signed(1, b"the next key...."))), Ok(1));
}
