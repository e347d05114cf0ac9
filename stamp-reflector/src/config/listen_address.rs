//! Where to listen, as an operator writes it.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stamp_config::Setting;

use super::words::InterfaceName;

/// An address and port to listen on, or a port on every address of both families.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListenAddress {
    /// The address; none means every address of both families.
    pub(crate) host: Option<Host>,
    /// UDP port; 0 lets the kernel choose one.
    pub(crate) port: u16,
}

/// An address and, for a link-local one, the interface it belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Host {
    /// The address; unspecified means every address of its family.
    pub(crate) address: IpAddr,
    /// Name of the interface, for a link-local IPv6 address.
    pub(crate) zone: Option<InterfaceName>,
}

impl ListenAddress {
    /// This address once for each family it covers.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let every = |address: IpAddr| Host { address, zone: None };
        match &self.host {
            Some(host) => vec![host.clone()],
            None => vec![every(Ipv6Addr::UNSPECIFIED.into()), every(Ipv4Addr::UNSPECIFIED.into())],
        }
    }
}

impl Setting for ListenAddress {
    const EXPECTED: &'static str = "ADDRESS:PORT, such as 192.0.2.1:862, [2001:db8::1]:862 or \
                                    [fe80::1%eth0]:862, or :PORT for every address of both \
                                    families; not a multicast or broadcast address";
    fn read(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        if port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let port = port.parse().ok()?;
        let host = match host.strip_prefix('[') {
            Some(rest) => Some(read_ipv6(rest.strip_suffix(']')?)?),
            None if host.is_empty() => None,
            None => Some(Host { address: host.parse::<Ipv4Addr>().ok()?.into(), zone: None }),
        };
        // Replies leave from the address that was probed, and no host may send from a group's.
        let is_group = |host: &Host| {
            host.address.is_multicast() || host.address == IpAddr::V4(Ipv4Addr::BROADCAST)
        };
        if host.as_ref().is_some_and(is_group) {
            return None;
        }
        Some(Self { host, port })
    }
}

fn read_ipv6(text: &str) -> Option<Host> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(InterfaceName::read(zone)?)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let wants_zone = address.is_unicast_link_local();
    (wants_zone || zone.is_none()).then(|| Host { address: address.into(), zone })
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            None => write!(f, ":{}", self.port),
            Some(Host { address: IpAddr::V4(address), .. }) => write!(f, "{address}:{}", self.port),
            Some(Host { address: IpAddr::V6(address), zone: None }) => {
                write!(f, "[{address}]:{}", self.port)
            }
            Some(Host { address: IpAddr::V6(address), zone: Some(InterfaceName(zone)) }) => {
                write!(f, "[{address}%{zone}]:{}", self.port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_printed() {
        for text in [
            ":862",
            "0.0.0.0:862",
            "192.0.2.1:0",
            "[::]:862",
            "[2001:db8::1]:8620",
            "[fe80::1%eth0]:862",
        ] {
            let address = ListenAddress::read(text);
            assert_eq!(address.map(|address| address.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_address_and_port_is_refused() {
        for text in [
            "",
            "862",
            "192.0.2.1",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "::1:862",
            "[::1]",
            "[::1:862",
            "[192.0.2.1]:862",
            "r1:862",
            "192.0.2.1:+862",
            "[::1%eth0]:862",
            "[fe80::1%]:862",
            "224.0.0.1:862",
            "255.255.255.255:862",
            "[ff02::1]:862",
        ] {
            assert_eq!(ListenAddress::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_port_covers_both_families() {
        let hosts = ListenAddress::read(":862").unwrap().hosts();
        assert_eq!(hosts.len(), 2);
        assert!(hosts.iter().all(|host| host.address.is_unspecified()));
    }
}
