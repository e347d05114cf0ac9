//! What passes between an engine and the shell that owns the socket.

use core::net::SocketAddr;

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::Stamp;

/// One datagram as it arrived, with everything the kernel told about it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// UDP payload.
    pub octets: &'a [u8],
    /// Source address and port.
    pub from: SocketAddr,
    /// Destination address and port, so that the answer can leave from there.
    pub to: SocketAddr,
    /// Index of the interface it came in on; 0 when unknown.
    pub interface: u32,
    /// When it arrived (T2 at the Session-Reflector, T4 at the Session-Sender).
    pub stamp: Stamp,
    /// TTL or Hop Limit of the arriving packet, if the platform told.
    pub hop_limit: Option<HopLimit>,
    /// DSCP and ECN of the arriving packet, if the platform told.
    pub traffic_class: Option<(Dscp, Ecn)>,
    /// The headers in front of it, as far as the platform told.
    pub headers: Headers<'a>,
}

/// Headers in front of a datagram, outer to inner, each as it was when it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// Of IP itself.
    pub fixed: &'a [&'a [u8]],
    /// Extension headers of IPv6.
    pub extensions: &'a [&'a [u8]],
}

impl Headers<'_> {
    /// None is known.
    pub const UNKNOWN: Self = Self { fixed: &[], extensions: &[] };
}
