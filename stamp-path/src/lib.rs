//! Which way through a Segment Routing network.
//!
//! [`topology`] reads the file that describes one: nodes, links, what they cost and which labels
//! and SIDs they answer to. [`shortest`] finds the ways packets take by themselves, [`segments`] turns
//! names into labels and SIDs.
//!
//! Text and values come in, values go out: no file, socket, clock or thread.
#![forbid(unsafe_code)]

pub mod segments;
pub mod shortest;
pub mod topology;

pub use topology::{NodeId, Topology};
