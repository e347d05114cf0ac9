//! The same packets, whatever the shell.

use std::net::IpAddr;

use stamp_net::{Outgoing, SendBatch, SocketOptions, UdpSocket};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::sr::encapsulation::{Encapsulation, SrhExtras};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::TimestampFormat;

use super::super::{PORT, Stage, compose, flow, network_of, open_probe, probe};
use super::{IPV6, address, configuration, header, host, path, stage, tunnel};

pub(in super::super) fn the_packet_inside_returns_alone_behind_the_last_segment(shell: &str) {
    let mut stage = stage(shell);
    let sent = open_probe();
    let packet = tunnel(&stage, &["fc00:bb:2:f::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    let near = stage.net.near.ipv6();
    let inner = header(&returned.seen.octets);
    assert_eq!((inner.source, inner.destination, inner.hop_limit.0), (near, near, 254));
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    assert!(stage.stop().stderr.contains("SID fc00:bb:2:f::/64: 1 with T2, 0 without"));
}

pub(in super::super) fn segments_that_are_left_lead_back(shell: &str) {
    let mut stage = stage(shell);
    let sent = open_probe();
    let packet = host(&stage, &["fc00:bb:2:f::", "fc00:bb:1:1::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    let outer = header(&returned.seen.octets);
    assert_eq!((outer.destination, outer.hop_limit.0), (address("fc00:bb:1:1::"), 254));
    assert_eq!(returned.seen.octets[43], 0, "Segments Left");
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
}

pub(in super::super) fn a_container_is_shifted_once_it_is_stamped(shell: &str) {
    let mut stage = stage(shell);
    let sent = open_probe();
    let packet = tunnel(&stage, &["fcbb:bb00:2:f:1:d6::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    assert_eq!(header(&returned.seen.octets).destination, address("fcbb:bb00:1:d6::"));
    // The last of its container is an End.TSF SID like any other.
    let packet = tunnel(&stage, &["fcbb:bb00:2:f::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    assert_eq!(header(&returned.seen.octets).destination, stage.net.near.ipv6());
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
}

pub(in super::super) fn an_authenticated_probe_has_a_sid_of_its_own(shell: &str) {
    let mut stage = stage(shell);
    let sent = probe(AuthenticationMode::Authenticated);
    let packet = host(&stage, &["fc00:bb:2:e::", "fc00:bb:1:1::"], &sent);
    stage.round_trip(IPV6, &packet).assert_stamped(32, TimestampFormat::Ptp, &sent);
    assert!(stage.unexpected().is_empty());
}

pub(in super::super) fn a_sid_of_another_interface_leads_nowhere(shell: &str) {
    let mut stage = stage(shell);
    let elsewhere = host(&stage, &["fc00:bb:2:1::", "fc00:bb:1:1::"], &open_probe());
    stage.send(IPV6, &elsewhere);
    // A good one behind it tells that the first was seen.
    let good = host(&stage, &["fc00:bb:2:f::", "fc00:bb:1:1::"], &open_probe());
    stage.send(IPV6, &good);
    stage.near.wait_for(|seen| !seen.outgoing && seen.is_probe());
    let unexpected = stage.unexpected();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    let told = stage.stop().stderr;
    assert!(told.contains("  not forwarded            1  interface: "), "{told}");
}

pub(in super::super) fn an_ipv4_packet_inside_returns_too(shell: &str) {
    let mut stage = stage(shell);
    let sent = open_probe();
    let packet = ipv4_inside(&stage, "fc00:bb:2:f::", &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    assert_eq!((returned.seen.ether_type, returned.seen.octets[8]), (0x0800, 254));
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
}

/// A probe of IPv4 behind an IPv6 header and an SRH.
fn ipv4_inside(stage: &Stage, sid: &str, payload: &[u8]) -> Vec<u8> {
    let (near, source) = (IpAddr::from(stage.net.near.ipv4()), stage.net.near.ipv6());
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let wish = Encapsulation::Srv6Tunnel { source, path: &path(&[sid]), form, extras };
    compose(wish, &flow(near, near), payload)
}

/// Octets of an IPv6 header and an SRH of two segments.
const UDP: usize = 40 + 40;

fn with(mut packet: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    packet[at] = value;
    packet
}

pub(in super::super) fn what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped(
    shell: &str,
) {
    let mut stage = stage(shell);
    let sent = open_probe();
    let looped = |first: &str, payload: &[u8]| host(&stage, &[first, "fc00:bb:1:1::"], payload);
    let good = looped("fc00:bb:2:f::", &sent);
    let foreign = with(looped("fc00:bb:2:a::", &sent), UDP + 3, 1);
    let packets = [
        looped("fc00:bb:2:f::", &sent[..20]),
        // What is behind the SRH: TCP, a fragment.
        with(good.clone(), 40, 6),
        with(good.clone(), 40, 44),
        foreign,
        // No segment left, another type of routing, more segments left than there are, no hop left.
        with(good.clone(), 43, 0),
        with(good.clone(), 42, 3),
        with(good.clone(), 43, 9),
        with(good.clone(), 7, 1),
        host(&stage, &["fc00:bb:2:f::", "2001:db8:ffff::1"], &sent),
        host(&stage, &["fc00:bb:2:f::", "fe80::1"], &sent),
        looped("fc00:bb:2:1::", &sent),
    ];
    for packet in &packets {
        stage.send(IPV6, packet);
    }
    // The last is a good one.
    let last = tunnel(&stage, &["fc00:bb:2:f::"], &sent);
    stage.send(IPV6, &last);
    let near = stage.net.near.ipv6();
    stage.near.wait_for(|seen| {
        !seen.outgoing && seen.is_probe() && header(&seen.octets).destination == near
    });
    let passed = stage.unexpected();
    assert_eq!(passed.len(), 4, "{passed:?}");
    for (seen, packet) in passed.iter().zip(&packets) {
        assert_eq!(seen.octets[80..], packet[80..], "nothing is written into it");
        assert_eq!((seen.octets[7], seen.octets[43]), (254, 0), "it is on its way");
    }
    let told = stage.stop().stderr;
    for line in [
        "unstamped                1  fragment: ",
        "unstamped                1  not-udp: ",
        "unstamped                1  foreign-port: ",
        "unstamped                1  too-short: ",
        "not forwarded            2  upper-layer: ",
        "not forwarded            1  malformed: ",
        "not forwarded            1  hop-limit: ",
        "not forwarded            1  no-route: ",
        "not forwarded            1  destination: ",
        "not forwarded            1  interface: ",
        "SID fc00:bb:2:f::/64: 1 with T2, 3 without",
        "SID fc00:bb:2:a::/64: 0 with T2, 1 without",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(told.contains(&format!("1  forwarded with T2 by shell {shell}")), "{told}");
}

pub(in super::super) fn a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end(shell: &str) {
    let mut stage = stage(shell);
    // A veth pair is a card that finishes checksums, and never does: this one leaves `near` with
    // the sum of its pseudo-header alone.
    let near = &stage.net.near;
    let options = SocketOptions::new((near.ipv6(), 0).into());
    let mut socket = near.run(|| UdpSocket::open(&options)).expect("a port is free");
    socket.set_segments(&[address("fc00:bb:2:a::")]).expect("any user may");
    let mut batch = SendBatch::new(1, 100);
    let sent = open_probe();
    batch.slot().expect("it is empty")[..sent.len()].copy_from_slice(&sent);
    let to = (address("fc00:bb:1:1::"), PORT).into();
    batch.push(Outgoing::new(sent.len(), to));
    assert_eq!(socket.send(&mut batch), 1);
    let seen = stage.near.wait_for(|seen| !seen.outgoing && seen.is_probe());
    // An odd place.
    assert_ne!(seen.payload()[19..27], sent[19..27]);
    assert_eq!(seen.checksum(), UdpChecksum::Right);
    assert!(stage.stop().stderr.contains("SID fc00:bb:2:a::/64: 1 with T2, 0 without"));
}

pub(in super::super) fn a_rate_limit_holds(shell: &str) {
    let mut stage = stage(shell);
    let packet = tunnel(&stage, &["fc00:bb:2:c::"], &open_probe());
    for _ in 0..5 {
        stage.send(IPV6, &packet);
    }
    stage.round_trip(IPV6, &tunnel(&stage, &["fc00:bb:2:f::"], &open_probe()));
    let told = stage.stop().stderr;
    assert!(told.contains("SID fc00:bb:2:c::/64: 1 with T2, 0 without"), "{told}");
    assert!(told.contains("not forwarded            4  rate-limited: "), "{told}");
}

pub(in super::super) fn what_is_too_big_for_the_next_link_is_dropped(shell: &str) {
    let mut stage = Stage::over(network_of(1_280), &configuration(shell));
    let mut payload = open_probe();
    payload.resize(1_280 - 88, 0);
    let far = stage.net.far.ipv6().to_string();
    // The whole packet is as long as the link takes, then longer by an octet.
    stage.send(IPV6, &host(&stage, &["fc00:bb:2:f::", &far], &payload));
    stage.far.wait_for(|seen| !seen.outgoing && seen.is_probe());
    payload.push(0);
    stage.send(IPV6, &host(&stage, &["fc00:bb:2:f::", &far], &payload));
    stage.round_trip(IPV6, &tunnel(&stage, &["fc00:bb:2:f::"], &open_probe()));
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    let told = stage.stop().stderr;
    assert!(told.contains("not forwarded            1  too-big: "), "{told}");
    assert!(told.contains("SID fc00:bb:2:f::/64: 2 with T2, 0 without"), "{told}");
}
