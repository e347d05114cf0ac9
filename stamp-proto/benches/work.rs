//! What both benches measure: the octet work of one probe, without socket and clock.

use std::hint::black_box;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, TimeDelta, Timestamp, TimestampFormat, WallTime};
use stamp_proto::tlv::hmac::{self, TlvIntegrity};
use stamp_proto::tlv::{Tlv, TlvFlags, TlvType, Tlvs, TlvsMut, extra_padding};
use stamp_proto::writer::Writer;

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const SIGNED: AuthenticationMode = AuthenticationMode::Authenticated;
const PROBE_SENT: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);
const PROBE_RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_790_246_912);
const REPLY_SENT: WallTime = WallTime::from_unix_ns(1_709_210_096_790_296_912);
const REPLY_RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_791_642_591);

/// Room in a datagram of an Ethernet link, IPv4: 1500 - 20 - 8 octets.
const PAYLOAD: usize = 1472;

/// Everything that is prepared once, as a Session-Reflector or Session-Sender does.
pub(crate) struct Bench {
    ring: KeyRing,
    clock: ErrorEstimate,
    open_probe: [u8; 44],
    signed_probe: [u8; 112],
    open_reply: [u8; 44],
    /// Three TLVs, an HMAC TLV over them, and padding.
    tlv_area: Vec<u8>,
    /// As many TLVs as a datagram can hold: the most work that one can ask for.
    empty_tlvs: Vec<u8>,
    out: [u8; PAYLOAD],
}

/// One measured step.
pub(crate) type Step = fn(&mut Bench);

/// Every step by name, for both benches.
pub(crate) const STEPS: [(&str, Step); 9] = [
    ("emit_probe_open", Bench::emit_probe_open),
    ("emit_probe_authenticated", Bench::emit_probe_authenticated),
    ("reply_open", Bench::reply_open),
    ("reply_authenticated", Bench::reply_authenticated),
    ("delays_from_reply", Bench::delays_from_reply),
    ("walk_tlvs", Bench::walk_tlvs),
    ("walk_357_empty_tlvs", Bench::walk_357_empty_tlvs),
    ("answer_tlvs", Bench::answer_tlvs),
    ("answer_tlvs_with_hmac", Bench::answer_tlvs_with_hmac),
];

impl Bench {
    pub(crate) fn new() -> Self {
        let secret: Vec<u8> = (0..32).collect();
        let key = Key::new(KeyId(1), &secret).expect("the secret is not empty");
        let mut bench = Self {
            ring: KeyRing::new(vec![key]).expect("one key makes a ring"),
            clock: ErrorEstimate::new(1_000_000, true, TimestampFormat::Ntp),
            open_probe: [0; 44],
            signed_probe: [0; 112],
            open_reply: [0; 44],
            tlv_area: Vec::new(),
            empty_tlvs: [0x80, 1, 0, 0].repeat((PAYLOAD - OPEN.base_octets()) / 4),
            out: [0; PAYLOAD],
        };
        bench.emit_probe_open();
        bench.open_probe.copy_from_slice(&bench.out[..44]);
        bench.emit_probe_authenticated();
        bench.signed_probe.copy_from_slice(&bench.out[..112]);
        bench.reply_open();
        bench.open_reply.copy_from_slice(&bench.out[..44]);
        bench.tlv_area = bench.tlvs();
        bench
    }

    fn tlvs(&self) -> Vec<u8> {
        let mut area = [0; 128];
        let mut writer = Writer::new(&mut area);
        for (kind, octets) in [
            (TlvType::TIMESTAMP_INFORMATION, 4),
            (TlvType::DIRECT_MEASUREMENT, 12),
            (TlvType::FOLLOW_UP_TELEMETRY, 16),
        ] {
            Tlv::request(kind, &[0; 16][..octets]).emit(&mut writer).expect("there is room");
        }
        hmac::append(self.ring.signing(), 1, &mut writer).expect("there is room");
        extra_padding::reserve(&mut writer, 20).expect("there is room");
        writer.into_written().to_vec()
    }

    fn probe(&self) -> SenderPacket {
        SenderPacket {
            sequence: black_box(1),
            timestamp: Timestamp::from_wall(black_box(PROBE_SENT), TimestampFormat::Ntp),
            error_estimate: self.clock,
            ssid: Ssid(0x1234),
        }
    }

    fn emit_probe_open(&mut self) {
        self.probe().emit(OPEN, black_box(&mut self.out)).expect("there is room");
    }

    fn emit_probe_authenticated(&mut self) {
        self.probe().emit(SIGNED, black_box(&mut self.out)).expect("there is room");
        self.ring.signing().sign(black_box(&mut self.out)).expect("there is room");
    }

    fn reply_open(&mut self) {
        let probe = self.open_probe;
        self.reply(OPEN, black_box(&probe));
    }

    fn reply_authenticated(&mut self) {
        let probe = self.signed_probe;
        assert!(self.ring.verify(black_box(&probe)).is_some());
        self.reply(SIGNED, black_box(&probe));
        self.ring.signing().sign(black_box(&mut self.out)).expect("there is room");
    }

    /// From a probe as received to a reply with T3.
    fn reply(&mut self, mode: AuthenticationMode, octets: &[u8]) {
        let probe = SenderPacket::parse(mode, octets).expect("it is a probe");
        let blank = Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
        let reply = ReflectorPacket {
            sequence: probe.sequence,
            timestamp: blank,
            error_estimate: self.clock,
            ssid: probe.ssid,
            receive_timestamp: Timestamp::from_wall(
                black_box(PROBE_RECEIVED),
                TimestampFormat::Ntp,
            ),
            sender_sequence: probe.sequence,
            sender_timestamp: probe.timestamp,
            sender_error_estimate: probe.error_estimate,
            sender_ttl: HopLimit::MAX,
        };
        reply.emit(mode, black_box(&mut self.out)).expect("there is room");
        let reply_sent = Timestamp::from_wall(black_box(REPLY_SENT), TimestampFormat::Ntp);
        ReflectorPacket::write_reply_sent(mode, black_box(&mut self.out), reply_sent)
            .expect("the reply has this field");
    }

    /// What a Session-Sender does with a reply: parse, four instants, three differences.
    fn delays_from_reply(&mut self) {
        let reply = ReflectorPacket::parse(OPEN, black_box(&self.open_reply)).expect("a reply");
        let near = black_box(REPLY_RECEIVED);
        let probe_sent = reply.sender_timestamp.to_wall(near).expect("an instant");
        let probe_received = reply.receive_timestamp.to_wall(near).expect("an instant");
        let residence = reply.timestamp.since(reply.receive_timestamp).expect("one format");
        let forward = probe_received.since(probe_sent);
        let round_trip = near.since(probe_sent).saturating_sub(residence);
        let _: (TimeDelta, TimeDelta) = black_box((forward, round_trip));
    }

    fn walk_tlvs(&mut self) {
        black_box(count(black_box(&self.tlv_area)));
    }

    fn walk_357_empty_tlvs(&mut self) {
        black_box(count(black_box(&self.empty_tlvs)));
    }

    /// Copies a TLV area into the reply and clears the flags.
    fn answer_tlvs(&mut self) {
        let area = &mut self.out[44..44 + self.tlv_area.len()];
        area.copy_from_slice(black_box(&self.tlv_area));
        for tlv in TlvsMut::new(area).flatten() {
            let mut tlv = tlv;
            tlv.set_flags(TlvFlags::NONE);
        }
    }

    /// The same with the digest checked before and made anew behind.
    fn answer_tlvs_with_hmac(&mut self) {
        let verified = hmac::verify(&self.ring, 1, black_box(&self.tlv_area));
        assert!(matches!(verified, TlvIntegrity::Verified(_)));
        self.answer_tlvs();
        let area = &mut self.out[44..44 + self.tlv_area.len()];
        hmac::sign(self.ring.signing(), 2, area, 44).expect("the HMAC TLV is there");
    }
}

fn count(area: &[u8]) -> usize {
    Tlvs::new(area).filter(|tlv| tlv.is_ok_and(|tlv| tlv.flags.is_unrecognized())).count()
}
