//! Ethernet frames as the relay sees them: finding the UDP datagram, and checksums.

use std::net::{IpAddr, SocketAddr};

use pnet::packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet::packet::udp::{self, MutableUdpPacket, UdpPacket};

/// Where the IP packet begins: behind the Ethernet header.
pub(super) const IP_OFFSET: usize = 14;
const IPV4_OCTETS: usize = 20;
const IPV6_OCTETS: usize = 40;
const UDP_OCTETS: usize = 8;
/// What a packet of our own starts with.
const HOP_LIMIT: u8 = 255;
/// "More fragments" of the IPv4 flags.
const MORE_FRAGMENTS: u8 = 0b001;

/// A UDP datagram as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Position among the datagrams of its way, from 1.
    pub nth: u64,
    /// Where it comes from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Type of service or traffic class: DSCP and ECN.
    pub traffic_class: u8,
    /// UDP payload.
    pub payload: &'a [u8],
}

/// A frame that carries an IP packet, and where in it the packet's payload begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) payload: usize,
    pub(super) end: usize,
    hop_limit: u8,
    traffic_class: u8,
}

impl Ip {
    /// Finds the IP packet in a frame. Fragments, and IPv6 packets with extension headers, are
    /// none for our purpose.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let ethernet = EthernetPacket::new(frame)?;
        Self::parse(ethernet.get_ethertype() == EtherTypes::Ipv6, frame, IP_OFFSET)
    }

    /// Finds the IP packet that begins at `offset`, cut short as an ICMP error may quote it.
    pub(super) fn parse(is_v6: bool, frame: &[u8], offset: usize) -> Option<Self> {
        let octets = frame.get(offset..)?;
        if is_v6 {
            let packet = Ipv6Packet::new(octets)?;
            let payload = offset + IPV6_OCTETS;
            return (packet.get_version() == 6).then(|| Self {
                source: packet.get_source().into(),
                destination: packet.get_destination().into(),
                protocol: packet.get_next_header().0,
                payload,
                end: payload + usize::from(packet.get_payload_length()),
                hop_limit: packet.get_hop_limit(),
                traffic_class: packet.get_traffic_class(),
            });
        }
        let packet = Ipv4Packet::new(octets)?;
        let is_fragment =
            packet.get_fragment_offset() != 0 || packet.get_flags() & MORE_FRAGMENTS != 0;
        (packet.get_version() == 4 && !is_fragment).then(|| Self {
            source: packet.get_source().into(),
            destination: packet.get_destination().into(),
            protocol: packet.get_next_level_protocol().0,
            payload: offset + usize::from(packet.get_header_length()) * 4,
            end: offset + usize::from(packet.get_total_length()),
            hop_limit: packet.get_ttl(),
            traffic_class: packet.get_dscp() << 2 | packet.get_ecn(),
        })
    }

    /// The UDP header and payload of this packet.
    fn udp<'a>(&self, frame: &'a [u8]) -> Option<UdpPacket<'a>> {
        let is_udp = self.protocol == IpNextHeaderProtocols::Udp.0;
        UdpPacket::new(frame.get(self.payload..self.end)?).filter(|_| is_udp)
    }
}

impl<'a> Datagram<'a> {
    /// Finds the datagram in a frame, if it carries one.
    pub(super) fn of(frame: &'a [u8], nth: u64) -> Option<Self> {
        let ip = Ip::of(frame)?;
        let udp = ip.udp(frame)?;
        let payload = frame.get(ip.payload + UDP_OCTETS..ip.end)?;
        Some(Self {
            nth,
            source: SocketAddr::new(ip.source, udp.get_source()),
            destination: SocketAddr::new(ip.destination, udp.get_destination()),
            hop_limit: ip.hop_limit,
            traffic_class: ip.traffic_class,
            payload,
        })
    }
}

/// Builds a frame with a UDP datagram; both pairs are source and destination.
#[track_caller]
pub(super) fn build(
    macs: ([u8; 6], [u8; 6]),
    (source, destination): (SocketAddr, SocketAddr),
    payload: &[u8],
) -> Vec<u8> {
    let udp_octets = UDP_OCTETS + payload.len();
    let length = |octets: usize| u16::try_from(octets).expect("a datagram has up to 65 535 octets");
    let is_v6 = source.is_ipv6();
    assert!(is_v6 == destination.is_ipv6(), "{source} and {destination} are of two families");
    let header_octets = if is_v6 { IPV6_OCTETS } else { IPV4_OCTETS };
    let mut frame = vec![0; IP_OFFSET + header_octets];
    let mut ethernet = MutableEthernetPacket::new(&mut frame).expect("it is long enough");
    ethernet.set_source(macs.0.into());
    ethernet.set_destination(macs.1.into());
    ethernet.set_ethertype(if is_v6 { EtherTypes::Ipv6 } else { EtherTypes::Ipv4 });
    let header = &mut frame[IP_OFFSET..];
    if is_v6 {
        let mut ip = MutableIpv6Packet::new(header).expect("it is long enough");
        ip.set_version(6);
        ip.set_payload_length(length(udp_octets));
        ip.set_next_header(IpNextHeaderProtocols::Udp);
        ip.set_hop_limit(HOP_LIMIT);
    } else {
        let mut ip = MutableIpv4Packet::new(header).expect("it is long enough");
        ip.set_version(4);
        ip.set_header_length(5);
        ip.set_total_length(length(IPV4_OCTETS + udp_octets));
        ip.set_next_level_protocol(IpNextHeaderProtocols::Udp);
        ip.set_ttl(HOP_LIMIT);
    }
    let ports = [source.port(), destination.port(), length(udp_octets), 0];
    frame.extend(ports.iter().flat_map(|field| field.to_be_bytes()));
    frame.extend_from_slice(payload);
    set_source(&mut frame, IP_OFFSET, source.ip());
    set_destination(&mut frame, IP_OFFSET, destination.ip());
    write_checksum(&mut frame);
    frame
}

/// Finishes a checksum that the sending kernel left to its interface, as it does on veth: the field
/// then holds the sum of the pseudo-header alone. Any other value, right or wrong, stays.
pub(super) fn finish_checksum(frame: &mut [u8]) {
    let Some(ip) = Ip::of(frame) else { return };
    let Some(udp) = ip.udp(frame) else { return };
    if udp.get_checksum() == pseudo_header_sum(&ip) {
        write_checksum(frame);
    }
}

/// Computes the UDP checksum anew.
pub(super) fn write_checksum(frame: &mut [u8]) {
    let Some(ip) = Ip::of(frame) else { return };
    let Some(udp) = ip.udp(frame) else { return };
    let sum = match (ip.source, ip.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            udp::ipv4_checksum(&udp, &source, &destination)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            udp::ipv6_checksum(&udp, &source, &destination)
        }
        _ => return,
    };
    // Zero would mean that there is no checksum; its other form is the same number.
    let sum = if sum == 0 { u16::MAX } else { sum };
    if let Some(mut udp) = frame.get_mut(ip.payload..ip.end).and_then(MutableUdpPacket::new) {
        udp.set_checksum(sum);
    }
}

/// The ones' complement sum, not inverted, of addresses, protocol and length.
fn pseudo_header_sum(ip: &Ip) -> u16 {
    let words = |address: IpAddr| -> u32 {
        let octets = match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        octets.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum()
    };
    let length = u32::try_from(ip.end - ip.payload).unwrap_or(0);
    let mut sum = words(ip.source) + words(ip.destination) + u32::from(ip.protocol) + length;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Sets Congestion Experienced in a packet that can have it.
pub(super) fn mark(frame: &mut [u8]) {
    const CE: u8 = 0b11;
    let Some(ip) = Ip::of(frame).filter(|ip| matches!(ip.traffic_class & CE, 1 | 2)) else {
        return;
    };
    let Some(octets) = frame.get_mut(IP_OFFSET..) else { return };
    if ip.source.is_ipv6() {
        if let Some(mut packet) = MutableIpv6Packet::new(octets) {
            packet.set_traffic_class(ip.traffic_class | CE);
        }
    } else if let Some(mut packet) = MutableIpv4Packet::new(octets) {
        packet.set_ecn(CE);
        let sum = ipv4::checksum(&packet.to_immutable());
        packet.set_checksum(sum);
    }
}

/// Turns bits of an octet of the UDP payload. Says whether there was such an octet.
pub(super) fn corrupt(frame: &mut [u8], octet: usize, mask: u8) -> bool {
    let Some(ip) = Ip::of(frame) else {
        return false;
    };
    let position = ip.payload + UDP_OCTETS + octet;
    match frame.get_mut(position).filter(|_| position < ip.end) {
        Some(value) => {
            *value ^= mask;
            true
        }
        None => false,
    }
}

/// Sets the source of a packet, `offset` octets into the frame; the IPv4 header checksum follows.
pub(super) fn set_source(frame: &mut [u8], offset: usize, address: IpAddr) {
    set_address(frame, offset, address, true);
}

/// Sets the destination of a packet, likewise.
pub(super) fn set_destination(frame: &mut [u8], offset: usize, address: IpAddr) {
    set_address(frame, offset, address, false);
}

fn set_address(frame: &mut [u8], offset: usize, address: IpAddr, is_source: bool) {
    let Some(octets) = frame.get_mut(offset..) else {
        return;
    };
    match address {
        IpAddr::V4(address) => {
            let Some(mut packet) = MutableIpv4Packet::new(octets) else {
                return;
            };
            if is_source {
                packet.set_source(address);
            } else {
                packet.set_destination(address);
            }
            let sum = ipv4::checksum(&packet.to_immutable());
            packet.set_checksum(sum);
        }
        IpAddr::V6(address) => {
            let Some(mut packet) = MutableIpv6Packet::new(octets) else {
                return;
            };
            if is_source {
                packet.set_source(address);
            } else {
                packet.set_destination(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: ([u8; 6], [u8; 6]) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);

    fn pairs() -> [(SocketAddr, SocketAddr); 2] {
        [("192.0.2.1:1025", "192.0.2.2:862"), ("[2001:db8::1]:1025", "[2001:db8::2]:862")]
            .map(|(source, destination)| (source.parse().unwrap(), destination.parse().unwrap()))
    }

    /// Where the UDP checksum stands.
    fn checksum(frame: &mut [u8]) -> &mut [u8] {
        let ip = Ip::of(frame).unwrap();
        &mut frame[ip.payload + 6..ip.payload + 8]
    }

    #[test]
    fn a_datagram_is_found_in_the_frame_that_was_built_of_it() {
        for pair in pairs() {
            let frame = build(MACS, pair, b"payload");
            let datagram = Datagram::of(&frame, 7).unwrap();
            assert_eq!((datagram.source, datagram.destination), pair);
            assert_eq!((datagram.nth, datagram.payload), (7, &b"payload"[..]));
            assert_eq!((datagram.hop_limit, datagram.traffic_class), (255, 0));
        }
    }

    #[test]
    fn a_frame_cut_short_anywhere_holds_no_datagram() {
        for pair in pairs() {
            let frame = build(MACS, pair, b"payload");
            for length in 0..frame.len() {
                assert!(Datagram::of(&frame[..length], 1).is_none(), "{length} octets");
            }
        }
    }

    #[test]
    fn what_has_ect_can_be_marked_and_nothing_else() {
        for pair in pairs() {
            let mut frame = build(MACS, pair, b"payload");
            let before = frame.clone();
            mark(&mut frame);
            assert_eq!(frame, before, "Not-ECT stays as it is");
            // ECT(0) with DSCP 46, in the place of either family.
            if pair.0.is_ipv6() {
                frame[IP_OFFSET] = 0x6b;
                frame[IP_OFFSET + 1] = 0xa0;
            } else {
                frame[IP_OFFSET + 1] = 0xba;
            }
            mark(&mut frame);
            assert_eq!(Datagram::of(&frame, 1).unwrap().traffic_class, 0xbb);
            if let Some(packet) = Ipv4Packet::new(&frame[IP_OFFSET..]).filter(|_| !pair.0.is_ipv6())
            {
                assert_eq!(packet.get_checksum(), ipv4::checksum(&packet));
            }
        }
    }

    #[test]
    fn a_fragment_is_no_datagram() {
        let [pair, _] = pairs();
        let mut frame = build(MACS, pair, b"payload");
        frame[IP_OFFSET + 6] = MORE_FRAGMENTS << 5;
        assert!(Datagram::of(&frame, 1).is_none());
    }

    #[test]
    fn a_checksum_left_to_the_interface_is_finished_and_a_wrong_one_stays() {
        for pair in pairs() {
            let whole = build(MACS, pair, b"payload");
            let mut partial = whole.clone();
            let sum = pseudo_header_sum(&Ip::of(&whole).unwrap());
            checksum(&mut partial).copy_from_slice(&sum.to_be_bytes());
            finish_checksum(&mut partial);
            assert_eq!(partial, whole);
            let mut wrong = whole.clone();
            checksum(&mut wrong)[0] ^= 1;
            let before = wrong.clone();
            finish_checksum(&mut wrong);
            assert_eq!(wrong, before);
        }
    }
}
