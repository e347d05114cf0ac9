//! Packets made octet by octet, for what no socket of the kernel sends.

use std::net::{Ipv4Addr, Ipv6Addr};

use stamp_net::interface::{self, LinkLayer, MacAddress};
use stamp_net::{EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, SendOutcome};

use crate::network::Host;

/// What stands in a probe's place.
pub(crate) const PAYLOAD: [u8; 44] = [7; 44];

pub(crate) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut octets = [8620_u16, port, length, 0].map(u16::to_be_bytes).concat();
    octets.extend(payload);
    octets
}

/// A datagram without a UDP checksum.
pub(crate) fn ipv4(from: Ipv4Addr, to: Ipv4Addr, udp: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 20];
    (octets[0], octets[8], octets[9]) = (0x45, 255, 17);
    octets[2..4].copy_from_slice(&(20 + udp.len() as u16).to_be_bytes());
    octets[12..16].copy_from_slice(&from.octets());
    octets[16..20].copy_from_slice(&to.octets());
    let sum: u32 =
        octets.as_chunks().0.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    octets[10..12].copy_from_slice(&sum.to_be_bytes());
    [&octets, udp].concat()
}

pub(crate) fn ipv6(from: Ipv6Addr, to: Ipv6Addr, next_header: u8, upper: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x60, 0, 0, 0];
    octets.extend((upper.len() as u16).to_be_bytes());
    octets.extend([next_header, 255]);
    octets.extend([from.octets(), to.octets()].concat());
    [&octets, upper].concat()
}

/// A Segment Routing Header whose segments, in the order of travel, have all been passed.
pub(crate) fn srh(segments: &[Ipv6Addr], next_header: u8, upper: &[u8]) -> Vec<u8> {
    let count = segments.len() as u8;
    let mut octets = vec![next_header, 2 * count, 4, 0, count - 1, 0, 0, 0];
    octets.extend(segments.iter().rev().flat_map(Ipv6Addr::octets));
    [&octets, upper].concat()
}

pub(crate) fn labels(labels: &[u32], packet: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let bottom = u32::from(index + 1 == labels.len());
        octets.extend((label << 12 | bottom << 8 | 255).to_be_bytes());
    }
    octets.extend(packet);
    octets
}

pub(crate) fn ethernet(
    from: MacAddress,
    to: MacAddress,
    ether_type: EtherType,
    packet: &[u8],
) -> Vec<u8> {
    [&to.0[..], &from.0, &ether_type.0.to_be_bytes(), packet].concat()
}

/// The address of a host's interface on its link.
pub(crate) fn mac(host: &Host, name: &str) -> MacAddress {
    match host.run(|| interface::by_name(name)).unwrap().link_layer {
        LinkLayer::Ethernet { address } => address,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn open(host: &Host, options: &FrameOptions) -> FrameSocket {
    host.run(|| FrameSocket::open(options)).unwrap()
}

/// A socket that receives nothing.
pub(crate) fn sending(host: &Host, name: &str) -> FrameSocket {
    open(host, &FrameOptions::new(name, FrameFilter::nothing()))
}

pub(crate) fn send(socket: &FrameSocket, frames: &[Vec<u8>]) -> Vec<SendOutcome> {
    let mut batch = FrameBatch::new(frames.len(), frames.iter().map(Vec::len).max().unwrap());
    for frame in frames {
        batch.slot().unwrap()[..frame.len()].copy_from_slice(frame);
        batch.push(frame.len()).unwrap();
    }
    socket.send(&mut batch);
    batch.outcomes().collect()
}
