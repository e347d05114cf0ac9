//! Which way through a Segment Routing network.
//!
//! [`topology`] reads the file that describes one: nodes, links, what they cost and which labels
//! and SIDs they answer to. [`shortest`] finds the ways packets take by themselves, [`segments`] turns
//! names into labels and SIDs. A [`Path`] is a way hop by hop, with what it adds up to; [`compute`]
//! finds those that somebody wants, [`encoding`] the segments that keep packets to one and what packets
//! with a list can touch, [`drawing`] makes pictures of them.
//!
//! [`policy`] says what is to be steered where, [`class`] what its traffic needs,
//! [`selection`] which candidate path carries it by what was measured, [`measured_links`] what was measured
//! of links, [`locate`] which of them explains what sessions show.
//!
//! Text and values come in, values go out: no file, socket, clock or thread.
#![forbid(unsafe_code)]

pub mod class;
pub mod compute;
pub mod drawing;
pub mod encoding;
pub mod import;
pub mod locate;
pub mod measured_links;
pub mod path;
pub mod policy;
pub mod segments;
pub mod selection;
pub mod shortest;
pub mod topology;

pub use path::Path;
pub use topology::{NodeId, Topology};
