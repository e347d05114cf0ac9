//! How a raw frame leaves: through which interface, to whom on its link.
//!
//! What the kernel does for every packet of its own has to be asked for here: the route, the
//! interface, and the next hop's address on the link. Nothing is waited for. While a next hop is
//! being asked for its address, or does not answer, there is nothing to send to: such a probe never
//! left, and is not lost.

mod neighbour;
mod watch;

use std::net::IpAddr;

use crate::error::NetError;
use crate::frame::EtherType;
use crate::interface::{self, InterfaceKind, LinkLayer, MacAddress};
use crate::route::{self, RouteQuery};

pub use watch::{Changes, RouteWatch};

/// Where a frame has to get to first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EgressQuery<'a> {
    /// Whom the routing table is asked for: the first segment, or where the first label leads. Not
    /// asked where both interface and next hop are given.
    pub to: IpAddr,
    /// Interface or VRF it has to leave through.
    pub interface: Option<&'a str>,
    /// Router to hand it to.
    pub next_hop: Option<IpAddr>,
    /// Mark for routing rules.
    pub fwmark: Option<u32>,
}

impl<'a> EgressQuery<'a> {
    /// The way to `to` that the routing table knows.
    #[must_use]
    pub const fn to(to: IpAddr) -> Self {
        Self { to, interface: None, next_hop: None, fwmark: None }
    }

    /// Out of `interface`, to `next_hop`, whatever the routing table says.
    #[must_use]
    pub const fn via(interface: &'a str, next_hop: IpAddr) -> Self {
        Self { to: next_hop, interface: Some(interface), next_hop: Some(next_hop), fwmark: None }
    }
}

/// How a frame leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Egress {
    /// Number of the interface.
    pub interface: u32,
    /// Its name.
    pub name: String,
    /// Largest packet, with labels and SRv6 headers but without the link header, in octets.
    pub mtu: u32,
    /// What stands in front of a packet.
    pub link_layer: LinkLayer,
    /// Source address that the kernel would choose.
    pub source: Option<IpAddr>,
    /// Who takes it on the link.
    pub next_hop: IpAddr,
    /// The next hop's address on the link, as far as it is known.
    pub resolution: Resolution,
}

/// Whether the next hop's address on the link is known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Resolution {
    /// It is; on links without addresses it is made of zeros.
    Ready(MacAddress),
    /// The kernel is asking.
    Resolving,
    /// Nobody answers, or the kernel does not ask: for an IPv6 next hop that is given, no route needs
    /// to lead to it, but one has to put it on the link. Each look makes the kernel ask again.
    Failed,
}

/// What stands in front of a packet that leaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkHeader {
    octets: [u8; 14],
    used: usize,
}

impl LinkHeader {
    /// Its octets; none on a link without header.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.used]
    }
}

impl Egress {
    /// Finds the way in the network namespace of the calling thread, and makes the kernel ask for
    /// the next hop's address where that is needed.
    ///
    /// # Errors
    ///
    /// [`NetError::NoRoute`], [`NetError::NoSuchInterface`], [`NetError::UnknownLinkLayer`], or
    /// [`NetError::Call`] and [`NetError::Netlink`] when the kernel does not tell.
    pub fn find(query: &EgressQuery<'_>) -> Result<Self, NetError> {
        let link = query.interface.map(interface::link).transpose()?;
        let number = link.as_ref().map(|link| link.index);
        let to = query.next_hop.unwrap_or(query.to);
        // A VRF is a table, and which of its interfaces leads to a next hop is to be asked.
        let is_vrf =
            link.as_ref().is_some_and(|link| matches!(link.kind, InterfaceKind::Vrf { .. }));
        let asked = RouteQuery { to, from: None, interface: number, fwmark: query.fwmark };
        let (number, next_hop, source, route_mtu) = match (route::lookup(&asked), number) {
            // Both are given: the table has nothing to say but a source address.
            (route, Some(number)) if query.next_hop.is_some() && !is_vrf => {
                (number, to, route.ok().and_then(|route| route.source), u32::MAX)
            }
            (route, _) => {
                let route = route?;
                (route.interface, route.gateway.unwrap_or(to), route.source, route.mtu)
            }
        };
        let link = match link.filter(|link| link.index == number) {
            Some(link) => link,
            // Gone since the route was told, and the route with it.
            None => interface::link_at(number)?.ok_or(NetError::NoRoute { to })?,
        };
        if let LinkLayer::Other { kind } = link.link_layer {
            return Err(NetError::UnknownLinkLayer { name: link.name.into(), kind });
        }
        let mut egress = Self {
            interface: number,
            name: link.name,
            mtu: link.mtu.min(route_mtu),
            link_layer: link.link_layer,
            source,
            next_hop,
            resolution: Resolution::Resolving,
        };
        egress.resolve()?;
        Ok(egress)
    }

    /// Looks again for the next hop's address, and makes the kernel verify what is old. To be called
    /// when a [`RouteWatch`] tells of a change of neighbours.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] and [`NetError::Netlink`] when the kernel does not tell.
    pub fn resolve(&mut self) -> Result<Resolution, NetError> {
        self.resolution = match self.link_layer {
            LinkLayer::Ethernet { address } if address != MacAddress::default() => {
                neighbour::resolve(self.interface, &self.name, self.next_hop)?
            }
            _ => Resolution::Ready(MacAddress::default()),
        };
        Ok(self.resolution)
    }

    /// What stands in front of a packet of this type; `None` while the next hop's address is not
    /// known.
    #[must_use]
    pub fn link_header(&self, ether_type: EtherType) -> Option<LinkHeader> {
        let Resolution::Ready(to) = self.resolution else { return None };
        let LinkLayer::Ethernet { address } = self.link_layer else {
            return Some(LinkHeader { octets: [0; 14], used: 0 });
        };
        let mut octets = [0; 14];
        octets[..6].copy_from_slice(&to.0);
        octets[6..12].copy_from_slice(&address.0);
        octets[12..].copy_from_slice(&ether_type.0.to_be_bytes());
        Some(LinkHeader { octets, used: octets.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(link_layer: LinkLayer, resolution: Resolution) -> Egress {
        Egress {
            interface: 7,
            name: "eth0".into(),
            mtu: 1500,
            link_layer,
            source: None,
            next_hop: [192, 0, 2, 2].into(),
            resolution,
        }
    }

    const OWN: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
    const FAR: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);

    #[test]
    fn an_ethernet_header_names_both_ends_and_the_type() {
        let egress = egress(LinkLayer::Ethernet { address: OWN }, Resolution::Ready(FAR));
        let header = egress.link_header(EtherType::MPLS).unwrap();
        assert_eq!(header.octets(), [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x47]);
    }

    #[test]
    fn a_bare_link_has_no_header() {
        let egress = egress(LinkLayer::Bare, Resolution::Ready(MacAddress::default()));
        assert_eq!(egress.link_header(EtherType::IPV6).unwrap().octets(), []);
    }

    #[test]
    fn without_a_known_neighbour_there_is_no_header() {
        for resolution in [Resolution::Resolving, Resolution::Failed] {
            let egress = egress(LinkLayer::Ethernet { address: OWN }, resolution);
            assert_eq!(egress.link_header(EtherType::IPV4), None);
        }
    }

    #[test]
    fn loopback_is_ready_at_once() {
        let egress = Egress::find(&EgressQuery::to([127, 0, 0, 1].into())).unwrap();
        assert_eq!(egress.name, "lo");
        assert_eq!(egress.resolution, Resolution::Ready(MacAddress::default()));
        assert_eq!(egress.link_header(EtherType::IPV4).unwrap().octets().len(), 14);
    }

    #[test]
    fn an_interface_that_does_not_exist_is_named() {
        let query = EgressQuery::via("no-such-one", [192, 0, 2, 2].into());
        assert!(matches!(Egress::find(&query), Err(NetError::NoSuchInterface { .. })));
    }
}
