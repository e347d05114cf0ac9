//! HOST[:PORT] on the command line, and the address behind it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use stamp_net::{NetError, interface};

/// A far end as the user named it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// As typed.
    pub text: String,
    /// Name or address without port and brackets.
    host: String,
    /// UDP port.
    port: u16,
}

/// Which addresses of a name are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// The first address the resolver gives.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Why a target cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not of the form HOST, HOST:PORT or [ADDRESS]:PORT.
    #[error("{text}: expected HOST, HOST:PORT or [ADDRESS]:PORT with a port from 1 to 65535")]
    Form {
        /// As typed.
        text: String,
    },
    /// The name has no address.
    #[error("{text}: cannot resolve the name: {source}")]
    Resolve {
        /// As typed.
        text: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The name has addresses, but not of the family asked for.
    #[error("{text}: has no IPv{version} address, and -{version} or --source asks for one")]
    Family {
        /// As typed.
        text: String,
        /// 4 or 6.
        version: u8,
    },
    /// A link-local address without the interface it is on.
    #[error("{text}: a link-local address needs its interface: {text}%eth0, or -I eth0")]
    Scope {
        /// As typed.
        text: String,
    },
    /// An interface behind an address that is the same on every interface.
    #[error("{text}: only a link-local address takes %{zone}; leave it out, or use -I {zone}")]
    Zone {
        /// As typed.
        text: String,
        /// What stands behind the percent sign.
        zone: String,
    },
    /// An interface that is not there.
    #[error("{text}: {source}")]
    Interface {
        /// As typed.
        text: String,
        /// What the kernel said.
        source: NetError,
    },
    /// The address of no host or of many.
    #[error("{text}: {address} is not the address of one host, and a session has one far end")]
    NotUnicast {
        /// As typed.
        text: String,
        /// The address.
        address: IpAddr,
    },
}

impl Target {
    /// Reads what the user typed.
    ///
    /// # Errors
    ///
    /// [`TargetError::Form`].
    pub fn parse(text: &str, default_port: u16) -> Result<Self, TargetError> {
        let form = || TargetError::Form { text: text.to_owned() };
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, tail) = rest.split_once(']').ok_or_else(form)?;
            match tail {
                "" => (address, None),
                _ => (address, Some(tail.strip_prefix(':').ok_or_else(form)?)),
            }
        } else if text.matches(':').count() == 1 {
            let (host, port) = text.split_once(':').ok_or_else(form)?;
            (host, Some(port))
        } else {
            (text, None)
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(form)?,
            None => default_port,
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(form());
        }
        Ok(Self { text: text.to_owned(), host: host.to_owned(), port })
    }

    /// Name or address, without port and brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// UDP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Looks the address up; `scope` is the interface index for link-local addresses.
    ///
    /// # Errors
    ///
    /// When there is no such name or interface, no address of `family`, a link-local address has
    /// no scope, or the address is not that of one host.
    pub fn resolve(&self, family: Family, scope: u32) -> Result<SocketAddr, TargetError> {
        match self.zoned()? {
            Some((address, zone)) => {
                let failed = |source| TargetError::Interface { text: self.text.clone(), source };
                let scope = interface_index(zone).map_err(failed)?;
                self.chosen([self.at(address)], family, scope)
            }
            None => self.chosen(self.look_up()?, family, scope),
        }
    }

    /// The same where nobody has to be asked: an address that is written out. An interface behind it need not be
    /// there, and its index is made up then.
    ///
    /// # Errors
    ///
    /// When no name and no interface could mend it.
    pub fn written(&self, family: Family, scope: u32) -> Result<Option<SocketAddr>, TargetError> {
        let (address, scope) = match self.zoned()? {
            Some((address, _)) => (self.at(address), 1),
            None => match self.host.parse::<IpAddr>() {
                Ok(address) => (self.at(address), scope),
                Err(_) => return Ok(None),
            },
        };
        self.chosen([address], family, scope).map(Some)
    }

    /// The first that can be a far end.
    fn chosen(
        &self,
        addresses: impl IntoIterator<Item = SocketAddr>,
        family: Family,
        scope: u32,
    ) -> Result<SocketAddr, TargetError> {
        let wanted = |address: &SocketAddr| match family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        };
        let version = if family == Family::V4 { 4 } else { 6 };
        let address = addresses
            .into_iter()
            .find(wanted)
            .ok_or_else(|| TargetError::Family { text: self.text.clone(), version })?;
        if !is_one_host(address.ip()) {
            let (text, address) = (self.text.clone(), address.ip());
            return Err(TargetError::NotUnicast { text, address });
        }
        self.with_scope(address, scope)
    }

    fn at(&self, address: impl Into<IpAddr>) -> SocketAddr {
        SocketAddr::new(address.into(), self.port)
    }

    fn look_up(&self) -> Result<Vec<SocketAddr>, TargetError> {
        (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map(Iterator::collect)
            .map_err(|source| TargetError::Resolve { text: self.text.clone(), source })
    }

    /// Address and interface of `ADDRESS%INTERFACE`.
    ///
    /// The resolver calls an interface that it does not find an unknown name.
    fn zoned(&self) -> Result<Option<(Ipv6Addr, &str)>, TargetError> {
        let Some((address, zone)) = self.host.split_once('%') else { return Ok(None) };
        let Ok(address) = address.parse::<Ipv6Addr>() else { return Ok(None) };
        if !address.is_unicast_link_local() {
            return Err(TargetError::Zone { text: self.text.clone(), zone: zone.to_owned() });
        }
        Ok(Some((address, zone)))
    }

    fn with_scope(&self, address: SocketAddr, scope: u32) -> Result<SocketAddr, TargetError> {
        let SocketAddr::V6(v6) = address else { return Ok(address) };
        if !v6.ip().is_unicast_link_local() || v6.scope_id() != 0 {
            return Ok(address);
        }
        if scope == 0 {
            return Err(TargetError::Scope { text: self.text.clone() });
        }
        Ok(SocketAddrV6::new(*v6.ip(), v6.port(), v6.flowinfo(), scope).into())
    }
}

/// An interface may be named by its number as well.
fn interface_index(zone: &str) -> Result<u32, NetError> {
    let Ok(number) = zone.parse::<u32>() else { return interface::index_of(zone) };
    let mut numbers = interface::list()?.into_iter().map(|interface| interface.index);
    numbers
        .find(|index| *index == number)
        .ok_or_else(|| NetError::NoSuchInterface { name: zone.into() })
}

/// Replies to what was sent to a group come from elsewhere; the unspecified address is our own.
fn is_one_host(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && address != Ipv4Addr::BROADCAST
}

/// The address everything local is sent from when the user named none.
#[must_use]
pub const fn unspecified(family_of: SocketAddr) -> IpAddr {
    match family_of {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, u16)> {
        Target::parse(text, 862).ok().map(|target| (target.host, target.port))
    }

    #[test]
    fn a_target_is_a_host_with_or_without_port() {
        assert_eq!(parsed("r1"), Some(("r1".into(), 862)));
        assert_eq!(parsed("r1:8620"), Some(("r1".into(), 8620)));
        assert_eq!(parsed("2001:db8::1"), Some(("2001:db8::1".into(), 862)));
        assert_eq!(parsed("[2001:db8::1]:5"), Some(("2001:db8::1".into(), 5)));
        assert_eq!(parsed("[fe80::1%lo]"), Some(("fe80::1%lo".into(), 862)));
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in ["", ":862", "r1:", "r1:0", "r1:65536", "[::1", "[::1]862", "a b"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_local_address_needs_a_scope() {
        let target = Target::parse("fe80::1", 862).unwrap();
        assert!(matches!(target.resolve(Family::Any, 0), Err(TargetError::Scope { .. })));
        let SocketAddr::V6(address) = target.resolve(Family::Any, 3).unwrap() else {
            panic!("not IPv6")
        };
        assert_eq!(address.scope_id(), 3);
    }

    fn refusal(text: &str) -> String {
        Target::parse(text, 862).unwrap().resolve(Family::Any, 0).unwrap_err().to_string()
    }

    #[test]
    fn an_interface_behind_the_address_is_its_scope_by_name_or_number() {
        let lo = interface::index_of("lo").unwrap();
        for text in ["fe80::1%lo".to_owned(), format!("[fe80::1%{lo}]:5")] {
            let target = Target::parse(&text, 862).unwrap();
            match target.resolve(Family::Any, 0).unwrap() {
                SocketAddr::V6(address) => assert_eq!(address.scope_id(), lo, "{text}"),
                SocketAddr::V4(_) => panic!("not IPv6"),
            }
        }
    }

    #[test]
    fn an_interface_that_is_not_there_or_not_needed_is_named() {
        let missing = "fe80::1%nope0: there is no interface \"nope0\"";
        assert_eq!(refusal("fe80::1%nope0"), missing);
        assert_eq!(refusal("fe80::1%0"), "fe80::1%0: there is no interface \"0\"");
        assert_eq!(
            refusal("[::1%lo]:5"),
            "[::1%lo]:5: only a link-local address takes %lo; leave it out, or use -I lo"
        );
    }

    #[test]
    fn what_is_not_the_address_of_one_host_is_refused() {
        for text in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            let expected = format!(
                "{text}: {text} is not the address of one host, and a session has one far end"
            );
            assert_eq!(refusal(text), expected);
        }
    }

    #[test]
    fn the_wrong_family_is_said() {
        let target = Target::parse("127.0.0.1", 862).unwrap();
        let error = target.resolve(Family::V6, 0).unwrap_err();
        assert!(error.to_string().contains("has no IPv6 address"), "{error}");
    }
}
