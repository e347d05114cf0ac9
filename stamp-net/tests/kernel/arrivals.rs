//! Packets that a kernel drops without a word, and the settings that are named for it.

use std::net::Ipv4Addr;

use libtest_mimic::Trial;
use stamp_net::EtherType;
use stamp_net::sysctl::{self, Arrival};

use crate::network::Cable;
use crate::packets::{ethernet, ipv4, mac, send, sending, udp};
use crate::traffic::{SENT, open, receive};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        what_comes_back_to_its_sender_is_dropped_as_foretold,
        what_goes_to_loopback_from_outside_is_dropped_as_foretold,
    ]
}

/// Sends a datagram to the near host from outside; when `dropped`, nothing but one that is sent
/// afterwards to an address where nothing hinders it arrives.
fn expect(cable: &Cable, from: Ipv4Addr, to: Ipv4Addr, dropped: bool, context: &str) {
    let socket = open(&cable.near, "0.0.0.0:8620");
    let far = sending(&cable.far, "eth0");
    let (near_mac, far_mac) = (mac(&cable.near, "eth0"), mac(&cable.far, "eth0"));
    let frame = |from, to, payload: &[u8]| {
        ethernet(far_mac, near_mac, EtherType::IPV4, &ipv4(from, to, &udp(8620, payload)))
    };
    let harmless = (Ipv4Addr::new(192, 0, 2, 2), Ipv4Addr::new(192, 0, 2, 1));
    let frames = [frame(from, to, b"asked"), frame(harmless.0, harmless.1, b"after")];
    assert_eq!(send(&far, &frames), [SENT; 2]);
    let first = receive(&socket, |datagram| datagram.octets.to_vec());
    assert_eq!(first, if dropped { b"after" } else { b"asked" }, "{context}");
}

fn what_comes_back_to_its_sender_is_dropped_as_foretold() {
    let cable = Cable::new();
    cable.near.add_address("lo", "198.51.100.1/32");
    for own in ["192.0.2.1", "198.51.100.1"].map(|own| own.parse().unwrap()) {
        for (accept_all, accept_own) in [("0", "0"), ("1", "0"), ("0", "1")] {
            for (filter_all, filter_own) in [("0", "0"), ("1", "0"), ("0", "1"), ("2", "1")] {
                for (path, value) in [
                    ("all/accept_local", accept_all),
                    ("eth0/accept_local", accept_own),
                    ("all/rp_filter", filter_all),
                    ("eth0/rp_filter", filter_own),
                ] {
                    cable.near.set_sysctl(&format!("net/ipv4/conf/{path}"), value);
                }
                let context = format!("{own} {accept_all}{accept_own} {filter_all}{filter_own}");
                let arrival = Arrival::OwnSource(own);
                let find = || cable.near.run(|| sysctl::arrival_hindrances("eth0", arrival));
                let found = find().unwrap();
                expect(&cable, own, own, !found.is_empty(), &context);
                for hindrance in found {
                    let path = hindrance.setting.to_string().replace('.', "/");
                    cable.near.set_sysctl(&path, &hindrance.wanted.to_string());
                }
                assert_eq!(find().unwrap(), [], "{context}");
                expect(&cable, own, own, false, &context);
            }
        }
    }
}

fn what_goes_to_loopback_from_outside_is_dropped_as_foretold() {
    let cable = Cable::new();
    let far = Ipv4Addr::new(192, 0, 2, 2);
    let find =
        || cable.near.run(|| sysctl::arrival_hindrances("eth0", Arrival::LoopbackDestination));
    for interface in ["eth0", "all"] {
        let lines: Vec<_> = find().unwrap().iter().map(|found| found.mending_line()).collect();
        assert_eq!(lines, ["sudo sysctl -w net.ipv4.conf.eth0.route_localnet=1"]);
        expect(&cable, far, Ipv4Addr::new(127, 0, 0, 8), true, interface);
        let path = format!("net/ipv4/conf/{interface}/route_localnet");
        cable.near.set_sysctl(&path, "1");
        assert_eq!(find().unwrap(), []);
        expect(&cable, far, Ipv4Addr::new(127, 0, 0, 8), false, interface);
        cable.near.set_sysctl(&path, "0");
    }
}
