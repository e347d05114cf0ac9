//! Routes into nothing: for addresses whose packets the kernel must neither forward nor answer,
//! because a program reads them from a packet socket.

use std::net::Ipv6Addr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{RouteQuery, question};
use crate::capability::Capability;
use crate::error::NetError;
use crate::netlink::{self, Refusal};

/// A prefix whose packets the kernel drops without a word; a route that was put there for it is
/// taken away with this value.
#[derive(Debug)]
pub struct Blackhole {
    prefix: Ipv6Addr,
    bits: u8,
    ours: bool,
}

impl Blackhole {
    /// Sees to it that the kernel drops what comes for the prefix.
    ///
    /// A blackhole route that is there already does, and stays when this value goes.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_ADMIN`; [`Self::mending_line`] is for the
    /// operator then. [`NetError::NotBlackholed`] when another route leads packets elsewhere.
    pub fn ensure(prefix: Ipv6Addr, bits: u8) -> Result<Self, NetError> {
        if is_in_effect(prefix, bits)? {
            return Ok(Self { prefix, bits, ours: false });
        }
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        let made = RouteNetlinkMessage::NewRoute(route(prefix, bits));
        let blackhole = match netlink::change(made, flags) {
            Ok(()) => Self { prefix, bits, ours: true },
            Err(Refusal::Kernel(source)) => {
                return Err(match source.raw_os_error() {
                    Some(libc::EPERM) => NetError::PermissionDenied {
                        what: "a blackhole route",
                        capability: Capability::NetAdmin,
                    },
                    Some(libc::EEXIST) => NetError::NotBlackholed { prefix, bits },
                    _ => NetError::call("netlink")(source),
                });
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if is_in_effect(prefix, bits)? {
            Ok(blackhole)
        } else {
            Err(NetError::NotBlackholed { prefix, bits })
        }
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
            let gone = RouteNetlinkMessage::DelRoute(route(self.prefix, self.bits));
            // Nothing can be done about a route that somebody else took away.
            let _ = netlink::change(gone, NLM_F_REQUEST | NLM_F_ACK);
        }
    }
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
    message.header.protocol = RouteProtocol::Static;
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
