//! IPv4, IPv6 and UDP headers, read from a packet and written in front of one.

mod ipv4;
mod ipv6;
mod udp;

use crate::error::ParseError;

pub use ipv4::{IPV4_HEADER_OCTETS, Ipv4Header};
pub use ipv6::{FlowLabel, IPV6_HEADER_OCTETS, Ipv6Header};
pub use udp::{
    UDP_CHECKSUM_OFFSET, UDP_HEADER_OCTETS, UdpChecksum, UdpDatagram, UdpHeader, make_checksum,
    update_checksum,
};

/// Why octets are not the header they stand for.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum HeaderError {
    #[error(transparent)]
    Octets(#[from] ParseError),
    #[error("IP version {version} where 4 or 6 was expected")]
    Version { version: u8 },
    #[error("an IPv4 header of {octets} octets; it has at least 20")]
    Ipv4HeaderLength { octets: usize },
    #[error("{field} says {stated} octets, {available} are there and {least} are the least")]
    Length { field: &'static str, stated: usize, least: usize, available: usize },
}

#[cfg(test)]
mod tests;
