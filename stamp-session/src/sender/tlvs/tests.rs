use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId};
use stamp_proto::packet::{SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};

use super::super::config::{Padding, SenderConfig};
use super::super::probe::Telling;
use super::*;

const SEQUENCE: u32 = 5;

fn keys(secret: &[u8]) -> Arc<KeyRing> {
    Arc::new(KeyRing::new(vec![Key::new(KeyId(1), secret).unwrap()]).unwrap())
}

fn config(payload_octets: usize, tlv_keys: Option<Arc<KeyRing>>) -> SenderConfig {
    SenderConfig {
        payload_octets,
        padding: Padding::Random,
        tlv_keys,
        ..SenderConfig::new("192.0.2.1:862".parse().unwrap(), Ssid(7))
    }
}

/// The TLV area of a probe as it was sent.
fn sent(config: &SenderConfig) -> Vec<u8> {
    let packet = SenderPacket {
        sequence: SEQUENCE,
        timestamp: Timestamp::from_wall(WallTime::from_unix_ns(1), TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::unsynchronized(TimestampFormat::Ntp),
        ssid: config.ssid,
    };
    let mut out = [0; 2_000];
    let probe =
        Layout::new(config).unwrap().emit(config, (packet, Telling::default()), &mut out).unwrap();
    probe[44..].to_vec()
}

/// Looks at `area` in a reply with the Sequence Number `sequence` of its own.
fn outcome(config: &SenderConfig, sequence: u32, area: &[u8]) -> TlvOutcome {
    let numbers = Numbers { sequence: SEQUENCE, reflector_sequence: sequence };
    let layout = Layout::new(config).unwrap();
    layout.outcome(config.tlv_keys.as_deref(), numbers, area)
}

/// As [`sent`], with these flags in the first TLV.
fn flagged(config: &SenderConfig, flags: u8) -> Vec<u8> {
    let mut area = sent(config);
    area[0] = flags;
    area
}

#[test]
fn without_tlvs_nothing_was_asked() {
    assert_eq!(outcome(&config(44, None), 5, &[0x80, 1, 0, 0]), TlvOutcome::NotAsked);
}

#[test]
fn a_cleared_request_flag_is_support() {
    let config = config(100, None);
    assert_eq!(outcome(&config, 5, &flagged(&config, 0)), TlvOutcome::Supported);
}

#[test]
fn what_comes_back_bit_for_bit_was_not_looked_at() {
    let config = config(100, None);
    assert_eq!(outcome(&config, 5, &sent(&config)), TlvOutcome::Unsupported);
}

#[test]
fn a_request_flag_with_other_octets_is_a_type_nobody_knew() {
    let config = config(100, None);
    let mut area = sent(&config);
    area[10] ^= 1;
    assert_eq!(outcome(&config, 5, &area), TlvOutcome::Unrecognized);
}

#[test]
fn flags_have_their_precedence() {
    let config = config(100, None);
    for (flags, expected) in [
        (0xF0, TlvOutcome::IntegrityFailed),
        (0x20, TlvOutcome::IntegrityFailed),
        (0xD0, TlvOutcome::Malformed),
        (0x40, TlvOutcome::Malformed),
        (0x90, TlvOutcome::Unrecognized),
        (0x10, TlvOutcome::Nonconformant),
        // Reserved flags mean nothing yet.
        (0x0F, TlvOutcome::Supported),
    ] {
        assert_eq!(outcome(&config, 5, &flagged(&config, flags)), expected, "{flags:#04x}");
    }
}

#[test]
fn a_reply_cut_short_has_no_tlvs() {
    let config = config(100, None);
    let area = flagged(&config, 0);
    assert_eq!(outcome(&config, 5, &area[..55]), TlvOutcome::Missing);
    assert_eq!(outcome(&config, 5, &[]), TlvOutcome::Missing);
}

#[test]
fn padding_that_twamp_light_shifted_is_not_taken_for_tlvs() {
    let config = config(100, None);
    let mut area = vec![0; 14];
    area.extend(sent(&config));
    assert_eq!(outcome(&config, 5, &area), TlvOutcome::Unsupported);
}

/// What a Session-Reflector that holds the key makes of the area.
fn answered(config: &SenderConfig, secret: &[u8], sequence: u32) -> Vec<u8> {
    let mut area = sent(config);
    let hmac_at = area.len() - HMAC_TLV_OCTETS;
    if hmac_at > 0 {
        area[0] = 0;
    }
    area[hmac_at] = 0;
    hmac::sign(keys(secret).signing(), sequence, &mut area, hmac_at).unwrap();
    area
}

#[test]
fn the_hmac_tlv_of_a_reply_covers_its_own_sequence_number() {
    for payload in [44 + 20, 44 + 30 + 20] {
        let config = config(payload, Some(keys(b"right")));
        let area = answered(&config, b"right", 3);
        assert_eq!(outcome(&config, 3, &area), TlvOutcome::Supported);
        assert_eq!(outcome(&config, 4, &area), TlvOutcome::Unverified);
        let forged = answered(&config, b"wrong", 3);
        assert_eq!(outcome(&config, 3, &forged), TlvOutcome::Unverified);
    }
}

#[test]
fn an_hmac_tlv_that_comes_back_bit_for_bit_was_not_looked_at() {
    let config = config(44 + 30 + 20, Some(keys(b"right")));
    assert_eq!(outcome(&config, 3, &sent(&config)), TlvOutcome::Unsupported);
}

#[test]
fn a_far_end_with_another_key_says_so() {
    let config = config(44 + 30 + 20, Some(keys(b"right")));
    let mut area = sent(&config);
    let hmac_at = area.len() - HMAC_TLV_OCTETS;
    area[0] |= 0x20;
    area[hmac_at] |= 0x20;
    assert_eq!(outcome(&config, 5, &area), TlvOutcome::IntegrityFailed);
}

#[test]
fn changed_padding_under_an_hmac_tlv_is_not_believed() {
    let config = config(44 + 30 + 20, Some(keys(b"right")));
    let mut area = answered(&config, b"right", 3);
    area[9] ^= 1;
    assert_eq!(outcome(&config, 3, &area), TlvOutcome::Unverified);
}
