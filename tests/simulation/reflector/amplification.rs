//! Nobody gets more octets, or more packets, than it sent.

use std::collections::HashMap;
use std::net::SocketAddr;

use stamp_proto::tlv::{TlvType, extra_padding, hmac};
use stamp_proto::writer::Writer;
use stamp_session::reflector::{SourcePolicy, TlvMode};

use super::network::*;

/// Octets that went in and out, and packets.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    octets: [usize; 2],
    packets: [usize; 2],
}

/// A packet that may be anything from a proper probe to noise.
fn packet(random: &mut Random) -> Vec<u8> {
    let mode = *random.pick(&MODES);
    let mut octets = probe(mode, random.next() as u32, timestamp(random.below(1_000) as i64));
    match random.below(5) {
        0 => octets.truncate(random.below(octets.len() + 1)),
        1 => {
            let extra = random.below(300);
            octets.extend(random.octets(extra));
        }
        2 => {
            let mut area = [0; 400];
            let mut writer = Writer::new(&mut area);
            for _ in 0..random.below(5) {
                extra_padding::reserve(&mut writer, 4 + random.below(60)).unwrap();
            }
            hmac::append(&key(), random.next() as u32, &mut writer).unwrap();
            octets.extend(writer.written());
            let kinds =
                [TlvType::RETURN_PATH, TlvType::REFLECTED_TEST_PACKET_CONTROL, TlvType(200)];
            if let Some(kind) = octets.get_mut(mode.base_octets() + 1) {
                *kind = random.pick(&kinds).0;
            }
        }
        3 => {
            for _ in 0..random.below(8) {
                let place = random.below(octets.len());
                octets[place] = random.next() as u8;
            }
        }
        _ => {}
    }
    octets
}

#[test]
fn no_unknown_source_gets_more_than_it_sent() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut config = config(SourcePolicy::unknown(MODES[usize::from(seed % 2 == 0)]));
        config.stateful = random.below(2) == 0;
        config.tlv_mode = *random.pick(&[TlvMode::Auto, TlvMode::On, TlvMode::Off]);
        let mut reflector = reflector(config);
        let mut accounts: HashMap<SocketAddr, Account> = HashMap::new();
        for step in 0..2_000 {
            let host = random.below(20) as u8;
            let from = SocketAddr::from(([192, 0, 2, host], 49_000 + random.below(3) as u16));
            let octets = packet(&mut random);
            let reply = reflect(&mut reflector, step * 10_000, from, &octets);
            let account = accounts.entry(from).or_default();
            account.octets[0] += octets.len();
            account.packets[0] += 1;
            if let Some(reply) = reply {
                account.octets[1] += reply.len();
                account.packets[1] += 1;
                assert!(
                    reply.len() <= octets.len(),
                    "seed {seed}: {} for {}",
                    reply.len(),
                    octets.len()
                );
            }
        }
        for (source, account) in &accounts {
            assert!(account.octets[1] <= account.octets[0], "seed {seed}: {source} {account:?}");
            assert!(account.packets[1] <= account.packets[0], "seed {seed}: {source} {account:?}");
        }
        let answered: usize = accounts.values().map(|account| account.packets[1]).sum();
        assert!(answered > 200, "seed {seed}: only {answered} answers, so nothing was shown");
        let counted = reflector.snapshot();
        assert_eq!(counted.received, 2_000);
        assert_eq!(counted.answered + counted.dropped_total(), 2_000, "seed {seed}: {counted:?}");
    }
}

#[test]
fn no_reply_holds_an_octet_of_an_earlier_packet() {
    // Every reply is made twice: in a buffer of ones, and in one of zeros.
    let mut random = Random(7);
    for mode in MODES {
        let mut reflectors = [(); 2].map(|()| reflector(config(generous(mode))));
        for step in 0..5_000 {
            let octets = packet(&mut random);
            let from = SocketAddr::from(([192, 0, 2, 1], 49_200));
            let to = SocketAddr::from(([192, 0, 2, 11], 862));
            let replies = [0x00, 0xFF].map(|dirt| {
                let reflector = &mut reflectors[usize::from(dirt == 0)];
                let mut out = vec![dirt; 1_000];
                let now = stamp_session::clock::MonotonicTime::from_ns(step);
                match reflector.handle_probe(now, received(&octets, from, to, START), &mut out) {
                    stamp_session::reflector::Verdict::Reply(reply) => {
                        Some(reply.seal(START).octets.to_vec())
                    }
                    stamp_session::reflector::Verdict::Observe(_)
                    | stamp_session::reflector::Verdict::Drop(_) => None,
                }
            });
            assert_eq!(replies[0], replies[1], "{octets:02x?}");
        }
    }
}
