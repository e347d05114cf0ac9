//! One word of the operator's language, for flags and keys alike.

use core::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use stamp_proto::ip::{Dscp, HopLimit};
use stamp_proto::packet::Ssid;
use stamp_proto::time::TimestampFormat;

/// How a value may stand in a TOML file; on the command line everything is text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// `"10ms"`: quoted, because a bare number there would lack its unit.
    Text,
    /// `3`: a bare number, because it is a count.
    Number,
    /// `2000` or `"off"`.
    TextOrNumber,
    /// `true` or `false`.
    Flag,
}

/// A value that an operator writes.
pub trait Setting: Sized {
    /// Form and allowed range, as it completes "expected …".
    const EXPECTED: &'static str;
    /// How it is written in a file.
    const FORM: Form = Form::Text;
    /// Reads `text`; `None` when it is not what [`Self::EXPECTED`] says.
    fn read(text: &str) -> Option<Self>;
}

/// Reads a flag's value (the form clap wants).
///
/// # Errors
///
/// What was expected, as text for the user.
pub fn parse<T: Setting>(text: &str) -> Result<T, String> {
    T::read(text).ok_or_else(|| format!("expected {}", T::EXPECTED))
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
    const FORM: Form = Form::Flag;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text that is not empty";
    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Setting for IpAddr {
    const EXPECTED: &'static str = "an IPv4 or IPv6 address";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for IpNet {
    const EXPECTED: &'static str =
        "a prefix such as 192.0.2.0/24 or 2001:db8::/32 with no bits set behind its length";
    fn read(text: &str) -> Option<Self> {
        let net: Self = match text.parse::<IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse().ok()?,
        };
        (net.addr() == net.network()).then_some(net)
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "ADDRESS:PORT, such as 192.0.2.1:862 or [2001:db8::1]:862";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|address: &Self| address.port() != 0)
    }
}

impl Setting for Dscp {
    const EXPECTED: &'static str =
        "a DSCP by name (CS0-CS7, AF11-AF43, EF, VA, LE), 0 to 63 or 0x00 to 0x3f";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        if let Some(dscp) = Self::from_name(text) {
            return Some(dscp);
        }
        let value = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u8::from_str_radix(hex, 16).ok()?,
            None => text.parse().ok()?,
        };
        Self::new(value)
    }
}

impl Setting for HopLimit {
    const EXPECTED: &'static str = "a TTL or hop limit from 1 to 255";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|ttl| *ttl > 0).map(Self)
    }
}

impl Setting for Ssid {
    const EXPECTED: &'static str = "an SSID from 1 to 65535";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|ssid| *ssid > 0).map(Self)
    }
}

impl Setting for TimestampFormat {
    const EXPECTED: &'static str = "ntp or ptp";
    fn read(text: &str) -> Option<Self> {
        match text {
            "ntp" => Some(Self::Ntp),
            "ptp" => Some(Self::Ptp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dscp_is_read_by_name_and_by_number() {
        assert_eq!(Dscp::read("EF"), Dscp::new(46));
        assert_eq!(Dscp::read("46"), Dscp::new(46));
        assert_eq!(Dscp::read("0x2e"), Dscp::new(46));
        assert_eq!(Dscp::read("64"), None);
        assert_eq!(Dscp::read("-1"), None);
    }

    #[test]
    fn host_bits_in_a_prefix_are_refused() {
        assert!(IpNet::read("192.0.2.0/24").is_some());
        assert!(IpNet::read("192.0.2.1/24").is_none());
        assert_eq!(IpNet::read("192.0.2.1"), "192.0.2.1/32".parse().ok());
    }

    #[test]
    fn a_socket_address_needs_a_port() {
        assert!(SocketAddr::read("[::1]:862").is_some());
        assert!(SocketAddr::read("127.0.0.1:0").is_none());
        assert!(SocketAddr::read("127.0.0.1").is_none());
    }

    #[test]
    fn a_flag_says_what_it_expected() {
        assert_eq!(
            parse::<HopLimit>("0").unwrap_err(),
            "expected a TTL or hop limit from 1 to 255"
        );
    }
}
