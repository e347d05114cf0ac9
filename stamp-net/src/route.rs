//! Which way a packet would take from this host.

mod blackhole;
mod mpls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteType, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use socket2::SockRef;

use crate::error::NetError;
use crate::interface;
use crate::netlink::{self, Refusal};
use crate::socket::{bind, options};
use crate::sys;

pub use blackhole::Blackhole;
pub use mpls::label_is_known;

/// The question.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuery {
    /// Destination.
    pub to: IpAddr,
    /// Source address, if it is given.
    pub from: Option<IpAddr>,
    /// Number of the interface or VRF it has to leave through; link-local destinations need it.
    pub interface: Option<u32>,
    /// Mark for routing rules.
    pub fwmark: Option<u32>,
}

impl RouteQuery {
    /// The way to `to`, all else open.
    #[must_use]
    pub const fn to(to: IpAddr) -> Self {
        Self { to, from: None, interface: None, fwmark: None }
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Route {
    /// Source address that the kernel would choose.
    pub source: Option<IpAddr>,
    /// Number of the interface it leaves through.
    pub interface: u32,
    /// Next hop, unless the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// Largest IP packet in octets: set for this route, learned from the path, or else that of the
    /// interface.
    pub mtu: u32,
    /// The destination is this host.
    pub local: bool,
}

/// Asks the routing tables.
///
/// # Errors
///
/// [`NetError::NoRoute`] when none leads there or one forbids it, [`NetError::Call`] and
/// [`NetError::Netlink`] when the kernel does not tell.
pub fn lookup(query: &RouteQuery) -> Result<Route, NetError> {
    let no_route = NetError::NoRoute { to: query.to };
    match netlink::get(RouteNetlinkMessage::GetRoute(question(query))) {
        Ok(RouteNetlinkMessage::NewRoute(answer)) => {
            let mut route = read(&answer).ok_or(no_route)?;
            if route.mtu == 0 {
                route.mtu = interface::mtu(route.interface)?;
            }
            Ok(route)
        }
        Ok(_) => Err(NetError::Netlink),
        Err(Refusal::Kernel(source)) => Err(match source.raw_os_error() {
            // Missing, unreachable, prohibited, blackholed, interface down or gone.
            Some(
                libc::ENETUNREACH
                | libc::EHOSTUNREACH
                | libc::EACCES
                | libc::EINVAL
                | libc::ENETDOWN
                | libc::ENODEV,
            ) => no_route,
            _ => NetError::call("netlink")(source),
        }),
        Err(refusal) => Err(refusal.into()),
    }
}

fn question(query: &RouteQuery) -> RouteMessage {
    let bits = if query.to.is_ipv6() { 128 } else { 32 };
    let mut message = RouteMessage::default();
    message.header.address_family =
        if query.to.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    message.header.destination_prefix_length = bits;
    let mut attributes = vec![RouteAttribute::Destination(query.to.into())];
    if let Some(from) = query.from {
        message.header.source_prefix_length = bits;
        attributes.push(RouteAttribute::Source(from.into()));
    }
    attributes.extend(query.interface.map(RouteAttribute::Oif));
    attributes.extend(query.fwmark.map(RouteAttribute::Mark));
    message.attributes = attributes;
    message
}

/// The MTU stays zero unless the route has one of its own.
fn read(message: &RouteMessage) -> Option<Route> {
    let kind = message.header.kind;
    if matches!(kind, RouteType::Unreachable | RouteType::Prohibit | RouteType::BlackHole) {
        return None;
    }
    let mut interface = None;
    let mut route = Route {
        source: None,
        interface: 0,
        gateway: None,
        mtu: 0,
        local: kind == RouteType::Local,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::Gateway(hop) => route.gateway = address(hop),
            // A next hop of the other family.
            RouteAttribute::Via(RouteVia::Inet(hop)) => route.gateway = Some((*hop).into()),
            RouteAttribute::Via(RouteVia::Inet6(hop)) => route.gateway = Some((*hop).into()),
            RouteAttribute::PrefSource(source) => route.source = address(source),
            RouteAttribute::Metrics(metrics) => {
                let mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
                route.mtu = mtu.unwrap_or(0);
            }
            _ => {}
        }
    }
    route.interface = interface?;
    Some(route)
}

fn address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

/// Largest UDP payload in octets that an IP packet of `mtu` octets carries (without extension
/// headers and options).
#[must_use]
pub const fn largest_payload(mtu: u32, to: IpAddr) -> usize {
    largest_payload_behind(mtu, to, 0)
}

/// The same, when extension headers or options of `extension` octets stand before UDP.
#[must_use]
pub const fn largest_payload_behind(mtu: u32, to: IpAddr, extension: usize) -> usize {
    /// What the length field of the UDP header can say.
    const UDP_OCTETS: usize = 65_535;
    const UDP_HEADER: usize = 8;
    let (packet, header) = match to {
        IpAddr::V4(_) if mtu > 65_535 => (65_535, 20),
        IpAddr::V4(_) => (mtu as usize, 20),
        IpAddr::V6(_) => (mtu as usize, 40),
    };
    let datagram = packet.saturating_sub(header).saturating_sub(extension);
    let datagram = if datagram > UDP_OCTETS { UDP_OCTETS } else { datagram };
    datagram.saturating_sub(UDP_HEADER)
}

/// Whose path MTU is asked for.
pub(crate) struct MtuQuery<'a> {
    pub(crate) to: SocketAddr,
    pub(crate) from: Option<IpAddr>,
    pub(crate) interface: Option<&'a str>,
    pub(crate) fwmark: Option<u32>,
}

/// What the kernel knows about the path, including what routers told it.
pub(crate) fn path_mtu(query: &MtuQuery<'_>) -> Result<u32, NetError> {
    let socket = bind::unbound(query.to)?;
    if let Some(name) = query.interface {
        options::bind_to_interface(&socket, name)?;
    }
    if let Some(mark) = query.fwmark {
        options::set_fwmark(&socket, mark)?;
    }
    if let Some(from) = query.from {
        let scope = match query.to {
            SocketAddr::V6(to) => to.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        bind::bind(&socket, crate::socket::scoped(from, 0, scope))?;
    }
    connect(SockRef::from(&socket), query.to)?;
    let (option, level, name) = if query.to.is_ipv6() {
        ("IPV6_MTU", libc::IPPROTO_IPV6, libc::IPV6_MTU)
    } else {
        ("IP_MTU", libc::IPPROTO_IP, libc::IP_MTU)
    };
    sys::option::get_word(socket.as_fd(), level, name).map_err(NetError::option(option))
}

/// Connects a UDP socket, which asks the routing tables and sends nothing.
pub(crate) fn connect(socket: SockRef<'_>, target: SocketAddr) -> Result<(), NetError> {
    let Err(source) = socket.connect(&target.into()) else { return Ok(()) };
    Err(connect_error(source, target))
}

fn connect_error(source: io::Error, target: SocketAddr) -> NetError {
    match source.raw_os_error() {
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN | libc::EACCES) => {
            NetError::NoRoute { to: target.ip() }
        }
        Some(libc::EINVAL) => match bind::lacks_scope(target) {
            Some(address) => NetError::MissingScope { address },
            // A blackhole route.
            None => NetError::NoRoute { to: target.ip() },
        },
        // IPv6 without any usable address of our own.
        Some(libc::EADDRNOTAVAIL) => NetError::NoRoute { to: target.ip() },
        _ => NetError::call("connect")(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_ourselves_is_local() {
        let localhost = "127.0.0.1".parse().unwrap();
        let route = lookup(&RouteQuery::to(localhost)).unwrap();
        assert!(route.local);
        assert_eq!((route.source, route.gateway), (Some(localhost), None));
        let lo = interface::by_name("lo").unwrap();
        assert_eq!((route.interface, route.mtu), (lo.index, lo.mtu));
    }

    #[test]
    fn the_mtu_of_loopback_is_the_interfaces() {
        let to = "127.0.0.1:862".parse().unwrap();
        let query = MtuQuery { to, from: None, interface: None, fwmark: None };
        // No IPv4 packet is longer than its length field can say.
        let mtu = interface::by_name("lo").unwrap().mtu.min(65_535);
        assert_eq!(path_mtu(&query).unwrap(), mtu);
    }

    #[test]
    fn a_link_local_target_needs_its_interface() {
        let to = "[fe80::1]:862".parse().unwrap();
        let query = MtuQuery { to, from: None, interface: None, fwmark: None };
        match path_mtu(&query) {
            Err(NetError::MissingScope { address }) => assert_eq!(address, to.ip()),
            Err(NetError::FamilyUnavailable { ipv6: true }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn headers_are_taken_off_the_mtu() {
        let (v4, v6) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        assert_eq!(largest_payload(1500, v4), 1472);
        assert_eq!(largest_payload(1500, v6), 1452);
        assert_eq!(largest_payload(1280, v6), 1232);
        assert_eq!(largest_payload(20, v4), 0);
        assert_eq!(largest_payload_behind(1500, v6, 56), 1396);
        assert_eq!(largest_payload_behind(1500, v6, 2000), 0);
    }

    #[test]
    fn no_payload_exceeds_what_a_header_can_say() {
        let (v4, v6) = ("127.0.0.1".parse().unwrap(), "::1".parse().unwrap());
        assert_eq!(largest_payload(65_536, v4), 65_507);
        assert_eq!(largest_payload(u32::MAX, v6), 65_527);
    }

    #[test]
    fn a_forbidden_way_is_no_way() {
        let target: SocketAddr = "192.0.2.1:862".parse().unwrap();
        for errno in [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL] {
            let error = connect_error(io::Error::from_raw_os_error(errno), target);
            assert!(matches!(error, NetError::NoRoute { to } if to == target.ip()), "{errno}");
        }
    }
}
