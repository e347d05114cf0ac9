mod lengths;

use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::error::ParseError;
use crate::ip::HopLimit;
use crate::strategies::{modes, octets, reflector_packets, sender_packets};
use crate::time::{ErrorEstimate, Timestamp, TimestampFormat};

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const SIGNED: AuthenticationMode = AuthenticationMode::Authenticated;
const NTP: TimestampFormat = TimestampFormat::Ntp;
const PTP: TimestampFormat = TimestampFormat::Ptp;

const ONES: Timestamp = Timestamp::from_octets([0xff; 8], NTP);
const ZERO: Timestamp = Timestamp::from_octets([0; 8], NTP);
/// All bits but Z, so that the timestamps beside it stay NTP.
const NTP_ONES: ErrorEstimate = ErrorEstimate::from_bits(0xbfff);

const BLANK_PROBE: SenderPacket = SenderPacket {
    sequence: 0,
    timestamp: ZERO,
    error_estimate: ErrorEstimate::from_bits(0),
    ssid: Ssid::NONE,
};

const BLANK_REPLY: ReflectorPacket = ReflectorPacket {
    sequence: 0,
    timestamp: ZERO,
    error_estimate: ErrorEstimate::from_bits(0),
    ssid: Ssid::NONE,
    receive_timestamp: ZERO,
    sender_sequence: 0,
    sender_timestamp: ZERO,
    sender_error_estimate: ErrorEstimate::from_bits(0),
    sender_ttl: HopLimit(0),
};

fn probe(mode: AuthenticationMode, packet: &SenderPacket) -> Vec<u8> {
    let mut buffer = [0xee; 120];
    packet.emit(mode, &mut buffer).unwrap();
    assert!(buffer[mode.base_octets()..].iter().all(|octet| *octet == 0xee));
    buffer[..mode.base_octets()].to_vec()
}

fn reply(mode: AuthenticationMode, packet: &ReflectorPacket) -> Vec<u8> {
    let mut buffer = [0xee; 120];
    packet.emit(mode, &mut buffer).unwrap();
    assert!(buffer[mode.base_octets()..].iter().all(|octet| *octet == 0xee));
    buffer[..mode.base_octets()].to_vec()
}

/// Offset and number of the octets that are not zero.
fn set_octets(packet: &[u8]) -> (usize, usize) {
    let first = packet.iter().position(|octet| *octet != 0).unwrap();
    let last = packet.iter().rposition(|octet| *octet != 0).unwrap();
    (first, last - first + 1)
}

#[test]
fn each_field_of_a_probe_lies_where_the_drawing_says() {
    for (packet, open, signed) in [
        (SenderPacket { sequence: u32::MAX, ..BLANK_PROBE }, (0, 4), (0, 4)),
        (SenderPacket { timestamp: ONES, ..BLANK_PROBE }, (4, 8), (16, 8)),
        (SenderPacket { error_estimate: NTP_ONES, ..BLANK_PROBE }, (12, 2), (24, 2)),
        (SenderPacket { ssid: Ssid(0xffff), ..BLANK_PROBE }, (14, 2), (26, 2)),
    ] {
        for (mode, place) in [(OPEN, open), (SIGNED, signed)] {
            let octets = probe(mode, &packet);
            assert_eq!(set_octets(&octets), place, "{mode} {packet:?}");
            assert_eq!(SenderPacket::parse(mode, &octets), Ok(packet));
        }
    }
}

#[test]
fn each_field_of_a_reply_lies_where_the_drawing_says() {
    for (packet, open, signed) in [
        (ReflectorPacket { sequence: u32::MAX, ..BLANK_REPLY }, (0, 4), (0, 4)),
        (ReflectorPacket { timestamp: ONES, ..BLANK_REPLY }, (4, 8), (16, 8)),
        (ReflectorPacket { error_estimate: NTP_ONES, ..BLANK_REPLY }, (12, 2), (24, 2)),
        (ReflectorPacket { ssid: Ssid(0xffff), ..BLANK_REPLY }, (14, 2), (26, 2)),
        (ReflectorPacket { receive_timestamp: ONES, ..BLANK_REPLY }, (16, 8), (32, 8)),
        (ReflectorPacket { sender_sequence: u32::MAX, ..BLANK_REPLY }, (24, 4), (48, 4)),
        (ReflectorPacket { sender_timestamp: ONES, ..BLANK_REPLY }, (28, 8), (64, 8)),
        (ReflectorPacket { sender_error_estimate: NTP_ONES, ..BLANK_REPLY }, (36, 2), (72, 2)),
        (ReflectorPacket { sender_ttl: HopLimit::MAX, ..BLANK_REPLY }, (40, 1), (80, 1)),
    ] {
        for (mode, place) in [(OPEN, open), (SIGNED, signed)] {
            let octets = reply(mode, &packet);
            assert_eq!(set_octets(&octets), place, "{mode} {packet:?}");
            assert_eq!(ReflectorPacket::parse(mode, &octets), Ok(packet));
        }
    }
}

#[test]
fn the_offsets_are_those_of_the_emitted_fields() {
    for mode in [OPEN, SIGNED] {
        let own = reply(mode, &ReflectorPacket { timestamp: ONES, ..BLANK_REPLY });
        assert_eq!(set_octets(&own).0, mode.timestamp_offset());
        let quality = reply(mode, &ReflectorPacket { error_estimate: NTP_ONES, ..BLANK_REPLY });
        assert_eq!(set_octets(&quality).0, mode.error_estimate_offset());
        let ssid = reply(mode, &ReflectorPacket { ssid: Ssid(0xffff), ..BLANK_REPLY });
        assert_eq!(set_octets(&ssid).0, mode.ssid_offset());
        let received = reply(mode, &ReflectorPacket { receive_timestamp: ONES, ..BLANK_REPLY });
        assert_eq!(set_octets(&received).0, mode.receive_timestamp_offset());
        let echoed = reply(mode, &ReflectorPacket { sender_timestamp: ONES, ..BLANK_REPLY });
        assert_eq!(set_octets(&echoed).0, mode.sender_timestamp_offset());
    }
}

#[test]
fn mbz_is_ignored_on_receipt() {
    for mode in [OPEN, SIGNED] {
        let dirty = [0xff; 112];
        let parsed = SenderPacket::parse(mode, &dirty).unwrap();
        assert_eq!(parsed.ssid, Ssid(0xffff));
        assert_eq!(ReflectorPacket::parse(mode, &dirty).unwrap().sender_ttl, HopLimit::MAX);
    }
}

#[test]
fn each_timestamp_is_read_by_its_own_z_bit() {
    let ptp = Timestamp::from_octets([1; 8], PTP);
    let mixed = ReflectorPacket {
        sender_timestamp: ptp,
        sender_error_estimate: ErrorEstimate::from_bits(0xc1d7),
        ..BLANK_REPLY
    };
    let parsed = ReflectorPacket::parse(OPEN, &reply(OPEN, &mixed)).unwrap();
    assert_eq!(parsed.sender_timestamp.format(), PTP);
    assert_eq!(parsed.timestamp.format(), NTP);
    assert_eq!(parsed.receive_timestamp.format(), NTP);
}

#[test]
fn a_timestamp_that_its_z_bit_denies_is_not_emitted() {
    let ptp = Timestamp::from_octets([1; 8], PTP);
    let mut buffer = [0; 112];
    let mismatch = Err(ParseError::FormatMismatch);
    for mode in [OPEN, SIGNED] {
        let probe = SenderPacket { timestamp: ptp, ..BLANK_PROBE };
        assert_eq!(probe.emit(mode, &mut buffer), mismatch);
        for reply in [
            ReflectorPacket { timestamp: ptp, ..BLANK_REPLY },
            ReflectorPacket { receive_timestamp: ptp, ..BLANK_REPLY },
            ReflectorPacket { sender_timestamp: ptp, ..BLANK_REPLY },
        ] {
            assert_eq!(reply.emit(mode, &mut buffer), mismatch);
        }
        assert_eq!(ReflectorPacket::write_reply_sent(mode, &mut buffer, ptp), mismatch);
    }
    assert_eq!(buffer, [0; 112]);
}

#[test]
fn t3_is_written_without_touching_anything_else() {
    for mode in [OPEN, SIGNED] {
        let mut octets = reply(mode, &ReflectorPacket { sequence: 9, ..BLANK_REPLY });
        ReflectorPacket::write_reply_sent(mode, &mut octets, ONES).unwrap();
        let expected = ReflectorPacket { sequence: 9, timestamp: ONES, ..BLANK_REPLY };
        assert_eq!(octets, reply(mode, &expected));
    }
}

#[test]
fn modes_and_sessions_are_shown_as_reports_spell_them() {
    assert_eq!(OPEN.to_string(), "unauthenticated");
    assert_eq!(SIGNED.to_string(), "authenticated");
    assert_eq!(Ssid(4660).to_string(), "4660");
}

#[test]
fn an_ssid_of_zero_is_none() {
    assert!(Ssid::NONE.is_none());
    assert!(!Ssid(1).is_none());
}

proptest! {
    #[test]
    fn every_probe_survives_the_wire(packet in sender_packets(), mode in modes()) {
        prop_assert_eq!(SenderPacket::parse(mode, &probe(mode, &packet)), Ok(packet));
    }

    #[test]
    fn every_reply_survives_the_wire(packet in reflector_packets(), mode in modes()) {
        prop_assert_eq!(ReflectorPacket::parse(mode, &reply(mode, &packet)), Ok(packet));
    }

    #[test]
    fn whatever_parses_can_be_emitted_again(octets in octets(130), mode in modes()) {
        if let Ok(packet) = SenderPacket::parse(mode, &octets) {
            prop_assert_eq!(SenderPacket::parse(mode, &probe(mode, &packet)), Ok(packet));
        }
        if let Ok(packet) = ReflectorPacket::parse(mode, &octets) {
            prop_assert_eq!(ReflectorPacket::parse(mode, &reply(mode, &packet)), Ok(packet));
        }
    }
}
