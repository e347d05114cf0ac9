use std::sync::LazyLock;

mod access_report;
mod direct_measurement;
mod generic;
mod micro_session_id;
mod packet_control;
mod policy;
mod reflected_headers;
mod sub_tlvs;

use stamp_proto::auth::{Key, KeyError};
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::Tlv;
use stamp_proto::tlv::timestamp_information::{
    SynchronizationSource, TimestampOrigin, TimestampingMethod,
};
use stamp_proto::writer::Writer;

use super::*;
use crate::reflector::{
    DataPlane, LocationFields, Prefix, ReflectorConfig, ReplyClasses, ReturnPathPolicy, TlvRules,
};

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
/// A type nobody has defined.
const STRANGE: TlvType = TlvType(200);
const PROBE: u32 = 6;
const REPLY: u32 = 3;

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn keys() -> KeyRing {
    let secret: Vec<u8> = (0..32).collect();
    let key = |id, secret: &[u8]| Key::new(KeyId(id), secret);
    let keys: Result<_, KeyError> = [key(2, b"another key"), key(1, &secret)].into_iter().collect();
    KeyRing::new(keys.unwrap()).unwrap()
}

/// As the vectors have them.
const ORIGINS: TimestampInformation = TimestampInformation {
    probe_received: TimestampOrigin {
        source: SynchronizationSource::PTP,
        method: TimestampingMethod::HW_ASSIST,
    },
    reply_sent: TimestampOrigin {
        source: SynchronizationSource::NTP,
        method: TimestampingMethod::SW_LOCAL,
    },
};

static NO_BURSTS: LazyLock<Bursts> = LazyLock::new(Bursts::default);

/// A probe as it arrived.
static ARRIVED: LazyLock<Received<'static>> = LazyLock::new(|| Received {
    octets: &[],
    from: "192.0.2.1:49200".parse().unwrap(),
    to: "192.0.2.11:862".parse().unwrap(),
    interface: 2,
    stamp: stamp_proto::time::Stamp::default(),
    hop_limit: None,
    traffic_class: Some((Dscp::new(34).unwrap(), Ecn::Ce)),
    headers: crate::datagram::Headers::UNKNOWN,
});

fn exchange(mode: AuthenticationMode, keys: Option<&KeyRing>) -> Exchange<'_> {
    static RETURNS: LazyLock<ReturnRules> = LazyLock::new(|| {
        let mut config = ReflectorConfig::new([1, 2]);
        config.own_addresses = vec!["192.0.2.11".parse().unwrap()];
        let prefix = Prefix::new("192.0.2.0".parse().unwrap(), 24).unwrap();
        config.return_path = ReturnPathPolicy::Prefixes(vec![prefix]);
        config.means.most_labels = 4;
        ReturnRules::new(&config)
    });
    let ends = Ends { from: ARRIVED.from, interface: 2, verified: false };
    let (probe_sequence, reply_sequence, returns) = (PROBE, REPLY, &*RETURNS);
    let (probe, rules, timestamps) = (&*ARRIVED, const { &TlvRules::ALL }, ORIGINS);
    Exchange {
        mode,
        keys,
        key_ids: None,
        probe_sequence,
        reply_sequence,
        overtaken: false,
        probe,
        rules,
        timestamps,
        follow_up: None,
        traffic: None,
        ends,
        returns,
        types: ExperimentalTypes::USUAL,
        member: None,
        reply_octets: 44,
        bursts: &NO_BURSTS,
        packet_control_total: u64::MAX,
        own_links: &[[2, 0, 0, 0, 0, 9]],
    }
}

fn area(tlvs: &[(TlvType, &[u8])]) -> Vec<u8> {
    let mut octets = vec![0; 2_000];
    let mut writer = Writer::new(&mut octets);
    for (kind, value) in tlvs {
        Tlv::request(*kind, value).emit(&mut writer).unwrap();
    }
    writer.written().to_vec()
}

/// The area followed by its HMAC TLV, as key 1 makes it for the probe.
fn signed(tlvs: &[(TlvType, &[u8])]) -> Vec<u8> {
    let covered = area(tlvs);
    let digest = keys().get(KeyId(1)).unwrap().tlv_digest(PROBE, &covered);
    [covered, area(&[(TlvType::HMAC, &digest)])].concat()
}

fn flags(area: &[u8]) -> Vec<u8> {
    Tlvs::new(area).map_while(Result::ok).map(|tlv| tlv.flags.0).collect()
}

/// The flags of the reply to these TLVs.
fn reflected(exchange: &Exchange<'_>, area: &[u8]) -> Vec<u8> {
    let mut reply = area.to_vec();
    reflect(exchange, &mut reply);
    assert_eq!(reply.len(), area.len());
    flags(&reply)
}

#[test]
fn a_known_type_loses_its_flag_and_an_unknown_one_keeps_it() {
    let request = area(&[(TlvType::EXTRA_PADDING, &[1, 2, 3]), (STRANGE, &[4]), (TlvType(0), &[])]);
    let mut reply = request.clone();
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(flags(&reply), [0x00, 0x80, 0x80]);
    assert_eq!((counts.processed, counts.unrecognized), (1, 2));
    let values = |area: &[u8]| -> Vec<_> {
        Tlvs::new(area).map(|tlv| tlv.map(|tlv| (tlv.kind, tlv.value.to_vec())).unwrap()).collect()
    };
    assert_eq!(values(&reply), values(&request));
}

#[test]
fn flags_that_a_sender_must_not_set_do_not_come_back() {
    let mut request = area(&[(TlvType::EXTRA_PADDING, &[]), (STRANGE, &[])]);
    (request[0], request[4]) = (0xFF, 0x7F);
    assert_eq!(reflected(&exchange(OPEN, None), &request), [0x00, 0x80]);
}

/// What the reply of a golden vector must be, given the types in the registry: those not in it are
/// copied with U, and every one that joins is held against the vector.
fn expected(request: &[u8], vector: &[u8]) -> Vec<u8> {
    let mut expected = vector.to_vec();
    let mut offset = 0;
    for tlv in Tlvs::new(request) {
        let kind = tlv.map_or_else(|error| error.kind(), |tlv| Some(tlv.kind));
        let octets = tlv.map_or(request.len() - offset, |tlv| tlv.encoded_octets());
        if unknown(&REGISTRY, &exchange(OPEN, None), kind).is_unrecognized() {
            expected[offset..offset + octets].copy_from_slice(&request[offset..offset + octets]);
            expected[offset] |= vector[offset];
        }
        offset += octets;
    }
    expected
}

#[test]
fn an_unknown_type_is_answered_as_in_the_vector() {
    let request = hex("80c80004 deadbeef 80030004 00000000");
    let mut reply = request.clone();
    reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(reply, expected(&request, &hex("80c80004 deadbeef 00030004 02010102")));
}

#[test]
fn a_value_beyond_the_end_is_answered_as_in_the_vector() {
    let request = hex("80030004 00000000 8005000c 00000000 00000000");
    let mut reply = request.clone();
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(reply, expected(&request, &hex("00030004 02010102 4005000c 00000000 00000000")));
    assert_eq!(counts.malformed, 1);
}

#[test]
fn a_digest_that_is_wrong_is_answered_as_in_the_vector() {
    let request = hex("80030004 00000000 80080010 00000000 00000000 00000000 00000000");
    let vector = hex("20030004 00000000 20080010 00000000 00000000 00000000 00000000");
    let mut reply = request.clone();
    let (counts, _) = reflect(&exchange(OPEN, Some(&keys())), &mut reply);
    assert_eq!(reply, expected(&request, &vector));
    assert_eq!(counts.integrity, 2);
}

#[test]
fn a_known_type_whose_value_is_beyond_the_end_is_malformed_and_not_unknown() {
    let mut request = area(&[(STRANGE, &[]), (TlvType::EXTRA_PADDING, &[1, 2])]);
    request[7] = 3;
    let mut reply = request.clone();
    reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!((reply[0], reply[4]), (0x80, 0x40));
    assert_eq!(reply[5..], request[5..]);
}

#[test]
fn octets_that_are_no_header_are_malformed() {
    let mut reply = area(&[(TlvType::EXTRA_PADDING, &[])]);
    reply.extend_from_slice(&[0x80, 1]);
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(reply, [0x00, 1, 0, 0, 0xC0, 1]);
    assert_eq!((counts.processed, counts.malformed), (1, 1));
}

#[test]
fn what_is_behind_a_wrong_length_is_copied_unread() {
    // The HMAC TLV is the only type here with a fixed Length; keys make it known.
    let behind = [(TlvType::HMAC, &[0; 15][..]), (TlvType::EXTRA_PADDING, &[7])];
    let request = area(&behind);
    let mut reply = request.clone();
    // No key: the type is not looked at.
    reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(flags(&reply), [0x40, 0x80]);
    assert_eq!(reply[1..], request[1..]);
}

/// The registry with one type more: two octets, which come back in the other order.
fn larger_registry() -> [Handler; 3] {
    let swap = Handler {
        kind: Kind::Assigned(STRANGE),
        governed: true,
        is_valid_length: |octets| octets == 2,
        sub_tlvs_from: None,
        reflect: |_, tlv, _| {
            tlv.value.reverse();
            Outcome::Processed
        },
        ask: None,
    };
    [REGISTRY[0], swap, REGISTRY[1]]
}

#[test]
fn a_type_that_joins_the_registry_is_answered_in_place() {
    let ring = keys();
    let mut reply = signed(&[(STRANGE, &[1, 2]), (TlvType::EXTRA_PADDING, &[9])]);
    reflect_by(&larger_registry(), &exchange(OPEN, Some(&ring)), &mut reply);
    assert_eq!(flags(&reply), [0x00, 0x00, 0x00]);
    assert_eq!(reply[4..6], [2, 1]);
    let verified = stamp_proto::tlv::hmac::verify(&ring, REPLY, &reply);
    assert_eq!(verified, stamp_proto::tlv::hmac::TlvIntegrity::Verified(KeyId(1)));
}

#[test]
fn a_wrong_length_before_the_hmac_tlv_ends_the_walk_and_is_protected() {
    let ring = keys();
    let tlvs = [(TlvType::EXTRA_PADDING, &[9][..]), (STRANGE, &[1, 2, 3]), (STRANGE, &[1, 2])];
    let mut reply = signed(&tlvs);
    let (counts, _) = reflect_by(&larger_registry(), &exchange(OPEN, Some(&ring)), &mut reply);
    assert_eq!(flags(&reply), [0x00, 0x40, 0x80, 0x00], "what is behind is copied unread");
    assert_eq!((counts.processed, counts.malformed), (1, 1));
    assert_eq!(reply[9..12], [1, 2, 3]);
    let verified = stamp_proto::tlv::hmac::verify(&ring, REPLY, &reply);
    assert_eq!(verified, stamp_proto::tlv::hmac::TlvIntegrity::Verified(KeyId(1)));
}

#[test]
fn a_verified_area_is_answered_under_a_digest_of_its_own() {
    for mode in [OPEN, AUTHENTICATED] {
        let mut reply = signed(&[(TlvType::EXTRA_PADDING, &[1, 2]), (STRANGE, &[3])]);
        reflect(&exchange(mode, Some(&keys())), &mut reply);
        assert_eq!(flags(&reply), [0x00, 0x80, 0x00]);
        let verified = stamp_proto::tlv::hmac::verify(&keys(), REPLY, &reply);
        assert_eq!(verified, stamp_proto::tlv::hmac::TlvIntegrity::Verified(KeyId(1)));
    }
}

#[test]
fn the_digest_of_a_reply_is_that_of_the_vector() {
    // C1 and C2.
    let mut reply = hex("80090004 c000020b 800a000c 80030008 03e840ff 03e811ff
         80080010 52a0c12e b3c23f65 9e3ae5d9 9323de90 80010004 00000000");
    let probe = Exchange { probe_sequence: 5, ..exchange(OPEN, None) };
    let ring = keys();
    let (_, wishes) = reflect(&Exchange { keys: Some(&ring), ..probe }, &mut reply);
    assert_eq!(flags(&reply), [0, 0, 0, 0], "they verified, and each is done");
    assert_eq!(reply[12], 0, "the label stack as well");
    assert_eq!(reply[8 + 16..][4..20], keys().get(KeyId(1)).unwrap().tlv_digest(3, &reply[..24]));
    assert_eq!(wishes.way, Wish::Segments(DataPlane::Mpls, 16..24));
    assert_eq!(wishes.source, Some("192.0.2.11".parse().unwrap()));
}

#[test]
fn a_reply_that_says_malformed_is_protected_as_well() {
    let mut covered = area(&[(TlvType::EXTRA_PADDING, &[9]), (STRANGE, &[])]);
    covered[0] = 0x80;
    let digest = keys().get(KeyId(1)).unwrap().tlv_digest(PROBE, &covered);
    let tail = area(&[(TlvType::HMAC, &digest)]);
    let mut reply = [covered, tail, vec![0x80, 0x01]].concat();
    let (counts, _) = reflect(&exchange(OPEN, Some(&keys())), &mut reply);
    assert_eq!(counts.malformed, 1, "two octets behind the HMAC TLV");
    assert_eq!(flags(&reply), [0x00, 0x80, 0x00]);
    let verified = stamp_proto::tlv::hmac::verify(&keys(), REPLY, &reply);
    assert_eq!(verified, stamp_proto::tlv::hmac::TlvIntegrity::Verified(KeyId(1)));
}

#[test]
fn any_change_before_the_hmac_tlv_is_a_failure_of_all() {
    let good = signed(&[(TlvType::EXTRA_PADDING, &[1, 2]), (STRANGE, &[3])]);
    let covered = good.len() - 20;
    for offset in (0..covered).chain(covered + 4..good.len()) {
        let mut bad = good.clone();
        bad[offset] ^= 0x10;
        let mut reply = bad.clone();
        let (counts, _) = reflect(&exchange(OPEN, Some(&keys())), &mut reply);
        // A changed Length moves the frames; then the HMAC TLV may be out of reach.
        if flags(&bad).len() == 3 {
            let failed = flags(&reply).iter().all(|flags| flags & 0x7F == 0x20);
            assert!(failed, "offset {offset}: {:?}", flags(&reply));
            assert_eq!(counts.processed, 0);
        }
    }
    let wrong_number = Exchange { probe_sequence: 7, ..exchange(OPEN, None) };
    let ring = keys();
    let flags = reflected(&Exchange { keys: Some(&ring), ..wrong_number }, &good);
    assert_eq!(flags, [0x20, 0xA0, 0x20]);
}

#[test]
fn only_padding_may_stand_behind_the_hmac_tlv() {
    let ring = keys();
    let exchange = exchange(OPEN, Some(&ring));
    let good = signed(&[(STRANGE, &[3])]);
    let padded = [good.clone(), area(&[(TlvType::EXTRA_PADDING, &[1][..]); 2])].concat();
    assert_eq!(reflected(&exchange, &padded), [0x80, 0x00, 0x00, 0x00]);
    let mut changed = padded.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(reflected(&exchange, &changed), [0x80, 0x00, 0x00, 0x00], "not covered");
    for kind in [STRANGE, TlvType::HMAC] {
        let misplaced = [good.clone(), area(&[(kind, &[0; 16])])].concat();
        let second = if kind == STRANGE { 0xA0 } else { 0x20 };
        assert_eq!(reflected(&exchange, &misplaced), [0xA0, 0x20, second]);
    }
}

#[test]
fn an_authenticated_packet_needs_the_hmac_tlv_unless_it_has_padding_only() {
    let ring = keys();
    let authenticated = exchange(AUTHENTICATED, Some(&ring));
    let padding = area(&[(TlvType::EXTRA_PADDING, &[1]), (TlvType::EXTRA_PADDING, &[])]);
    assert_eq!(reflected(&authenticated, &padding), [0x00, 0x00]);
    let other = area(&[(TlvType::EXTRA_PADDING, &[1]), (STRANGE, &[])]);
    assert_eq!(reflected(&authenticated, &other), [0x20, 0xA0]);
    assert_eq!(reflected(&exchange(OPEN, Some(&ring)), &other), [0x00, 0x80]);
    let mut cut = area(&[(TlvType::EXTRA_PADDING, &[1]), (STRANGE, &[2, 3])]);
    cut.pop();
    assert_eq!(reflected(&authenticated, &cut), [0x20], "the malformed one counts too");
}

#[test]
fn without_keys_the_hmac_tlv_is_one_more_unknown_type() {
    let request = signed(&[(TlvType::EXTRA_PADDING, &[1])]);
    let mut reply = request.clone();
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(flags(&reply), [0x00, 0x80]);
    assert_eq!((counts.processed, counts.unrecognized), (1, 1));
    assert_eq!(reply[reply.len() - 16..], request[request.len() - 16..]);
}

#[test]
fn a_key_this_source_may_not_use_does_not_verify() {
    let ring = keys();
    let bound = |ids| Exchange { key_ids: Some(ids), ..exchange(OPEN, Some(&ring)) };
    let request = signed(&[(TlvType::EXTRA_PADDING, &[1])]);
    assert_eq!(reflected(&bound(&[KeyId(1)]), &request), [0x00, 0x00]);
    assert_eq!(reflected(&bound(&[KeyId(2)]), &request), [0x20, 0x20]);
}

#[test]
fn more_tlvs_than_the_limit_have_no_effect() {
    let ring = keys();
    let most = vec![(TlvType::EXTRA_PADDING, &[][..]); MOST_TLVS];
    assert_eq!(reflected(&exchange(OPEN, None), &area(&most)), [0x00; MOST_TLVS]);
    let more = vec![(TlvType::EXTRA_PADDING, &[][..]); MOST_TLVS + 3];
    for keys in [None, Some(&ring)] {
        let mut reply = area(&more);
        let (counts, _) = reflect(&exchange(OPEN, keys), &mut reply);
        let flags = flags(&reply);
        assert_eq!(flags[..MOST_TLVS], [0x80; MOST_TLVS]);
        assert_eq!(flags[MOST_TLVS..], [0xC0, 0x80, 0x80]);
        assert_eq!((counts.processed, counts.malformed), (0, 1));
    }
    // One of 33 that are signed: not even the digest is looked at.
    let mut reply = signed(&most);
    reflect(&exchange(AUTHENTICATED, Some(&ring)), &mut reply);
    assert_eq!(flags(&reply)[MOST_TLVS], 0xC0);
}

#[test]
fn every_type_is_in_the_registry_once() {
    for (place, handler) in REGISTRY.iter().enumerate() {
        let first = REGISTRY.iter().position(|other| octet(other) == octet(handler));
        assert_eq!(first, Some(place), "{}", octet(handler));
    }
}

fn octet(handler: &Handler) -> TlvType {
    handler.kind.octet(&ExperimentalTypes::USUAL)
}

fn value_of(area: &[u8]) -> &[u8] {
    &area[4..]
}

/// RFC 8972 §4.2.
#[test]
fn a_location_tells_what_its_source_may_know() {
    use stamp_proto::tlv::location::{Location, LocationRequest};
    let mut probe = vec![0; 64];
    let mut writer = Writer::new(&mut probe);
    LocationRequest::ALL.emit_request(&mut writer).unwrap();
    let probe = writer.written().to_vec();
    let answer = |rules: &TlvRules| {
        let mut reply = probe.clone();
        let (counts, _) = reflect(&Exchange { rules, ..exchange(OPEN, None) }, &mut reply);
        (counts, Location::parse(value_of(&reply)).unwrap(), reply[0])
    };
    let (counts, told, flags) = answer(&TlvRules::ALL);
    assert_eq!((counts.processed, flags), (1, 0));
    assert_eq!((told.source_port, told.destination_port), (Some(49_200), Some(862)));
    assert_eq!(told.source, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(told.destination, Some("192.0.2.11".parse().unwrap()));
    assert_eq!(told.source_mac, None, "a datagram has none");
    let fields = LocationFields { source: true, ..LocationFields::NONE };
    let (_, told, flags) = answer(&TlvRules { location: fields, ..TlvRules::ALL });
    let expected = Location { source: Some("192.0.2.1".parse().unwrap()), ..Location::default() };
    assert_eq!((told, flags), (expected, 0));
    let (counts, _, flags) = answer(&TlvRules::NONE);
    assert_eq!((counts.unrecognized, flags), (1, 0x80), "as good as unknown");
}

/// RFC 8972 §4.3.
#[test]
fn the_origin_of_timestamps_is_told() {
    let mut reply = area(&[(TlvType::TIMESTAMP_INFORMATION, &[0; 4])]);
    let (counts, _) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!(counts.processed, 1);
    assert_eq!(TimestampInformation::parse(value_of(&reply)), Ok(ORIGINS));
}

/// RFC 8972 §4.4.
#[test]
fn a_class_of_service_is_given_as_far_as_the_rules_allow() {
    use stamp_proto::tlv::class_of_service::{ClassOfService, ReverseDscp, ReverseEcn};
    let (ef, af41) = (Dscp::new(46).unwrap(), Dscp::new(34).unwrap());
    let asked = |wanted: u8| area(&[(TlvType::CLASS_OF_SERVICE, &[wanted << 2, 0, 0x80, 0])]);
    let answer = |classes, wanted: Dscp| {
        let mut reply = asked(wanted.value());
        let rules = &TlvRules { classes, ..TlvRules::NONE };
        let (_, wishes) = reflect(&Exchange { rules, ..exchange(OPEN, None) }, &mut reply);
        (wishes.traffic_class, ClassOfService::parse(value_of(&reply)).unwrap().answer)
    };
    let (class, told) = answer(ReplyClasses::Only(vec![ef]), ef);
    assert_eq!(class, Some((ef, Ecn::Ect0)));
    assert_eq!((told.dscp, told.ecn), (af41, Ecn::Ce), "as it arrived");
    assert_eq!((told.reverse_dscp, told.reverse_ecn), (ReverseDscp::AsAsked, ReverseEcn::AsAsked));
    let (class, told) = answer(ReplyClasses::Only(vec![]), ef);
    assert_eq!(class, Some((af41, Ecn::NotEct)), "that which arrived, and no mark");
    assert_eq!((told.reverse_dscp, told.reverse_ecn), (ReverseDscp::Refused, ReverseEcn::Refused));
    let (_, told) = answer(ReplyClasses::Only(vec![]), af41);
    assert_eq!(told.reverse_dscp, ReverseDscp::AsAsked, "its own it may always have");
    let blind = Received { traffic_class: None, ..*ARRIVED };
    let mut reply = asked(46);
    let (counts, _) = reflect(&Exchange { probe: &blind, ..exchange(OPEN, None) }, &mut reply);
    assert_eq!(counts.unrecognized, 1, "nothing is made up");
}
