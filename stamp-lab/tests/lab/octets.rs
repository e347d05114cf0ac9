//! Frames of our own: what a sender of labelled packets or segment lists puts on the link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use stamp_net::frame::EtherType;
use stamp_net::packet::{Offload, PacketSocket};
use stamp_path::topology::Side;

use crate::network::Net;

const UDP: u8 = 17;
const ROUTING: u8 = 43;
const IPV6_IN_IPV6: u8 = 41;

/// Sends a packet from one node over a link, past the node's own kernel.
pub(crate) fn send(net: &Net, from: &str, link: &str, (ether_type, packet): (EtherType, &[u8])) {
    let id = net.link(link);
    let side = net.0.topology()[id].side_of(net.node(from)).expect("an end of the link");
    let plan = net.0.plan().link(id).expect("a physical link");
    let (near, far) = (plan.end(side), plan.end(Side::opposite(side)));
    let mut frame = Vec::new();
    frame.extend(far.mac);
    frame.extend(near.mac);
    frame.extend(ether_type.0.to_be_bytes());
    frame.extend(packet);
    let socket =
        net.inside(from, || PacketSocket::open(near.index, EtherType(0), Offload::Ignored));
    socket.expect("the rights are there").send(near.index, &frame).expect("it leaves");
}

/// A UDP datagram with its IP header.
pub(crate) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let udp = udp((from, to), to.ip(), payload);
            let length = (20 + udp.len()) as u16;
            let mut header = vec![0x45, 0];
            header.extend(length.to_be_bytes());
            header.extend([0, 0, 0, 0, 64, UDP, 0, 0]);
            header.extend(Ipv4Addr::octets(&source));
            header.extend(destination.octets());
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            [header, udp].concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ipv6(source, destination, (UDP, &udp((from, to), to.ip(), payload)))
        }
        _ => panic!("two families"),
    }
}

/// A datagram that visits `segments` before it comes to `to`, by a routing header of its own.
pub(crate) fn routed(
    from: SocketAddr,
    to: SocketAddr,
    segments: &[Ipv6Addr],
    payload: &[u8],
) -> Vec<u8> {
    let (IpAddr::V6(source), IpAddr::V6(last)) = (from.ip(), to.ip()) else { panic!("IPv6") };
    let list = [segments, &[last]].concat();
    let udp = udp((from, to), to.ip(), payload);
    ipv6(source, list[0], (ROUTING, &[srh(UDP, &list), udp].concat()))
}

/// A packet inside of another that visits `segments`, the last of which takes it out.
pub(crate) fn encapsulated(source: Ipv6Addr, segments: &[Ipv6Addr], inner: &[u8]) -> Vec<u8> {
    let behind = [srh(IPV6_IN_IPV6, segments), inner.to_vec()].concat();
    ipv6(source, segments[0], (ROUTING, &behind))
}

/// A packet inside of another without a segment list.
pub(crate) fn inside(source: Ipv6Addr, destination: Ipv6Addr, inner: &[u8]) -> Vec<u8> {
    ipv6(source, destination, (IPV6_IN_IPV6, inner))
}

/// Labels, top first, in front of a packet.
pub(crate) fn labelled(labels: &[u32], packet: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (position, label) in labels.iter().enumerate() {
        let is_last = u32::from(position + 1 == labels.len());
        octets.extend((label << 12 | is_last << 8 | 64).to_be_bytes());
    }
    octets.extend(packet);
    octets
}

fn srh(next_header: u8, segments: &[Ipv6Addr]) -> Vec<u8> {
    let last = segments.len() as u8 - 1;
    let mut header = vec![next_header, segments.len() as u8 * 2, 4, last, last, 0, 0, 0];
    header.extend(segments.iter().rev().flat_map(Ipv6Addr::octets));
    header
}

fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, (next, payload): (u8, &[u8])) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 64]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend(payload);
    packet
}

fn udp((from, to): (SocketAddr, SocketAddr), last: IpAddr, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let mut datagram = Vec::new();
    for field in [from.port(), to.port(), length, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.extend(payload);
    let octets = |address| match address {
        IpAddr::V4(address) => Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => Ipv6Addr::octets(&address).to_vec(),
    };
    let mut covered = octets(from.ip());
    covered.extend(octets(last));
    covered.extend([0, UDP]);
    covered.extend(length.to_be_bytes());
    covered.extend(&datagram);
    let sum = checksum(&covered);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

fn checksum(octets: &[u8]) -> u16 {
    let words = octets
        .chunks(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = words.sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
