//! Sending a batch of frames.

use super::batch::Framed;
use super::{FrameBatch, FrameSocket};
use crate::batch::SendOutcome;
use crate::departure::Outlet;
use crate::interface;
use crate::socket::SendFailure;
use crate::socket::transmit::TransmitIds;

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
        self.depart(batch)
    }
}

impl Outlet<Framed> for FrameSocket {
    /// The socket is bound to its interface.
    fn name(_about: &Framed) -> &[u8] {
        &[]
    }

    /// The only error that comes later than its cause: the interface was down at some time.
    fn retries(&self, errno: i32) -> usize {
        usize::from(errno == libc::ENETDOWN)
    }

    fn transmit_ids(&self, _about: &Framed) -> Option<&TransmitIds> {
        self.transmit_ids.as_ref()
    }

    #[cold]
    fn classify(&self, errno: i32, _about: &Framed) -> SendFailure {
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
