//! One forged packet between Session-Reflectors: at most one reply may appear.

use std::net::SocketAddr;

use stamp_proto::auth::KeyRing;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::TimestampFormat;
use stamp_proto::tlv::{TlvType, extra_padding, hmac};
use stamp_proto::writer::Writer;
use stamp_session::reflector::{Reflector, SamePort};

use super::network::*;

/// Deliveries after which a loop is called endless.
const ENDLESS: usize = 50;

/// One of the four kinds of Session-Reflector.
#[derive(Clone, Copy, Debug)]
struct Kind {
    mode: AuthenticationMode,
    stateful: bool,
}

const KINDS: [Kind; 4] = [
    Kind { mode: OPEN, stateful: false },
    Kind { mode: OPEN, stateful: true },
    Kind { mode: AUTHENTICATED, stateful: false },
    Kind { mode: AUTHENTICATED, stateful: true },
];

/// Ports of two listeners: the well-known one, one of us, none of anybody.
const PORTS: [(u16, u16); 6] =
    [(862, 862), (862, 5_000), (5_000, 862), (5_000, 6_000), (50_000, 50_000), (1_024, 65_535)];

fn ours(
    kind: Kind,
    address: SocketAddr,
    same_port: SamePort,
    format: TimestampFormat,
) -> Reflector {
    let mut config = config(generous(kind.mode));
    config.stateful = kind.stateful;
    config.own_listeners = vec![address];
    config.same_port = same_port;
    config.format = format;
    reflector(config)
}

fn addresses((first, second): (u16, u16)) -> [SocketAddr; 2] {
    [SocketAddr::from(([192, 0, 2, 1], first)), SocketAddr::from(([192, 0, 2, 2], second))]
}

/// What an attacker could send to a Session-Reflector of `kind` in the name of another.
///
/// Some are signed with the shared key: replays of what somebody sent, or an attacker within.
fn forgeries(kind: Kind, random: &mut Random) -> Vec<(String, Vec<u8>)> {
    let zero = stamp_proto::time::Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
    let mut all = Vec::new();
    for mode in MODES {
        for (name, sent) in
            [("now", timestamp(0)), ("an hour ago", timestamp(-3_600_000_000_000)), ("never", zero)]
        {
            all.push((format!("{mode} probe sent {name}"), probe(mode, 1, sent)));
            let mut stamped = probe(mode, 1, sent);
            let offset = mode.receive_timestamp_offset();
            stamped[offset..offset + 8].copy_from_slice(&timestamp(1_000_000).octets());
            all.push((
                format!("{mode} probe stamped on its way, sent {name}"),
                sign(mode, stamped),
            ));
        }
        let mut tlvs = vec![0; 200];
        let mut writer = Writer::new(&mut tlvs);
        extra_padding::reserve(&mut writer, 40).unwrap();
        hmac::append(&key(), 1, &mut writer).unwrap();
        let tlvs = writer.written().to_vec();
        assert_eq!(tlvs[1], TlvType::EXTRA_PADDING.0);
        all.push((
            format!("{mode} probe with TLVs"),
            [probe(mode, 1, timestamp(0)), tlvs].concat(),
        ));
        for stateful in [false, true] {
            // A genuine reply to somebody else, of either side.
            let kind = Kind { mode, stateful };
            let address = SocketAddr::from(([192, 0, 2, 11], 862));
            let mut genuine = ours(kind, address, SamePort::ZeroOnly, TimestampFormat::Ntp);
            let victim = SocketAddr::from(([198, 51, 100, 1], 49_200));
            let reply = reflect(&mut genuine, 0, victim, &probe(mode, 7, timestamp(-1_000_000)));
            all.push((format!("{mode} reply, stateful {stateful}"), reply.unwrap()));
        }
        let octets = mode.base_octets();
        all.push((format!("{octets} zeros"), sign(mode, vec![0; octets])));
        all.push((format!("{octets} ones"), sign(mode, vec![0xFF; octets])));
    }
    all.push(("14 octets".into(), probe(OPEN, 1, timestamp(0))[..14].to_vec()));
    all.push(("200 zeros".into(), vec![0; 200]));
    for round in 0..20 {
        let count = kind.mode.base_octets() + random.below(60);
        all.push((format!("random octets {round}"), sign(kind.mode, random.octets(count))));
    }
    for round in 0..40 {
        // A probe with timestamps of now in random places: what a rule could take for anything.
        let mut octets = probe(kind.mode, 1, timestamp(0));
        for _ in 0..=random.below(4) {
            let place = random.below(octets.len() / 4 - 2) * 4;
            let stamp = timestamp(random.below(2_000_000) as i64);
            octets[place..place + 8].copy_from_slice(&stamp.octets());
        }
        all.push((format!("stamped at random {round}"), sign(kind.mode, octets)));
    }
    all
}

#[test]
fn one_forged_packet_between_any_two_of_our_reflectors_gets_at_most_one_reply() {
    let mut random = Random(1);
    let mut runs = 0;
    let mut replies = 0;
    for kinds in KINDS.into_iter().flat_map(|first| KINDS.map(|second| [first, second])) {
        for ports in PORTS {
            for same_port in [SamePort::ZeroOnly, SamePort::Allow, SamePort::Strict] {
                let format = *random.pick(&[TimestampFormat::Ntp, TimestampFormat::Ptp]);
                let clock_ns = *random.pick(&[0, 3_600_000_000_000, -37_000_000_000, 2_000_000]);
                for (name, forged) in forgeries(kinds[0], &mut random) {
                    let [first, second] = addresses(ports);
                    let host = |kind, address| {
                        let behaviour = ours(kind, address, same_port, format);
                        Host::new(address, Behaviour::Ours(Box::new(behaviour)))
                    };
                    let mut network =
                        Network::new(vec![host(kinds[0], first), host(kinds[1], second)]);
                    network.hosts[1].clock_ns = clock_ns;
                    network.send(second, first, forged);
                    let seen = network.run(ENDLESS);
                    assert!(seen <= 1, "{seen} replies: {name}, {kinds:?} {ports:?} {same_port:?}");
                    runs += 1;
                    replies += seen;
                }
            }
        }
    }
    assert!(runs > 20_000 && replies > runs / 10, "{replies} replies to {runs} packets");
}

#[test]
fn a_ring_of_three_answers_each_forged_packet_at_most_once() {
    let mut random = Random(2);
    for round in 0..300 {
        let kinds = [(); 3].map(|()| *random.pick(&KINDS));
        let ports = [862, 862, 5_000, 6_000, 50_000];
        let addresses: Vec<_> = (1..=3)
            .map(|host| SocketAddr::from(([192, 0, 2, host], *random.pick(&ports))))
            .collect();
        let host = |(kind, address): (&Kind, &SocketAddr)| {
            let behaviour = ours(*kind, *address, SamePort::ZeroOnly, TimestampFormat::Ntp);
            Host::new(*address, Behaviour::Ours(Box::new(behaviour)))
        };
        let mut network = Network::new(kinds.iter().zip(&addresses).map(host).collect());
        for place in 0..3 {
            let all = forgeries(kinds[place], &mut random);
            let (_, forged) = random.pick(&all).clone();
            network.send(addresses[(place + 1) % 3], addresses[place], forged);
        }
        let seen = network.run(ENDLESS);
        assert!(seen <= 3, "round {round}: {seen} replies to three packets, {kinds:?}");
        assert!(network.hosts.iter().all(|host| host.sent <= 1), "round {round}");
    }
}

#[test]
fn one_reflector_ends_a_loop_with_any_that_has_no_rule() {
    let mut random = Random(3);
    for stateful in [false, true] {
        let kind = Kind { mode: OPEN, stateful };
        for ports in PORTS {
            for far in [
                || Behaviour::Echo,
                || Behaviour::Naive(Some(50_000)),
                || Behaviour::Naive(Some(-3_600_000_000_000)),
                || Behaviour::Naive(None),
            ] {
                for clock_ns in [0, 7_200_000_000_000] {
                    for (name, forged) in forgeries(kind, &mut random) {
                        let [first, second] = addresses(ports);
                        let own = ours(kind, first, SamePort::Allow, TimestampFormat::Ntp);
                        let own = Host::new(first, Behaviour::Ours(Box::new(own)));
                        let mut network = Network::new(vec![own, Host::new(second, far())]);
                        network.hosts[1].clock_ns = clock_ns;
                        network.send(second, first, forged);
                        network.run(ENDLESS);
                        let sent = network.hosts[0].sent;
                        assert!(sent <= 1, "{sent} replies: {name}, {ports:?}, clock {clock_ns}");
                    }
                }
            }
        }
    }
}

#[test]
fn two_naive_reflectors_would_answer_each_other_for_ever() {
    // Shows that the network of these tests does carry a loop.
    let [first, second] = addresses((862, 862));
    let naive = |address| Host::new(address, Behaviour::Naive(Some(50_000)));
    let mut network = Network::new(vec![naive(first), naive(second)]);
    network.send(second, first, probe(OPEN, 1, timestamp(0)));
    assert_eq!(network.run(ENDLESS), ENDLESS);
}

#[test]
fn a_loop_that_two_listeners_of_one_host_could_make_ends_at_their_own_addresses() {
    let listeners =
        addresses((862, 5_000)).map(|address| SocketAddr::from(([192, 0, 2, 1], address.port())));
    let mut config = config(generous(OPEN));
    config.own_listeners = listeners.to_vec();
    config.same_port = SamePort::Allow;
    let host = |address| Host::new(address, Behaviour::Ours(Box::new(reflector(config.clone()))));
    let mut network = Network::new(listeners.map(host).into());
    network.send(listeners[1], listeners[0], probe(OPEN, 1, timestamp(0)));
    assert_eq!(network.run(ENDLESS), 0);
}

#[test]
fn a_signed_reply_is_no_probe_to_a_reflector_with_the_same_key() {
    let mut first = reflector(config(generous(AUTHENTICATED)));
    let mut second = reflector(config(generous(AUTHENTICATED)));
    let sender = SocketAddr::from(([198, 51, 100, 1], 49_200));
    let reply = reflect(&mut first, 0, sender, &probe(AUTHENTICATED, 1, timestamp(0))).unwrap();
    let keys = KeyRing::new(vec![key()]).unwrap();
    assert!(keys.verify(&reply).is_some(), "the HMAC alone would let it pass");
    assert_eq!(reflect(&mut second, 1_000, sender, &reply), None);
}
