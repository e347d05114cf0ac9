//! What the messages to the kernel hold.

use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use ipnet::{IpNet, Ipv6Net};
use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteLwEnCapType, RouteLwTunnelEncap, RouteMessage,
    RouteNextHop, RouteProtocol, RouteScope, RouteSeg6LocalTunnel, RouteType, Seg6LocalAction,
};

use crate::plan::{Behaviour, LOOPBACK_INDEX, Route, Segment};

/// One end of a veth pair to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VethEnd<'a> {
    pub(crate) name: &'a str,
    /// Chosen by us and unique over all namespaces: when both ends bear the same number, the kernel
    /// takes the pair for an ordinary device and may report its carrier up to a second late.
    pub(crate) index: u32,
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u32,
}

pub(super) fn link(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

/// Both ends are born where they belong: a pair is never moved.
pub(super) fn veth(
    end: &VethEnd<'_>,
    peer: &VethEnd<'_>,
    peer_namespace: BorrowedFd<'_>,
) -> LinkMessage {
    let mut far = describe(peer);
    far.attributes.push(LinkAttribute::NetNsFd(peer_namespace.as_raw_fd()));
    let mut pair = describe(end);
    pair.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(far))),
    ]));
    pair
}

fn describe(end: &VethEnd<'_>) -> LinkMessage {
    let mut message = link(end.index);
    message.attributes = vec![
        LinkAttribute::IfName(end.name.to_owned()),
        LinkAttribute::Address(end.mac.to_vec()),
        LinkAttribute::Mtu(end.mtu),
    ];
    message
}

pub(super) fn address(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(address.addr());
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    message.header.scope = AddressScope::Universe;
    message.attributes.push(AddressAttribute::Local(address.addr()));
    message.attributes.push(AddressAttribute::Address(address.addr()));
    if address.addr().is_ipv6() {
        // Without duplicate detection the address is usable at once.
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    message
}

pub(super) fn neighbour(index: u32, of: IpAddr, mac: [u8; 6]) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.ifindex = index;
    message.header.kind = RouteType::Unspec;
    message.header.state = NeighbourState::Permanent;
    message.header.family = family(of);
    let address = match of {
        IpAddr::V4(v4) => NeighbourAddress::Inet(v4),
        IpAddr::V6(v6) => NeighbourAddress::Inet6(v6),
    };
    message.attributes.push(NeighbourAttribute::Destination(address));
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
    message
}

pub(super) fn route(route: &Route, table: u32) -> RouteMessage {
    let mut message = toward(route.prefix, table);
    match &route.hops[..] {
        [hop] => {
            message.attributes.push(RouteAttribute::Gateway(route_address(hop.via)));
            message.attributes.push(RouteAttribute::Oif(hop.interface));
        }
        hops => {
            let hops = hops.iter().map(|hop| {
                let mut next = RouteNextHop::default();
                next.interface_index = hop.interface;
                next.attributes.push(RouteAttribute::Gateway(route_address(hop.via)));
                next
            });
            message.attributes.push(RouteAttribute::MultiPath(hops.collect()));
        }
    }
    if let Some(source) = route.source {
        message.attributes.push(RouteAttribute::PrefSource(route_address(source)));
    }
    message
}

pub(super) fn local(address: Ipv6Addr, table: u32) -> RouteMessage {
    let mut message = toward(Ipv6Net::from(address).into(), table);
    message.header.kind = RouteType::Local;
    message.attributes.push(RouteAttribute::Oif(LOOPBACK_INDEX));
    message
}

pub(super) fn on_link(prefix: Ipv6Net, index: u32, table: u32) -> RouteMessage {
    let mut message = toward(prefix.into(), table);
    message.attributes.push(RouteAttribute::Oif(index));
    message
}

/// The question which way leads to an address.
pub(super) fn way_to(address: Ipv6Addr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.header.destination_prefix_length = 128;
    message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet6(address)));
    message
}

/// A SID the kernel answers to (`seg6local`).
pub(super) fn segment(segment: &Segment, inner_table: u32) -> RouteMessage {
    let action = |action| RouteSeg6LocalTunnel::Action(action);
    let behaviour = match segment.behaviour {
        Behaviour::End => vec![action(Seg6LocalAction::End)],
        Behaviour::EndX { next } => {
            vec![action(Seg6LocalAction::EndX), RouteSeg6LocalTunnel::Nh6(next)]
        }
        Behaviour::EndDt6 => {
            vec![action(Seg6LocalAction::EndDt6), RouteSeg6LocalTunnel::Table(inner_table)]
        }
        Behaviour::Un { block_bits, node_bits } => {
            vec![action(Seg6LocalAction::End), next_csid(block_bits, node_bits)]
        }
    };
    let mut message = toward(segment.prefix.into(), super::MAIN_TABLE);
    message.attributes.push(RouteAttribute::EncapType(RouteLwEnCapType::Seg6Local));
    let behaviour = behaviour.into_iter().map(RouteLwTunnelEncap::Seg6Local);
    message.attributes.push(RouteAttribute::Encap(behaviour.collect()));
    message.attributes.push(RouteAttribute::Oif(segment.interface));
    message
}

/// The NEXT-CSID flavor, which the netlink crate does not know.
fn next_csid(block_bits: u8, node_bits: u8) -> RouteSeg6LocalTunnel {
    /// `SEG6_LOCAL_FLAVORS` and what is nested in it.
    const FLAVORS: u16 = 11 | NESTED;
    const NESTED: u16 = 1 << 15;
    const OPERATION: u16 = 1;
    const BLOCK_BITS: u16 = 2;
    const NODE_BITS: u16 = 3;
    /// Bit of the flavor in the set of operations.
    const NEXT_CSID: u32 = 1 << 4;
    let nested = [
        DefaultNla::new(OPERATION, NEXT_CSID.to_ne_bytes().to_vec()),
        DefaultNla::new(BLOCK_BITS, vec![block_bits]),
        DefaultNla::new(NODE_BITS, vec![node_bits]),
    ];
    let nested = &nested[..];
    let mut octets = vec![0; nested.buffer_len()];
    nested.emit(&mut octets);
    RouteSeg6LocalTunnel::Other(DefaultNla::new(FLAVORS, octets))
}

fn toward(prefix: IpNet, table: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family(prefix.addr());
    message.header.destination_prefix_length = prefix.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_UNSPEC;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Table(table));
    message.attributes.push(RouteAttribute::Destination(route_address(prefix.network())));
    message
}

const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

const fn route_address(address: IpAddr) -> RouteAddress {
    match address {
        IpAddr::V4(v4) => RouteAddress::Inet(v4),
        IpAddr::V6(v6) => RouteAddress::Inet6(v6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets the kernel took in a trial: 32 and 16 bits, flavor `next-csid`.
    #[test]
    fn the_flavor_of_a_micro_sid_is_nested_and_padded() {
        let RouteSeg6LocalTunnel::Other(flavors) = next_csid(32, 16) else { panic!("other") };
        let mut octets = vec![0; flavors.buffer_len()];
        flavors.emit(&mut octets);
        let mut expected = Vec::new();
        for part in [28_u16, 11 | 1 << 15, 8, 1] {
            expected.extend(part.to_ne_bytes());
        }
        expected.extend(16_u32.to_ne_bytes());
        for (kind, value) in [(2_u16, 32), (3, 16)] {
            expected.extend(5_u16.to_ne_bytes());
            expected.extend(kind.to_ne_bytes());
            expected.extend([value, 0, 0, 0]);
        }
        assert_eq!(octets, expected);
    }
}
