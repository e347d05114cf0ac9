//! Binding SIDs of SRv6 in a host's kernel.

use std::net::Ipv6Addr;

use rtnetlink::packet_core::DefaultNla;
use rtnetlink::packet_route::route::{
    RouteAttribute, RouteLwEnCapType, RouteLwTunnelEncap, RouteMessage, RouteSeg6LocalTunnel,
    Seg6LocalAction,
};

use super::Host;

impl Host {
    /// A SID that puts a header with these segments around packets (End.B6.Encaps, RFC 8986 §4.13).
    /// The interface may be any of the host's but the loopback device.
    #[track_caller]
    pub fn add_binding_sid(&self, prefix: &str, segments: &[Ipv6Addr], interface: &str) {
        let mut route: RouteMessage = self.route(prefix, None, interface);
        let behaviour = [
            RouteSeg6LocalTunnel::Action(Seg6LocalAction::EndB6Encap),
            RouteSeg6LocalTunnel::Other(DefaultNla::new(SEG6_LOCAL_SRH, header(segments))),
        ];
        let behaviour = behaviour.map(RouteLwTunnelEncap::Seg6Local);
        route.attributes.push(RouteAttribute::EncapType(RouteLwEnCapType::Seg6Local));
        route.attributes.push(RouteAttribute::Encap(behaviour.to_vec()));
        self.request(format_args!("add the binding SID {prefix}"), |netlink| {
            netlink.add_route(route)
        });
    }
}

/// Which attribute holds the header.
const SEG6_LOCAL_SRH: u16 = 2;

/// A Segment Routing Header with the last segment first (RFC 8754 §2), as the kernel wants it.
fn header(segments: &[Ipv6Addr]) -> Vec<u8> {
    let count = u8::try_from(segments.len()).expect("few segments");
    let mut octets = vec![0, 2 * count, 4, count - 1, count - 1, 0, 0, 0];
    octets.extend(segments.iter().rev().flat_map(Ipv6Addr::octets));
    octets
}
