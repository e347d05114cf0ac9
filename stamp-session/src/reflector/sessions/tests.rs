use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
const EXPIRY: Duration = Duration::from_secs(900);
const LIMIT: usize = 1_000;

fn sessions(limit: usize) -> Sessions {
    Sessions::new(limit, EXPIRY, KeyedHash::new([1, 2]))
}

/// Probe `sequence` of a sender that began at `now` - `sequence` ms.
fn arrival(source: &str, sequence: u32, now_ms: u64) -> Arrival {
    Arrival {
        now: MonotonicTime::from_ns(now_ms * 1_000_000),
        source: source.parse().unwrap(),
        destination: "198.51.100.1:862".parse().unwrap(),
        ssid: Ssid(7),
        mode: OPEN,
        key_id: None,
        sequence,
        probe_sent: i64::try_from(now_ms)
            .ok()
            .map(|ms| WallTime::from_unix_ns(1_700_000_000_000_000_000 + ms * 1_000_000)),
        share: None,
    }
}

fn number(sessions: &mut Sessions, arrival: &Arrival) -> u32 {
    sessions.admit(arrival).unwrap().token.number
}

/// Sessions from `count` addresses, one more probe each.
fn flood(sessions: &mut Sessions, count: u32, now: MonotonicTime) -> usize {
    let admitted = (0..count).filter(|host| {
        let source = SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0x0B00_0000 + host)), 5_000);
        sessions.admit(&Arrival { source, now, ..arrival("192.0.2.1:1", 0, 0) }).is_ok()
    });
    admitted.count()
}

#[test]
fn a_session_takes_no_more_than_240_octets() {
    let mut sessions = sessions(65_536);
    let count = flood(&mut sessions, 65_536, MonotonicTime::ZERO);
    assert_eq!((count, sessions.count()), (65_536, 65_536));
    let each = sessions.octets() / count;
    assert!(each <= 240, "{each} octets, of which {} are the session", size_of::<Session>());
}

#[test]
fn an_empty_table_of_the_default_size_takes_less_than_three_mebibytes() {
    assert!(sessions(65_536).octets() < 3 << 20, "reserved, not yet touched");
}

#[test]
fn a_flood_takes_no_more_memory_than_the_limit() {
    let mut sessions = sessions(8_192);
    flood(&mut sessions, 10_000, MonotonicTime::ZERO);
    let octets = sessions.octets();
    flood(&mut sessions, 200_000, MonotonicTime::ZERO);
    assert_eq!(sessions.count(), 8_192);
    assert_eq!(sessions.octets(), octets);
}

#[test]
fn a_session_that_works_is_not_put_out_by_a_flood() {
    let mut sessions = sessions(LIMIT);
    for host in 1..=100 {
        for sequence in 0..2 {
            number(&mut sessions, &arrival(&format!("192.0.2.{host}:5000"), sequence, 0));
        }
    }
    flood(&mut sessions, 100_000, MonotonicTime::ZERO);
    assert_eq!(sessions.count(), LIMIT);
    for host in 1..=100 {
        assert_eq!(number(&mut sessions, &arrival(&format!("192.0.2.{host}:5000"), 2, 1)), 2);
    }
    assert_eq!(sessions.counts().evicted, 100_000 - 900);
}

#[test]
fn a_new_session_finds_its_place_in_the_middle_of_a_flood() {
    let mut sessions = sessions(LIMIT);
    flood(&mut sessions, 5_000, MonotonicTime::ZERO);
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:5000", 0, 1)), 0);
    flood(&mut sessions, 500, MonotonicTime::from_ns(2_000_000));
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:5000", 1, 3)), 1);
    flood(&mut sessions, 50_000, MonotonicTime::from_ns(4_000_000));
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:5000", 2, 5)), 2);
}

#[test]
fn strangers_can_neither_put_out_a_key_holder_nor_keep_one_out() {
    let mut sessions = sessions(LIMIT);
    let signed = |host: u32, sequence| {
        let probe = arrival(&format!("192.0.2.{host}:5000"), sequence, u64::from(sequence));
        Arrival { mode: AUTHENTICATED, ..probe }
    };
    for host in 1..=100 {
        number(&mut sessions, &signed(host, 0));
    }
    // Two probes each, which makes them more than single forged packets.
    flood(&mut sessions, 900, MonotonicTime::ZERO);
    flood(&mut sessions, 900, MonotonicTime::ZERO);
    flood(&mut sessions, 10_000, MonotonicTime::ZERO);
    for host in 1..=200 {
        let expected = u32::from(host <= 100);
        assert_eq!(number(&mut sessions, &signed(host, 1)), expected, "{host}");
    }
    assert_eq!(sessions.count(), LIMIT);
}

#[test]
fn one_source_has_a_quarter_of_the_table_unless_it_is_named() {
    let mut sessions = sessions(LIMIT);
    let ports = |sessions: &mut Sessions, source: IpAddr, share| {
        let admitted = (1..=2_000).filter(|port| {
            let source = SocketAddr::new(source, *port);
            let arrival = Arrival { source, share, ..arrival("192.0.2.1:1", 0, 0) };
            sessions.admit(&arrival).is_ok()
        });
        admitted.count()
    };
    assert_eq!(ports(&mut sessions, "192.0.2.1".parse().unwrap(), None), 250);
    assert_eq!(ports(&mut sessions, "192.0.2.2".parse().unwrap(), Some(600)), 600);
    let host = |host: u128| Ipv6Addr::from_bits((0x2001_0db8 << 96) | host).into();
    assert_eq!(ports(&mut sessions, host(1), Some(100)), 100);
    assert_eq!(ports(&mut sessions, host(2), Some(100)), 0, "the same /64");
}

#[test]
fn the_share_of_a_source_comes_back_when_its_sessions_go() {
    let mut sessions = sessions(LIMIT);
    for sequence in 0_u32..3 {
        for port in 1..=250 {
            let source = format!("192.0.2.1:{port}");
            let start = u64::from(sequence) * 1_000_000;
            assert!(sessions.admit(&arrival(&source, sequence, start)).is_ok());
        }
        assert_eq!(sessions.count(), 250);
        let late = MonotonicTime::from_ns((u64::from(sequence) + 1) * 1_000_000_000_000);
        while sessions.count() > 0 {
            sessions.expire(late);
        }
    }
    assert_eq!(sessions.shares.of("192.0.2.1:1".parse().unwrap()), 0);
}

#[test]
fn a_crowd_expires_a_few_at_a_time() {
    let mut sessions = sessions(LIMIT);
    flood(&mut sessions, 200, MonotonicTime::ZERO);
    let late = MonotonicTime::ZERO.saturating_add(EXPIRY);
    sessions.expire(late);
    assert_eq!(sessions.count(), 200 - EXPIRED_AT_ONCE);
    assert!(sessions.next_expiry().unwrap() <= late, "call again");
}

#[test]
fn a_full_table_makes_room_by_what_has_expired() {
    let mut sessions = sessions(4);
    for host in 1..=4_u32 {
        for sequence in 0..2 {
            let source = format!("192.0.2.{host}:5000");
            number(&mut sessions, &arrival(&source, sequence, u64::from(host)));
        }
    }
    let new = |ms| arrival("192.0.2.9:5000", 0, ms);
    assert_eq!(sessions.admit(&new(900_000)).unwrap_err(), DropReason::Capacity);
    assert!(sessions.admit(&new(900_001)).is_ok());
    assert_eq!((sessions.count(), sessions.counts().expired), (4, 1));
}

/// A session of ten probes, one each 10 ms, the last at 90 ms.
fn settled(mode: AuthenticationMode) -> Sessions {
    let mut sessions = sessions(LIMIT);
    for sequence in 0..10 {
        let probe = arrival("192.0.2.1:5000", sequence, u64::from(sequence) * 10);
        assert_eq!(number(&mut sessions, &Arrival { mode, ..probe }), sequence);
    }
    sessions
}

#[test]
fn a_session_goes_on_from_another_port() {
    for mode in [OPEN, AUTHENTICATED] {
        let mut sessions = settled(mode);
        let mut rebound = None;
        // Three probes were lost while the NAT was away; the counter must not break.
        for (reply, sequence) in (13..33).enumerate() {
            let probe = arrival("192.0.2.1:6000", sequence, u64::from(sequence) * 10);
            let admitted = sessions.admit(&Arrival { mode, ..probe }).unwrap();
            assert_eq!(admitted.token.number, 10 + u32::try_from(reply).unwrap());
            rebound = rebound.or(admitted.rebound);
        }
        assert_eq!(rebound, Some("192.0.2.1:5000".parse().unwrap()));
        assert_eq!((sessions.count(), sessions.counts().rebindings), (1, 1), "none is leaked");
        let view = sessions.views().next().unwrap();
        assert_eq!(view.source, "192.0.2.1:6000".parse().unwrap());
        assert_eq!((view.received, view.created), (30, MonotonicTime::ZERO));
    }
}

#[test]
fn a_session_whose_port_changes_again_and_again_leaves_none_behind() {
    let mut sessions = sessions(LIMIT);
    for sequence in 0..1_000_u32 {
        let source = format!("192.0.2.1:{}", 5_000 + sequence / 20);
        let probe = arrival(&source, sequence, u64::from(sequence) * 10);
        assert_eq!(number(&mut sessions, &probe), sequence);
    }
    assert_eq!((sessions.count(), sessions.counts().rebindings), (1, 49));
}

#[test]
fn a_port_that_changes_before_the_last_change_was_certain_leaves_none_behind() {
    let mut sessions = settled(OPEN);
    for sequence in 10..30 {
        let port = if sequence < 12 { 6_000 } else { 7_000 };
        let probe = arrival(&format!("192.0.2.1:{port}"), sequence, u64::from(sequence) * 10);
        assert_eq!(number(&mut sessions, &probe), sequence);
    }
    assert_eq!((sessions.count(), sessions.counts().rebindings), (1, 2));
}

#[test]
fn two_senders_with_one_ssid_are_never_merged() {
    for (first, second) in [(0, 0), (0, 5), (5, 0), (1_000, 1_003), (1_003, 1_000)] {
        let mut sessions = sessions(LIMIT);
        let mut numbers = [Vec::new(), Vec::new()];
        for step in 0..200 {
            let now = u64::from(step) * 10;
            let senders = [("192.0.2.1:5000", first), ("192.0.2.1:6000", second)];
            for ((source, start), numbers) in senders.into_iter().zip(&mut numbers) {
                let admitted = sessions.admit(&arrival(source, start + step, now)).unwrap();
                assert_eq!(admitted.rebound, None);
                numbers.push(admitted.token.number);
            }
        }
        assert_eq!((sessions.count(), sessions.counts().rebindings), (2, 0));
        for numbers in numbers {
            assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{first} {second}");
        }
    }
}

#[test]
fn a_slow_sender_is_not_taken_for_one_that_moved() {
    // One each second from one port, one each millisecond from another, numbers that fit.
    let mut sessions = sessions(LIMIT);
    for second in 0..3 {
        number(&mut sessions, &arrival("192.0.2.1:5000", second, u64::from(second) * 1_000));
    }
    for step in 0..900 {
        let probe = arrival("192.0.2.1:6000", 3 + step, 2_000 + u64::from(step));
        assert_eq!(sessions.admit(&probe).unwrap().rebound, None);
    }
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:5000", 3, 3_000)), 3);
    for step in 0..9_000 {
        let now = 3_001 + u64::from(step);
        let probe = arrival("192.0.2.1:6000", 903 + step, now);
        assert_eq!(sessions.admit(&probe).unwrap().rebound, None, "the other one spoke again");
    }
    assert_eq!(sessions.count(), 2);
}

#[test]
fn without_an_ssid_another_port_is_another_session() {
    let mut sessions = sessions(LIMIT);
    for sequence in 0..20 {
        let port = if sequence < 10 { 5_000 } else { 6_000 };
        let probe = arrival(&format!("192.0.2.1:{port}"), sequence, u64::from(sequence) * 10);
        let expected = sequence % 10;
        assert_eq!(number(&mut sessions, &Arrival { ssid: Ssid::NONE, ..probe }), expected);
    }
    assert_eq!((sessions.count(), sessions.counts().rebindings), (2, 0));
}

#[test]
fn a_sender_that_restarts_from_another_port_begins_at_zero() {
    let mut sessions = settled(OPEN);
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:6000", 0, 200)), 0);
    assert_eq!(sessions.count(), 2);
}

#[test]
fn a_copy_from_another_port_is_a_replay_when_authenticated() {
    let sessions = settled(AUTHENTICATED);
    for sequence in 0..10 {
        let probe = arrival("192.0.2.1:6000", sequence, u64::from(sequence) * 10);
        let now = MonotonicTime::from_ns(200_000_000);
        let copy = Arrival { mode: AUTHENTICATED, now, ..probe };
        assert!(sessions.is_replay(&copy));
    }
    assert_eq!(sessions.count(), 1);
}

#[test]
fn the_share_of_a_source_is_the_same_after_a_reload() {
    let mut sessions = sessions(8);
    for port in 1..=2 {
        assert!(sessions.admit(&arrival(&format!("192.0.2.1:{port}"), 0, 0)).is_ok());
    }
    sessions.reconfigure(8, EXPIRY, |_| true);
    assert!(sessions.admit(&arrival("192.0.2.1:3", 0, 0)).is_err(), "two are its quarter");
    sessions.reconfigure(8, EXPIRY, |session| session.source.port() == 1);
    assert!(sessions.admit(&arrival("192.0.2.1:3", 0, 0)).is_ok(), "one of them is gone");
}

#[test]
fn a_session_is_found_both_ways_after_a_reload() {
    let mut sessions = settled(OPEN);
    sessions.reconfigure(2 * LIMIT, EXPIRY, |_| true);
    // Both ways of finding: by port, and by everything but the port.
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:5000", 10, 100)), 10);
    assert_eq!(number(&mut sessions, &arrival("192.0.2.1:6000", 11, 110)), 11);
}

mod model {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a table without limits that knows sessions by their whole name.
        #[test]
        fn every_session_counts_its_own_replies(
            steps in prop::collection::vec((0_u8..8, 0_u16..4, 0_u16..3, any::<bool>()), 1..400),
        ) {
            let mut sessions = sessions(LIMIT);
            let mut model: HashMap<(u8, u16, u16), (u32, u32)> = HashMap::new();
            for (now, (host, port, ssid, sent)) in steps.into_iter().enumerate() {
                // No two sessions of a host share an SSID, so none can be taken for another.
                let ssid = ssid * 4 + port;
                let (sequence, replies) = model.entry((host, port, ssid)).or_default();
                let source = format!("192.0.2.{host}:{}", 5_000 + port);
                let probe = arrival(&source, *sequence, now as u64);
                let admitted = sessions.admit(&Arrival { ssid: Ssid(ssid), ..probe }).unwrap();
                prop_assert_eq!(admitted.token.number, *replies);
                *sequence += 1;
                if sent { *replies += 1 } else { sessions.give_back(&admitted.token) }
            }
            prop_assert_eq!(sessions.count(), model.len());
            prop_assert_eq!(sessions.views().count(), model.len());
        }
    }
}
