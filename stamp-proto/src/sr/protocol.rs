//! Numbers by which one header names the next.

use core::fmt;

/// Protocol of IPv4, Next Header of IPv6; one registry for both.
///
/// A wrapper, not an enum: a decoder shows protocols it has never heard of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Protocol(pub u8);

impl Protocol {
    /// IPv6 Hop-by-Hop Options.
    pub const HOP_BY_HOP: Self = Self(0);
    /// IPv4 inside of IP.
    pub const IPV4: Self = Self(4);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// IPv6 inside of IP.
    pub const IPV6: Self = Self(41);
    /// IPv6 Routing header, of which the SRH is one type.
    pub const ROUTING: Self = Self(43);
    /// IPv6 Fragment header.
    pub const FRAGMENT: Self = Self(44);
    /// ICMPv6.
    pub const ICMPV6: Self = Self(58);
    /// Nothing follows.
    pub const NO_NEXT_HEADER: Self = Self(59);
    /// IPv6 Destination Options.
    pub const DESTINATION_OPTIONS: Self = Self(60);
    /// An Ethernet frame inside of IPv6.
    pub const ETHERNET: Self = Self(143);

    /// The short name, for the protocols that are met under a probe.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::HOP_BY_HOP => "Hop-by-Hop Options",
            Self::IPV4 => "IPv4",
            Self::UDP => "UDP",
            Self::IPV6 => "IPv6",
            Self::ROUTING => "Routing",
            Self::FRAGMENT => "Fragment",
            Self::ICMPV6 => "ICMPv6",
            Self::NO_NEXT_HEADER => "No Next Header",
            Self::DESTINATION_OPTIONS => "Destination Options",
            Self::ETHERNET => "Ethernet",
            _ => return None,
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// What an Ethernet header says follows it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// A customer VLAN tag.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// A label stack.
    pub const MPLS: Self = Self(0x8847);
    /// A service VLAN tag.
    pub const SERVICE_VLAN: Self = Self(0x88a8);
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_number_is_shown_by_name_where_it_has_one() {
        assert_eq!(Protocol::UDP.to_string(), "UDP");
        assert_eq!(Protocol(6).to_string(), "6");
        assert_eq!(EtherType::MPLS.to_string(), "0x8847");
        assert_eq!(EtherType::IPV4.to_string(), "0x0800");
    }

    #[test]
    fn every_named_protocol_has_a_name_of_its_own() {
        let mut names: std::vec::Vec<_> =
            (0..=u8::MAX).filter_map(|value| Protocol(value).name()).collect();
        assert_eq!(names.len(), 10);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 10);
    }
}
