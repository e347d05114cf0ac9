//! Topologies that others publish, as text of a topology file to go on from.
//!
//! What a foreign form does not know stays out, and is the operator's to add: SIDs, labels, what nodes are
//! capable of.

mod bgp_ls;
mod graphml;
mod naming;

pub use bgp_ls::{BgpLsError, bgp_ls};
pub use graphml::{GraphMlError, graphml};

/// A topology file made from something else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Imported {
    /// The file. [`Topology::read`](crate::Topology::read) takes it.
    pub text: String,
    /// What of the original is not in it, and what was made up.
    pub notes: Vec<String>,
}
