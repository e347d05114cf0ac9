//! What stands in front of a packet on a link.

use std::fmt;

use netlink_packet_route::link::LinkLayerType;

/// An address of Ethernet.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What stands in front of a packet on a link.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LinkLayer {
    /// An Ethernet header. Loopback has one too, with addresses of zeros.
    Ethernet {
        /// The interface's own address.
        address: MacAddress,
    },
    /// Nothing: the link leads to one other end, and its frames are packets.
    Bare,
    /// Some other header.
    Other {
        /// The number in `if_arp.h`.
        kind: u16,
    },
}

impl LinkLayer {
    pub(super) fn read(kind: LinkLayerType, address: Option<&[u8]>) -> Self {
        let address = address.and_then(|octets| octets.try_into().ok()).map(MacAddress);
        match (kind, address) {
            (LinkLayerType::Ether, Some(address)) => Self::Ethernet { address },
            (LinkLayerType::Loopback, address) => {
                Self::Ethernet { address: address.unwrap_or_default() }
            }
            (
                LinkLayerType::None
                | LinkLayerType::Ppp
                | LinkLayerType::Rawip
                | LinkLayerType::Tunnel
                | LinkLayerType::Tunnel6
                | LinkLayerType::Sit
                | LinkLayerType::Ipgre
                | LinkLayerType::Ip6gre,
                _,
            ) => Self::Bare,
            (kind, _) => Self::Other { kind: kind.into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_everyone_writes_it() {
        assert_eq!(MacAddress([2, 0, 0, 0xab, 1, 0x10]).to_string(), "02:00:00:ab:01:10");
    }

    #[test]
    fn links_are_told_apart_by_what_stands_in_front_of_a_packet() {
        let own = MacAddress([2, 0, 0, 0, 0, 1]);
        for (kind, octets, expected) in [
            (LinkLayerType::Ether, Some(&own.0[..]), LinkLayer::Ethernet { address: own }),
            (LinkLayerType::Loopback, None, LinkLayer::Ethernet { address: MacAddress([0; 6]) }),
            (LinkLayerType::None, None, LinkLayer::Bare),
            (LinkLayerType::Sit, Some(&[192, 0, 2, 1][..]), LinkLayer::Bare),
            (LinkLayerType::Infiniband, Some(&[0; 20][..]), LinkLayer::Other { kind: 32 }),
        ] {
            assert_eq!(LinkLayer::read(kind, octets), expected, "{kind:?}");
        }
    }
}
