//! Frames to be sent together.

use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::socket::SendOutcome;
use crate::socket::control::ControlBuffer;
use crate::sys::message::{BATCH, SendBuffers, send};

/// Frames to be sent together, allocated once.
///
/// What a slot holds stays when the batch is cleared: a template is written once, and only what
/// differs from frame to frame afterwards.
#[derive(Debug)]
pub struct FrameBatch {
    octets: usize,
    frames: Box<[u8]>,
    slots: Box<[Slot]>,
    len: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    octets: usize,
    pub(super) control: ControlBuffer,
    pub(super) chosen_id: Option<u32>,
    pub(super) outcome: SendOutcome,
}

impl FrameBatch {
    /// Room for `count` frames (1 to 64) of up to `octets` octets with their link header.
    #[must_use]
    pub fn new(count: usize, octets: usize) -> Self {
        let (count, octets) = (count.clamp(1, BATCH), octets.max(1));
        let slot = Slot {
            octets: 0,
            control: ControlBuffer::new(),
            chosen_id: None,
            outcome: SendOutcome::Unsent,
        };
        Self {
            octets,
            frames: vec![0; count * octets].into(),
            slots: vec![slot; count].into(),
            len: 0,
        }
    }

    /// How many frames it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many frames it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// It holds no frame.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No slot is free.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Forgets all frames; what the slots hold stays until it is overwritten.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The whole buffer of the next free slot, to be written in place; `None` when full.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        self.frames.chunks_exact_mut(self.octets).nth(self.len)
    }

    /// Adds the frame of `octets` octets that was written into [`Self::slot`] and returns its index.
    ///
    /// A length beyond the slot is cut to it. `None` when full.
    pub fn push(&mut self, octets: usize) -> Option<usize> {
        let index = self.len;
        let slot = self.slots.get_mut(index)?;
        slot.octets = octets.min(self.octets);
        slot.outcome = SendOutcome::Unsent;
        self.len += 1;
        Some(index)
    }

    /// A frame that was added, for what is to be written last; `None` when there is none at this
    /// index.
    pub fn octets_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let octets = self.held().get(index)?.octets;
        self.frames.chunks_exact_mut(self.octets).nth(index)?.get_mut(..octets)
    }

    /// What became of a frame; one that is not there was not sent.
    #[must_use]
    pub fn outcome(&self, index: usize) -> SendOutcome {
        self.held().get(index).map_or(SendOutcome::Unsent, |slot| slot.outcome)
    }

    /// What became of each frame, in order.
    pub fn outcomes(&self) -> impl Iterator<Item = SendOutcome> {
        self.held().iter().map(|slot| slot.outcome)
    }

    fn held(&self) -> &[Slot] {
        &self.slots[..self.len]
    }

    pub(super) fn held_mut(&mut self) -> &mut [Slot] {
        &mut self.slots[..self.len]
    }

    /// The frames that wait at `start` and directly behind it.
    pub(super) fn waiting(&self, start: usize) -> Range<usize> {
        let rest = self.slots[start..self.len].iter();
        let count = rest.take_while(|slot| slot.outcome == SendOutcome::Unsent).count();
        start..start + count
    }

    pub(super) fn transmit(
        &self,
        socket: BorrowedFd<'_>,
        range: Range<usize>,
    ) -> io::Result<usize> {
        let frames = self.frames.chunks_exact(self.octets).skip(range.start);
        let messages = self.slots[range].iter().zip(frames).map(|(slot, frame)| SendBuffers {
            payload: &frame[..slot.octets],
            // The socket is bound to its interface.
            name: &[],
            control: slot.control.octets(),
        });
        send(socket, messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_written_in_place_and_to_the_last_moment() {
        let mut batch = FrameBatch::new(2, 4);
        assert!(batch.is_empty() && batch.octets_mut(0).is_none());
        batch.slot().unwrap().copy_from_slice(b"abcd");
        assert_eq!(batch.push(3), Some(0));
        batch.octets_mut(0).unwrap()[0] = b'A';
        assert_eq!(batch.octets_mut(0).unwrap(), b"Abc");
        // A length beyond the slot is cut to it.
        assert_eq!(batch.push(5), Some(1));
        assert_eq!(batch.octets_mut(1).unwrap().len(), 4);
        assert!(batch.is_full() && batch.slot().is_none());
        assert_eq!(batch.push(1), None);
        assert_eq!(batch.outcomes().collect::<Vec<_>>(), [SendOutcome::Unsent; 2]);
    }

    #[test]
    fn a_template_outlives_a_cleared_batch() {
        let mut batch = FrameBatch::new(1, 4);
        batch.slot().unwrap().copy_from_slice(b"abcd");
        batch.push(4);
        batch.clear();
        assert_eq!((batch.len(), batch.outcome(0)), (0, SendOutcome::Unsent));
        assert_eq!(batch.slot().unwrap(), b"abcd");
    }

    #[test]
    fn sizes_are_kept_within_what_one_call_moves() {
        assert_eq!(FrameBatch::new(0, 0).capacity(), 1);
        assert_eq!(FrameBatch::new(1000, 44).capacity(), BATCH);
    }
}
