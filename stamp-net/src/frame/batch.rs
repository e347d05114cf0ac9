//! Frames to be sent together.

use crate::batch::Batch;

/// Frames to be sent together, allocated once; each begins with its link header.
pub type FrameBatch = Batch<Framed>;

/// All that is known of a frame is in it.
#[derive(Clone, Copy, Debug)]
pub struct Framed;

impl FrameBatch {
    /// Room for `count` frames (1 to 64) of up to `octets` octets with their link header.
    #[must_use]
    pub fn new(count: usize, octets: usize) -> Self {
        Self::with_room(count, octets, Framed)
    }

    /// Adds the frame of `octets` octets that was written into [`Self::slot`] and returns its index.
    ///
    /// A length beyond the slot is cut to it. `None` when full.
    pub fn push(&mut self, octets: usize) -> Option<usize> {
        self.add(octets, Framed)
    }
}
