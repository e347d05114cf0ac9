//! A source NAT with endpoint-independent mapping, for UDP and for the ICMP errors about it.

use std::net::{IpAddr, SocketAddr};

use pnet::packet::icmp::{self, IcmpPacket, MutableIcmpPacket};
use pnet::packet::icmpv6::{self, Icmpv6Packet, MutableIcmpv6Packet};
use pnet::packet::ip::IpNextHeaderProtocols;

use super::frame::{self, Datagram, Ip};

/// Octets of an ICMP error before the packet it quotes, in both families.
const ICMP_ERROR_OCTETS: usize = 8;

/// Position of the ports in a UDP header.
const SOURCE_PORT: usize = 0;
const DESTINATION_PORT: usize = 2;

/// The state of the NAT.
#[derive(Debug)]
pub(super) struct Translation {
    outside: IpAddr,
    next_port: u16,
    mappings: Vec<Mapping>,
    rebind_after: Option<(u64, u16)>,
}

#[derive(Clone, Copy, Debug)]
struct Mapping {
    inside: SocketAddr,
    outside: SocketAddr,
}

impl Translation {
    pub(super) const fn new(outside: IpAddr, first_port: u16) -> Self {
        Self { outside, next_port: first_port, mappings: Vec::new(), rebind_after: None }
    }

    pub(super) fn rebind(&mut self, first_port: u16) {
        self.mappings.clear();
        self.next_port = first_port;
        self.rebind_after = None;
    }

    pub(super) const fn rebind_after(&mut self, nth: u64, first_port: u16) {
        self.rebind_after = Some((nth, first_port));
    }

    /// Gives a datagram of the near side its source outside. The other family is left alone.
    pub(super) fn outward(&mut self, octets: &mut [u8]) {
        let Some(Datagram { source, .. }) = Datagram::of(octets, 0) else {
            return;
        };
        let Some(ip) = Ip::of(octets).filter(|ip| ip.source.is_ipv4() == self.outside.is_ipv4())
        else {
            return;
        };
        let outside = self.outside_of(source);
        frame::set_source(octets, frame::IP_OFFSET, outside.ip());
        write_port(octets, ip.payload + SOURCE_PORT, outside.port());
        frame::write_checksum(octets);
    }

    /// The `nth` forward datagram has passed.
    pub(super) fn has_passed(&mut self, nth: u64) {
        if let Some((_, first_port)) = self.rebind_after.filter(|(after, _)| nth >= *after) {
            self.rebind(first_port);
        }
    }

    /// Gives what is addressed to the outside its destination inside. False if there is none.
    pub(super) fn inward(&self, octets: &mut [u8]) -> bool {
        let Some(ip) = Ip::of(octets).filter(|ip| ip.destination == self.outside) else {
            return true;
        };
        if let Some(Datagram { destination, .. }) = Datagram::of(octets, 0) {
            let Some(inside) = self.inside_of(destination) else {
                return false;
            };
            frame::set_destination(octets, frame::IP_OFFSET, inside.ip());
            write_port(octets, ip.payload + DESTINATION_PORT, inside.port());
            frame::write_checksum(octets);
            return true;
        }
        self.error_inward(octets, &ip)
    }

    /// An ICMP error quotes the packet it is about: that one's source is translated back too.
    fn error_inward(&self, octets: &mut [u8], ip: &Ip) -> bool {
        let is_v6 = ip.destination.is_ipv6();
        let is_error = octets.get(ip.payload).is_some_and(|kind| match ip.protocol {
            1 => !is_v6 && matches!(kind, 3 | 11 | 12),
            58 => is_v6 && matches!(kind, 1..=4),
            _ => false,
        });
        if !is_error {
            // Neighbour discovery about the outside address, for instance.
            return true;
        }
        let quoted_at = ip.payload + ICMP_ERROR_OCTETS;
        let quoted = Ip::parse(is_v6, octets, quoted_at)
            .filter(|quoted| quoted.protocol == IpNextHeaderProtocols::Udp.0);
        let Some((quoted, port)) =
            quoted.and_then(|quoted| Some((quoted, read_port(octets, quoted.payload)?)))
        else {
            return false;
        };
        let Some(inside) = self.inside_of(SocketAddr::new(quoted.source, port)) else {
            return false;
        };
        frame::set_source(octets, quoted_at, inside.ip());
        write_port(octets, quoted.payload + SOURCE_PORT, inside.port());
        frame::set_destination(octets, frame::IP_OFFSET, inside.ip());
        write_icmp_checksum(octets, ip, inside.ip());
        true
    }

    fn outside_of(&mut self, inside: SocketAddr) -> SocketAddr {
        if let Some(known) = self.mappings.iter().find(|mapping| mapping.inside == inside) {
            return known.outside;
        }
        let outside = SocketAddr::new(self.outside, self.next_port);
        self.next_port = self.next_port.wrapping_add(1);
        self.mappings.push(Mapping { inside, outside });
        outside
    }

    fn inside_of(&self, outside: SocketAddr) -> Option<SocketAddr> {
        self.mappings.iter().find(|mapping| mapping.outside == outside).map(|known| known.inside)
    }
}

fn read_port(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..at + 2)?;
    Some(u16::from_be_bytes([pair[0], pair[1]]))
}

fn write_port(octets: &mut [u8], at: usize, port: u16) {
    if let Some(pair) = octets.get_mut(at..at + 2) {
        pair.copy_from_slice(&port.to_be_bytes());
    }
}

fn write_icmp_checksum(octets: &mut [u8], ip: &Ip, destination: IpAddr) {
    let Some(message) = octets.get_mut(ip.payload..ip.end) else {
        return;
    };
    match (ip.source, destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let sum = Icmpv6Packet::new(message)
                .map(|packet| icmpv6::checksum(&packet, &source, &destination));
            if let (Some(mut packet), Some(sum)) = (MutableIcmpv6Packet::new(message), sum) {
                packet.set_checksum(sum);
            }
        }
        _ => {
            let sum = IcmpPacket::new(message).map(|packet| icmp::checksum(&packet));
            if let (Some(mut packet), Some(sum)) = (MutableIcmpPacket::new(message), sum) {
                packet.set_checksum(sum);
            }
        }
    }
}
