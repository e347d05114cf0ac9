//! What was found.

use crate::path::Hop;
use crate::topology::{LinkId, NodeId};

use super::Cause;

/// What explains what was observed, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Located {
    /// The most likely explanation: one suspect, or two that are at fault at once. None where nothing is wrong.
    pub suspects: Vec<Suspect>,
    /// How likely it is that this and nothing else is at fault, from 0 to 1.
    pub confidence: f64,
    /// Others that may be at fault, the most likely first.
    pub others: Vec<Suspect>,
    /// For each link that may be at fault how likely it is that it is, in whatever direction; the most likely
    /// first.
    pub links: Vec<(LinkId, f64)>,
    /// Observations, by their place, that show something wrong.
    pub bad: Vec<usize>,
    /// Those of them that the explanation does not explain.
    pub unexplained: Vec<usize>,
    /// What no observation meets: nothing can be said of it.
    pub unwatched: Vec<Cause>,
}

/// Something that may be at fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// What it is, the most likely first: all of these explain what was observed equally well and cannot be told
    /// apart. The same packets meet them everywhere, or as many flows of which nobody knows which way they take.
    pub causes: Vec<Cause>,
    /// How likely it is that one of them is at fault, from 0 to 1.
    pub confidence: f64,
    /// How bad it is: the share of packets that are lost, or the nanoseconds by which they are late.
    pub severity: f64,
    /// Where it is one of several equally good links.
    pub member: Option<Member>,
}

/// One of several equally good links, among which a node chooses for each flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// The node that chooses.
    pub at: NodeId,
    /// The one that is suspected.
    pub hop: Hop,
    /// The others.
    pub others: Vec<Hop>,
}
