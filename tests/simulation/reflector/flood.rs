//! A million sources at once.

use std::net::{Ipv4Addr, SocketAddr};

use stamp_session::reflector::{DropReason, SourcePolicy};

use super::network::*;

const SOURCES: u32 = 1_000_000;

#[test]
fn a_flood_from_a_million_sources_takes_no_memory_and_no_service() {
    let mut config = config(SourcePolicy::unknown(OPEN));
    config.stateful = true;
    config.session_limit = 4_096;
    let mut reflector = reflector(config);
    let legitimate = SocketAddr::from(([192, 0, 2, 1], 49_200));
    let forged = probe(OPEN, 0, timestamp(0));
    let mut octets = Vec::new();
    let mut probes = 0;
    for source in 0..SOURCES {
        // One forged source each microsecond, the legitimate sender each millisecond.
        let now_ns = i64::from(source) * 1_000;
        let from = SocketAddr::from((Ipv4Addr::from_bits(0x0B00_0000 + source), 5_000));
        reflect(&mut reflector, now_ns, from, &forged);
        if source.is_multiple_of(1_000) {
            let reply = reflect(
                &mut reflector,
                now_ns,
                legitimate,
                &probe(OPEN, probes, timestamp(now_ns)),
            );
            let number = reply.map(|reply| u32::from_be_bytes(*reply.first_chunk().unwrap()));
            assert_eq!(number, Some(probes), "the counter of its session goes on");
            probes += 1;
        }
        if source.is_multiple_of(100_000) && source > 0 {
            octets.push(reflector.snapshot().session_octets);
        }
    }
    let counted = reflector.snapshot();
    assert_eq!(counted.sessions, 4_096);
    assert!(octets.iter().all(|at_first| *at_first == octets[0]), "{octets:?}");
    assert_eq!(counted.drops(DropReason::RateLimited), 0);
    let events = std::iter::from_fn(|| reflector.poll_event()).count();
    assert!(events <= 1, "{events} events: each would be a line in a log");
}

#[test]
fn whoever_is_limited_is_told_about_once_and_the_queue_is_bounded() {
    let mut reflector = reflector(config(SourcePolicy::unknown(OPEN)));
    let octets = probe(OPEN, 0, timestamp(0));
    for host in 0..1_000 {
        let from = SocketAddr::from((Ipv4Addr::from_bits(0x0B00_0000 + host), 5_000));
        for _ in 0..4_100 {
            reflect(&mut reflector, 0, from, &octets);
        }
    }
    let events = std::iter::from_fn(|| reflector.poll_event()).count();
    let counted = reflector.snapshot();
    assert_eq!(events, 256);
    assert_eq!(events as u64 + counted.events_lost, 1_000);
}
