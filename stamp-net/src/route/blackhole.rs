//! Routes into nothing: for addresses whose packets the kernel must neither forward nor answer,
//! because a program reads them from a packet socket.
//!
//! A program that is killed takes nothing away. Its routes are known by the number of who made them, and
//! that nobody lives who did by an abstract socket: its name is the prefix, it belongs to the network
//! namespace, and the kernel closes it whatever the end.

use std::io;
use std::net::Ipv6Addr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{RouteQuery, question};
use crate::capability::Capability;
use crate::error::NetError;
use crate::netlink::{self, Refusal};
use crate::rights;

/// Who made a route (`ip -6 route show proto 83`); nobody else is known to use this number.
const OURS: RouteProtocol = RouteProtocol::Other(83);

/// A prefix whose packets the kernel drops without a word; a route that was put there for it is
/// taken away with this value.
#[derive(Debug)]
pub struct Blackhole {
    prefix: Ipv6Addr,
    bits: u8,
    ours: bool,
    /// As long as it is there, the route is in use.
    _mark: Option<UnixDatagram>,
}

impl Blackhole {
    /// Sees to it that the kernel drops what comes for the prefix.
    ///
    /// A blackhole route that is there already does, and stays when this value goes, unless it was
    /// left by a program that was killed.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_ADMIN`; [`Self::mending_line`] is for the
    /// operator then. [`NetError::NotBlackholed`] when another route leads packets elsewhere.
    pub fn ensure(prefix: Ipv6Addr, bits: u8) -> Result<Self, NetError> {
        let mark = mark(prefix, bits);
        if is_in_effect(prefix, bits)? {
            let ours = mark.is_some() && made_by_us()?.contains(&(prefix, bits));
            return Ok(Self { prefix, bits, ours, _mark: mark.filter(|_| ours) });
        }
        let made = Self::make(prefix, bits);
        made.or_else(|refused| rights::add_blackhole(refused, prefix, bits)).map_err(|source| {
            match source.raw_os_error() {
                Some(libc::EPERM) => NetError::PermissionDenied {
                    what: "a blackhole route",
                    capability: Capability::NetAdmin,
                },
                Some(libc::EEXIST) => NetError::NotBlackholed { prefix, bits },
                _ => NetError::call("netlink")(source),
            }
        })?;
        let blackhole = Self { prefix, bits, ours: true, _mark: mark };
        if is_in_effect(prefix, bits)? {
            Ok(blackhole)
        } else {
            Err(NetError::NotBlackholed { prefix, bits })
        }
    }

    /// Adds the route itself.
    pub(crate) fn make(prefix: Ipv6Addr, bits: u8) -> io::Result<()> {
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        let made = RouteNetlinkMessage::NewRoute(route(prefix, bits));
        netlink::change(made, flags).map_err(Refusal::into_io)
    }

    /// Removes it.
    pub(crate) fn unmake(prefix: Ipv6Addr, bits: u8) -> io::Result<()> {
        let gone = RouteNetlinkMessage::DelRoute(route(prefix, bits));
        netlink::change(gone, NLM_F_REQUEST | NLM_F_ACK).map_err(Refusal::into_io)
    }

    /// Takes away the routes of programs that were killed, and returns them. Without the right to
    /// they stay, and are not among those.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] and [`NetError::Netlink`] when the kernel does not tell.
    pub fn remove_left_behind() -> Result<Vec<(Ipv6Addr, u8)>, NetError> {
        let mut left = made_by_us()?;
        left.retain(|(prefix, bits)| mark(*prefix, *bits).is_some() && remove(*prefix, *bits));
        Ok(left)
    }

    /// The prefix.
    #[must_use]
    pub const fn prefix(&self) -> (Ipv6Addr, u8) {
        (self.prefix, self.bits)
    }

    /// The line that puts such a route there.
    #[must_use]
    pub fn mending_line(prefix: Ipv6Addr, bits: u8) -> String {
        format!("sudo ip -6 route add blackhole {prefix}/{bits}")
    }
}

impl Drop for Blackhole {
    fn drop(&mut self) {
        if self.ours {
            // Nothing can be done about a route that somebody else took away.
            let _ = remove(self.prefix, self.bits);
        }
    }
}

/// True when it is gone by this.
fn remove(prefix: Ipv6Addr, bits: u8) -> bool {
    let gone = Blackhole::unmake(prefix, bits);
    gone.or_else(|refused| rights::remove_blackhole(refused, prefix, bits)).is_ok()
}

/// The sign that the route of a prefix is in use; none when it is another's.
fn mark(prefix: Ipv6Addr, bits: u8) -> Option<UnixDatagram> {
    let name = format!("stamp blackhole {prefix}/{bits}");
    let address = SocketAddr::from_abstract_name(name).ok()?;
    UnixDatagram::bind_addr(&address).ok()
}

/// Prefixes of all blackhole routes that bear our number.
fn made_by_us() -> Result<Vec<(Ipv6Addr, u8)>, NetError> {
    let mut question = RouteMessage::default();
    question.header.address_family = AddressFamily::Inet6;
    question.header.table = RouteHeader::RT_TABLE_MAIN;
    question.header.protocol = OURS;
    let routes = netlink::dump_alike(RouteNetlinkMessage::GetRoute(question))?;
    let prefix = |message| {
        let RouteNetlinkMessage::NewRoute(RouteMessage { header, attributes, .. }) = message else {
            return None;
        };
        let is_one = header.protocol == OURS && header.kind == RouteType::BlackHole;
        let to = attributes.into_iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(to)) => Some(to),
            _ => None,
        });
        Some((to?, header.destination_prefix_length)).filter(|_| is_one)
    };
    Ok(routes.into_iter().filter_map(prefix).collect())
}

/// Both ends of the prefix lead into nothing. For a route between them that leads elsewhere, the
/// operator has asked.
fn is_in_effect(prefix: Ipv6Addr, bits: u8) -> Result<bool, NetError> {
    let tail = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
    let last = Ipv6Addr::from_bits(prefix.to_bits() | tail);
    for address in [prefix, last] {
        let asked = question(&RouteQuery::to(address.into()));
        match netlink::get(RouteNetlinkMessage::GetRoute(asked)) {
            // Of all routes only a blackhole gives this error.
            Err(Refusal::Kernel(source)) if source.raw_os_error() == Some(libc::EINVAL) => {}
            Ok(_) | Err(Refusal::Kernel(_)) => return Ok(false),
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(true)
}

fn route(prefix: Ipv6Addr, bits: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.header.destination_prefix_length = bits;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = OURS;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::BlackHole;
    message.attributes = vec![RouteAttribute::Destination(prefix.into())];
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ours_is_no_blackhole() {
        assert!(!is_in_effect(Ipv6Addr::LOCALHOST, 128).unwrap());
    }

    #[test]
    fn the_line_for_the_operator_is_one_that_ip_takes() {
        let line = Blackhole::mending_line("fc00:bb:2:f::".parse().unwrap(), 64);
        assert_eq!(line, "sudo ip -6 route add blackhole fc00:bb:2:f::/64");
    }
}
