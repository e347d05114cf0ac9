//! From a wish to the octets in front of the payload.

use alloc::vec;
use core::net::{IpAddr, Ipv6Addr};

use super::template::{Parts, Template};
use super::{Encapsulation, EncapsulationError, FirstHop, Flow, Limits, Srv6Path};
use crate::sr::checksum::AddressPair;
use crate::sr::header::{
    IPV4_HEADER_OCTETS, IPV6_HEADER_OCTETS, Ipv4Header, Ipv6Header, UDP_HEADER_OCTETS, UdpHeader,
};
use crate::sr::mpls::{Label, LabelStack};
use crate::sr::protocol::{EtherType, Protocol};
use crate::sr::srh::{self, LARGEST_SRH_OCTETS, SrhLayout};
use crate::writer::Writer;

/// Two IPv6 headers, the largest Segment Routing Header and UDP; stacks are added to it.
const ROOM: usize = LARGEST_SRH_OCTETS + 2 * IPV6_HEADER_OCTETS + UDP_HEADER_OCTETS;

impl Encapsulation<'_> {
    /// Makes all that is in front of the UDP payload of a flow.
    ///
    /// # Errors
    ///
    /// [`EncapsulationError`], by name what cannot be; nothing is left out or cut short instead.
    pub fn compose(&self, flow: &Flow, limits: Limits) -> Result<Template, EncapsulationError> {
        let stack = match self {
            Self::Mpls(stack) => stack.encoded_octets(),
            _ => 0,
        };
        let mut octets = vec![0; ROOM.saturating_add(stack)];
        let mut writer = Writer::new(&mut octets);
        let parts = match self {
            Self::Plain => {
                refuse_loopback(flow.addresses.destination())?;
                put_plain(flow, 0, &mut writer)?
            }
            Self::Mpls(stack) => put_labels(stack, flow, limits, &mut writer)?,
            Self::HostSrh { path, form, extras } => {
                let layout = SrhLayout {
                    flags: extras.flags,
                    tag: extras.tag,
                    key: extras.key,
                    ..SrhLayout::new(Protocol::UDP, path.entries(), *form)
                };
                put_host(flow, path, &layout, limits, &mut writer)?
            }
            Self::Srv6Tunnel { source, path, form, extras } => {
                let inner = match flow.addresses {
                    AddressPair::V4 { .. } => Protocol::IPV4,
                    AddressPair::V6 { .. } => Protocol::IPV6,
                };
                let layout = SrhLayout {
                    flags: extras.flags,
                    tag: extras.tag,
                    key: extras.key,
                    ..SrhLayout::new(inner, path.entries(), *form)
                };
                put_tunnel(flow, *source, &layout, limits, &mut writer)?
            }
        };
        let written = writer.position();
        octets.truncate(written);
        octets.shrink_to_fit();
        Ok(Template::new(octets, parts))
    }
}

/// The packet itself: an IP header and UDP, `at` octets into what is written.
fn put_plain(flow: &Flow, at: usize, writer: &mut Writer<'_>) -> Result<Parts, EncapsulationError> {
    let destination = flow.addresses.destination();
    let (ip, ether_type) = match flow.addresses {
        AddressPair::V4 { source, destination } => {
            let header = Ipv4Header {
                dscp: flow.dscp,
                ecn: flow.ecn,
                total_length: 0,
                identification: flow.identification,
                dont_fragment: true,
                more_fragments: false,
                fragment_offset: 0,
                ttl: flow.hop_limit,
                protocol: Protocol::UDP,
                source,
                destination,
            };
            header.emit(writer)?;
            (IPV4_HEADER_OCTETS, EtherType::IPV4)
        }
        AddressPair::V6 { source, destination } => {
            ipv6(flow, source, destination, Protocol::UDP).emit(writer)?;
            (IPV6_HEADER_OCTETS, EtherType::IPV6)
        }
    };
    put_udp(flow, writer)?;
    Ok(Parts {
        ether_type,
        first_hop: FirstHop::Address(destination),
        tunnel: None,
        ip: at,
        udp: at.saturating_add(ip),
        addresses: flow.addresses,
        plain_octets: ip.saturating_add(UDP_HEADER_OCTETS),
    })
}

/// A label stack, then the packet itself.
fn put_labels(
    stack: &LabelStack,
    flow: &Flow,
    limits: Limits,
    writer: &mut Writer<'_>,
) -> Result<Parts, EncapsulationError> {
    if let Some(limit) = limits.labels {
        stack.check_depth(limit)?;
    }
    match (stack.explicit_null(), flow.addresses) {
        (Some(label @ Label::IPV4_EXPLICIT_NULL), AddressPair::V6 { .. })
        | (Some(label @ Label::IPV6_EXPLICIT_NULL), AddressPair::V4 { .. }) => {
            return Err(EncapsulationError::ExplicitNull { label });
        }
        _ => {}
    }
    stack.emit(writer)?;
    let parts = put_plain(flow, stack.encoded_octets(), writer)?;
    let first_hop = FirstHop::Label(stack.top());
    Ok(Parts { ether_type: EtherType::MPLS, first_hop, ..parts })
}

/// One IPv6 packet whose header names the first segment and whose destination is the last.
fn put_host(
    flow: &Flow,
    path: &Srv6Path,
    layout: &SrhLayout<'_>,
    limits: Limits,
    writer: &mut Writer<'_>,
) -> Result<Parts, EncapsulationError> {
    let AddressPair::V6 { source, destination } = flow.addresses else {
        return Err(EncapsulationError::NotIpv6 { source_address: flow.addresses.source() });
    };
    let reached = path.ultimate();
    if destination != reached {
        return Err(EncapsulationError::Destination { stated: destination, reached });
    }
    refuse_loopback(IpAddr::V6(destination))?;
    let header = put_srv6(flow, source, layout, limits, writer)?;
    put_udp(flow, writer)?;
    Ok(Parts {
        ether_type: EtherType::IPV6,
        first_hop: FirstHop::Address(IpAddr::V6(layout.segments.first().0)),
        tunnel: None,
        ip: 0,
        udp: header,
        addresses: flow.addresses,
        plain_octets: IPV6_HEADER_OCTETS.saturating_add(UDP_HEADER_OCTETS),
    })
}

/// An outer IPv6 packet, then the packet itself.
fn put_tunnel(
    flow: &Flow,
    source: Ipv6Addr,
    layout: &SrhLayout<'_>,
    limits: Limits,
    writer: &mut Writer<'_>,
) -> Result<Parts, EncapsulationError> {
    let header = put_srv6(flow, source, layout, limits, writer)?;
    let parts = put_plain(flow, header, writer)?;
    let first_hop = FirstHop::Address(IpAddr::V6(layout.segments.first().0));
    Ok(Parts { ether_type: EtherType::IPV6, first_hop, tunnel: Some(0), ..parts })
}

/// An IPv6 header for the first segment, and a Segment Routing Header where one is needed; gives
/// their octets.
fn put_srv6(
    flow: &Flow,
    source: Ipv6Addr,
    layout: &SrhLayout<'_>,
    limits: Limits,
    writer: &mut Writer<'_>,
) -> Result<usize, EncapsulationError> {
    let needless = layout.is_needless();
    let next_header = if needless { layout.next_header } else { Protocol::ROUTING };
    ipv6(flow, source, layout.segments.first().0, next_header).emit(writer)?;
    if needless {
        return Ok(IPV6_HEADER_OCTETS);
    }
    let segments = layout.entries();
    if let Some(limit) = limits.segments.filter(|limit| segments > *limit) {
        return Err(EncapsulationError::TooManySegments { segments, limit });
    }
    let octets = layout.encoded_octets()?;
    let place = writer.reserve("Segment Routing Header", octets)?;
    layout.emit(&mut Writer::new(place))?;
    if let Some(key) = layout.key {
        srh::sign(place, source, key)?;
    }
    Ok(IPV6_HEADER_OCTETS.saturating_add(octets))
}

const fn ipv6(
    flow: &Flow,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    next_header: Protocol,
) -> Ipv6Header {
    Ipv6Header {
        dscp: flow.dscp,
        ecn: flow.ecn,
        flow_label: flow.flow_label,
        payload_length: 0,
        next_header,
        hop_limit: flow.hop_limit,
        source,
        destination,
    }
}

fn put_udp(flow: &Flow, writer: &mut Writer<'_>) -> Result<(), EncapsulationError> {
    let (source_port, destination_port) = (flow.source_port, flow.destination_port);
    let header = UdpHeader { source_port, destination_port, length: 0, checksum: 0 };
    Ok(header.emit(writer)?)
}

/// 127/8 and ::1 name the far node where a tunnel ends at it, and nobody on a wire.
const fn refuse_loopback(destination: IpAddr) -> Result<(), EncapsulationError> {
    if destination.is_loopback() {
        return Err(EncapsulationError::LoopbackDestination { destination });
    }
    Ok(())
}
