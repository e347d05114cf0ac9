//! Datagrams to be sent together.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::os::fd::AsFd;

use stamp_proto::ip::{Dscp, Ecn};

use super::UdpSocket;
use super::address::Name;
use super::control::ControlBuffer;
use super::failure::SendFailure;
use crate::sys::message::{BATCH, SendBuffers, send};

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
}

impl Outgoing {
    /// `octets` octets of payload for `to`; all else as the socket has it.
    #[must_use]
    pub const fn new(octets: usize, to: SocketAddr) -> Self {
        Self { octets, to, from: None, interface: 0, keeps_link: false, traffic_class: None }
    }
}

/// What became of one datagram of a [`SendBatch`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendOutcome {
    /// Not handed to [`UdpSocket::send`] yet.
    Unsent,
    /// The kernel took it.
    Sent {
        /// Id that its transmit stamp will carry, if the socket asks for them.
        transmit_id: Option<u32>,
    },
    /// It never left.
    Failed(SendFailure),
}

/// Datagrams to be sent together, allocated once.
#[derive(Debug)]
pub struct SendBatch {
    octets: usize,
    payload: Box<[u8]>,
    slots: Box<[Slot]>,
    len: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) outgoing: Outgoing,
    pub(super) name: Name,
    pub(super) control: ControlBuffer,
    pub(super) chosen_id: Option<u32>,
    pub(super) outcome: SendOutcome,
}

impl SendBatch {
    /// Room for `count` datagrams (1 to 64) of up to `octets` octets of payload.
    #[must_use]
    pub fn new(count: usize, octets: usize) -> Self {
        let (count, octets) = (count.clamp(1, BATCH), octets.max(1));
        let slot = Slot {
            outgoing: Outgoing::new(0, (Ipv4Addr::UNSPECIFIED, 0).into()),
            name: Name::NONE,
            control: ControlBuffer::new(),
            chosen_id: None,
            outcome: SendOutcome::Unsent,
        };
        Self {
            octets,
            payload: vec![0; count * octets].into(),
            slots: vec![slot; count].into(),
            len: 0,
        }
    }

    /// How many datagrams it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many datagrams it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// It holds no datagram.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No slot is free.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Forgets all datagrams; what the slots hold stays until it is overwritten.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The whole buffer of the next free slot, to be written in place; `None` when full.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        self.payload.chunks_exact_mut(self.octets).nth(self.len)
    }

    /// Adds the datagram that was written into [`Self::slot`] and returns its index.
    ///
    /// A length beyond the slot is cut to it. `None` when full.
    pub fn push(&mut self, outgoing: Outgoing) -> Option<usize> {
        let index = self.len;
        let slot = self.slots.get_mut(index)?;
        let octets = outgoing.octets.min(self.octets);
        slot.outgoing = Outgoing { octets, ..outgoing };
        slot.outcome = SendOutcome::Unsent;
        self.len += 1;
        Some(index)
    }

    /// Payload of a datagram that was added, for what is to be written last; `None` when there is
    /// none at this index.
    pub fn octets_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let octets = self.outgoing(index)?.octets;
        self.payload.chunks_exact_mut(self.octets).nth(index)?.get_mut(..octets)
    }

    /// Where a datagram that was added goes; `None` when there is none at this index.
    #[must_use]
    pub fn outgoing(&self, index: usize) -> Option<&Outgoing> {
        self.held().get(index).map(|slot| &slot.outgoing)
    }

    /// What became of a datagram; one that is not there was not sent.
    #[must_use]
    pub fn outcome(&self, index: usize) -> SendOutcome {
        self.held().get(index).map_or(SendOutcome::Unsent, |slot| slot.outcome)
    }

    /// What became of each datagram, in order.
    pub fn outcomes(&self) -> impl Iterator<Item = SendOutcome> {
        self.held().iter().map(|slot| slot.outcome)
    }

    fn held(&self) -> &[Slot] {
        &self.slots[..self.len]
    }

    pub(super) fn held_mut(&mut self) -> &mut [Slot] {
        &mut self.slots[..self.len]
    }

    /// The datagrams that wait at `start` and directly behind it.
    pub(super) fn waiting(&self, start: usize) -> Range<usize> {
        let rest = self.slots[start..self.len].iter();
        let count = rest.take_while(|slot| slot.outcome == SendOutcome::Unsent).count();
        start..start + count
    }

    pub(super) fn transmit(
        &self,
        socket: &UdpSocket,
        range: Range<usize>,
    ) -> std::io::Result<usize> {
        let payloads = self.payload.chunks_exact(self.octets).skip(range.start);
        let messages = self.slots[range].iter().zip(payloads).map(|(slot, payload)| SendBuffers {
            payload: &payload[..slot.outgoing.octets],
            name: slot.name.octets(),
            control: slot.control.octets(),
        });
        send(socket.as_fd(), messages)
    }
}
