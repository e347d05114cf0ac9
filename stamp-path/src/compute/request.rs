//! What is asked for.

use core::fmt;
use core::time::Duration;

use stamp_document::Setting;
use stamp_document::quantity::{Bandwidth, Ratio, print_duration};

use crate::path::Path;
use crate::topology::{LinkId, LinkKind, NodeId, Topology};

/// What is to be small.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Metric {
    /// Metric of the interior gateway protocol.
    #[default]
    Igp,
    /// Metric of traffic engineering.
    Te,
    /// Delay, in nanoseconds.
    Delay,
    /// Loss; an answer has it in billionths.
    Loss,
    /// Links.
    Hops,
}

impl Setting for Metric {
    const EXPECTED: &'static str = "igp, te, delay, loss or hops";
    fn read(text: &str) -> Option<Self> {
        match text {
            "igp" => Some(Self::Igp),
            "te" => Some(Self::Te),
            "delay" => Some(Self::Delay),
            "loss" => Some(Self::Loss),
            "hops" => Some(Self::Hops),
            _ => None,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Igp => "igp",
            Self::Te => "te",
            Self::Delay => "delay",
            Self::Loss => "loss",
            Self::Hops => "hops",
        })
    }
}

/// What two ways may not share, besides links.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Disjointness {
    /// Nodes, but for both ends.
    pub nodes: bool,
    /// Shared risk link groups.
    pub srlgs: bool,
}

impl Disjointness {
    /// No link of the one is in the other, in either direction.
    pub const LINK: Self = Self { nodes: false, srlgs: false };
    /// No link and no node between the ends.
    pub const NODE: Self = Self { nodes: true, srlgs: false };
    /// No link and no shared risk link group.
    pub const SRLG: Self = Self { nodes: false, srlgs: true };
    /// Nothing of all that.
    pub const NODE_AND_SRLG: Self = Self { nodes: true, srlgs: true };
}

impl Setting for Disjointness {
    const EXPECTED: &'static str = "link, node, srlg or node+srlg";
    fn read(text: &str) -> Option<Self> {
        match text {
            "link" => Some(Self::LINK),
            "node" => Some(Self::NODE),
            "srlg" => Some(Self::SRLG),
            "node+srlg" => Some(Self::NODE_AND_SRLG),
            _ => None,
        }
    }
}

impl fmt::Display for Disjointness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.nodes, self.srlgs) {
            (false, false) => "link",
            (true, false) => "node",
            (false, true) => "srlg",
            (true, true) => "node+srlg",
        })
    }
}

/// What a way has to keep to. Both of its ends are exempt from what is said of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// Links and nodes that are drained are avoided.
    AvoidDrained,
    /// At most this delay.
    MaxDelay(Duration),
    /// At most this share is lost; losses of links compose.
    MaxLoss(Ratio),
    /// At most this many links.
    MaxHops(u32),
    /// Every link has this capacity; one whose capacity is not known has not.
    MinBandwidth(Bandwidth),
    /// Not over this node.
    AvoidNode(NodeId),
    /// Not over this link, in neither direction.
    AvoidLink(LinkId),
    /// Not over a node of this autonomous system.
    AvoidAutonomousSystem(u32),
    /// Not over a node of this domain.
    AvoidDomain(String),
    /// Not over a link of this shared risk link group.
    AvoidSrlg(u32),
    /// Not over a link of this affinity.
    ExcludeAffinity(String),
    /// Every link has one of these affinities.
    IncludeAnyAffinity(Vec<String>),
    /// Every link has all of these affinities.
    IncludeAllAffinities(Vec<String>),
    /// Nothing in common with this way.
    DisjointFrom(Path, Disjointness),
}

impl Constraint {
    /// In words that follow "no path": `has a delay of at most 5ms`.
    #[must_use]
    pub fn in_words(&self, topology: &Topology) -> String {
        match self {
            Self::AvoidDrained => "avoids what is drained".to_owned(),
            Self::MaxDelay(delay) => format!("has a delay of at most {}", print_duration(*delay)),
            Self::MaxLoss(loss) => format!("loses at most {loss}"),
            Self::MaxHops(hops) => format!("has at most {hops} links"),
            Self::MinBandwidth(bandwidth) => format!("has a bandwidth of {bandwidth} everywhere"),
            Self::AvoidNode(node) => format!("avoids node {}", topology[*node].name),
            Self::AvoidLink(link) => format!("avoids link {}", topology[*link].name),
            Self::AvoidAutonomousSystem(number) => format!("avoids AS {number}"),
            Self::AvoidDomain(name) => format!("avoids domain {name}"),
            Self::AvoidSrlg(group) => format!("avoids SRLG {group}"),
            Self::ExcludeAffinity(name) => format!("avoids affinity {name}"),
            Self::IncludeAnyAffinity(names) => {
                format!("has one of the affinities {} on every link", names.join(", "))
            }
            Self::IncludeAllAffinities(names) => {
                format!("has the affinities {} on every link", names.join(", "))
            }
            Self::DisjointFrom(path, kind) => {
                let names: Vec<&str> =
                    path.nodes(topology).map(|node| topology[node].name.as_str()).collect();
                format!("is {kind}-disjoint from {}", names.join(" "))
            }
        }
    }
}

/// From where to where, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// What is to be small.
    pub metric: Metric,
    /// All of them are kept.
    pub constraints: Vec<Constraint>,
    /// Kinds of links that may be used.
    pub over: Vec<LinkKind>,
    /// Links that are not there for whoever asks; unlike a constraint this is never given up.
    pub closed: Vec<LinkId>,
    /// Partial ways that are looked at before the search is given up.
    pub work_limit: u64,
}

impl Request {
    /// Work limit of a request that names none: some tens of milliseconds.
    pub const USUAL_WORK_LIMIT: u64 = 100_000;

    /// By the metric of the interior gateway protocol over physical links, avoiding what is drained.
    #[must_use]
    pub fn new(from: NodeId, to: NodeId) -> Self {
        Self {
            from,
            to,
            metric: Metric::default(),
            constraints: vec![Constraint::AvoidDrained],
            over: vec![LinkKind::Physical],
            closed: Vec::new(),
            work_limit: Self::USUAL_WORK_LIMIT,
        }
    }

    /// The same by another metric.
    #[must_use]
    pub fn by(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// The same with one more constraint.
    #[must_use]
    pub fn with(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// The same without one of its constraints.
    #[must_use]
    pub fn without(&self, index: usize) -> Self {
        let mut request = self.clone();
        if index < request.constraints.len() {
            request.constraints.remove(index);
        }
        request
    }
}
