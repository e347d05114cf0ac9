//! What an attacker without the key can change in an authenticated session: nothing.

use std::net::SocketAddr;

use stamp_session::reflector::{Reflector, ReflectorSnapshot, SessionView, SourcePolicy};

use super::network::*;

const SENDER: ([u8; 4], u16) = ([192, 0, 2, 1], 49_200);

fn authenticated() -> Reflector {
    let mut config = config(SourcePolicy::unknown(AUTHENTICATED));
    config.stateful = true;
    reflector(config)
}

fn state(reflector: &Reflector) -> (Vec<SessionView>, ReflectorSnapshot) {
    let mut sessions: Vec<_> = reflector.sessions().collect();
    sessions.sort_by_key(|session| session.source);
    // What came and was dropped is counted; everything else must be equal.
    let snapshot = ReflectorSnapshot {
        received: 0,
        dropped: Default::default(),
        loops: Default::default(),
        ..reflector.snapshot()
    };
    (sessions, snapshot)
}

/// Something an attacker can make of what it saw: changed, or sent again from elsewhere.
fn forgery(random: &mut Random, capture: &[(i64, SocketAddr, Vec<u8>)]) -> (SocketAddr, Vec<u8>) {
    let (_, from, octets) = random.pick(capture).clone();
    let port = 1_024 + random.below(60_000) as u16;
    let mut changed = octets.clone();
    let place = random.below(112);
    changed[place] ^= 1 << random.below(8);
    match random.below(5) {
        0 => (from, octets),
        1 => (SocketAddr::new(from.ip(), port), octets),
        2 => (from, changed),
        3 => (SocketAddr::new(from.ip(), port), changed),
        _ => (from, probe(OPEN, random.next() as u32, timestamp(random.below(1_000) as i64))),
    }
}

#[test]
fn forged_and_replayed_packets_between_good_ones_leave_no_trace() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let (mut alone, mut attacked) = (authenticated(), authenticated());
        let mut capture = Vec::new();
        let mut sequence = 0;
        for step in 1..600 {
            let now_ns = step * 1_000_000;
            let from = SocketAddr::from(SENDER);
            match random.below(20) {
                // A restart, or a long loss.
                0 if step > 100 => sequence = 0,
                1 => sequence += random.below(1_000) as u32,
                _ => sequence += 1,
            }
            let good = probe(AUTHENTICATED, sequence, timestamp(now_ns));
            let expected = reflect(&mut alone, now_ns, from, &good);
            assert!(expected.is_some(), "seed {seed}: {sequence} at {step}");
            assert_eq!(reflect(&mut attacked, now_ns, from, &good), expected, "seed {seed}");
            capture.push((now_ns, from, good));
            for _ in 0..random.below(4) {
                let (from, forged) = forgery(&mut random, &capture);
                let reply = reflect(&mut attacked, now_ns, from, &forged);
                assert_eq!(reply, None, "seed {seed}: answered at step {step}");
            }
        }
        assert_eq!(state(&attacked), state(&alone), "seed {seed}");
        assert_eq!(attacked.next_timeout(), alone.next_timeout(), "seed {seed}");
    }
}

#[test]
fn a_capture_played_again_is_answered_by_nothing() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut reflector = authenticated();
        let mut capture = Vec::new();
        for sender in 1..=5 {
            let from = SocketAddr::from(([192, 0, 2, sender], 49_200));
            let mut sequence = 0;
            for step in 0..300 {
                let now_ns = step * 1_000_000 + i64::from(sender);
                sequence += 1 + random.below(3) as u32;
                capture.push((now_ns, from, probe(AUTHENTICATED, sequence, timestamp(now_ns))));
            }
        }
        capture.sort_by_key(|(now_ns, ..)| *now_ns);
        let play = |reflector: &mut Reflector, later: i64| -> usize {
            let answered = capture.iter().filter(|(now_ns, from, octets)| {
                reflect(reflector, now_ns + later, *from, octets).is_some()
            });
            answered.count()
        };
        assert_eq!(play(&mut reflector, 0), capture.len(), "seed {seed}");
        let before = state(&reflector);
        assert_eq!(play(&mut reflector, 1_000_000_000), 0, "seed {seed}");
        assert_eq!(play(&mut reflector, 100_000_000_000), 0, "seed {seed}");
        assert_eq!(state(&reflector), before, "seed {seed}");
    }
}
