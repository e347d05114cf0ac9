//! Probes that a socket sends over segments of its kernel's making, and that come back themselves.

use std::net::Ipv6Addr;

use stamp_net::UdpSocket;

use super::Rings;

/// Probes leave from one socket and come back themselves on another, which is bound to the address
/// and port they are sent to.
#[derive(Debug)]
pub struct LoopPort {
    /// Where probes leave.
    pub out: UdpSocket,
    /// Where they return.
    pub back: UdpSocket,
    /// Where they are read instead, when this host's own filters would drop them.
    pub rings: Option<Rings>,
    /// What probes pass that ask for no timestamp, where that is something else.
    pub plain: Option<PlainSegments>,
}

/// Two lists of segments, one of which the socket has.
#[derive(Clone, Debug)]
pub struct PlainSegments {
    asking: Vec<Ipv6Addr>,
    plain: Vec<Ipv6Addr>,
    is_plain: bool,
}

impl PlainSegments {
    /// Of a socket that has `asking`.
    #[must_use]
    pub const fn new(asking: Vec<Ipv6Addr>, plain: Vec<Ipv6Addr>) -> Self {
        Self { asking, plain, is_plain: false }
    }
}

impl LoopPort {
    /// Gives the socket the list that the next probe is to pass; false when it refuses.
    pub(super) fn take_form(&mut self, asks: bool) -> bool {
        let Some(lists) = self.plain.as_mut().filter(|lists| lists.is_plain == asks) else {
            return true;
        };
        let list = if asks { &lists.asking } else { &lists.plain };
        let taken = self.out.set_segments(list).is_ok();
        if taken {
            lists.is_plain = !asks;
        }
        taken
    }
}
