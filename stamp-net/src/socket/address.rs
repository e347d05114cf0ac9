//! Socket addresses as the kernel lays them out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::sys::message::NAME_OCTETS;

/// A `sockaddr_in` or `sockaddr_in6` to hand to the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    octets: [u8; NAME_OCTETS],
    used: usize,
}

impl Name {
    /// No address: a connected socket knows its own.
    pub(super) const NONE: Self = Self { octets: [0; NAME_OCTETS], used: 0 };

    #[inline]
    pub(super) fn new(address: &SocketAddr) -> Self {
        let mut octets = [0; NAME_OCTETS];
        octets[2..4].copy_from_slice(&address.port().to_be_bytes());
        let (family, used) = match address {
            SocketAddr::V4(v4) => {
                octets[4..8].copy_from_slice(&v4.ip().octets());
                (libc::AF_INET, 16)
            }
            SocketAddr::V6(v6) => {
                octets[4..8].copy_from_slice(&v6.flowinfo().to_ne_bytes());
                octets[8..24].copy_from_slice(&v6.ip().octets());
                octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                (libc::AF_INET6, 28)
            }
        };
        octets[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        Self { octets, used }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.used]
    }
}

/// Reads a `sockaddr_in` or `sockaddr_in6`; `None` for another family or too few octets.
#[inline]
pub(super) fn parse(octets: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*octets.first_chunk()?);
    let port = u16::from_be_bytes(*octets.get(2..)?.first_chunk()?);
    match i32::from(family) {
        libc::AF_INET => {
            let address: [u8; 4] = *octets.get(4..)?.first_chunk()?;
            Some(SocketAddrV4::new(address.into(), port).into())
        }
        libc::AF_INET6 => {
            let address: [u8; 16] = *octets.get(8..)?.first_chunk()?;
            let scope = u32::from_ne_bytes(*octets.get(24..)?.first_chunk()?);
            Some(SocketAddrV6::new(address.into(), port, 0, scope).into())
        }
        _ => None,
    }
}

/// Joins an address and a port; `interface` becomes the scope of a link-local IPv6 address.
pub(crate) fn scoped(address: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match address {
        IpAddr::V4(v4) => SocketAddrV4::new(v4, port).into(),
        IpAddr::V6(v6) => {
            let scope = if v6.is_unicast_link_local() { interface } else { 0 };
            SocketAddrV6::new(v6, port, 0, scope).into()
        }
    }
}

/// Whether the address means something on one link only.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Whether a datagram can leave from the address, as far as the address itself tells.
pub(super) fn can_be_source(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && v4 != Ipv4Addr::BROADCAST,
        IpAddr::V6(v6) => v6 != Ipv6Addr::UNSPECIFIED && !v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        for text in ["192.0.2.1:862", "[2001:db8::1]:862", "[fe80::1%7]:65535", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(parse(Name::new(&address).octets()), Some(address), "{text}");
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        for text in ["192.0.2.1:862", "[2001:db8::1]:862"] {
            let name = Name::new(&text.parse().unwrap());
            let needed = if text.starts_with('[') { 28 } else { 8 };
            for length in 0..needed {
                assert_eq!(parse(&name.octets()[..length]), None, "{text} {length}");
            }
        }
    }

    #[test]
    fn another_family_is_refused() {
        assert_eq!(parse(&[1, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn only_link_local_addresses_carry_a_scope() {
        let local = scoped("fe80::1".parse().unwrap(), 862, 7);
        assert_eq!(local, "[fe80::1%7]:862".parse().unwrap());
        let global = scoped("2001:db8::1".parse().unwrap(), 862, 7);
        assert_eq!(global, "[2001:db8::1]:862".parse().unwrap());
    }

    #[test]
    fn nothing_leaves_from_a_group_or_from_nowhere() {
        for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
            assert!(!can_be_source(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "127.0.0.1", "::1", "fe80::1"] {
            assert!(can_be_source(text.parse().unwrap()), "{text}");
        }
    }
}
