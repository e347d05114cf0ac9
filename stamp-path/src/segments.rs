//! Names in segment lists: what a node or link of the topology is called by whoever reads it.
//!
//! A list is walked in the order of travel. A label means something to one node alone, the one that
//! finds it on top: that is where the segment before it ended, or for the first one a neighbour of
//! whoever imposes the list. SIDs mean the same everywhere.

mod error;
mod labels;
mod names;
mod sids;

pub use error::SegmentError;
pub use labels::{LabelWalk, Origin, Start};
pub use names::{Step, find, node};
pub use sids::{SidKind, SidWalk};
