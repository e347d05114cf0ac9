//! What a plan depends on besides the file.

use std::collections::BTreeSet;
use std::sync::Arc;

use stamp_path::policy::Roster;
use stamp_path::topology::Topology;

use super::links::LinkValues;

/// What a plan depends on besides the file.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// What was measured of links.
    pub links: LinkValues,
    /// What is drained although the file does not say it.
    pub drained: Drained,
    /// The lists so far.
    pub(super) roster: Arc<Roster>,
    /// Names of those that carry traffic.
    pub(super) carrying: BTreeSet<String>,
}

/// Something that is to be drained.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Drain {
    /// A link, in both directions.
    Link(String),
    /// A node.
    Node(String),
}

/// All that is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Drained(BTreeSet<Drain>);

impl Drained {
    /// Drains something, or no longer; whether that is new.
    pub fn set(&mut self, drain: Drain, is_drained: bool) -> bool {
        if is_drained { self.0.insert(drain) } else { self.0.remove(&drain) }
    }

    /// The topology with all of it; what is not in it is no longer there.
    pub(super) fn applied(&self, mut topology: Topology) -> Topology {
        for drain in &self.0 {
            match drain {
                Drain::Link(name) => {
                    let links = topology.links.iter_mut().filter(|link| link.name == *name);
                    let directions = links.flat_map(|link| &mut link.directions.0);
                    directions.for_each(|direction| direction.drained = true);
                }
                Drain::Node(name) => {
                    let nodes = topology.nodes.iter_mut().filter(|node| node.name == *name);
                    nodes.for_each(|node| node.drained = true);
                }
            }
        }
        topology
    }
}

impl Drain {
    /// It is in the topology.
    pub fn is_in(&self, topology: &Topology) -> bool {
        match self {
            Self::Link(name) => topology.link_id(name).is_some(),
            Self::Node(name) => topology.node_id(name).is_some(),
        }
    }
}

impl std::fmt::Display for Drain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(name) => write!(f, "link {name}"),
            Self::Node(name) => write!(f, "node {name}"),
        }
    }
}
