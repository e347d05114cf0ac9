use super::*;

#[test]
fn a_probe_of_every_length_parses_or_names_what_is_missing() {
    let octets = [0xff; 112];
    for length in 0..=112 {
        let open = SenderPacket::parse(OPEN, &octets[..length]);
        match length {
            0..4 => assert_truncated(open, "sequence number"),
            4..12 => assert_truncated(open, "timestamp"),
            12..14 => assert_truncated(open, "error estimate"),
            14..16 => assert_eq!(open.unwrap().ssid, Ssid::NONE),
            _ => assert_eq!(open.unwrap().ssid, Ssid(0xffff)),
        }
        let signed = SenderPacket::parse(SIGNED, &octets[..length]);
        match length {
            0..4 => assert_truncated(signed, "sequence number"),
            4..16 | 28..96 => assert_truncated(signed, "octets that must be zero"),
            16..24 => assert_truncated(signed, "timestamp"),
            24..26 => assert_truncated(signed, "error estimate"),
            26..28 => assert_truncated(signed, "SSID"),
            96..112 => assert_truncated(signed, "HMAC"),
            _ => assert_eq!(signed.unwrap().ssid, Ssid(0xffff)),
        }
    }
}

#[test]
fn a_reply_of_every_length_parses_or_names_what_is_missing() {
    let octets = [0xff; 112];
    for length in 0..=112 {
        let open = ReflectorPacket::parse(OPEN, &octets[..length]);
        match length {
            0..4 => assert_truncated(open, "sequence number"),
            4..12 => assert_truncated(open, "timestamp"),
            12..14 => assert_truncated(open, "error estimate"),
            14..16 => assert_truncated(open, "SSID"),
            16..24 => assert_truncated(open, "receive timestamp"),
            24..28 => assert_truncated(open, "session-sender sequence number"),
            28..36 => assert_truncated(open, "session-sender timestamp"),
            36..38 => assert_truncated(open, "session-sender error estimate"),
            38..40 => assert_truncated(open, "octets that must be zero"),
            40 => assert_truncated(open, "session-sender TTL"),
            _ => assert_eq!(open.unwrap().sender_ttl, HopLimit::MAX),
        }
        let signed = ReflectorPacket::parse(SIGNED, &octets[..length]);
        match length {
            96..112 => assert_truncated(signed, "HMAC"),
            112 => assert_eq!(signed.unwrap().sender_ttl, HopLimit::MAX),
            _ => assert!(matches!(signed, Err(ParseError::Truncated { .. }))),
        }
    }
}

fn assert_truncated<T: fmt::Debug>(parsed: Result<T, ParseError>, expected: &str) {
    match parsed {
        Err(ParseError::Truncated { field, needed, available }) => {
            assert_eq!(field, expected);
            assert!(available < needed, "{field}: {available} of {needed}");
        }
        other => panic!("{expected}: {other:?}"),
    }
}

#[test]
fn a_buffer_of_every_length_takes_the_packet_or_names_what_does_not_fit() {
    let mut buffer = [0; 112];
    for mode in [OPEN, SIGNED] {
        for length in 0..=112 {
            let fits = length >= mode.base_octets();
            assert_eq!(BLANK_PROBE.emit(mode, &mut buffer[..length]).is_ok(), fits);
            assert_eq!(BLANK_REPLY.emit(mode, &mut buffer[..length]).is_ok(), fits);
            let patched = ReflectorPacket::write_reply_sent(mode, &mut buffer[..length], ZERO);
            assert_eq!(patched.is_ok(), length >= mode.error_estimate_offset() + 2);
        }
    }
}
