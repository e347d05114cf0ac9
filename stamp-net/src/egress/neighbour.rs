//! The kernel's table of neighbours, and how to make it look for one without any right.

use std::net::IpAddr;
use std::os::fd::AsFd;

use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use socket2::SockRef;

use super::Resolution;
use crate::error::NetError;
use crate::interface::MacAddress;
use crate::netlink::{self, Refusal};
use crate::socket::{bind, options, scoped};
use crate::sys;

/// Discards what it gets, where anything listens at all.
const DISCARD: u16 = 9;

/// The address of a neighbour, after the kernel was made to look for it if need be.
pub(super) fn resolve(
    interface: u32,
    name: &str,
    next_hop: IpAddr,
) -> Result<Resolution, NetError> {
    let known = look_up(interface, next_hop)?;
    match known {
        Known::Fresh(address) => Ok(Resolution::Ready(address)),
        // What is old is used while the kernel verifies it, as the kernel itself does.
        Known::Old(address) => {
            nudge(interface, name, next_hop);
            Ok(Resolution::Ready(address))
        }
        Known::Asked => Ok(Resolution::Resolving),
        Known::Silent => {
            nudge(interface, name, next_hop);
            Ok(Resolution::Failed)
        }
        Known::Nothing => {
            if !nudge(interface, name, next_hop) {
                return Ok(Resolution::Failed);
            }
            // On some links the answer is there at once.
            match look_up(interface, next_hop)? {
                Known::Fresh(address) | Known::Old(address) => Ok(Resolution::Ready(address)),
                _ => Ok(Resolution::Resolving),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Fresh(MacAddress),
    Old(MacAddress),
    Asked,
    Silent,
    Nothing,
}

fn look_up(interface: u32, next_hop: IpAddr) -> Result<Known, NetError> {
    let mut question = NeighbourMessage::default();
    question.header.family =
        if next_hop.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    question.header.ifindex = interface;
    question.attributes.push(NeighbourAttribute::Destination(next_hop.into()));
    match netlink::get(RouteNetlinkMessage::GetNeighbour(question)) {
        Ok(RouteNetlinkMessage::NewNeighbour(entry)) => Ok(read(&entry)),
        Ok(_) => Err(NetError::Netlink),
        Err(Refusal::Kernel(source)) if source.raw_os_error() == Some(libc::ENOENT) => {
            Ok(Known::Nothing)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn read(entry: &NeighbourMessage) -> Known {
    let address = entry.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(octets) => octets.as_slice().try_into().ok(),
        _ => None,
    });
    match (entry.header.state, address.map(MacAddress)) {
        (NeighbourState::Failed, _) => Known::Silent,
        (NeighbourState::Incomplete, _) => Known::Asked,
        (NeighbourState::Stale, Some(address)) => Known::Old(address),
        (
            NeighbourState::Reachable
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
            | NeighbourState::Noarp,
            Some(address),
        ) => Known::Fresh(address),
        _ => Known::Nothing,
    }
}

/// Sends an empty datagram to the next hop: the kernel looks for a neighbour when it has something
/// for it, and to tell it to do so without needs `CAP_NET_ADMIN`. Tells whether it went that far.
fn nudge(interface: u32, name: &str, next_hop: IpAddr) -> bool {
    let to = scoped(next_hop, DISCARD, interface);
    let Ok(socket) = bind::unbound(to) else { return false };
    // A router's answer, and the datagram itself, stay on the link.
    let hops = if to.is_ipv6() {
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS)
    } else {
        (libc::IPPROTO_IP, libc::IP_TTL)
    };
    sys::option::set_int(socket.as_fd(), hops.0, hops.1, 1).is_ok()
        && options::bind_to_interface(&socket, name).is_ok()
        // Also where no route leads to the next hop.
        && SockRef::from(&socket).send_to_with_flags(&[], &to.into(), libc::MSG_DONTROUTE).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_meaning() {
        let address = MacAddress([2, 0, 0, 0, 0, 1]);
        for (state, expected) in [
            (NeighbourState::Reachable, Known::Fresh(address)),
            (NeighbourState::Permanent, Known::Fresh(address)),
            (NeighbourState::Noarp, Known::Fresh(address)),
            (NeighbourState::Delay, Known::Fresh(address)),
            (NeighbourState::Probe, Known::Fresh(address)),
            (NeighbourState::Stale, Known::Old(address)),
            (NeighbourState::Incomplete, Known::Asked),
            (NeighbourState::Failed, Known::Silent),
            (NeighbourState::None, Known::Nothing),
        ] {
            let mut entry = NeighbourMessage::default();
            entry.header.state = state;
            entry.attributes.push(NeighbourAttribute::LinkLayerAddress(address.0.to_vec()));
            assert_eq!(read(&entry), expected, "{state:?}");
        }
    }

    #[test]
    fn an_entry_without_an_address_is_nothing() {
        let mut entry = NeighbourMessage::default();
        entry.header.state = NeighbourState::Reachable;
        assert_eq!(read(&entry), Known::Nothing);
    }
}
