//! TLVs that are wrong on purpose, against our reflector and against one that is wrong itself.

use std::net::{SocketAddr, UdpSocket};
use std::thread;

use serde_json::Value;
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket};
use stamp_proto::time::{Timestamp, TimestampFormat};
use stamp_tests::netns::{self, Families, Trial, trials};

use super::{KeyFile, PORT, measure, reflector};

/// Kinds that are sent without keys, and as many with them.
const KINDS: usize = 19;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        our_reflector_answers_all_kinds_as_the_rfc_asks,
        a_reflector_that_is_wrong_itself_is_told_kind_by_kind,
    ]
}

fn rows(document: &Value) -> &[Value] {
    document["malformed"].as_array().expect("rows")
}

fn our_reflector_answers_all_kinds_as_the_rfc_asks() {
    let net = netns::wired(Families::Both);
    let keys = KeyFile::new("malformed");
    let key_file = ["--key-file", keys.path()];
    let all = ["--send-malformed", "all", "--json"];
    for (there, here) in [
        (&[][..], &[][..]),
        (&key_file[..], &["--tlv-hmac"][..]),
        (&[&["--auth"], &key_file[..]].concat()[..], &["--auth"][..]),
    ] {
        let _reflector = reflector(&net.far, there);
        for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
            let here = if here.is_empty() { Vec::new() } else { [&key_file[..], here].concat() };
            let finished = measure(&net.near, &address, &[&all[..], &here].concat());
            let document = finished.assert_code(0).json();
            assert_eq!(rows(&document).len(), KINDS, "{document}");
            for row in rows(&document) {
                assert_eq!(row["verdict"], "conformant", "{row}");
                // A slot that a busy machine missed has no probe.
                assert_eq!(row["received"], row["sent"], "{row}");
                assert_eq!(row["conformant"], row["sent"], "{row}");
            }
            assert_eq!(document["left_out"].as_array().map(Vec::len), Some(3), "{document}");
        }
    }
}

/// Answers until a datagram is no probe, and says of every TLV that it was processed.
fn claim_all_is_done(socket: &UdpSocket) {
    let mode = AuthenticationMode::Unauthenticated;
    let mut octets = [0; 2_000];
    loop {
        let (length, source) = socket.recv_from(&mut octets).expect("a datagram");
        let Ok(probe) = SenderPacket::parse(mode, &octets[..length]) else { return };
        let now = Timestamp::from_wall(stamp_worker::now().wall, TimestampFormat::Ntp);
        let reply = ReflectorPacket {
            sequence: probe.sequence,
            timestamp: now,
            error_estimate: probe.error_estimate,
            ssid: probe.ssid,
            receive_timestamp: now,
            sender_sequence: probe.sequence,
            sender_timestamp: probe.timestamp,
            sender_error_estimate: probe.error_estimate,
            sender_ttl: HopLimit::MAX,
        };
        let (base, mut area) = octets[..length].split_at_mut(mode.base_octets());
        reply.emit(mode, base).expect("there is room");
        // As far as a header can be read.
        while let [flags, _, high, low, rest @ ..] = area {
            *flags = 0;
            let value = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            area = &mut rest[value..];
        }
        socket.send_to(&octets[..length], source).expect("a reply leaves");
    }
}

fn a_reflector_that_is_wrong_itself_is_told_kind_by_kind() {
    let net = netns::wired(Families::V4);
    let at = SocketAddr::new(net.far.ipv4().into(), PORT);
    // Built now, and not while the socket waits for its first probe.
    let _built = netns::binary("stamp-sender");
    let wrong = net.far.udp_socket(at);
    let ends = net.near.udp_socket(SocketAddr::new(net.near.ipv4().into(), 0));
    let target = at.ip().to_string();
    let finished = thread::scope(|scope| {
        scope.spawn(|| claim_all_is_done(&wrong));
        let finished = measure(&net.near, &target, &["--send-malformed", "all", "--json"]);
        ends.send_to(&[0], at).expect("it is told to end");
        finished
    });
    let document = finished.assert_code(1).json();
    // To copy what is there and clear the flags of TLVs is all that these ask for.
    let innocent = ["reserved-flags", "padding-twice", "unknown-sub-tlv"];
    for row in rows(&document) {
        let kind = row["kind"].as_str().expect("a name");
        let expected = if innocent.contains(&kind) { "conformant" } else { "deviates" };
        assert_eq!(row["verdict"], expected, "{row}");
        assert_eq!(row["seen"].is_null(), innocent.contains(&kind), "{row}");
    }
    let seen = |kind: &str| {
        let row = rows(&document).iter().find(|row| row["kind"] == kind).expect("a row");
        row["seen"].as_str().expect("a text").to_owned()
    };
    assert_eq!(seen("unknown-type"), "TLV 1 (type 200) came back with no flag");
    assert_eq!(seen("past-end"), "TLV 2 (type 200) came back with no flag");

    let silent =
        measure(&net.near, &target, &["--send-malformed", "unknown-type", "--json", "-W", "50ms"]);
    let document = silent.assert_code(1).json();
    assert_eq!(rows(&document)[0]["verdict"], "silent", "{document}");
    let refused = measure(&net.near, &target, &["--send-malformed", "hmac-wrong"]);
    assert!(refused.assert_code(3).stderr.contains("hmac-wrong needs keys"), "{refused}");
    let beside = measure(&net.near, &target, &["--send-malformed", "all", "--ask-location"]);
    assert!(beside.assert_code(3).stderr.contains("--ask-location"), "{beside}");
}
