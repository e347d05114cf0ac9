//! Sessions that are forgotten or drained on demand.

use stamp_proto::packet::Ssid;

use super::kit::*;
use crate::reflector::*;

/// A reflector with a session of each of these sources.
fn with_sessions(sources: &[&str]) -> Reflector {
    let mut reflector = reflector(stateful(config()));
    for source in sources {
        for sequence in 0..3 {
            let probe = Probe::number(sequence).from(source);
            assert_eq!(number(answer(&mut reflector, &probe)), Ok(sequence));
        }
    }
    reflector
}

#[test]
fn those_that_a_filter_means_are_forgotten_and_begin_anew() {
    let sources = ["192.0.2.1:49200", "192.0.2.1:49201", "198.51.100.1:49200"];
    let mut reflector = with_sessions(&sources);
    let net = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    let one = SessionFilter { source: Some(net), port: Some(49_201), ..SessionFilter::default() };
    assert_eq!(reflector.forget_sessions(&one), 1);
    let snapshot = reflector.snapshot();
    assert_eq!((snapshot.sessions, snapshot.sessions_expired), (2, 1));
    let next = |source| Probe::number(3).from(source);
    assert_eq!(number(answer(&mut reflector, &next(sources[1]))), Ok(0), "from the beginning");
    assert_eq!(number(answer(&mut reflector, &next(sources[0]))), Ok(3), "another one goes on");
    assert_eq!(reflector.forget_sessions(&SessionFilter::default()), 3, "all");
    let with_ssid = Probe::number(0).set(14, &[0, 7]);
    assert_eq!(number(answer(&mut reflector, &with_ssid)), Ok(0));
    let ssid = |ssid| SessionFilter { ssid: Some(Ssid(ssid)), ..SessionFilter::default() };
    assert_eq!([8, 7].map(|number| reflector.forget_sessions(&ssid(number))), [0, 1]);
}

#[test]
fn while_it_is_drained_sessions_go_on_and_none_begins() {
    let mut reflector = with_sessions(&["192.0.2.1:49200"]);
    reflector.drain(true);
    assert!(reflector.snapshot().is_draining);
    let next = |sequence| Probe::number(sequence).from("192.0.2.1:49200");
    assert_eq!(number(answer(&mut reflector, &next(3))), Ok(3));
    let new = Probe::number(0).from("192.0.2.2:49200");
    assert_eq!(answer(&mut reflector, &new), Err(DropReason::Draining));
    assert_eq!(reflector.snapshot().drops(DropReason::Draining), 1);
    assert_eq!(reflector.poll_event(), None, "the table is not full");
    reflector.replace_config(stateful(config())).unwrap();
    assert_eq!(answer(&mut reflector, &new), Err(DropReason::Draining), "after a reload too");
    reflector.drain(false);
    assert_eq!(number(answer(&mut reflector, &new)), Ok(0));
}

#[test]
fn a_session_that_goes_on_from_another_port_does_not_begin() {
    let mut reflector = reflector(stateful(config()));
    let probe = |sequence, from| Probe::number(sequence).set(14, &[0, 7]).from(from);
    for sequence in 0..3 {
        let probe = probe(sequence, "192.0.2.1:49200");
        assert_eq!(number(answer(&mut reflector, &probe)), Ok(sequence));
    }
    reflector.drain(true);
    let moved = probe(3, "192.0.2.1:50000");
    assert!(answer(&mut reflector, &moved).is_ok(), "a NAT on its way forgot the port");
}

#[test]
fn without_sessions_there_is_nothing_to_drain() {
    let mut reflector = reflector(config());
    reflector.drain(true);
    assert_eq!(number(answer(&mut reflector, &Probe::number(5))), Ok(5));
    assert!(!reflector.snapshot().is_draining);
    assert_eq!(reflector.forget_sessions(&SessionFilter::default()), 0);
}
