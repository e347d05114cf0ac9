//! A NAT on the way that gives a session another port, seen from the Session-Sender's side.

use std::collections::HashSet;
use std::net::SocketAddr;

use stamp_session::reflector::{Reflector, ReflectorEvent, SourcePolicy};

use super::network::*;

/// Probes that arrived and the numbers of their replies.
fn run(
    reflector: &mut Reflector,
    probes: impl Iterator<Item = u32>,
    interval_ns: i64,
    port_of: impl Fn(u32) -> u16,
) -> Vec<u32> {
    let answer = |sequence: u32| {
        let now_ns = i64::from(sequence) * interval_ns;
        let from = SocketAddr::from(([203, 0, 113, 1], port_of(sequence)));
        let reply = reflect(reflector, now_ns, from, &probe(OPEN, sequence, timestamp(now_ns)));
        u32::from_be_bytes(*reply.expect("a reply").first_chunk().unwrap())
    };
    probes.map(answer).collect()
}

#[test]
fn the_numbers_go_on_whenever_the_port_changes() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let interval_ns = *random.pick(&[1_000_000, 10_000_000, 1_000_000_000]);
        let loss = random.below(30);
        let rebinds: Vec<u32> =
            (0..random.below(4)).map(|_| 20 + random.below(600) as u32).collect();
        let mut config = config(SourcePolicy::unknown(OPEN));
        config.stateful = true;
        let mut reflector = reflector(config);
        let mut loss_of = random.clone();
        let arriving: Vec<u32> = (0..1_000).filter(|_| loss_of.below(100) >= loss).collect();
        let port_of =
            |sequence| 40_000 + rebinds.iter().filter(|rebind| sequence >= **rebind).count() as u16;
        let numbers = run(&mut reflector, arriving.iter().copied(), interval_ns, port_of);
        let expected: Vec<u32> = (0..arriving.len() as u32).collect();
        assert_eq!(numbers, expected, "seed {seed}: a Session-Sender would see loss");
        let ports = arriving.iter().copied().map(port_of).collect::<HashSet<_>>().len();
        assert_eq!(reflector.snapshot().sessions, 1, "seed {seed}: {ports} ports, one session");
        let events = std::iter::from_fn(|| reflector.poll_event());
        let rebound = events.filter(|event| matches!(event, ReflectorEvent::Rebound { .. }));
        assert_eq!(rebound.count(), ports - 1, "seed {seed}");
    }
}

#[test]
fn senders_that_chose_one_ssid_behind_one_address_keep_their_own_numbers() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut config = config(SourcePolicy::unknown(OPEN));
        config.stateful = true;
        let mut reflector = reflector(config);
        // Each with its own interval, start and first number, as after a restart of ours.
        let senders: Vec<(i64, i64, u32)> = (0..2 + random.below(3))
            .map(|_| {
                let interval = 1_000_000 * (1 + random.below(20) as i64);
                let start = random.below(50_000_000) as i64;
                let first = if random.below(2) == 0 { 0 } else { random.below(2_000) as u32 };
                (start, interval, first)
            })
            .collect();
        let mut arrivals: Vec<(i64, usize, u32)> = Vec::new();
        for (sender, (start, interval, first)) in senders.iter().enumerate() {
            for step in 0..100 {
                arrivals.push((start + interval * i64::from(step), sender, first + step));
            }
        }
        arrivals.sort_unstable();
        let mut last: Vec<Option<u32>> = vec![None; senders.len()];
        for (now_ns, sender, sequence) in arrivals {
            let from = SocketAddr::from(([203, 0, 113, 1], 40_000 + sender as u16));
            let octets = probe(OPEN, sequence, timestamp(now_ns));
            let reply = reflect(&mut reflector, now_ns, from, &octets).expect("a reply");
            let number = u32::from_be_bytes(*reply.first_chunk().unwrap());
            if let Some(last) = last[sender] {
                assert_eq!(number, last + 1, "seed {seed}: sender {sender} of {senders:?}");
            }
            last[sender] = Some(number);
        }
    }
}
