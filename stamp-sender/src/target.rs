//! HOST[:PORT] on the command line, and the address behind it.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

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
    #[error("{text}: has no IPv{version} address; leave out -{version} to use what it has")]
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

    /// Looks the address up; `scope` is the interface index for link-local addresses.
    ///
    /// # Errors
    ///
    /// When there is no such name, no address of `family`, or a link-local address has no scope.
    pub fn resolve(&self, family: Family, scope: u32) -> Result<SocketAddr, TargetError> {
        let addresses = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|source| TargetError::Resolve { text: self.text.clone(), source })?;
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
        self.with_scope(address, scope)
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

/// The address everything local is sent from when the user named none.
#[must_use]
pub const fn unspecified(family_of: SocketAddr) -> IpAddr {
    match family_of {
        SocketAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
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

    #[test]
    fn the_wrong_family_is_said() {
        let target = Target::parse("127.0.0.1", 862).unwrap();
        let error = target.resolve(Family::V6, 0).unwrap_err();
        assert!(error.to_string().contains("has no IPv6 address"), "{error}");
    }
}
