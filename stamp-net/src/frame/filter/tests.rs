//! The programs are run by the kernel, on datagrams of a socket pair that need no right: for such a
//! socket the frame is the datagram.

use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use super::*;
use crate::sys;

const PORT_OF_OURS: u16 = 8620;

struct Gate(UnixDatagram, UnixDatagram);

impl Gate {
    fn new(filter: &FrameFilter) -> Self {
        let (near, far) = UnixDatagram::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let mut program = filter.program(true);
        sys::option::set_program(far.as_fd(), libc::SO_ATTACH_FILTER, &mut program).unwrap();
        Self(near, far)
    }

    fn lets_in(&self, frame: &[u8]) -> bool {
        self.0.send(frame).unwrap();
        let mut octets = [0; 2048];
        match self.1.recv(&mut octets) {
            Ok(length) => octets[..length] == *frame,
            Err(_) => false,
        }
    }
}

fn ours_v6() -> Ipv6Addr {
    "2001:db8::1".parse().unwrap()
}

fn gate() -> Gate {
    let filter = FrameFilter::nothing()
        .and_datagrams_to(SocketAddr::new([192, 0, 2, 1].into(), PORT_OF_OURS))
        .and_datagrams_to(SocketAddr::new(ours_v6().into(), PORT_OF_OURS));
    Gate::new(&filter)
}

fn udp(port: u16) -> Vec<u8> {
    let mut octets = vec![0; 8 + 44];
    octets[2..4].copy_from_slice(&port.to_be_bytes());
    octets
}

fn ipv4(to: [u8; 4], upper: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 20];
    (octets[0], octets[9]) = (0x45, 17);
    octets[16..20].copy_from_slice(&to);
    [&octets, upper].concat()
}

fn ipv6(to: Ipv6Addr, next_header: u8, upper: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 40];
    (octets[0], octets[6]) = (0x60, next_header);
    octets[24..40].copy_from_slice(&to.octets());
    [&octets, upper].concat()
}

fn srh(segments: u8, next_header: u8, upper: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 8 + 16 * usize::from(segments)];
    octets[..3].copy_from_slice(&[next_header, 2 * segments, 4]);
    [&octets, upper].concat()
}

fn labels(count: usize, packet: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 4 * count];
    octets[4 * count - 2] = 1;
    [&octets, packet].concat()
}

fn ethernet(ether_type: EtherType, packet: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &ether_type.0.to_be_bytes(), packet].concat()
}

/// The packet under every encapsulation that is looked into.
fn encapsulated(packet: &[u8]) -> Vec<Vec<u8>> {
    let version = packet[0] >> 4;
    let (ether_type, next_header) =
        if version == 4 { (EtherType::IPV4, 4) } else { (EtherType::IPV6, 41) };
    let sid = "fc00:bb::d6".parse().unwrap();
    let outer = ipv6(sid, next_header, packet);
    let outer_srh = ipv6(sid, 43, &srh(3, next_header, packet));
    let mut frames = vec![
        ethernet(ether_type, packet),
        ethernet(EtherType::IPV6, &outer),
        ethernet(EtherType::IPV6, &outer_srh),
        ethernet(EtherType::MPLS, &labels(3, &outer_srh)),
    ];
    for depth in 1..=FrameFilter::DEEPEST_STACK {
        frames.push(ethernet(EtherType::MPLS, &labels(depth, packet)));
    }
    frames
}

fn segmented(to: Ipv6Addr, port: u16) -> Vec<Vec<u8>> {
    let behind = |segments| ipv6(to, 43, &srh(segments, 17, &udp(port)));
    (1..=60).map(behind).collect()
}

#[test]
fn a_datagram_of_ours_is_found_in_every_encapsulation() {
    let gate = gate();
    let mut packets = segmented(ours_v6(), PORT_OF_OURS);
    packets.push(ipv4([192, 0, 2, 1], &udp(PORT_OF_OURS)));
    packets.push(ipv6(ours_v6(), 17, &udp(PORT_OF_OURS)));
    for packet in packets {
        for frame in encapsulated(&packet) {
            assert!(gate.lets_in(&frame), "{frame:02x?}");
        }
    }
}

#[test]
fn a_datagram_of_others_is_found_in_none() {
    let gate = gate();
    let other_v6: Ipv6Addr = "2001:db8::2".parse().unwrap();
    let mut packets = segmented(other_v6, PORT_OF_OURS);
    packets.extend(segmented(ours_v6(), 862));
    packets.extend([
        ipv4([192, 0, 2, 2], &udp(PORT_OF_OURS)),
        ipv4([192, 0, 2, 1], &udp(862)),
        ipv6(other_v6, 17, &udp(PORT_OF_OURS)),
        ipv6(ours_v6(), 17, &udp(862)),
        ipv6(ours_v6(), 6, &udp(PORT_OF_OURS)),
        ipv6(ours_v6(), 43, &srh(2, 6, &udp(PORT_OF_OURS))),
    ]);
    for packet in packets {
        for frame in encapsulated(&packet) {
            assert!(!gate.lets_in(&frame), "{frame:02x?}");
        }
    }
}

#[test]
fn the_port_is_found_behind_options() {
    let mut octets = ipv4([192, 0, 2, 1], &[]);
    octets[0] = 0x4f;
    octets.extend([0; 40]);
    octets.extend(udp(PORT_OF_OURS));
    assert!(gate().lets_in(&ethernet(EtherType::IPV4, &octets)));
}

#[test]
fn fragments_are_no_datagrams() {
    for fragment in [0x2000_u16, 0x0001, 0x1fff] {
        let mut packet = ipv4([192, 0, 2, 1], &udp(PORT_OF_OURS));
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        assert!(!gate().lets_in(&ethernet(EtherType::IPV4, &packet)));
    }
    let mut whole = ipv4([192, 0, 2, 1], &udp(PORT_OF_OURS));
    whole[6] = 0x40;
    assert!(gate().lets_in(&ethernet(EtherType::IPV4, &whole)), "don't fragment");
}

#[test]
fn another_routing_header_is_not_looked_into() {
    let mut behind = srh(2, 17, &udp(PORT_OF_OURS));
    behind[2] = 2;
    assert!(!gate().lets_in(&ethernet(EtherType::IPV6, &ipv6(ours_v6(), 43, &behind))));
}

#[test]
fn a_stack_too_deep_and_a_second_nesting_are_left_out() {
    let packet = ipv6(ours_v6(), 17, &udp(PORT_OF_OURS));
    let deep = labels(FrameFilter::DEEPEST_STACK + 1, &packet);
    assert!(!gate().lets_in(&ethernet(EtherType::MPLS, &deep)));
    let nested = ipv6(ours_v6(), 41, &ipv6(ours_v6(), 41, &packet));
    assert!(!gate().lets_in(&ethernet(EtherType::IPV6, &nested)));
}

#[test]
fn every_truncation_is_left_out() {
    let packet = ipv6(ours_v6(), 43, &srh(2, 17, &udp(PORT_OF_OURS)));
    let frame = ethernet(EtherType::MPLS, &labels(2, &packet));
    // Up to the port, which is the last that is looked at.
    let looked_at = frame.len() - 44 - 4;
    let gate = gate();
    for length in 1..looked_at {
        assert!(!gate.lets_in(&frame[..length]), "{length}");
    }
    assert!(gate.lets_in(&frame[..looked_at]));
}

#[test]
fn a_type_lets_in_all_its_frames_and_nothing_else() {
    let gate = Gate::new(&FrameFilter::nothing().and_type(EtherType::MPLS));
    assert!(gate.lets_in(&ethernet(EtherType::MPLS, &[])));
    assert!(!gate.lets_in(&ethernet(EtherType::IPV6, &ipv6(ours_v6(), 17, &udp(862)))));
}

#[test]
fn a_prefix_lets_in_its_packets_to_the_last_bit() {
    for bits in [0, 1, 31, 32, 33, 64, 80, 127, 128] {
        let gate = Gate::new(&FrameFilter::nothing().and_destinations(ours_v6(), bits));
        for flipped in 0..128 {
            let to = Ipv6Addr::from_bits(ours_v6().to_bits() ^ (1 << (127 - flipped)));
            let frame = ethernet(EtherType::IPV6, &ipv6(to, 59, &[]));
            assert_eq!(gate.lets_in(&frame), flipped >= bits, "{bits} {flipped}");
        }
    }
}

#[test]
fn an_unspecified_address_stands_for_all_of_its_family() {
    let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), PORT_OF_OURS);
    let gate = Gate::new(&FrameFilter::nothing().and_datagrams_to(any));
    let packet = ipv6("fc00::9".parse().unwrap(), 17, &udp(PORT_OF_OURS));
    assert!(gate.lets_in(&ethernet(EtherType::IPV6, &packet)));
    let packet = ipv4([192, 0, 2, 1], &udp(PORT_OF_OURS));
    assert!(!gate.lets_in(&ethernet(EtherType::IPV4, &packet)));
}

#[test]
fn with_more_prefixes_than_the_kernel_tells_apart_every_packet_gets_in() {
    let mut filter = FrameFilter::nothing();
    for address in 0..FrameFilter::MOST_ADDRESSES as u128 {
        filter = filter.and_destinations(Ipv6Addr::from_bits(address), 128);
    }
    let packet = ethernet(EtherType::IPV6, &ipv6(ours_v6(), 59, &[]));
    assert!(!Gate::new(&filter).lets_in(&packet));
    let gate = Gate::new(&filter.and_destinations(Ipv6Addr::LOCALHOST, 128));
    assert!(gate.lets_in(&packet));
}

fn with_ports(ports: impl IntoIterator<Item = u16>) -> FrameFilter {
    ports.into_iter().fold(FrameFilter::nothing(), |filter, port| {
        filter.and_datagrams_to(SocketAddr::new(ours_v6().into(), port))
    })
}

#[test]
fn with_more_addresses_than_the_kernel_tells_apart_their_ports_get_in() {
    let most = FrameFilter::MOST_ADDRESSES as u16;
    let asked = |count: u16| (0..count).map(|nth| 1_000 + 100 * nth);
    let to = |address: &str, port| {
        ethernet(EtherType::IPV6, &ipv6(address.parse().unwrap(), 17, &udp(port)))
    };
    let exact = Gate::new(&with_ports(asked(most)));
    assert!(exact.lets_in(&to("2001:db8::1", 1_000)));
    assert!(!exact.lets_in(&to("2001:db8::2", 1_000)), "another address");
    let filter = with_ports(asked(most + 30).rev());
    let gate = Gate::new(&filter);
    for port in asked(most + 30) {
        assert!(gate.lets_in(&to("2001:db8::1", port)), "{port}");
        assert!(!gate.lets_in(&to("2001:db8::2", port)), "another address: {port}");
    }
    let between = asked(most + 30).filter(|port| gate.lets_in(&to("2001:db8::1", port + 50)));
    assert_eq!(between.count(), 30, "each range that grew together has one gap within it");
    assert!(!gate.lets_in(&to("2001:db8::1", 999)) && !gate.lets_in(&to("2001:db8::1", 60_000)));
    let ipv4 = ethernet(EtherType::IPV4, &ipv4([192, 0, 2, 1], &udp(1_000)));
    assert!(!gate.lets_in(&ipv4));
    // At all addresses where they are too many as well, or one stands for all.
    let many = |filter: FrameFilter, nth: u128| {
        let address = Ipv6Addr::from_bits(ours_v6().to_bits() + nth);
        filter.and_datagrams_to(SocketAddr::new(address.into(), 1_000))
    };
    assert!(!Gate::new(&(1..16).fold(filter.clone(), many)).lets_in(&ipv4));
    assert!(Gate::new(&(1..17).fold(filter.clone(), many)).lets_in(&ipv4));
    let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 1_000);
    assert!(Gate::new(&filter.and_datagrams_to(any)).lets_in(&ipv4));
}

#[test]
fn ranges_grow_together_where_they_are_nearest() {
    let far = (0..FrameFilter::MOST_ADDRESSES as u16 - 1).map(|nth| 20_000 + 500 * nth);
    let filter = with_ports(far.chain([100, 103]));
    assert_eq!(filter.ports.len(), FrameFilter::MOST_ADDRESSES);
    assert_eq!(filter.ports[0], 100..=103);
    let edges =
        with_ports((0..=FrameFilter::MOST_ADDRESSES as u16).map(|nth| nth * 7).chain([65_535]));
    let gate = Gate::new(&edges);
    for (port, expected) in [(0, true), (65_535, true), (65_534, false)] {
        let datagram = ethernet(EtherType::IPV6, &ipv6(ours_v6(), 17, &udp(port)));
        assert_eq!(gate.lets_in(&datagram), expected, "{port}");
    }
}

#[test]
fn without_a_rule_nothing_gets_in() {
    assert!(FrameFilter::nothing().is_empty());
    let gate = Gate::new(&FrameFilter::nothing());
    let packet = ipv4([192, 0, 2, 1], &udp(PORT_OF_OURS));
    assert!(encapsulated(&packet).iter().all(|frame| !gate.lets_in(frame)));
}
