//! Packets that are full of one kind of work, and a Session-Reflector that may do all of it.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_proto::tlv::{TLV_HEADER_OCTETS, Tlv, TlvType, Tlvs, hmac};
use stamp_proto::writer::Writer;
use stamp_session::clock::MonotonicTime;
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    MemberLink, PacketControlRules, Prefix, RateLimit, RateLimiter, RateLimiterConfig, Reflector,
    ReflectorConfig, ReturnPathPolicy, SourcePolicy, TlvRules, Verdict,
};

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;
const NOW: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
/// Room in a datagram of an Ethernet link, IPv4: 1500 - 20 - 8 octets.
const PAYLOAD: usize = 1_472;
/// Octets of a value whose sub-TLVs are not more than are looked at.
const MOST_WORTH_READING: usize = 104;
/// A type that nobody has defined.
const UNKNOWN: TlvType = TlvType(200);
/// TLVs of a packet that are looked at.
const MOST_TLVS: usize = 18;

/// A packet, and the bare probe that it is measured beside.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) beside: &'static str,
    mode: AuthenticationMode,
    /// Its TLVs, repeated while they fit and are looked at.
    tlvs: &'static [(u8, &'static [u8])],
    /// Behind them an HMAC TLV.
    signed: bool,
}

const fn open(name: &'static str, tlvs: &'static [(u8, &'static [u8])]) -> Step {
    Step { name, beside: "bare", mode: OPEN, tlvs, signed: false }
}

/// Questions for the source, the destination and the MAC address.
const LOCATION: &[u8] = &{
    let mut value = [0; 56];
    (value[4], value[5], value[7]) = (0x80, 1, 8);
    (value[16], value[17], value[19]) = (0x80, 4, 16);
    (value[36], value[37], value[39]) = (0x80, 7, 16);
    value
};
/// An empty sub-TLV of a type nobody knows, again and again.
const fn sub_tlvs<const OCTETS: usize>(from: usize, head: [u8; 8]) -> [u8; OCTETS] {
    let mut value = [0; OCTETS];
    let mut at = 0;
    while at < from {
        value[at] = head[at];
        at += 1;
    }
    while at + 4 <= OCTETS {
        (value[at], value[at + 1]) = (0x80, UNKNOWN.0);
        at += 4;
    }
    value
}
/// The sub-TLV of an address that may be replied to.
const RETURN_ADDRESS: [u8; 8] = [0x80, 2, 0, 4, 192, 0, 2, 7];
/// One reply, of the length that it has anyway.
const ONE_REPLY: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 0];
/// Address groups that this host is not in, and one at the end that it is in.
const fn groups<const OCTETS: usize>() -> [u8; OCTETS] {
    let mut value = [0; OCTETS];
    value[3] = 1;
    let mut at = ONE_REPLY.len();
    while at + 12 <= OCTETS {
        (value[at], value[at + 1], value[at + 3]) = (0x80, 11, 8);
        (value[at + 4], value[at + 8], value[at + 9]) = (32, 198, 51);
        at += 12;
    }
    // A prefix of no bit.
    value[at - 8] = 0;
    value
}

/// All address groups that are looked at, and then a short TLV again and again.
const fn groups_and(short: (u8, &'static [u8])) -> [(u8, &'static [u8]); MOST_TLVS] {
    let mut tlvs = [short; MOST_TLVS];
    tlvs[0] = (12, &const { groups::<104>() });
    tlvs
}
const GROUPS_AND_NODES: &[(u8, &[u8])] = &groups_and((9, &[192, 0, 2, 11]));
const GROUPS_AND_CLASSES: &[(u8, &[u8])] = &groups_and((4, &[0xb8, 0, 0, 0]));

/// Headers that a probe arrived with, as many as anyone can ask for.
static HEADERS: [&[u8]; 16] = [&[0; 40]; 16];

/// Types with a layout of their own, each in the form that takes the most work.
const EACH: &[(u8, &[u8])] = &[
    (9, &[192, 0, 2, 11]),
    (10, &[0x80, 2, 0, 4, 192, 0, 2, 7]),
    (11, &[0, 7, 0, 2]),
    (2, LOCATION),
    (3, &[0; 4]),
    (4, &[0xb8, 0, 0, 0]),
    (7, &[0; 16]),
    (5, &[0; 12]),
    (6, &[0x10, 1, 0, 0]),
    (247, &[0; 40]),
    (246, &[0; 40]),
];

/// Every packet; those without TLVs are what the others are measured beside.
pub(crate) const STEPS: [Step; 22] = [
    open("bare", &[]),
    open("one_of_each_type", EACH),
    open("extra_padding", &[(1, &[0; 40])]),
    open("unknown", &[(200, &[0; 40])]),
    open("location", &[(2, LOCATION)]),
    open("location_of_8_sub_tlvs", &[(2, &sub_tlvs::<36>(4, [0; 8]))]),
    open("location_of_355_sub_tlvs", &[(2, &sub_tlvs::<1_424>(4, [0; 8]))]),
    open("timestamp_information", &[(3, &[0; 36])]),
    open("class_of_service", &[(4, &[0xb8, 0, 0, 0])]),
    open("direct_measurement", &[(5, &[0; 12])]),
    open("follow_up_telemetry", &[(7, &[0; 16])]),
    open("destination_node_address", &[(9, &[192, 0, 2, 11])]),
    open("return_path_of_8_sub_tlvs", &[(10, &sub_tlvs::<36>(8, RETURN_ADDRESS))]),
    open("return_path_of_355_sub_tlvs", &[(10, &sub_tlvs::<1_424>(8, RETURN_ADDRESS))]),
    open("packet_control_of_8_sub_tlvs", &[(12, &sub_tlvs::<40>(8, ONE_REPLY))]),
    open("packet_control_of_8_groups", &[(12, &groups::<104>())]),
    open("packet_control_of_118_groups", &[(12, &groups::<1_424>())]),
    open("groups_and_nodes", GROUPS_AND_NODES),
    open("groups_and_classes", GROUPS_AND_CLASSES),
    open("reflected_headers", &[(247, &[0; 40]), (246, &[0; 40])]),
    Step {
        name: "authenticated_bare",
        beside: "authenticated_bare",
        mode: AUTHENTICATED,
        tlvs: &[],
        signed: false,
    },
    Step {
        name: "authenticated_with_hmac_tlv",
        beside: "authenticated_bare",
        mode: AUTHENTICATED,
        tlvs: EACH,
        signed: true,
    },
];

/// A Session-Reflector and one packet for it.
pub(crate) struct Bench {
    reflector: Reflector,
    probe: Vec<u8>,
    out: [u8; 2_000],
}

impl Bench {
    pub(crate) fn new(step: &Step) -> Self {
        let mut bench =
            Self { reflector: reflector(step.mode), probe: probe(step), out: [0; 2_000] };
        bench.check(step);
        bench
    }

    /// Everything between the socket that received the probe and the one that sends the reply.
    pub(crate) fn reflect(&mut self) {
        let probe = received(black_box(&self.probe));
        match self.reflector.handle_probe(MonotonicTime::ZERO, probe, &mut self.out) {
            Verdict::Reply(reply) => drop(black_box(reply.seal(black_box(NOW)))),
            other => panic!("{other:?}"),
        }
    }

    /// All that it asks for is done, the first time it is asked for.
    fn check(&mut self, step: &Step) {
        self.reflect();
        let area = &self.out[step.mode.base_octets()..self.probe.len()];
        let answers: Vec<_> = Tlvs::new(area).map_while(Result::ok).collect();
        assert_eq!(answers.len(), usize::from(step.signed) + tlvs(step).len(), "{}", step.name);
        for (place, answer) in answers.iter().enumerate() {
            let (name, kind, flags) = (step.name, answer.kind, answer.flags);
            let is_first = answers.iter().take(place).all(|before| before.kind != kind);
            assert!(!flags.is_malformed() && !flags.is_integrity_failed(), "{name}: {kind}");
            let is_refused = kind == UNKNOWN || answer.value.len() > MOST_WORTH_READING;
            assert!(!is_first || flags.is_unrecognized() == is_refused, "{name}: {kind}");
        }
    }
}

fn key() -> Key {
    Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets")
}

/// One that does whatever it is asked for.
fn reflector(mode: AuthenticationMode) -> Reflector {
    let mut config = ReflectorConfig::new([1, 2]);
    if mode == AUTHENTICATED {
        config.keys = KeyRing::new(vec![key()]).ok().map(Arc::new);
    }
    config.own_addresses = vec!["192.0.2.11".parse().expect("an address")];
    let prefix = Prefix::new("192.0.2.0".parse().expect("an address"), 24);
    config.return_path = ReturnPathPolicy::Prefixes(vec![prefix.expect("a prefix")]);
    let id = MemberLinkId::new(2).expect("not zero");
    config.member_links = vec![MemberLink { interface: 2, id }];
    let tlvs = TlvRules { packet_control: Some(PacketControlRules::MODEST), ..TlvRules::ALL };
    let policy =
        SourcePolicy { rate_limit: RateLimit::Off, tlvs, ..SourcePolicy::configured(mode) };
    config.unknown_sources = Some(policy);
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([3, 4])));
    let mut reflector =
        Reflector::new(config, limiter).expect("a configuration that is consistent");
    reflector.handle_counters(Some(Default::default()));
    reflector
}

/// The TLVs of a packet, as many as fit and are looked at.
fn tlvs(step: &Step) -> Vec<(TlvType, &'static [u8])> {
    let room = PAYLOAD - step.mode.base_octets() - if step.signed { 20 } else { 0 };
    let most = MOST_TLVS - usize::from(step.signed);
    let mut octets = 0;
    step.tlvs
        .iter()
        .cycle()
        .take(most)
        .map(|(kind, value)| (TlvType(*kind), *value))
        .take_while(|(_, value)| {
            octets += TLV_HEADER_OCTETS + value.len();
            octets <= room
        })
        .collect()
}

fn probe(step: &Step) -> Vec<u8> {
    let mut octets = vec![0; PAYLOAD];
    let packet = SenderPacket {
        sequence: 1,
        timestamp: Timestamp::from_wall(NOW, TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::from_bits(0x8587),
        ssid: Ssid(0x1234),
    };
    packet.emit(step.mode, &mut octets).expect("room for a base packet");
    if step.mode == AUTHENTICATED {
        key().sign(&mut octets).expect("room for a digest");
    }
    let base = step.mode.base_octets();
    let mut writer = Writer::new(&mut octets[base..]);
    for (kind, value) in tlvs(step) {
        Tlv::request(kind, value).emit(&mut writer).expect("room for a TLV");
    }
    if step.signed {
        hmac::append(&key(), 1, &mut writer).expect("room for an HMAC TLV");
    }
    let end = base + writer.position();
    octets.truncate(end);
    octets
}

fn received(octets: &[u8]) -> Received<'_> {
    Received {
        octets,
        from: SocketAddr::from(([192, 0, 2, 1], 49_200)),
        to: SocketAddr::from(([192, 0, 2, 11], 862)),
        interface: 2,
        stamp: Stamp { time: NOW, source: StampSource::Kernel },
        hop_limit: Some(HopLimit(253)),
        traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
        headers: Headers { fixed: &HEADERS, extensions: &HEADERS },
    }
}
