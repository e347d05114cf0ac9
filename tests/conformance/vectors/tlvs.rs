//! TLV framing and HMAC TLVs: groups B and C.

use stamp_proto::auth::KeyId;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::tlv::hmac::{self, HMAC_TLV_OCTETS, HmacTlvPlace, TlvIntegrity};
use stamp_proto::tlv::{
    Tlv, TlvError, TlvFlags, TlvType, Tlvs, TlvsMut, looks_like_tlvs, return_path,
};
use stamp_proto::writer::Writer;

use super::{Vectors, key, ring};

/// What stands inside a value: octets before the sub-TLVs, then type and Length of each.
type Inside = (usize, &'static [(u8, usize)]);

const NOTHING: Inside = (usize::MAX, &[]);

/// What a TLV vector says: name, is it a request, type, Length, sub-TLVs.
type Single = (&'static str, bool, TlvType, usize, Inside);

const SINGLES: [Single; 32] = [
    ("B1", true, TlvType::EXTRA_PADDING, 8, NOTHING),
    ("B2", true, TlvType::LOCATION, 56, (4, &[(1, 8), (4, 16), (7, 16)])),
    ("B3", false, TlvType::LOCATION, 56, (4, &[(2, 8), (5, 16), (8, 16)])),
    ("B4", true, TlvType::TIMESTAMP_INFORMATION, 4, NOTHING),
    ("B5", false, TlvType::TIMESTAMP_INFORMATION, 4, NOTHING),
    ("B6", true, TlvType::CLASS_OF_SERVICE, 4, NOTHING),
    ("B7", false, TlvType::CLASS_OF_SERVICE, 4, NOTHING),
    ("B8", false, TlvType::CLASS_OF_SERVICE, 4, NOTHING),
    ("B9", true, TlvType::CLASS_OF_SERVICE, 4, NOTHING),
    ("B10", false, TlvType::CLASS_OF_SERVICE, 4, NOTHING),
    ("B11", true, TlvType::DIRECT_MEASUREMENT, 12, NOTHING),
    ("B12", false, TlvType::DIRECT_MEASUREMENT, 12, NOTHING),
    ("B13", true, TlvType::ACCESS_REPORT, 4, NOTHING),
    ("B14", true, TlvType::FOLLOW_UP_TELEMETRY, 16, NOTHING),
    ("B15", false, TlvType::FOLLOW_UP_TELEMETRY, 16, NOTHING),
    ("B16", true, TlvType::DESTINATION_NODE_ADDRESS, 4, NOTHING),
    ("B17", true, TlvType::DESTINATION_NODE_ADDRESS, 16, NOTHING),
    ("B18", true, TlvType::RETURN_PATH, 8, (0, &[(1, 4)])),
    ("B19", true, TlvType::RETURN_PATH, 8, (0, &[(1, 4)])),
    ("B20", true, TlvType::RETURN_PATH, 8, (0, &[(2, 4)])),
    ("B21", true, TlvType::RETURN_PATH, 20, (0, &[(2, 16)])),
    ("B22", true, TlvType::RETURN_PATH, 12, (0, &[(3, 8)])),
    ("B23", true, TlvType::RETURN_PATH, 36, (0, &[(4, 32)])),
    ("B24", true, TlvType::RETURN_PATH, 20, (0, &[(2, 4), (3, 8)])),
    ("B25", true, TlvType::MICRO_SESSION_ID, 4, NOTHING),
    ("B26", false, TlvType::MICRO_SESSION_ID, 4, NOTHING),
    ("B27", true, TlvType::REFLECTED_TEST_PACKET_CONTROL, 12, (8, &[(0, 0)])),
    ("B28", true, TlvType::REFLECTED_TEST_PACKET_CONTROL, 20, (8, &[(11, 8)])),
    ("B29", true, TlvType::REFLECTED_TEST_PACKET_CONTROL, 24, (8, &[(10, 12)])),
    ("B30", true, TlvType(246), 16, NOTHING),
    ("B31", true, TlvType(247), 20, NOTHING),
    ("B32", true, TlvType(252), 8, NOTHING),
];

/// Every base packet of group C is handled beside group A; here are the areas behind them.
pub(super) fn handled() -> impl Iterator<Item = &'static str> {
    SINGLES.iter().map(|single| single.0)
}

/// The TLV of a vector that has one.
pub(super) fn only(octets: &[u8]) -> Tlv<'_> {
    Tlvs::new(octets).next().expect("a TLV").expect("a whole TLV")
}

fn walk(area: &[u8]) -> Result<Vec<Tlv<'_>>, TlvError> {
    Tlvs::new(area).collect()
}

fn emit(tlvs: &[Tlv<'_>]) -> Vec<u8> {
    let mut buffer = [0xee; 256];
    let mut writer = Writer::new(&mut buffer);
    for tlv in tlvs {
        tlv.emit(&mut writer).expect("the buffer is large enough");
    }
    writer.into_written().to_vec()
}

/// The TLV area of a vector of group C.
fn area<'v>(vectors: &'v Vectors, name: &str) -> &'v [u8] {
    let mode = match name {
        "C9" => AuthenticationMode::Authenticated,
        _ => AuthenticationMode::Unauthenticated,
    };
    &vectors.octets(name)[mode.base_octets()..]
}

#[test]
fn every_single_tlv_is_framed_as_its_vector() {
    let vectors = Vectors::load();
    for (name, is_request, kind, length, (ahead, inside)) in SINGLES {
        let octets = vectors.octets(name);
        let tlvs = walk(octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [tlv] = tlvs[..] else { panic!("{name}: {} TLVs", tlvs.len()) };
        let flags = if is_request { TlvFlags::REQUEST } else { TlvFlags::NONE };
        assert_eq!((tlv.flags, tlv.kind, tlv.value.len()), (flags, kind, length), "{name}");
        assert_eq!(looks_like_tlvs(octets), is_request, "{name}");
        assert_eq!(emit(&[tlv]), octets, "{name}");
        if is_request {
            assert_eq!(emit(&[Tlv::request(kind, tlv.value)]), octets, "{name}");
        }
        if let Some(sub_area) = tlv.value.get(ahead..) {
            let subs = walk(sub_area).unwrap_or_else(|error| panic!("{name}: {error}"));
            let sub_flags = if name == "B27" { TlvFlags::NONE } else { flags };
            let found: Vec<(u8, usize)> =
                subs.iter().map(|sub| (sub.kind.0, sub.value.len())).collect();
            assert_eq!(found, inside, "{name}");
            assert!(subs.iter().all(|sub| sub.flags == sub_flags), "{name}");
            assert_eq!(emit(&subs), sub_area, "{name}");
        }
    }
}

#[test]
fn an_hmac_tlv_is_appended_as_its_vector() {
    let vectors = Vectors::load();
    for (name, sequence, before, behind) in [("C1", 5, 24, 8), ("C9", 9, 16, 0)] {
        let octets = area(&vectors, name);
        assert_eq!(octets.len(), before + HMAC_TLV_OCTETS + behind, "{name}");
        assert_eq!(hmac::locate(octets), HmacTlvPlace::At(before), "{name}");
        let verified = TlvIntegrity::Verified(KeyId(1));
        assert_eq!(hmac::verify(&ring(1), sequence, octets), verified, "{name}");
        assert_eq!(hmac::verify(&ring(2), sequence, octets), TlvIntegrity::Failed, "{name}");
        assert_eq!(hmac::verify(&ring(1), sequence + 1, octets), TlvIntegrity::Failed, "{name}");

        let mut buffer = [0xee; 128];
        let mut writer = Writer::new(&mut buffer);
        for tlv in walk(&octets[..before]).expect("whole TLVs stand before the HMAC TLV") {
            Tlv::request(tlv.kind, tlv.value).emit(&mut writer).expect("there is room");
        }
        hmac::append(&key(1), sequence, &mut writer).expect("there is room");
        writer.put_slice("padding", &octets[octets.len() - behind..]).expect("there is room");
        assert_eq!(writer.into_written(), octets, "{name}");
    }
}

#[test]
fn a_reply_is_signed_over_its_own_sequence_number_and_flags() {
    let vectors = Vectors::load();
    let mut octets = area(&vectors, "C1").to_vec();
    for tlv in TlvsMut::new(&mut octets) {
        let mut tlv = tlv.expect("C1 has whole TLVs");
        tlv.set_flags(TlvFlags::NONE);
        if tlv.kind == TlvType::RETURN_PATH {
            return_path::reflect(tlv.value).expect("C1 has whole sub-TLVs");
        }
    }
    hmac::sign(&key(1), 3, &mut octets, 24).expect("the HMAC TLV is there");
    assert_eq!(octets, area(&vectors, "C2"));
    let verified = TlvIntegrity::Verified(KeyId(1));
    assert_eq!(hmac::verify(&ring(1), 3, area(&vectors, "C2")), verified);
}

#[test]
fn an_unknown_tlv_is_echoed_with_the_flag_u() {
    let vectors = Vectors::load();
    let mut octets = area(&vectors, "C3").to_vec();
    for tlv in TlvsMut::new(&mut octets) {
        let mut tlv = tlv.expect("C3 has whole TLVs");
        if tlv.kind.name().is_some() {
            tlv.set_flags(TlvFlags::NONE);
            tlv.value.copy_from_slice(&[2, 1, 1, 2]);
        }
    }
    assert_eq!(octets, area(&vectors, "C4"));
}

#[test]
fn a_truncated_tlv_is_echoed_with_the_flag_m() {
    let vectors = Vectors::load();
    let kind = TlvType::DIRECT_MEASUREMENT;
    let expected = TlvError::Value { offset: 8, kind, stated: 12, available: 8 };
    for name in ["C5", "C6"] {
        let mut tlvs = Tlvs::new(area(&vectors, name));
        let first = tlvs.next().expect("there is a TLV").expect("the first is whole");
        assert_eq!(first.kind, TlvType::TIMESTAMP_INFORMATION, "{name}");
        assert_eq!(tlvs.next(), Some(Err(expected)), "{name}");
        assert_eq!(tlvs.next(), None, "{name}");
    }
    let mut octets = area(&vectors, "C5").to_vec();
    let mut tlvs = TlvsMut::new(&mut octets);
    let mut first = tlvs.next().expect("there is a TLV").expect("the first is whole");
    first.set_flags(TlvFlags::NONE);
    first.value.copy_from_slice(&[2, 1, 1, 2]);
    let mut second = tlvs.next().expect("there is a rest").expect_err("the second is truncated");
    assert_eq!(second.error, expected);
    second.set_flags(TlvFlags::MALFORMED);
    assert_eq!(octets, area(&vectors, "C6"));
}

#[test]
fn a_wrong_digest_is_echoed_with_the_flag_i() {
    let vectors = Vectors::load();
    let mut octets = area(&vectors, "C7").to_vec();
    assert_eq!(hmac::verify(&ring(1), 8, &octets), TlvIntegrity::Failed);
    for tlv in TlvsMut::new(&mut octets) {
        tlv.expect("C7 has whole TLVs").set_flags(TlvFlags::INTEGRITY);
    }
    assert_eq!(octets, area(&vectors, "C8"));
    assert_eq!(hmac::verify(&ring(1), 8, &octets), TlvIntegrity::Failed);
}
