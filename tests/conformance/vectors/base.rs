//! Base packets: groups A and C.

use stamp_proto::auth::KeyId;
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{Timestamp, TimestampFormat};

use super::{
    NTP, PROBE_RECEIVED, PROBE_SENT, PTP, REPLY_RECEIVED, REPLY_SENT, Vectors, key, ntp,
    reflector_clock, ring, sender_clock,
};

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const SIGNED: AuthenticationMode = AuthenticationMode::Authenticated;

/// What a probe vector says: name, mode, Sequence Number, format of T1, SSID, number of the key.
type Probe = (&'static str, AuthenticationMode, u32, TimestampFormat, u16, u32);

const PROBES: [Probe; 13] = [
    ("A1", OPEN, 1, NTP, 0, 0),
    ("A2", OPEN, 2, PTP, 0x1234, 0),
    ("A5", SIGNED, 1, NTP, 0, 1),
    ("A6", SIGNED, 2, PTP, 0x1234, 1),
    ("A8", SIGNED, 1, NTP, 0, 2),
    ("A9", SIGNED, 1, NTP, 0, 3),
    ("A10", OPEN, 9, NTP, 0, 0),
    ("A12", OPEN, 10, NTP, 0, 0),
    ("C1", OPEN, 5, NTP, 0x1234, 0),
    ("C3", OPEN, 6, NTP, 0, 0),
    ("C5", OPEN, 7, NTP, 0, 0),
    ("C7", OPEN, 8, NTP, 0, 0),
    ("C9", SIGNED, 9, NTP, 0, 1),
];

/// What a reply vector says: name, the probe it answers, Sequence Number, Session-Sender TTL.
type Reply = (&'static str, &'static str, u32, u8);

const REPLIES: [Reply; 9] = [
    ("A3", "A1", 1, 253),
    ("A4", "A2", 7, 252),
    ("A7", "A5", 0, 253),
    ("A11", "A10", 9, 255),
    ("A13", "A12", 10, 255),
    ("C2", "C1", 3, 250),
    ("C4", "C3", 6, 255),
    ("C6", "C5", 7, 255),
    ("C8", "C7", 8, 255),
];

pub(super) fn handled() -> impl Iterator<Item = &'static str> {
    PROBES.iter().map(|probe| probe.0).chain(REPLIES.iter().map(|reply| reply.0))
}

fn probe_of(name: &str) -> Probe {
    *PROBES.iter().find(|probe| probe.0 == name).expect("the probe is in the table")
}

fn sender_packet((_, _, sequence, format, ssid, _): Probe) -> SenderPacket {
    SenderPacket {
        sequence,
        timestamp: Timestamp::from_wall(PROBE_SENT, format),
        error_estimate: sender_clock(format),
        ssid: Ssid(ssid),
    }
}

fn reflector_packet((_, probe, sequence, sender_ttl): Reply) -> ReflectorPacket {
    let probe = sender_packet(probe_of(probe));
    ReflectorPacket {
        sequence,
        timestamp: ntp(REPLY_SENT),
        error_estimate: reflector_clock(),
        ssid: probe.ssid,
        receive_timestamp: ntp(PROBE_RECEIVED),
        sender_sequence: probe.sequence,
        sender_timestamp: probe.timestamp,
        sender_error_estimate: probe.error_estimate,
        sender_ttl: HopLimit(sender_ttl),
    }
}

#[test]
fn every_probe_says_what_its_vector_describes() {
    let vectors = Vectors::load();
    for probe in PROBES {
        let (name, mode, .., key_number) = probe;
        let octets = vectors.octets(name);
        assert_eq!(SenderPacket::parse(mode, octets), Ok(sender_packet(probe)), "{name}");
        if mode == SIGNED {
            assert_eq!(ring(key_number).verify(octets), Some(KeyId(key_number)), "{name}");
        }
    }
}

#[test]
fn every_probe_is_emitted_as_its_vector() {
    let vectors = Vectors::load();
    for probe in PROBES {
        let (name, mode, .., key_number) = probe;
        let octets = vectors.octets(name);
        let mut emitted = [0xee; 112];
        sender_packet(probe).emit(mode, &mut emitted).expect("the buffer is large enough");
        if mode == SIGNED {
            key(key_number).sign(&mut emitted).expect("the packet has room for the HMAC");
        }
        // TWAMP Light's padding is shorter than a STAMP packet in A10.
        let common = mode.base_octets().min(octets.len());
        assert_eq!(emitted[..common], octets[..common], "{name}");
    }
}

#[test]
fn every_reply_says_what_its_vector_describes() {
    let vectors = Vectors::load();
    for reply in REPLIES {
        let (name, probe, ..) = reply;
        let (_, mode, .., key_number) = probe_of(probe);
        let octets = vectors.octets(name);
        assert_eq!(ReflectorPacket::parse(mode, octets), Ok(reflector_packet(reply)), "{name}");
        if mode == SIGNED {
            assert_eq!(ring(key_number).verify(octets), Some(KeyId(key_number)), "{name}");
        }
    }
}

#[test]
fn every_reply_is_emitted_as_its_vector_with_t3_written_last() {
    let vectors = Vectors::load();
    for reply in REPLIES {
        let (name, probe, ..) = reply;
        let (_, mode, .., key_number) = probe_of(probe);
        let without_t3 =
            ReflectorPacket { timestamp: ntp(PROBE_RECEIVED), ..reflector_packet(reply) };
        let mut emitted = [0xee; 112];
        without_t3.emit(mode, &mut emitted).expect("the buffer is large enough");
        ReflectorPacket::write_reply_sent(mode, &mut emitted, ntp(REPLY_SENT))
            .expect("the reply has this field");
        if mode == SIGNED {
            key(key_number).sign(&mut emitted).expect("the packet has room for the HMAC");
        }
        let base = mode.base_octets();
        assert_eq!(emitted[..base], vectors.octets(name)[..base], "{name}");
    }
}

#[test]
fn padding_of_twamp_light_comes_back_at_its_place() {
    let vectors = Vectors::load();
    let (asked, answered) = (vectors.octets("A12"), vectors.octets("A13"));
    assert_eq!(asked.len(), answered.len());
    assert_eq!(asked[44..], answered[44..]);
    assert_eq!(vectors.octets("A11").len(), 44);
}

#[test]
fn a_key_verifies_its_own_vectors_only() {
    let vectors = Vectors::load();
    for (name, right) in [("A5", 1), ("A8", 2), ("A9", 3)] {
        for number in 1..=3 {
            let verified = ring(number).verify(vectors.octets(name));
            assert_eq!(verified, (number == right).then_some(KeyId(number)), "{name} K{number}");
        }
    }
}

#[test]
fn delays_come_out_as_the_vectors_were_made() {
    let vectors = Vectors::load();
    let reply = ReflectorPacket::parse(OPEN, vectors.octets("A3")).expect("A3 is a reply");
    let reply_received = ntp(REPLY_RECEIVED);
    let forward = reply.receive_timestamp.since(reply.sender_timestamp).expect("both NTP");
    let backward = reply_received.since(reply.timestamp).expect("both NTP");
    let residence = reply.timestamp.since(reply.receive_timestamp).expect("both NTP");
    let away = reply_received.since(reply.sender_timestamp).expect("both NTP");
    assert_eq!(forward.ns(), 1_234_567);
    assert_eq!(backward.ns(), 1_345_679);
    assert_eq!(residence.ns(), 50_000);
    assert_eq!(away.ns(), 2_630_246);
    assert_eq!(away.saturating_sub(residence).ns(), 2_580_246);
}

#[test]
fn a_mixed_reply_gives_delays_by_way_of_instants() {
    let vectors = Vectors::load();
    let reply = ReflectorPacket::parse(OPEN, vectors.octets("A4")).expect("A4 is a reply");
    assert!(reply.receive_timestamp.since(reply.sender_timestamp).is_err());
    let probe_sent = reply.sender_timestamp.to_wall(REPLY_RECEIVED).expect("a PTP instant");
    let probe_received = reply.receive_timestamp.to_wall(REPLY_RECEIVED).expect("an NTP instant");
    assert_eq!(probe_received.since(probe_sent).ns(), 1_234_567);
}
