//! Two reflectors and one forged packet: at most one reply, in every pair of modes.
//!
//! The formats have no direction bit, so a reply is a valid probe for the other side; unless
//! somebody breaks the loop, one packet keeps two reflectors busy for ever.

use std::net::SocketAddr;

use stamp_proto::auth::{Key, KeyId};
use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat};
use stamp_tests::netns::{self, Families, Host, Program, Trial, Wired, trials};
use stamp_tests::wire::Way;

use crate::measure::KeyFile;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        open_reflectors_answer_a_forged_packet_once_at_most,
        authenticated_reflectors_answer_a_forged_packet_once_at_most,
        mixed_reflectors_answer_a_forged_packet_once_at_most,
    ]
}

/// How one of the two reflectors was started.
#[derive(Clone, Copy, Debug)]
struct Mode {
    authentication: AuthenticationMode,
    stateful: bool,
}

/// Ports of the two: the well-known one twice, once, and never.
const PORTS: [(u16, u16); 3] = [(862, 862), (8620, 862), (40_000, 50_000)];

fn open_reflectors_answer_a_forged_packet_once_at_most() {
    pairs(AuthenticationMode::Unauthenticated, AuthenticationMode::Unauthenticated);
}

fn authenticated_reflectors_answer_a_forged_packet_once_at_most() {
    pairs(AuthenticationMode::Authenticated, AuthenticationMode::Authenticated);
}

fn mixed_reflectors_answer_a_forged_packet_once_at_most() {
    pairs(AuthenticationMode::Unauthenticated, AuthenticationMode::Authenticated);
    pairs(AuthenticationMode::Authenticated, AuthenticationMode::Unauthenticated);
}

/// Every pair of stateless and stateful, on every pair of ports.
fn pairs(near: AuthenticationMode, far: AuthenticationMode) {
    let net = netns::wired(Families::V4);
    let keys = KeyFile::new("loops");
    for (near_port, far_port) in PORTS {
        for (near_stateful, far_stateful) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let near = Mode { authentication: near, stateful: near_stateful };
            let far = Mode { authentication: far, stateful: far_stateful };
            provoke(&net, &keys, (near, near_port), (far, far_port));
        }
    }
}

/// Sends the far reflector one probe that claims to come from the near one.
fn provoke(net: &Wired, keys: &KeyFile, near: (Mode, u16), far: (Mode, u16)) {
    let near_address: SocketAddr = (net.near.ipv4(), near.1).into();
    let far_address: SocketAddr = (net.far.ipv4(), far.1).into();
    let before = between(net, near_address, far_address);
    let near_program = reflector(&net.near, near_address, near.0, keys);
    let far_program = reflector(&net.far, far_address, far.0, keys);
    net.wire.inject(Way::Forward, near_address, far_address, &forged(far.0.authentication));
    // Whatever the forged packet set off has happened when each answers a probe of its own, as one
    // worker takes datagrams in their order; twice, so that a loop could turn.
    for _ in 0..2 {
        answers(&net.near, far_address, far.0, keys);
        answers(&net.far, near_address, near.0, keys);
    }
    // What was injected is not recorded, only what it caused.
    let replies = between(net, near_address, far_address) - before;
    assert_eq!(replies, 1, "one reply to the forged packet: {near:?} {far:?}");
    drop((near_program, far_program));
}

/// Datagrams so far whose addresses and ports are those of the two reflectors.
fn between(net: &Wired, one: SocketAddr, other: SocketAddr) -> usize {
    let records = net.wire.records(Way::Forward).into_iter().chain(net.wire.records(Way::Backward));
    records
        .filter(|record| {
            let ends = (record.source, record.destination);
            ends == (one, other) || ends == (other, one)
        })
        .count()
}

#[track_caller]
fn reflector(host: &Host, address: SocketAddr, mode: Mode, keys: &KeyFile) -> Program {
    let mut command = netns::binary("stamp-reflector");
    command.args(["--listen", &address.to_string(), "--rate-limit", "off", "--workers", "1"]);
    if mode.stateful {
        command.arg("--stateful");
    }
    if mode.authentication == AuthenticationMode::Authenticated {
        command.args(["--auth", "--key-file", keys.path()]);
    }
    let program = host.spawn(&mut command);
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    program
}

/// One probe from an ordinary sender is answered.
#[track_caller]
fn answers(host: &Host, target: SocketAddr, mode: Mode, keys: &KeyFile) {
    let mut command = netns::binary("stamp-sender");
    command.args([&target.to_string(), "-c", "1", "-i", "1s", "-qq"]);
    if mode.authentication == AuthenticationMode::Authenticated {
        command.args(["--auth", "--key-file", keys.path()]);
    }
    host.spawn(&mut command).wait().assert_code(0);
}

/// A probe as a Session-Sender would write it, signed where the reflector wants that.
fn forged(authentication: AuthenticationMode) -> Vec<u8> {
    let probe = SenderPacket {
        sequence: 7,
        timestamp: Timestamp::from_wall(stamp_net::clock::wall_now(), TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::unsynchronized(TimestampFormat::Ntp),
        ssid: Ssid(1),
    };
    let mut octets = vec![0; authentication.base_octets()];
    probe.emit(authentication, &mut octets).expect("it fits");
    if authentication == AuthenticationMode::Authenticated {
        let secret: Vec<u8> = (0..32).collect();
        let key = Key::new(KeyId(1), &secret).expect("a key");
        key.sign(&mut octets).expect("it is long enough");
    }
    octets
}
