//! Sending a batch of frames.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use super::{FrameBatch, FrameSocket};
use crate::interface;
use crate::socket::departure::Departure;
use crate::socket::transmit::TransmitIds;
use crate::socket::{SendFailure, SendOutcome};

impl FrameSocket {
    /// Sends every frame of `batch` that still waits and returns how many left.
    ///
    /// One that fails does not hold up the others; [`FrameBatch::outcome`] tells the fate of each.
    pub fn send(&self, batch: &mut FrameBatch) -> usize {
        for slot in batch.held_mut() {
            if slot.outcome == SendOutcome::Unsent {
                slot.control.clear();
                slot.chosen_id =
                    self.transmit_ids.as_ref().and_then(|ids| ids.choose(&mut slot.control));
            }
        }
        Sending { socket: self, batch }.depart()
    }

    #[cold]
    fn classify(&self, errno: i32) -> SendFailure {
        match SendFailure::from_errno(errno, false) {
            SendFailure::TooBig { .. } => SendFailure::TooBig {
                mtu: interface::mtu(self.interface).ok(),
                // How much of it is headers is known to whoever wrote them.
                largest_payload: None,
            },
            failure => failure,
        }
    }
}

/// A batch and the socket that it leaves through.
struct Sending<'a> {
    socket: &'a FrameSocket,
    batch: &'a mut FrameBatch,
}

impl Departure for Sending<'_> {
    fn len(&self) -> usize {
        self.batch.len()
    }

    fn waiting(&self, start: usize) -> Range<usize> {
        self.batch.waiting(start)
    }

    fn transmit(&self, range: Range<usize>) -> io::Result<usize> {
        self.batch.transmit(self.socket.as_fd(), range)
    }

    /// The only error that comes later than its cause: the interface was down at some time.
    fn retries(&self, errno: i32) -> usize {
        usize::from(errno == libc::ENETDOWN)
    }

    fn transmit_ids(&self) -> Option<&TransmitIds> {
        self.socket.transmit_ids.as_ref()
    }

    fn mark_sent(&mut self, range: Range<usize>) {
        let ids = self.socket.transmit_ids.as_ref();
        for slot in &mut self.batch.held_mut()[range] {
            let transmit_id = ids.map(|ids| ids.sent(slot.chosen_id));
            slot.outcome = SendOutcome::Sent { transmit_id };
        }
    }

    fn mark_failed(&mut self, index: usize, errno: i32) {
        self.batch.held_mut()[index].outcome = SendOutcome::Failed(self.socket.classify(errno));
    }
}
