//! What is to be sent together, and the fate of each.

use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::socket::SendFailure;
use crate::socket::control::ControlBuffer;
use crate::sys::message::{BATCH, SendBuffers, send};

/// Packets to be sent together, allocated once; `T` is what is known of each beside its octets.
///
/// What a slot holds stays when the batch is cleared: a template is written once, and only what
/// differs from packet to packet afterwards.
#[derive(Debug)]
pub struct Batch<T> {
    octets: usize,
    packets: Box<[u8]>,
    slots: Box<[Slot<T>]>,
    len: usize,
}

/// One packet of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Slot<T> {
    octets: usize,
    pub(crate) about: T,
    pub(crate) control: ControlBuffer,
    pub(crate) chosen_id: Option<u32>,
    pub(crate) outcome: SendOutcome,
}

/// What became of one packet of a [`Batch`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendOutcome {
    /// Not handed to the socket yet.
    Unsent,
    /// The kernel took it.
    Sent {
        /// Id that its transmit stamp will carry, if the socket asks for them.
        transmit_id: Option<u32>,
    },
    /// It never left.
    Failed(SendFailure),
}

impl<T: Clone> Batch<T> {
    /// Room for `count` packets (1 to 64) of up to `octets` octets.
    pub(crate) fn with_room(count: usize, octets: usize, about: T) -> Self {
        let (count, octets) = (count.clamp(1, BATCH), octets.max(1));
        let slot = Slot {
            octets: 0,
            about,
            control: ControlBuffer::new(),
            chosen_id: None,
            outcome: SendOutcome::Unsent,
        };
        Self {
            octets,
            packets: vec![0; count * octets].into(),
            slots: vec![slot; count].into(),
            len: 0,
        }
    }
}

impl<T> Batch<T> {
    /// How many packets it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many packets it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// It holds no packet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No slot is free.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Forgets all packets; what the slots hold stays until it is overwritten.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The whole buffer of the next free slot, to be written in place; `None` when full.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        self.packets.chunks_exact_mut(self.octets).nth(self.len)
    }

    /// Adds what was written into [`Self::slot`]; a length beyond the slot is cut to it.
    pub(crate) fn add(&mut self, octets: usize, about: T) -> Option<usize> {
        let index = self.len;
        let slot = self.slots.get_mut(index)?;
        slot.octets = octets.min(self.octets);
        slot.about = about;
        slot.outcome = SendOutcome::Unsent;
        self.len += 1;
        Some(index)
    }

    /// A packet that was added, for what is to be written last; `None` when there is none at this
    /// index.
    pub fn octets_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let octets = self.held().get(index)?.octets;
        self.packets.chunks_exact_mut(self.octets).nth(index)?.get_mut(..octets)
    }

    /// What became of a packet; one that is not there was not sent.
    #[must_use]
    pub fn outcome(&self, index: usize) -> SendOutcome {
        self.held().get(index).map_or(SendOutcome::Unsent, |slot| slot.outcome)
    }

    /// What became of each packet, in order.
    pub fn outcomes(&self) -> impl Iterator<Item = SendOutcome> {
        self.held().iter().map(|slot| slot.outcome)
    }

    pub(crate) fn held(&self) -> &[Slot<T>] {
        &self.slots[..self.len]
    }

    pub(crate) fn held_mut(&mut self) -> &mut [Slot<T>] {
        &mut self.slots[..self.len]
    }

    /// The packets that wait at `start` and directly behind it.
    pub(crate) fn waiting(&self, start: usize) -> Range<usize> {
        let rest = self.slots[start..self.len].iter();
        let count = rest.take_while(|slot| slot.outcome == SendOutcome::Unsent).count();
        start..start + count
    }

    /// Hands packets to the kernel, each with the address that `name` gives it, and tells how many it
    /// took, or why it refused the first.
    pub(crate) fn transmit(
        &self,
        socket: BorrowedFd<'_>,
        range: Range<usize>,
        name: impl Fn(&T) -> &[u8],
    ) -> io::Result<usize> {
        let packets = self.packets.chunks_exact(self.octets).skip(range.start);
        let messages = self.slots[range].iter().zip(packets).map(|(slot, packet)| SendBuffers {
            payload: &packet[..slot.octets],
            name: name(&slot.about),
            control: slot.control.octets(),
        });
        send(socket, messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(count: usize, octets: usize) -> Batch<()> {
        Batch::with_room(count, octets, ())
    }

    #[test]
    fn a_batch_is_written_in_place_and_to_the_last_moment() {
        let mut batch = batch(2, 4);
        assert!(batch.is_empty() && batch.octets_mut(0).is_none());
        batch.slot().unwrap().copy_from_slice(b"abcd");
        assert_eq!(batch.add(3, ()), Some(0));
        batch.octets_mut(0).unwrap()[0] = b'A';
        assert_eq!(batch.octets_mut(0).unwrap(), b"Abc");
        // A length beyond the slot is cut to it.
        assert_eq!(batch.add(5, ()), Some(1));
        assert_eq!(batch.octets_mut(1).unwrap().len(), 4);
        assert!(batch.is_full() && batch.slot().is_none());
        assert_eq!(batch.add(1, ()), None);
        assert_eq!(batch.outcomes().collect::<Vec<_>>(), [SendOutcome::Unsent; 2]);
    }

    #[test]
    fn a_template_outlives_a_cleared_batch() {
        let mut batch = batch(1, 4);
        batch.slot().unwrap().copy_from_slice(b"abcd");
        batch.add(4, ());
        batch.clear();
        assert_eq!((batch.len(), batch.outcome(0)), (0, SendOutcome::Unsent));
        assert_eq!(batch.slot().unwrap(), b"abcd");
    }

    #[test]
    fn sizes_are_kept_within_what_one_call_moves() {
        assert_eq!(batch(0, 0).capacity(), 1);
        assert_eq!(batch(1000, 44).capacity(), BATCH);
    }
}
