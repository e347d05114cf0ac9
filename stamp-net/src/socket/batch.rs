//! Datagrams to be sent together.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use stamp_proto::ip::{Dscp, Ecn};

use super::address::Name;
use crate::batch::Batch;

/// Where one datagram of a [`SendBatch`] goes, and how.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// Octets of UDP payload, at the beginning of its slot.
    pub octets: usize,
    /// Destination.
    pub to: SocketAddr,
    /// Source address; `None` leaves it to the routing table, and so does an address that nothing
    /// can leave from, such as a group.
    pub from: Option<IpAddr>,
    /// Interface that a datagram to be answered came in on, 0 when there is none.
    ///
    /// Used only where an address is link-local, or with [`Self::keeps_link`]; anything else leaves as
    /// the routing table says.
    pub interface: u32,
    /// It has to leave through that interface, wherever the routing table leads.
    pub keeps_link: bool,
    /// DSCP and ECN; `None` takes those of the socket.
    pub traffic_class: Option<(Dscp, Ecn)>,
    /// The time at which it leaves is to be told, where the socket was opened for such requests
    /// ([`SocketOptions::stamps_on_request`](super::SocketOptions::stamps_on_request)).
    pub wants_stamp: bool,
}

impl Outgoing {
    /// `octets` octets of payload for `to`; all else as the socket has it.
    #[must_use]
    pub const fn new(octets: usize, to: SocketAddr) -> Self {
        Self {
            octets,
            to,
            from: None,
            interface: 0,
            keeps_link: false,
            traffic_class: None,
            wants_stamp: false,
        }
    }
}

/// Datagrams to be sent together, allocated once.
pub type SendBatch = Batch<Addressed>;

/// Where a datagram goes, and the same as the kernel wants it.
#[derive(Clone, Debug)]
pub struct Addressed {
    pub(super) outgoing: Outgoing,
    pub(super) name: Name,
}

impl SendBatch {
    /// Room for `count` datagrams (1 to 64) of up to `octets` octets of payload.
    #[must_use]
    pub fn new(count: usize, octets: usize) -> Self {
        let outgoing = Outgoing::new(0, (Ipv4Addr::UNSPECIFIED, 0).into());
        Self::with_room(count, octets, Addressed { outgoing, name: Name::NONE })
    }

    /// Adds the datagram that was written into [`Self::slot`] and returns its index.
    ///
    /// A length beyond the slot is cut to it. `None` when full.
    pub fn push(&mut self, outgoing: Outgoing) -> Option<usize> {
        self.add(outgoing.octets, Addressed { outgoing, name: Name::NONE })
    }

    /// Where a datagram that was added goes; `None` when there is none at this index.
    #[must_use]
    pub fn outgoing(&self, index: usize) -> Option<&Outgoing> {
        self.held().get(index).map(|slot| &slot.about.outgoing)
    }
}
