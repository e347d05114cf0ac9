use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::strategies::octets;

fn key(id: u32, secret: &[u8]) -> Key {
    Key::new(KeyId(id), secret).unwrap()
}

/// 00 01 02 .. 1f
fn counting() -> Key {
    let secret: Vec<u8> = (0..32).collect();
    key(1, &secret)
}

fn hex(digest: [u8; HMAC_OCTETS]) -> u128 {
    u128::from_be_bytes(digest)
}

/// The authenticated probe of sequence 1 that the digests of this file were computed for.
fn probe() -> [u8; 112] {
    let mut packet = [0; 112];
    packet[3] = 1;
    packet[16..24].copy_from_slice(&[0xe9, 0x8a, 0xf8, 0x70, 0xc9, 0xfc, 0xb6, 0x8a]);
    packet[24..26].copy_from_slice(&[0x85, 0x87]);
    packet
}

#[test]
fn digests_are_those_of_rfc_4231() {
    // RFC 4231 §4.2, §4.3 and §4.7 (a key longer than the block), cut to 16 octets. The HMAC TLV
    // prefixes four octets, so the first four of each text serve as the Sequence Number.
    let cases: [(&[u8], &[u8], u128); 3] = [
        (&[0x0b; 20], b"Hi There", 0xb034_4c61_d8db_3853_5ca8_afce_af0b_f12b),
        (b"Jefe", b"what do ya want for nothing?", 0x5bdc_c146_bf60_754e_6a04_2426_0895_75c7),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            0x60e4_3159_1ee0_b67f_0d8a_26aa_cbf5_b77f,
        ),
    ];
    for (secret, text, digest) in cases {
        let (sequence, rest) = text.split_first_chunk::<4>().unwrap();
        let computed = key(1, secret).tlv_digest(u32::from_be_bytes(*sequence), rest);
        assert_eq!(hex(computed), digest);
    }
}

#[test]
fn the_hmac_covers_96_octets_and_is_the_first_half_of_the_digest() {
    let mut packet = probe();
    counting().sign(&mut packet).unwrap();
    assert_eq!(packet[..96], probe()[..96]);
    assert_eq!(packet[96..], 0xfd1f_1eb6_e37c_225c_0a75_9675_037d_f9b3_u128.to_be_bytes());
}

#[test]
fn octets_behind_the_base_packet_are_neither_covered_nor_written() {
    let ring = KeyRing::new(vec![counting()]).unwrap();
    let mut packet = [0x55; 130];
    packet[..112].copy_from_slice(&probe());
    ring.signing().sign(&mut packet).unwrap();
    assert_eq!(packet[112..], [0x55; 18]);
    packet[120] = 0;
    assert_eq!(ring.verify(&packet), Some(KeyId(1)));
}

#[test]
fn a_packet_without_room_for_the_hmac_is_refused() {
    let mut packet = [0; 111];
    let truncated = ParseError::Truncated { field: "HMAC", needed: 112, available: 111 };
    assert_eq!(counting().sign(&mut packet), Err(truncated));
    let ring = KeyRing::new(vec![counting()]).unwrap();
    for length in 0..=111 {
        assert_eq!(ring.verify(&packet[..length]), None);
    }
}

#[test]
fn a_single_changed_bit_is_noticed() {
    let ring = KeyRing::new(vec![counting()]).unwrap();
    let mut packet = probe();
    ring.signing().sign(&mut packet).unwrap();
    for place in 0..112 {
        for bit in 0..8 {
            packet[place] ^= 1 << bit;
            assert_eq!(ring.verify(&packet), None, "octet {place} bit {bit}");
            packet[place] ^= 1 << bit;
        }
    }
    assert_eq!(ring.verify(&packet), Some(KeyId(1)));
}

#[test]
fn every_key_of_a_ring_verifies_and_the_first_signs() {
    let ring = KeyRing::new(vec![key(7, b"new secret"), key(3, b"old secret")]).unwrap();
    assert_eq!(ring.signing().id(), KeyId(7));
    for id in [7, 3] {
        let mut packet = probe();
        ring.get(KeyId(id)).unwrap().sign(&mut packet).unwrap();
        assert_eq!(ring.verify(&packet), Some(KeyId(id)));
        let digest = ring.get(KeyId(id)).unwrap().tlv_digest(5, &[1, 2]);
        assert_eq!(ring.verify_tlv(5, &[1, 2], &digest), Some(KeyId(id)));
        assert_eq!(ring.verify_tlv(6, &[1, 2], &digest), None);
        assert_eq!(ring.verify_tlv(5, &[1, 3], &digest), None);
    }
    let mut foreign = probe();
    key(9, b"foreign").sign(&mut foreign).unwrap();
    assert_eq!(ring.verify(&foreign), None);
    assert!(ring.get(KeyId(9)).is_none());
    assert_eq!(ring.iter().map(Key::id).collect::<Vec<_>>(), [KeyId(7), KeyId(3)]);
}

#[test]
fn one_secret_under_two_numbers_is_reported_as_the_first() {
    let ring = KeyRing::new(vec![key(2, b"same"), key(1, b"same")]).unwrap();
    let mut packet = probe();
    ring.signing().sign(&mut packet).unwrap();
    assert_eq!(ring.verify(&packet), Some(KeyId(2)));
}

#[test]
fn key_number_zero_is_told_from_no_key() {
    let ring = KeyRing::new(vec![key(0, b"secret")]).unwrap();
    let mut packet = probe();
    assert_eq!(ring.verify(&packet), None);
    ring.signing().sign(&mut packet).unwrap();
    assert_eq!(ring.verify(&packet), Some(KeyId(0)));
}

#[test]
fn keys_that_cannot_work_are_refused() {
    assert_eq!(Key::new(KeyId(4), b"").unwrap_err(), KeyError::Empty { id: KeyId(4) });
    assert_eq!(KeyRing::new(vec![]).unwrap_err(), KeyError::NoKeys);
    let twice = KeyRing::new(vec![key(1, b"a"), key(2, b"b"), key(1, b"c")]);
    assert_eq!(twice.unwrap_err(), KeyError::DuplicateId { id: KeyId(1) });
}

#[test]
fn messages_name_the_key() {
    let id = KeyId(4);
    assert_eq!(KeyError::Empty { id }.to_string(), "key 4 is empty");
    assert_eq!(KeyError::DuplicateId { id }.to_string(), "two keys have the number 4");
    assert_eq!(KeyError::NoKeys.to_string(), "a key ring needs at least one key");
}

#[test]
fn a_key_below_16_octets_is_short() {
    assert!(key(1, &[1; 15]).is_short());
    assert!(!key(1, &[1; 16]).is_short());
    assert!(key(1, &[1]).is_short());
}

#[test]
fn a_key_never_shows_its_secret() {
    let ring = KeyRing::new(vec![key(1, b"hunter2"), key(2, b"correct horse")]).unwrap();
    assert_eq!(format!("{:?}", ring.signing()), "Key { id: KeyId(1), .. }");
    let shown = format!("{ring:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
}

proptest! {
    #[test]
    fn what_a_key_signed_only_that_key_verifies(
        secret in proptest::collection::vec(any::<u8>(), 1..200),
        other in proptest::collection::vec(any::<u8>(), 1..200),
        packet in proptest::collection::vec(any::<u8>(), 112..300),
    ) {
        // RFC 2104 §2 pads a secret with zeros, so those at its end make no difference.
        let end = |secret: &[u8]| secret.iter().rposition(|octet| *octet != 0);
        prop_assume!(secret[..=end(&secret).unwrap_or(0)] != other[..=end(&other).unwrap_or(0)]);
        let mut packet = packet;
        key(1, &secret).sign(&mut packet).unwrap();
        let right = KeyRing::new(vec![key(1, &secret)]).unwrap();
        let wrong = KeyRing::new(vec![key(1, &other)]).unwrap();
        prop_assert_eq!(right.verify(&packet), Some(KeyId(1)));
        prop_assert_eq!(wrong.verify(&packet), None);
    }

    #[test]
    fn a_digest_that_nobody_made_does_not_verify(
        preceding in octets(100), sequence in any::<u32>(), digest in any::<[u8; 16]>(),
    ) {
        let ring = KeyRing::new(vec![counting()]).unwrap();
        prop_assert_eq!(ring.verify_tlv(sequence, &preceding, &digest), None);
    }
}
