//! Several replies to one probe (RFC 10052 §3).

use stamp_proto::packet::ReflectorPacket;
use stamp_proto::tlv::hmac::{self, TlvIntegrity};
use stamp_proto::tlv::reflected_test_packet_control::{
    ControlDialect, ReflectedPackets, ReflectedTestPacketControlRequest,
};
use stamp_proto::writer::Writer;

use super::kit::*;
use crate::reflector::*;

const WANTED: ReflectedPackets = ReflectedPackets { octets: 100, count: 3, interval_ns: 2_000_000 };

fn tlv(packets: ReflectedPackets) -> Vec<u8> {
    let mut octets = [0; 100];
    let mut writer = Writer::new(&mut octets);
    let request = ReflectedTestPacketControlRequest { packets, ..Default::default() };
    request.emit_request(ControlDialect::default(), &mut writer).unwrap();
    writer.written().to_vec()
}

fn generous() -> ReflectorConfig {
    let mut config = config();
    if let Some(unknown) = &mut config.unknown_sources {
        unknown.tlvs.packet_control = Some(PacketControlRules::MODEST);
    }
    config
}

/// The reply to a probe, and those that follow by `until_ms`, each with when it is due.
fn replies(reflector: &mut Reflector, probe: &Probe, until_ms: u64) -> Vec<(u64, Vec<u8>)> {
    let mut out = [0xEE; 2_000];
    let verdict = reflector.handle_probe(at_ms(0), probe.received(), &mut out);
    let Verdict::Reply(reply) = verdict else { panic!("{verdict:?}") };
    let mut sent = vec![(0, reply.seal(T3).octets.to_vec())];
    for now in 0..=until_ms {
        while let Some(further) = reflector.poll_reply(at_ms(now), &mut out) {
            assert_eq!(further.listener, probe.to);
            assert_eq!(further.reply.destination(), probe.from);
            sent.push((now, further.reply.seal(T3).octets.to_vec()));
        }
    }
    sent
}

fn number_of(reply: &[u8]) -> u32 {
    ReflectorPacket::parse(OPEN, reply).unwrap().sequence
}

#[test]
fn replies_come_in_the_number_of_the_length_and_at_the_interval_asked_for() {
    let mut reflector = reflector(stateful(generous()));
    let sent = replies(&mut reflector, &Probe::number(0).with(&tlv(WANTED)), 100);
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 2, 4]);
    assert!(sent.iter().all(|(_, reply)| reply.len() == 100), "{sent:?}");
    let numbers: Vec<u32> = sent.iter().map(|(_, reply)| number_of(reply)).collect();
    assert_eq!(numbers, [0, 1, 2], "a session counts every reply");
    // Behind the TLV is padding that nobody asked for.
    assert_eq!(sent[0].1[60..64], [0, 1, 0, 36]);
    assert_eq!(reflector.next_timeout().map(|time| time > at_ms(100)), Some(true), "expiry alone");
    let counted = reflector.snapshot();
    assert_eq!((counted.answered, counted.further), (1, 2));
}

#[test]
fn a_further_reply_that_is_not_sent_takes_nothing_from_those_that_were() {
    let mut reflector = reflector(stateful(generous()));
    let probe = Probe::number(0).with(&tlv(WANTED));
    let mut out = [0xEE; 2_000];
    let Verdict::Reply(reply) = reflector.handle_probe(at_ms(0), probe.received(), &mut out) else {
        panic!("no reply")
    };
    let _ = reply.seal(T3);
    let before = reflector.probes();
    let further = reflector.poll_reply(at_ms(2), &mut out).unwrap();
    let first = number_of(further.reply.seal(T3).octets);
    let again = reflector.poll_reply(at_ms(4), &mut out).unwrap();
    let unsent = again.reply.seal(T3);
    assert_eq!(number_of(unsent.octets), first + 1);
    let token = unsent.token;
    reflector.handle_further_unsent(token);
    assert_eq!((reflector.probes(), before.reflected()), (before, 1));
    assert_eq!(reflector.snapshot().further, 1);
    let second = Probe::number(1);
    let Verdict::Reply(reply) = reflector.handle_probe(at_ms(5), second.received(), &mut out)
    else {
        panic!("no reply")
    };
    assert_eq!(number_of(reply.seal(T3).octets), first + 1, "its number is free again");
}

#[test]
fn without_sessions_all_have_the_number_of_the_probe() {
    let mut reflector = reflector(generous());
    let sent = replies(&mut reflector, &Probe::number(7).with(&tlv(WANTED)), 100);
    assert_eq!(sent.iter().map(|(_, reply)| number_of(reply)).collect::<Vec<_>>(), [7, 7, 7]);
}

#[test]
fn a_source_has_one_burst_at_a_time_and_all_together_a_rate() {
    let mut reflector = reflector(generous());
    let mut out = [0; 2_000];
    let flag = |reflector: &mut Reflector, probe: Probe, out: &mut [u8]| {
        let verdict = reflector.handle_probe(at_ms(0), probe.received(), out);
        let Verdict::Reply(reply) = verdict else { panic!("{verdict:?}") };
        reply.seal(T3).octets[44]
    };
    let asking = |number| Probe::number(number).with(&tlv(WANTED));
    assert_eq!(flag(&mut reflector, asking(0), &mut out), 0);
    assert_eq!(flag(&mut reflector, asking(1), &mut out), 0x10, "the first goes on");
    // Each wants 50 000 octets a second; the default total is 25 times that.
    let others = (2..40).filter(|last| {
        let source = format!("192.0.3.{last}:49200");
        flag(&mut reflector, asking(*last).from(&source), &mut out) == 0
    });
    assert_eq!(others.count(), 24);
}

#[test]
fn each_reply_is_signed_for_itself() {
    let keys = keys(&[(1, b"0123456789abcdef0123456789abcdef")]);
    let mut config = stateful(generous());
    config.keys = Some(keys.clone());
    let mut reflector = reflector(config);
    let signed = {
        let covered = tlv(WANTED);
        let digest = keys.signing().tlv_digest(0, &covered);
        [&covered[..], &[0x80, 8, 0, 16], &digest].concat()
    };
    let sent = replies(&mut reflector, &Probe::number(0).with(&signed), 100);
    assert_eq!(sent.len(), 3);
    for (_, reply) in sent {
        let verified = hmac::verify(&keys, number_of(&reply), &reply[44..]);
        assert!(matches!(verified, TlvIntegrity::Verified(_)), "{verified:?}");
    }
}

#[test]
fn a_new_configuration_ends_what_the_old_one_allowed() {
    let mut reflector = reflector(generous());
    let mut out = [0; 2_000];
    let probe = Probe::number(0).with(&tlv(WANTED));
    let _ = reflector.handle_probe(at_ms(0), probe.received(), &mut out);
    reflector.replace_config(config()).unwrap();
    assert!(reflector.poll_reply(at_ms(100), &mut out).is_none());
}

#[test]
fn a_probe_that_was_overtaken_gets_one_reply_with_u() {
    let mut reflector = reflector(stateful(generous()));
    let last = |sent: Vec<(u64, Vec<u8>)>| (sent.len(), sent[0].1[44]);
    assert_eq!(last(replies(&mut reflector, &Probe::number(5).with(&tlv(WANTED)), 100)), (3, 0));
    assert_eq!(last(replies(&mut reflector, &Probe::number(4).with(&tlv(WANTED)), 100)), (1, 0x80));
    assert_eq!(last(replies(&mut reflector, &Probe::number(6).with(&tlv(WANTED)), 100)), (3, 0));
    let mut out = [0; 2_000];
    let copy = Probe::number(4).with(&tlv(WANTED));
    let verdict = reflector.handle_probe(at_ms(0), copy.received(), &mut out);
    assert!(matches!(verdict, Verdict::Drop(DropReason::Replay)), "{verdict:?}");
    assert!(reflector.poll_reply(at_ms(100), &mut out).is_none());
}
