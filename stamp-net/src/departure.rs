//! Handing a batch to the kernel: as many per call as it takes, and the fate of each.

use std::mem;
use std::os::fd::AsFd;

use crate::batch::{Batch, SendOutcome};
use crate::socket::SendFailure;
use crate::socket::transmit::TransmitIds;

/// A socket that batches leave through.
pub(crate) trait Outlet<T>: AsFd {
    /// The address of a packet as the kernel wants it; empty where the socket has it.
    fn name(about: &T) -> &[u8];

    /// How often to try again, because the error may be older than the packet.
    fn retries(&self, errno: i32) -> usize;

    /// The ids of the socket's transmit stamps, if it asks for that of this packet.
    fn transmit_ids(&self, about: &T) -> Option<&TransmitIds>;

    /// Why the kernel refused a packet.
    fn classify(&self, errno: i32, about: &T) -> SendFailure;

    /// Sends every packet that still waits and returns how many left.
    ///
    /// One that fails does not hold up the others.
    fn depart(&self, batch: &mut Batch<T>) -> usize {
        // Errors met at `next` that may turn out to be those of earlier packets.
        let mut pending = 0;
        let (mut next, mut sent) = (0, 0);
        while next < batch.len() {
            let range = batch.waiting(next);
            if range.is_empty() {
                next += 1;
                continue;
            }
            match batch.transmit(self.as_fd(), range, Self::name) {
                Ok(count) => {
                    // So many errors were not those of the packet that has just been sent.
                    let attempts = mem::take(&mut pending);
                    if let Some(ids) = self.transmit_ids(&batch.held()[next].about) {
                        ids.interrupted(attempts);
                    }
                    for slot in &mut batch.held_mut()[next..next + count] {
                        let ids = self.transmit_ids(&slot.about);
                        let transmit_id = ids.map(|ids| ids.sent(slot.chosen_id));
                        slot.outcome = SendOutcome::Sent { transmit_id };
                    }
                    (next, sent) = (next + count, sent + count);
                }
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    if pending < self.retries(errno) {
                        pending += 1;
                        continue;
                    }
                    let slot = &mut batch.held_mut()[next];
                    slot.outcome = SendOutcome::Failed(self.classify(errno, &slot.about));
                    if let Some(ids) = self.transmit_ids(&slot.about) {
                        ids.failed(errno, pending + 1);
                    }
                    (next, pending) = (next + 1, 0);
                }
            }
        }
        sent
    }
}
