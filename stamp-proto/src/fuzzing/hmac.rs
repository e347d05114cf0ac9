//! Keys, HMACs of base packets, HMAC TLVs.

use alloc::vec;

use crate::auth::{Key, KeyId, KeyRing};
use crate::reader::Reader;
use crate::tlv::hmac::{HMAC_TLV_OCTETS, TlvIntegrity, append, locate, sign, verify};
use crate::tlv::{Tlv, TlvType, Tlvs};
use crate::writer::Writer;

const BASE: usize = 112;
const LARGEST: usize = 1024;

/// Length of a secret, the secret, where to change one bit (2 octets), a Sequence Number (4), and
/// the rest: a packet as received and a TLV area as well.
pub fn check(octets: &[u8]) {
    let mut reader = Reader::new(octets);
    let Ok(length) = reader.take_u8("secret length") else { return };
    let secret = reader.take_slice("secret", usize::from(length));
    let (Ok(secret), Ok(change), Ok(sequence)) =
        (secret, reader.take_u16("change"), reader.take_u32("sequence number"))
    else {
        return;
    };
    let Ok(key) = Key::new(KeyId(7), secret) else {
        assert!(secret.is_empty());
        return;
    };
    assert_eq!(key.is_short(), secret.len() < 16);
    let ring = KeyRing::new(vec![key]).expect("one key makes a ring");
    let rest = reader.rest();
    check_packet(&ring, usize::from(change), rest);
    check_area(&ring, sequence, rest);
}

/// A signed packet verifies until a bit of the first 112 octets changes.
fn check_packet(ring: &KeyRing, change: usize, octets: &[u8]) {
    let mut packet = [0; LARGEST];
    let length = octets.len().min(LARGEST);
    packet[..length].copy_from_slice(&octets[..length]);
    let packet = &mut packet[..length];

    let signed = ring.signing().sign(packet);
    assert_eq!(signed.is_ok(), length >= BASE);
    if signed.is_err() {
        assert_eq!(packet, &octets[..length]);
        assert_eq!(ring.verify(packet), None);
        return;
    }
    assert_eq!(packet[..96], octets[..96]);
    assert_eq!(packet[BASE..], octets[BASE..length]);
    assert_eq!(ring.verify(packet), Some(KeyId(7)));

    let place = (change >> 3) % length;
    packet[place] ^= 1 << (change & 7);
    assert_eq!(ring.verify(packet).is_some(), place >= BASE);
}

/// An HMAC TLV that was appended verifies for its own Sequence Number only.
fn check_area(ring: &KeyRing, sequence: u32, octets: &[u8]) {
    let mut area = [0; LARGEST];
    let mut writer = Writer::new(&mut area);
    for tlv in Tlvs::new(octets).map_while(Result::ok) {
        let room = writer.available().saturating_sub(HMAC_TLV_OCTETS);
        if tlv.kind == TlvType::HMAC || tlv.encoded_octets() > room {
            break;
        }
        Tlv::request(tlv.kind, tlv.value).emit(&mut writer).expect("there is room");
    }
    let covered = writer.position();
    append(ring.signing(), sequence, &mut writer).expect("room was kept for it");
    let area = writer.into_written();
    let verified = TlvIntegrity::Verified(KeyId(7));
    assert_eq!(verify(ring, sequence, area), verified);
    assert_eq!(verify(ring, !sequence, area), TlvIntegrity::Failed);
    assert_eq!(locate(area), crate::tlv::hmac::HmacTlvPlace::At(covered));

    // A Session-Reflector signs again, for the Sequence Number of its reply.
    sign(ring.signing(), !sequence, area, covered).expect("the HMAC TLV is there");
    assert_eq!(verify(ring, !sequence, area), verified);
}
