//! Handing a batch to the kernel: as many per call as it takes, and the fate of each.

use std::io;
use std::mem;
use std::ops::Range;

use super::transmit::TransmitIds;

/// A batch on its way out of a socket, whatever its elements are.
pub(crate) trait Departure {
    /// How many elements it holds.
    fn len(&self) -> usize;

    /// The elements that wait at `start` and directly behind it.
    fn waiting(&self, start: usize) -> Range<usize>;

    /// Hands elements to the kernel and tells how many it took, or why it refused the first.
    fn transmit(&self, range: Range<usize>) -> io::Result<usize>;

    /// How often to try again, because the error may be older than the element.
    fn retries(&self, errno: i32) -> usize;

    /// The ids of the socket's transmit stamps, if it asks for them.
    fn transmit_ids(&self) -> Option<&TransmitIds>;

    /// The kernel took these.
    fn mark_sent(&mut self, range: Range<usize>);

    /// The kernel refused this one.
    fn mark_failed(&mut self, index: usize, errno: i32);

    /// Sends every element that still waits and returns how many left.
    ///
    /// One that fails does not hold up the others.
    fn depart(&mut self) -> usize {
        // Errors met at `next` that may turn out to be those of earlier elements.
        let mut pending = 0;
        let (mut next, mut sent) = (0, 0);
        while next < self.len() {
            let range = self.waiting(next);
            if range.is_empty() {
                next += 1;
                continue;
            }
            match self.transmit(range) {
                Ok(count) => {
                    self.forget(mem::take(&mut pending));
                    self.mark_sent(next..next + count);
                    (next, sent) = (next + count, sent + count);
                }
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    if pending < self.retries(errno) {
                        pending += 1;
                        continue;
                    }
                    self.mark_failed(next, errno);
                    if let Some(ids) = self.transmit_ids() {
                        ids.failed(errno, pending + 1);
                    }
                    (next, pending) = (next + 1, 0);
                }
            }
        }
        sent
    }

    /// So many errors were not those of the element that has just been sent.
    fn forget(&self, attempts: usize) {
        if let Some(ids) = self.transmit_ids() {
            ids.interrupted(attempts);
        }
    }
}
