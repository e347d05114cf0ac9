//! Base packets.

use core::ops::Range;

use crate::packet::{
    AuthenticationMode, ReflectorPacket, SenderPacket, reads_as_reply, sender_mbz_is_zero,
};

const MODES: [AuthenticationMode; 2] =
    [AuthenticationMode::Unauthenticated, AuthenticationMode::Authenticated];
const UNTOUCHED: u8 = 0xee;

/// The octets of a probe that are not MBZ and not HMAC, by the drawings of RFC 8762 §4.2.
const fn sender_fields(mode: AuthenticationMode) -> [Range<usize>; 2] {
    match mode {
        AuthenticationMode::Unauthenticated => [0..4, 4..16],
        AuthenticationMode::Authenticated => [0..4, 16..28],
    }
}

/// The octets of a reply that are not MBZ and not HMAC, by the drawings of RFC 8762 §4.3.
const fn reflector_fields(mode: AuthenticationMode) -> [Range<usize>; 6] {
    match mode {
        AuthenticationMode::Unauthenticated => [0..4, 4..16, 16..28, 28..36, 36..38, 40..41],
        AuthenticationMode::Authenticated => [0..4, 16..28, 32..40, 48..52, 64..74, 80..81],
    }
}

/// What a packet must look like when it is emitted: the fields of `octets` and zeros between them.
fn expected(octets: &[u8], base: usize, fields: &[Range<usize>]) -> [u8; 120] {
    let mut expected = [0; 120];
    for field in fields {
        let end = field.end.min(octets.len());
        if let Some(given) = octets.get(field.start..end) {
            expected[field.start..end].copy_from_slice(given);
        }
    }
    expected[base..].fill(UNTOUCHED);
    expected
}

/// A probe is read from any octets that are long enough, and emitted with the same fields.
pub fn check_sender(octets: &[u8]) {
    for mode in MODES {
        let parsed = SenderPacket::parse(mode, octets);
        assert_eq!(parsed.is_ok(), octets.len() >= mode.shortest_probe_octets());
        let Ok(packet) = parsed else { continue };

        // An SSID of which only one octet arrived is none.
        let whole = if octets.len() == 15 { &octets[..14] } else { octets };
        let mut emitted = [UNTOUCHED; 120];
        packet.emit(mode, &mut emitted).expect("what was parsed can be emitted");
        assert_eq!(emitted, expected(whole, mode.base_octets(), &sender_fields(mode)));
        assert_eq!(SenderPacket::parse(mode, &emitted), Ok(packet));
        assert!(!reads_as_reply(mode, &emitted[..mode.base_octets()]));
        assert!(sender_mbz_is_zero(mode, &emitted[..mode.base_octets()]));
    }
}

/// A reply is read from any octets that are long enough, and emitted with the same fields.
pub fn check_reflector(octets: &[u8]) {
    for mode in MODES {
        let parsed = ReflectorPacket::parse(mode, octets);
        assert_eq!(parsed.is_ok(), octets.len() >= mode.shortest_reply_octets());
        let Ok(packet) = parsed else { continue };

        let mut emitted = [UNTOUCHED; 120];
        packet.emit(mode, &mut emitted).expect("what was parsed can be emitted");
        let expected = expected(octets, mode.base_octets(), &reflector_fields(mode));
        assert_eq!(emitted, expected);
        assert_eq!(ReflectorPacket::parse(mode, &emitted), Ok(packet));
        assert_eq!(reads_as_reply(mode, octets), reads_as_reply(mode, &emitted));

        // T3 is patched where it was emitted, and nothing else is.
        let later = packet.receive_timestamp;
        ReflectorPacket::write_reply_sent(mode, &mut emitted, later)
            .expect("one clock, one format");
        let patched = ReflectorPacket { timestamp: later, ..packet };
        assert_eq!(ReflectorPacket::parse(mode, &emitted), Ok(patched));
        ReflectorPacket::write_reply_sent(mode, &mut emitted, packet.timestamp)
            .expect("the format it was read by");
        assert_eq!(emitted, expected);
    }
}
