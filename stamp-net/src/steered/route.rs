//! Routes whose packets get segments.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_core::{
    DefaultNla, Emitable as _, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, NlaBuffer,
    Parseable as _,
};
use netlink_packet_route::route::{
    MplsLabel, RouteAddress, RouteAttribute, RouteHeader, RouteLwEnCapType, RouteLwTunnelEncap,
    RouteMessage, RouteMplsIpTunnel, RouteNextHop, RouteProtocol, RouteScope, RouteSeg6IpTunnel,
    RouteType, RouteVia, Seg6Header, Seg6Mode,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use stamp_proto::sr::mpls::Label;

use super::{Maker, is_so, refused};
use crate::error::NetError;
use crate::netlink::{self, Refusal};

/// A route whose packets are spread over segment lists.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SteeredRoute {
    /// The table it stands in.
    pub table: u32,
    /// Where its packets go.
    pub prefix: IpNet,
    /// One for each list; none for a route that was read and is none that this program makes.
    pub hops: Vec<SteeredHop>,
}

/// A segment list, and how packets with it leave.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SteeredHop {
    /// What is put on packets.
    pub onto: Onto,
    /// The neighbour that takes them.
    pub gateway: IpAddr,
    /// Number of the interface.
    pub interface: u32,
    /// Share of packets, from 1 to 256, against those of the other lists; 1 for a list alone.
    pub weight: u16,
}

/// What is put on packets.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Onto {
    /// An IPv6 header, and a Segment Routing Header with these SIDs, the first one visited in front.
    Sids {
        /// The first one stands in the IPv6 header alone.
        reduced: bool,
        /// At least one.
        sids: Vec<Ipv6Addr>,
    },
    /// Labels, top first.
    Labels(Vec<Label>),
}

/// `SEG6_IPTUN_MODE_ENCAP_RED`.
const REDUCED: Seg6Mode = Seg6Mode::Other(3);

impl SteeredRoute {
    /// Every route of that maker.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] and [`NetError::Netlink`] when the kernel does not tell.
    pub fn all(maker: Maker) -> Result<Vec<Self>, NetError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut question = RouteMessage::default();
            question.header.address_family = family;
            question.header.protocol = RouteProtocol::from(maker.0);
            let told = netlink::dump_alike(RouteNetlinkMessage::GetRoute(question))?;
            routes.extend(told.into_iter().filter_map(|message| match message {
                RouteNetlinkMessage::NewRoute(route) => read(&route, maker),
                _ => None,
            }));
        }
        Ok(routes)
    }

    /// Puts it there, in the place of one to the same prefix in the same table.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_ADMIN`, [`NetError::NoEncapsulation`] where the
    /// kernel cannot, [`NetError::Call`] for whatever else it says.
    pub fn put(&self, maker: Maker) -> Result<(), NetError> {
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        let wish = RouteNetlinkMessage::NewRoute(self.message(maker));
        netlink::change(wish, flags).map_err(refused)
    }

    /// Takes it away; one that is gone is no error.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    pub fn take(&self, maker: Maker) -> Result<(), NetError> {
        let bare = Self { hops: Vec::new(), ..self.clone() };
        let wish = RouteNetlinkMessage::DelRoute(bare.message(maker));
        match netlink::change(wish, NLM_F_REQUEST | NLM_F_ACK) {
            Err(Refusal::Kernel(source)) if is_so(&source, libc::ESRCH) => Ok(()),
            done => done.map_err(refused),
        }
    }

    fn message(&self, maker: Maker) -> RouteMessage {
        let mut message = RouteMessage::default();
        let is_ipv6 = self.prefix.addr().is_ipv6();
        message.header.address_family =
            if is_ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        message.header.destination_prefix_length = self.prefix.prefix_len();
        message.header.table = RouteHeader::RT_TABLE_UNSPEC;
        message.header.protocol = RouteProtocol::from(maker.0);
        message.header.scope = RouteScope::Universe;
        message.header.kind = RouteType::Unicast;
        let network = match self.prefix.network() {
            IpAddr::V4(v4) => RouteAddress::Inet(v4),
            IpAddr::V6(v6) => RouteAddress::Inet6(v6),
        };
        message.attributes =
            vec![RouteAttribute::Table(self.table), RouteAttribute::Destination(network)];
        match &self.hops[..] {
            [] => {}
            [hop] => {
                message.attributes.extend(hop.attributes(is_ipv6));
                message.attributes.push(RouteAttribute::Oif(hop.interface));
            }
            hops => {
                let hops = hops.iter().map(|hop| {
                    let mut next = RouteNextHop::default();
                    next.interface_index = hop.interface;
                    next.hops = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
                    next.attributes = hop.attributes(is_ipv6).into();
                    next
                });
                message.attributes.push(RouteAttribute::MultiPath(hops.collect()));
            }
        }
        message
    }
}

impl SteeredHop {
    fn attributes(&self, of_ipv6: bool) -> [RouteAttribute; 3] {
        let gateway = match self.gateway {
            IpAddr::V4(v4) => RouteAttribute::Gateway(RouteAddress::Inet(v4)),
            IpAddr::V6(v6) if of_ipv6 => RouteAttribute::Gateway(RouteAddress::Inet6(v6)),
            // A neighbour of the other family.
            IpAddr::V6(v6) => RouteAttribute::Via(RouteVia::Inet6(v6)),
        };
        let (kind, onto) = match &self.onto {
            Onto::Sids { reduced, sids } => {
                let mut header = Seg6Header::default();
                header.mode = if *reduced { REDUCED } else { Seg6Mode::Encap };
                header.segments.clone_from(sids);
                let header = RouteLwTunnelEncap::Seg6(RouteSeg6IpTunnel::Seg6(header));
                (RouteLwEnCapType::Seg6, header)
            }
            Onto::Labels(labels) => {
                let bottom = labels.len().saturating_sub(1);
                let entries = labels.iter().enumerate().map(|(at, label)| MplsLabel {
                    label: label.value(),
                    traffic_class: 0,
                    bottom_of_stack: at == bottom,
                    ttl: 0,
                });
                let stack = RouteMplsIpTunnel::Destination(entries.collect());
                (RouteLwEnCapType::Mpls, RouteLwTunnelEncap::Mpls(stack))
            }
        };
        [RouteAttribute::EncapType(kind), RouteAttribute::Encap(vec![onto]), gateway]
    }

    /// From what stands beside a next hop.
    fn read(attributes: &[RouteAttribute], interface: u32, weight: u16) -> Option<Self> {
        let (mut onto, mut gateway) = (None, None);
        let kind = attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::EncapType(kind) => Some(*kind),
            _ => None,
        });
        for attribute in attributes {
            match attribute {
                RouteAttribute::Encap(encapsulation) => {
                    onto = encapsulation.iter().find_map(|it| Onto::read(it, kind?));
                }
                RouteAttribute::Gateway(RouteAddress::Inet(v4))
                | RouteAttribute::Via(RouteVia::Inet(v4)) => gateway = Some((*v4).into()),
                RouteAttribute::Gateway(RouteAddress::Inet6(v6))
                | RouteAttribute::Via(RouteVia::Inet6(v6)) => gateway = Some((*v6).into()),
                _ => {}
            }
        }
        Some(Self { onto: onto?, gateway: gateway?, interface, weight })
    }
}

impl Onto {
    fn read(encapsulation: &RouteLwTunnelEncap, kind: RouteLwEnCapType) -> Option<Self> {
        match encapsulation {
            // Among several hops the netlink crate does not look which kind it is.
            RouteLwTunnelEncap::Other(raw) => Self::read(&typed(raw, kind)?, kind),
            RouteLwTunnelEncap::Seg6(RouteSeg6IpTunnel::Seg6(header)) => {
                let reduced = match header.mode {
                    Seg6Mode::Encap => false,
                    REDUCED => true,
                    _ => return None,
                };
                let plain = header.hmac.is_none();
                plain.then(|| Self::Sids { reduced, sids: header.segments.clone() })
            }
            RouteLwTunnelEncap::Mpls(RouteMplsIpTunnel::Destination(entries)) => {
                let labels = entries.iter().map(|entry| Label::new(entry.label));
                labels.collect::<Option<_>>().map(Self::Labels)
            }
            _ => None,
        }
    }
}

/// What an attribute is, of the kind of encapsulation that is told beside it.
fn typed(raw: &DefaultNla, kind: RouteLwEnCapType) -> Option<RouteLwTunnelEncap> {
    let mut octets = vec![0; raw.buffer_len()];
    raw.emit(&mut octets);
    let attribute = NlaBuffer::new_checked(&octets[..]).ok()?;
    match kind {
        RouteLwEnCapType::Seg6 => {
            RouteSeg6IpTunnel::parse(&attribute).ok().map(RouteLwTunnelEncap::Seg6)
        }
        RouteLwEnCapType::Mpls => {
            RouteMplsIpTunnel::parse(&attribute).ok().map(RouteLwTunnelEncap::Mpls)
        }
        _ => None,
    }
}

/// A route of that maker, if it is one.
fn read(message: &RouteMessage, maker: Maker) -> Option<SteeredRoute> {
    if message.header.protocol != RouteProtocol::from(maker.0) {
        return None;
    }
    let (mut table, mut interface) = (u32::from(message.header.table), None);
    let mut to = match message.header.address_family {
        AddressFamily::Inet => IpAddr::from([0; 4]),
        AddressFamily::Inet6 => IpAddr::from([0; 16]),
        _ => return None,
    };
    let mut several = None;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Destination(RouteAddress::Inet(v4)) => to = (*v4).into(),
            RouteAttribute::Destination(RouteAddress::Inet6(v6)) => to = (*v6).into(),
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::MultiPath(hops) => several = Some(hops),
            _ => {}
        }
    }
    let hops: Option<Vec<SteeredHop>> = match several {
        Some(hops) => hops
            .iter()
            .map(|hop| {
                let weight = u16::from(hop.hops) + 1;
                SteeredHop::read(&hop.attributes, hop.interface_index, weight)
            })
            .collect(),
        None => interface
            .and_then(|interface| SteeredHop::read(&message.attributes, interface, 1))
            .map(|hop| vec![hop]),
    };
    let is_one = message.header.kind == RouteType::Unicast;
    let hops = hops.filter(|_| is_one).unwrap_or_default();
    let prefix = IpNet::new(to, message.header.destination_prefix_length).ok()?;
    Some(SteeredRoute { table, prefix, hops })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKER: Maker = Maker(84);

    fn sids(reduced: bool, sids: &[&str]) -> Onto {
        Onto::Sids { reduced, sids: sids.iter().map(|sid| sid.parse().unwrap()).collect() }
    }

    fn labels(labels: &[u32]) -> Onto {
        Onto::Labels(labels.iter().map(|label| Label::new(*label).unwrap()).collect())
    }

    fn hop(onto: Onto, gateway: &str, weight: u16) -> SteeredHop {
        SteeredHop { onto, gateway: gateway.parse().unwrap(), interface: 7, weight }
    }

    /// What the kernel is told reads as what was meant.
    #[track_caller]
    fn is_told(prefix: &str, hops: Vec<SteeredHop>) {
        let route = SteeredRoute { table: 8300, prefix: prefix.parse().unwrap(), hops };
        let message = route.message(MAKER);
        let mut octets = vec![0; message.buffer_len()];
        message.emit(&mut octets);
        let again = RouteMessage::parse(&octets[..]).unwrap();
        assert_eq!(read(&again, MAKER), Some(route));
        assert_eq!(read(&again, Maker(85)), None, "of another");
    }

    #[test]
    fn every_form_is_read_as_it_was_written() {
        let [whole, reduced] = [false, true].map(|it| sids(it, &["fc00:a::1", "fc00:b::1"]));
        for onto in [whole.clone(), reduced, sids(false, &["fc00:a::1"])] {
            is_told("2001:db8:9::/48", vec![hop(onto.clone(), "fe80::1", 1)]);
            is_told("198.51.100.0/24", vec![hop(onto, "fd00::2", 1)]);
        }
        let stack = labels(&[16_005, 16_011]);
        is_told("198.51.100.0/24", vec![hop(stack.clone(), "192.0.2.2", 1)]);
        is_told("0.0.0.0/0", vec![hop(stack.clone(), "fd00::2", 1)]);
        is_told("2001:db8:9::/48", vec![hop(stack, "fd00::2", 1)]);
        let shared = vec![hop(whole, "fd00::2", 256), hop(labels(&[16_011]), "fd00::3", 1)];
        is_told("198.51.100.0/24", shared.clone());
        is_told("2001:db8:9::/48", shared);
    }

    #[test]
    fn a_route_of_another_kind_has_no_hops() {
        let route = SteeredRoute {
            table: 8300,
            prefix: "192.0.2.0/24".parse().unwrap(),
            hops: vec![hop(labels(&[16_005]), "192.0.2.2", 1)],
        };
        let mut message = route.message(MAKER);
        message.attributes.retain(|it| !matches!(it, RouteAttribute::Encap(_)));
        assert_eq!(read(&message, MAKER), Some(SteeredRoute { hops: Vec::new(), ..route }));
    }
}
