//! Links, and what differs between their directions.

use core::net::IpAddr;
use core::time::Duration;

use stamp_document::quantity::{Bandwidth, Ratio};

use super::{Label, NodeId, Sid};

/// Position of a link in its topology.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub(super) usize);

impl LinkId {
    /// Counted from 0, in the order of the file.
    #[must_use]
    pub const fn position(self) -> usize {
        self.0
    }
}

/// What joins two nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Unique in the topology.
    pub name: String,
    /// The two nodes.
    pub ends: [NodeId; 2],
    /// What it is made of.
    pub kind: LinkKind,
    /// From the first end to the second, and back.
    pub directions: Directions,
    /// Adjacency-SIDs as labels: the first end's, the second end's.
    pub adjacency: Option<[Label; 2]>,
    /// Adjacency-SIDs of SRv6: End.X of the first end, of the second end.
    pub end_x: Option<[Sid; 2]>,
    /// Numbers of the interfaces: the first end's, the second end's.
    pub interfaces: Option<[u32; 2]>,
    /// Addresses of the interfaces: the first end's, the second end's; none on an unnumbered link.
    pub addresses: [Vec<IpAddr>; 2],
}

impl Link {
    /// The side a node is at, if it is at one.
    #[must_use]
    pub fn side_of(&self, node: NodeId) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.at(*side) == node)
    }

    /// The node at a side.
    #[must_use]
    pub const fn at(&self, side: Side) -> NodeId {
        let [first, second] = self.ends;
        match side {
            Side::First => first,
            Side::Second => second,
        }
    }

    /// What holds for packets sent by the node at `side`.
    #[must_use]
    pub const fn from(&self, side: Side) -> &Direction {
        let Directions([forth, back]) = &self.directions;
        match side {
            Side::First => forth,
            Side::Second => back,
        }
    }

    /// The label that makes the node at `side` send over this link.
    #[must_use]
    pub fn adjacency_of(&self, side: Side) -> Option<Label> {
        self.adjacency.map(|[first, second]| side.choose(first, second))
    }

    /// The SID that makes the node at `side` send over this link.
    #[must_use]
    pub fn end_x_of(&self, side: Side) -> Option<Sid> {
        self.end_x.map(|[first, second]| side.choose(first, second))
    }

    /// By which number the node at `side` knows its interface.
    #[must_use]
    pub fn interface_of(&self, side: Side) -> Option<u32> {
        self.interfaces.map(|[first, second]| side.choose(first, second))
    }

    /// Addresses of the interface at `side`.
    #[must_use]
    pub fn addresses_of(&self, side: Side) -> &[IpAddr] {
        let [first, second] = &self.addresses;
        side.choose(first, second)
    }
}

/// One of the two ends of a link.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// The end named first.
    First,
    /// The end named second.
    Second,
}

impl Side {
    /// First, then second.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// What belongs to this side.
    #[must_use]
    pub fn choose<T>(self, first: T, second: T) -> T {
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }
}

/// What a link is made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LinkKind {
    /// A wire, or what looks like one.
    #[default]
    Physical,
    /// A label-switched path that is announced as a link.
    Lsp,
    /// A summary of what a domain does not show.
    Abstract,
}

impl LinkKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Physical, Self::Lsp, Self::Abstract];

    /// As a topology file has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Physical => "physical",
            Self::Lsp => "lsp",
            Self::Abstract => "abstract",
        }
    }
}

/// From the first end to the second, and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directions(pub [Direction; 2]);

impl Directions {
    /// Something of each direction.
    #[must_use]
    pub fn map_ref<T>(&self, read: impl FnMut(&Direction) -> T) -> [T; 2] {
        self.0.each_ref().map(read)
    }
}

/// One direction of a link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Direction {
    /// Metric of the interior gateway protocol.
    pub igp: u32,
    /// Metric of traffic engineering.
    pub te: u32,
    /// How long a packet is under way.
    pub delay: Duration,
    /// Standard deviation of the delay.
    pub jitter: Duration,
    /// Share of packets that are lost.
    pub loss: Ratio,
    /// Share of packets that overtake those before them.
    pub reordering: Ratio,
    /// Capacity, where it is known.
    pub bandwidth: Option<Bandwidth>,
    /// Administrative groups.
    pub affinities: Vec<String>,
    /// Shared risk link groups.
    pub srlgs: Vec<u32>,
    /// Traffic avoids it, for instance for maintenance.
    pub drained: bool,
}

impl Direction {
    /// Cost of a link that names none.
    pub const USUAL_METRIC: u32 = 10;
}

impl Default for Direction {
    fn default() -> Self {
        Self {
            igp: Self::USUAL_METRIC,
            te: Self::USUAL_METRIC,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: Ratio::ZERO,
            reordering: Ratio::ZERO,
            bandwidth: None,
            affinities: Vec::new(),
            srlgs: Vec::new(),
            drained: false,
        }
    }
}
