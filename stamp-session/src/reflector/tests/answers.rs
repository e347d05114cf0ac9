//! What a reply looks like.

use std::net::IpAddr;

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};

use super::kit::*;
use crate::clock::{ClockState, MonotonicTime};
use crate::reflector::*;

const A1: &str = "00000001 e98af870 c9fcb68a 85870000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000";
const A3: &str = "00000001 e98af870 ca50e5ff 8f840000 e98af870 ca4d9f23 00000001 e98af870
    c9fcb68a 85870000 fd000000";
const A10: &str = "00000009 e98af870 c9fcb68a 85870000 00000000 00000000 00000000 00000000
    00000000 00000000 00";
const A12: &str = "0000000a e98af870 c9fcb68a 85870000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 030a1118 1f262d34 3b424950 575e656c 737a8188";

/// The sender of the vectors, named by the operator.
fn configured() -> ReflectorConfig {
    let mut config = config();
    let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
    config.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(OPEN) }];
    config
}

#[test]
fn a_stateless_reply_is_that_of_the_vector() {
    assert_eq!(answer(&mut reflector(config()), &Probe::of(&hex(A1))), Ok(hex(A3)));
}

#[test]
fn the_timestamp_of_the_probe_is_copied_in_its_own_format() {
    let mut probe = Probe::of(&hex(
        "00000002 65e079f0 2f075f79 c1d71234 00000000 00000000 00000000 00000000 00000000
         00000000 00000000",
    ));
    probe.hop_limit = Some(HopLimit(252));
    let mut reflector = reflector(stateful(config()));
    for sequence in 0..7 {
        // The other session starts earlier, so that this is its eighth reply.
        let other = Probe::number(sequence).set(4, &hex("65e079f0 00000000 c1d71234"));
        assert!(answer(&mut reflector, &other).is_ok());
    }
    probe.octets[0..4].copy_from_slice(&7_u32.to_be_bytes());
    let expected =
        hex("00000007 e98af870 ca50e5ff 8f841234 e98af870 ca4d9f23 00000007 65e079f0 2f075f79
         c1d70000 fc000000");
    assert_eq!(answer(&mut reflector, &probe), Ok(expected));
}

#[test]
fn a_probe_shorter_than_a_reply_gets_a_whole_base_packet() {
    let mut probe = Probe::of(&hex(A10));
    probe.hop_limit = None;
    let mut reflector = reflector(configured());
    let expected =
        hex("00000009 e98af870 ca50e5ff 8f840000 e98af870 ca4d9f23 00000009 e98af870 c9fcb68a
         85870000 ff000000");
    assert_eq!(answer(&mut reflector, &probe), Ok(expected.clone()));
    assert_eq!(reflector.snapshot().short_answered, 1);
    assert_eq!(reflector.snapshot().synthetic_hop_limit, 1);
    probe.octets.truncate(14);
    assert_eq!(answer(&mut reflector, &probe), Ok(expected));
}

#[test]
fn the_padding_of_a_configured_source_is_copied() {
    let mut config = configured();
    for mode in [TlvMode::Off, TlvMode::Auto] {
        config.tlv_mode = mode;
        let mut probe = Probe::of(&hex(A12));
        probe.hop_limit = None;
        let reply = answer(&mut reflector(config.clone()), &probe).unwrap();
        let expected =
            hex("0000000a e98af870 ca50e5ff 8f840000 e98af870 ca4d9f23 0000000a e98af870 c9fcb68a
             85870000 ff000000 030a1118 1f262d34 3b424950 575e656c 737a8188");
        assert_eq!(reply, expected);
    }
}

#[test]
fn the_padding_of_a_stranger_is_answered_with_as_many_zeros() {
    let reply = answer(&mut reflector(config()), &Probe::of(&hex(A12))).unwrap();
    assert_eq!(reply.len(), 64);
    assert_eq!(reply[44..], [0; 20]);
}

#[test]
fn one_to_three_octets_behind_the_base_packet_are_padding() {
    for remainder in [&[0x80][..], &[0x80, 1], &[0x80, 1, 0]] {
        let probe = Probe::number(1).with(remainder);
        let reply = answer(&mut reflector(configured()), &probe).unwrap();
        assert_eq!(&reply[44..], remainder, "copied unchanged");
    }
}

#[test]
fn tlv_mode_says_what_is_a_tlv() {
    let padding = [0x00, 1, 0, 2, 0xAA, 0xBB];
    for (mode, answered) in [(TlvMode::Auto, 0), (TlvMode::Off, 0), (TlvMode::On, 1)] {
        let mut config = configured();
        config.tlv_mode = mode;
        let mut reflector = reflector(config);
        let reply = answer(&mut reflector, &Probe::number(1).with(&padding)).unwrap();
        assert_eq!(reply[44..], padding);
        assert_eq!(reflector.snapshot().tlv.processed, answered, "{mode:?}");
    }
}

#[test]
fn every_octet_of_a_reply_is_written() {
    // The buffers of the kit are full of 0xEE.
    for extra in 0..40 {
        let probe = Probe::number(1).with(&vec![0; extra]);
        let reply = answer(&mut reflector(config()), &probe).unwrap();
        assert_eq!(reply.len(), 44 + extra);
        assert!(!reply.contains(&0xEE));
    }
    let reply = answer(&mut reflector(authenticated()), &Probe::signed(1, &k1())).unwrap();
    assert!(!reply[..96].contains(&0xEE));
}

#[test]
fn a_reply_goes_back_where_the_probe_came_from() {
    let mut reflector = reflector(config());
    let mut out = [0; 200];
    let probe = Probe::number(1);
    let Verdict::Reply(reply) = reflector.handle_probe(at_ms(0), probe.received(), &mut out) else {
        panic!("no reply");
    };
    assert_eq!(reply.destination(), probe.from);
    assert_eq!(reply.source(), Some(probe.to.ip()));
    assert_eq!(reply.interface(), 0, "the route decides");
    assert_eq!(reply.len_octets(), 44);
    let reply = reply.seal(T3);
    assert_eq!((reply.to, reply.from), (probe.from, Some(probe.to.ip())));
}

/// Source and interface of the reply to a probe between these ends.
fn envelope(from: &str, to: &str) -> (Option<IpAddr>, u32) {
    let probe = Probe::number(1).from(from).to(to);
    let mut out = [0; 200];
    match reflector(config()).handle_probe(at_ms(0), probe.received(), &mut out) {
        Verdict::Reply(reply) => (reply.source(), reply.interface()),
        Verdict::Observe(_) => panic!("a reply was asked for"),
        Verdict::Drop(reason) => panic!("{from} to {to}: {reason}"),
    }
}

#[test]
fn a_reply_leaves_from_no_address_that_is_none() {
    let from = "192.0.2.1:5000";
    assert_eq!(envelope(from, "224.0.0.5:862"), (None, 0));
    assert_eq!(envelope(from, "255.255.255.255:862"), (None, 0));
    assert_eq!(envelope(from, "127.0.0.5:862"), (None, 0));
    assert_eq!(envelope("[2001:db8::1]:5000", "[ff02::5]:862"), (None, 0));
    let loopback = "127.0.0.5".parse().ok();
    assert_eq!(envelope("127.0.0.1:5000", "127.0.0.5:862"), (loopback, 0));
}

#[test]
fn a_link_local_sender_is_answered_on_its_link() {
    let own = "fe80::2".parse().ok();
    assert_eq!(envelope("[fe80::1%2]:5000", "[fe80::2%2]:862"), (own, 2));
    let own = "169.254.0.2".parse().ok();
    assert_eq!(envelope("169.254.0.1:5000", "169.254.0.2:862"), (own, 2));
}

/// DSCP and ECN of the reply to a probe with these.
fn traffic_class(dscp: ReplyDscp, probe: Option<(Dscp, Ecn)>) -> (Dscp, Ecn) {
    let mut config = config();
    config.dscp = dscp;
    let mut out = [0; 200];
    let received = Probe { traffic_class: probe, ..Probe::number(1) };
    match reflector(config).handle_probe(at_ms(0), received.received(), &mut out) {
        Verdict::Reply(reply) => reply.traffic_class(),
        Verdict::Observe(_) => panic!("a reply was asked for"),
        Verdict::Drop(reason) => panic!("{reason}"),
    }
}

#[test]
fn the_dscp_is_copied_or_fixed_and_the_ecn_never_copied() {
    let ef = Dscp::new(46).unwrap();
    let cs6 = Dscp::new(48).unwrap();
    assert_eq!(traffic_class(ReplyDscp::Copy, Some((ef, Ecn::Ce))), (ef, Ecn::NotEct));
    assert_eq!(traffic_class(ReplyDscp::Copy, None), (Dscp::DEFAULT, Ecn::NotEct));
    let fixed = ReplyDscp::Fixed(cs6);
    assert_eq!(traffic_class(fixed, Some((ef, Ecn::Ect0))), (cs6, Ecn::NotEct));
}

#[test]
fn a_hop_limit_of_zero_is_one_the_platform_does_not_know() {
    for hop_limit in [None, Some(HopLimit(0))] {
        let mut reflector = reflector(config());
        let probe = Probe { hop_limit, ..Probe::number(1) };
        assert_eq!(answer(&mut reflector, &probe).unwrap()[40], 255);
        assert_eq!(reflector.snapshot().synthetic_hop_limit, 1);
    }
}

#[test]
fn a_multiplier_of_zero_is_answered_and_counted() {
    let mut reflector = reflector(config());
    let reply = answer(&mut reflector, &Probe::number(1).set(12, &[0x85, 0x00])).unwrap();
    assert_eq!(reply[36..38], [0x85, 0x00], "copied bit for bit");
    assert_eq!(reflector.snapshot().zero_multiplier, 1);
}

#[test]
fn ptp_replies_are_on_the_configured_time_scale() {
    let mut config = config();
    config.format = TimestampFormat::Ptp;
    for (offset, t2, t3) in [
        (PtpUtcOffset::UTC, "65e079f0 2f1a3600", "65e079f0 2f1af950"),
        (PtpUtcOffset::TAI, "65e07a15 2f1a3600", "65e07a15 2f1af950"),
    ] {
        config.ptp_utc_offset = offset;
        let reply = answer(&mut reflector(config.clone()), &Probe::number(1)).unwrap();
        assert_eq!(reply[4..12], hex(t3));
        assert_eq!(reply[16..24], hex(t2));
        assert_eq!(reply[12..14], [0xCF, 0x84], "Z is set");
    }
}

#[test]
fn the_error_estimate_follows_the_clock() {
    let mut reflector = reflector(config());
    let estimate = |reflector: &mut Reflector| {
        let reply = answer(reflector, &Probe::number(1)).unwrap();
        [reply[12], reply[13]]
    };
    assert_eq!(estimate(&mut reflector), [0x8F, 0x84]);
    reflector.handle_clock(ClockState::UNKNOWN);
    assert_eq!(estimate(&mut reflector), [0x19, 0x80], "not synchronised, one second");
    let mut clock = ClockState::UNKNOWN;
    clock.synchronized = true;
    reflector.handle_clock(clock);
    assert_eq!(estimate(&mut reflector), [0x99, 0x80], "synchronised, nobody knows how well");
}

#[test]
fn a_buffer_that_is_too_small_gets_no_reply_and_counts_nothing_else() {
    let mut reflector = reflector(stateful(config()));
    let probe = Probe::number(0).with(&[0; 10]);
    let mut out = [0; 53];
    let verdict = reflector.handle_probe(MonotonicTime::ZERO, probe.received(), &mut out);
    assert!(matches!(verdict, Verdict::Drop(DropReason::TooLarge)));
    assert_eq!(reflector.snapshot().sessions, 0);
    assert_eq!(number(answer(&mut reflector, &probe)), Ok(0));
    assert_eq!(reflector.handle_truncated(), DropReason::TooLarge);
    assert_eq!(reflector.snapshot().drops(DropReason::TooLarge), 2);
    assert_eq!(reflector.snapshot().received, 3);
}
