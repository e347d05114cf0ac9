//! Who may use which key, and what a forged packet can change: nothing.

use std::time::Duration;

use stamp_proto::auth::KeyId;
use stamp_proto::time::WallTime;

use super::kit::*;
use crate::reflector::*;

const A5: &str = "00000001 00000000 00000000 00000000 e98af870 c9fcb68a 85870000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    fd1f1eb6 e37c225c 0a759675 037df9b3";
const A7: &str = "00000000 00000000 00000000 00000000 e98af870 ca50e5ff 8f840000 00000000
    e98af870 ca4d9f23 00000000 00000000 00000001 00000000 00000000 00000000
    e98af870 c9fcb68a 85870000 00000000 fd000000 00000000 00000000 00000000
    82e8f2e5 f7e74dc4 325b2482 4dbd0c80";

#[test]
fn a_stateful_authenticated_reply_is_that_of_the_vector() {
    let mut reflector = reflector(stateful(authenticated()));
    assert_eq!(answer(&mut reflector, &Probe::of(&hex(A5))), Ok(hex(A7)));
}

#[test]
fn a_probe_with_any_octet_changed_is_not_answered() {
    let mut reflector = reflector(stateful(authenticated()));
    for offset in 0..112 {
        let mut octets = hex(A5);
        octets[offset] ^= 0x01;
        assert_eq!(answer(&mut reflector, &Probe::of(&octets)), Err(DropReason::Hmac), "{offset}");
    }
    assert_eq!(reflector.snapshot().sessions, 0);
}

#[test]
fn the_reply_is_signed_with_the_key_of_the_probe() {
    // In the middle of a rotation: the new key signs here, the sender has only the old one.
    let mut config = authenticated();
    config.keys = Some(keys(&[(2, b"the new key, 16+"), (1, &k1())]));
    let reply = answer(&mut reflector(config), &Probe::signed(1, &k1())).unwrap();
    assert_eq!(keys(&[(1, &k1())]).verify(&reply), Some(KeyId(1)));
}

#[test]
fn a_key_is_good_only_for_the_peers_it_is_bound_to() {
    let secrets: [(u32, &[u8]); 3] =
        [(1, b"key of one peer."), (2, b"key of the other"), (3, b"of all the peers")];
    let peers = ["192.0.2.1", "192.0.2.2", "198.51.100.3"];
    let mut config = authenticated();
    config.keys = Some(keys(&secrets));
    let rule = |address: &str, ids: &[u32]| AllowRule {
        prefix: Prefix::host(address.parse().unwrap()),
        policy: SourcePolicy {
            key_ids: Some(ids.iter().copied().map(KeyId).collect()),
            ..SourcePolicy::configured(AUTHENTICATED)
        },
    };
    config.allow = vec![rule(peers[0], &[1, 3]), rule(peers[1], &[2, 3])];
    config.unknown_sources = Some(SourcePolicy {
        key_ids: Some(vec![KeyId(3)]),
        ..SourcePolicy::unknown(AUTHENTICATED)
    });
    let mut reflector = reflector(config);
    for (peer, allowed) in
        peers.iter().zip([[true, false, true], [false, true, true], [false, false, true]])
    {
        for ((id, secret), allowed) in secrets.iter().zip(allowed) {
            let probe = Probe::signed(1, secret).from(&format!("{peer}:49200"));
            let answered = answer(&mut reflector, &probe).map(|_| ());
            let expected = if allowed { Ok(()) } else { Err(DropReason::Hmac) };
            assert_eq!(answered, expected, "key {id} of {peer}");
        }
    }
}

#[test]
fn a_prefix_may_need_authentication_where_others_do_not() {
    let mut config = config();
    config.keys = Some(keys(&[(1, &k1())]));
    let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    config.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(AUTHENTICATED) }];
    let mut reflector = reflector(config);
    assert!(answer(&mut reflector, &Probe::signed(1, &k1())).is_ok());
    assert_eq!(answer(&mut reflector, &Probe::number(1)), Err(DropReason::Mode));
    assert!(answer(&mut reflector, &Probe::number(1).from("198.51.100.1:5000")).is_ok());
}

#[test]
fn forged_probes_do_not_use_up_the_allowance_of_a_key_holder() {
    let mut reflector = reflector(authenticated());
    for _ in 0..20_000 {
        let forged = Probe::signed(1, b"not the key, sir");
        assert_eq!(answer(&mut reflector, &forged), Err(DropReason::Hmac));
    }
    for sequence in 0..4_000 {
        assert!(answer(&mut reflector, &Probe::signed(sequence, &k1())).is_ok(), "{sequence}");
    }
}

#[test]
fn replayed_probes_do_not_use_up_the_allowance_of_a_key_holder() {
    let mut reflector = reflector(stateful(authenticated()));
    let captured = Probe::signed(0, &k1());
    assert!(answer(&mut reflector, &captured).is_ok());
    for _ in 0..20_000 {
        assert_eq!(answer(&mut reflector, &captured), Err(DropReason::Replay));
    }
    for sequence in 1..4_000 {
        assert!(answer(&mut reflector, &Probe::signed(sequence, &k1())).is_ok(), "{sequence}");
    }
}

#[test]
fn forged_probes_between_good_ones_leave_no_trace() {
    let mut alone = reflector(stateful(authenticated()));
    let mut attacked = reflector(stateful(authenticated()));
    for sequence in 0..300 {
        let good = Probe::signed(sequence, &k1());
        let now = at_ms(u64::from(sequence));
        for forged in [sequence, sequence + 1, sequence + 100_000, 0] {
            let forged = Probe::signed(forged, b"not the key, sir");
            assert_eq!(answer_at(&mut attacked, now, &forged), Err(DropReason::Hmac));
        }
        assert_eq!(answer_at(&mut attacked, now, &good), answer_at(&mut alone, now, &good));
    }
    let views = |reflector: &Reflector| reflector.sessions().collect::<Vec<_>>();
    assert_eq!(views(&attacked), views(&alone));
    assert_eq!(attacked.next_timeout(), alone.next_timeout());
    let (mut attacked, alone) = (attacked.snapshot(), alone.snapshot());
    assert_eq!(attacked.received, alone.received + 1_200);
    assert_eq!(attacked.drops(DropReason::Hmac), 1_200);
    (attacked.received, attacked.dropped) = (alone.received, alone.dropped);
    assert_eq!(attacked, alone);
}

#[test]
fn a_replayed_capture_has_no_second_effect() {
    let mut reflector = reflector(stateful(authenticated()));
    let capture: Vec<_> = (0..400).map(|sequence| Probe::signed(sequence, &k1())).collect();
    for (now, probe) in capture.iter().enumerate() {
        assert!(answer_at(&mut reflector, at_ms(now as u64), probe).is_ok());
    }
    let before: Vec<_> = reflector.sessions().collect();
    for probe in &capture {
        assert_eq!(answer_at(&mut reflector, at_ms(500), probe), Err(DropReason::Replay));
        // Ports are not under the HMAC.
        let moved = probe.clone().from("192.0.2.1:50000");
        assert_eq!(answer_at(&mut reflector, at_ms(500), &moved), Err(DropReason::Replay));
    }
    assert_eq!(reflector.sessions().collect::<Vec<_>>(), before);
}

#[test]
fn a_time_window_refuses_old_probes_even_after_a_restart_of_the_reflector() {
    let mut config = authenticated();
    config.time_window = Some(Duration::from_secs(10));
    let mut probe = Probe::signed(1, &k1());
    assert!(answer(&mut reflector(config.clone()), &probe).is_ok());
    for away in [-11_000_000_000, 11_000_000_000] {
        probe.arrives = WallTime::from_unix_ns(T1.unix_ns() + away);
        assert_eq!(answer(&mut reflector(config.clone()), &probe), Err(DropReason::Replay));
    }
    let timeless = Probe::signed(1, &k1()).octets;
    let mut timeless = Probe::of(&timeless).set(16, &[0; 8]).octets;
    keys(&[(1, &k1())]).signing().sign(&mut timeless).unwrap();
    let verdict = answer(&mut reflector(config), &Probe::of(&timeless));
    assert_eq!(verdict, Err(DropReason::Replay), "without T1 nothing is proved");
}
