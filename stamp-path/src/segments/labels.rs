//! Labels, each as the node that reads it knows it.

use ipnet::IpNet;

use super::{SegmentError, Step};
use crate::shortest::ShortestPaths;
use crate::topology::{Label, LinkId, NodeId, Topology};

/// Who imposes a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A node: its neighbours read the first label.
    Node(NodeId),
    /// A host behind this node, which reads the first label itself.
    Behind(NodeId),
    /// A list before this one has ended here: the same node reads on.
    At(NodeId),
}

/// How a packet with the list sets out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// By the shortest way to a node.
    Toward(NodeId),
    /// Over a link of the node that imposes it.
    Over(LinkId),
}

/// A list of segments while it is turned into labels.
#[derive(Debug)]
pub struct LabelWalk<'t> {
    topology: &'t Topology,
    place: Place,
    start: Option<Start>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nothing is imposed yet.
    Imposing(NodeId),
    /// The next label is read here.
    At(NodeId),
    /// Behind a label that the topology does not explain.
    Astray(Label),
}

impl<'t> LabelWalk<'t> {
    /// A list that begins here.
    #[must_use]
    pub const fn new(topology: &'t Topology, origin: Origin) -> Self {
        let place = match origin {
            Origin::Node(node) => Place::Imposing(node),
            Origin::Behind(node) | Origin::At(node) => Place::At(node),
        };
        Self { topology, place, start: None }
    }

    /// The label of the next segment; none where it needs none: its end is reached already, or the
    /// first hop is its end and wants no label.
    ///
    /// # Errors
    ///
    /// [`SegmentError`] when nobody could read a label for it, or several would read several.
    pub fn step(&mut self, step: Step) -> Result<Option<Label>, SegmentError> {
        match (self.place, step) {
            (_, Step::Label(label)) => {
                self.place = self.behind(label);
                Ok(Some(label))
            }
            (Place::Astray(behind), _) => Err(SegmentError::Astray { behind }),
            (Place::Imposing(node) | Place::At(node), Step::Node(target)) if node == target => {
                Ok(None)
            }
            (Place::Imposing(node), Step::Node(target)) => {
                let label = self.first(node, target)?;
                self.start = Some(Start::Toward(target));
                self.place = Place::At(target);
                Ok(label)
            }
            (Place::At(reader), Step::Node(target)) => {
                let label = self.known_as(reader, target)?;
                self.place = Place::At(target);
                Ok(Some(label))
            }
            (Place::Imposing(node), Step::Link(link)) => {
                self.place = Place::At(self.topology.beyond(link, node)?);
                self.start = Some(Start::Over(link));
                Ok(None)
            }
            (Place::At(node), Step::Link(link)) => {
                let beyond = self.topology.beyond(link, node)?;
                let known = &self.topology[link];
                let label = known.side_of(node).and_then(|side| known.adjacency_of(side));
                let label =
                    label.ok_or_else(|| SegmentError::NoAdjacency { link: known.name.clone() })?;
                self.place = Place::At(beyond);
                Ok(Some(label))
            }
        }
    }

    /// Where the list is by now, if that is known.
    #[must_use]
    pub const fn at(&self) -> Option<NodeId> {
        match self.place {
            Place::Imposing(node) | Place::At(node) => Some(node),
            Place::Astray(_) => None,
        }
    }

    /// How packets set out, when a name says it.
    #[must_use]
    pub const fn start(&self) -> Option<Start> {
        self.start
    }

    /// What the neighbours of `node` on the ways to `target` want to see: all the same.
    fn first(&self, node: NodeId, target: NodeId) -> Result<Option<Label>, SegmentError> {
        let topology = self.topology;
        let name = |id: NodeId| topology[id].name.clone();
        let hops = ShortestPaths::toward(topology, target).next_hops(topology, node);
        let mut labels: Vec<(String, Option<Label>)> = Vec::new();
        for (link, side) in hops {
            let next = topology[link].at(side.opposite());
            let wants_none = next == target && (topology[next].php || !topology[next].sr);
            let label = if wants_none { None } else { Some(self.known_as(next, target)?) };
            labels.push((name(next), label));
        }
        labels.dedup();
        match labels.as_slice() {
            [] => Err(SegmentError::Unreachable { from: name(node), to: name(target) }),
            [(_, label), rest @ ..] if rest.iter().all(|(_, other)| other == label) => Ok(*label),
            _ => Err(SegmentError::ManyLabels { to: name(target), labels }),
        }
    }

    /// The label by which `reader` knows the way to `target`.
    fn known_as(&self, reader: NodeId, target: NodeId) -> Result<Label, SegmentError> {
        let (reader, target) = (&self.topology[reader], &self.topology[target]);
        let names = || (reader.name.clone(), target.name.clone());
        let is_of = |prefix: IpNet| target.loopbacks.iter().any(|own| IpNet::from(*own) == prefix);
        if let Some(learned) = reader.learned.iter().find(|learned| is_of(learned.prefix)) {
            return Ok(learned.label);
        }
        if !reader.sr {
            let (reader, node) = names();
            return Err(SegmentError::Unlabelled { reader, node });
        }
        let Some(index) = target.index else {
            let (reader, node) = names();
            return Err(SegmentError::NoIndex { node, reader });
        };
        reader.label_of(index).ok_or_else(|| {
            let (reader, node) = names();
            SegmentError::BeyondBlock { node, index, reader }
        })
    }

    /// Where a label leads that was written as a number.
    fn behind(&self, label: Label) -> Place {
        if label.is_special() {
            // An explicit null is taken off, and the same node reads on.
            return self.place;
        }
        let mut ends: Vec<NodeId> = match self.place {
            Place::At(reader) => self.led_by(label, reader).into_iter().collect(),
            Place::Imposing(node) => self
                .topology
                .links_of(node)
                .map(|(link, side)| self.topology[link].at(side.opposite()))
                .filter_map(|reader| self.led_by(label, reader))
                .collect(),
            Place::Astray(_) => Vec::new(),
        };
        ends.sort_unstable();
        ends.dedup();
        match ends[..] {
            [end] => Place::At(end),
            _ => Place::Astray(label),
        }
    }

    /// Where a label leads when this node reads it.
    fn led_by(&self, label: Label, reader: NodeId) -> Option<NodeId> {
        let topology = self.topology;
        let node = topology.ids().find(|id| self.known_as(reader, *id) == Ok(label));
        let over = || {
            topology.links_of(reader).find_map(|(link, side)| {
                let link = &topology[link];
                (link.adjacency_of(side) == Some(label)).then(|| link.at(side.opposite()))
            })
        };
        let bound = || {
            let mut tunnels = topology.tunnels.iter();
            tunnels.find(|it| it.from == reader && it.label == label).map(|it| it.to)
        };
        node.or_else(over).or_else(bound)
    }
}

impl Topology {
    /// The other end of a link.
    pub(super) fn beyond(&self, link: LinkId, from: NodeId) -> Result<NodeId, SegmentError> {
        let known = &self[link];
        known.side_of(from).map(|side| known.at(side.opposite())).ok_or_else(|| {
            SegmentError::ElsewhereThanLink {
                link: known.name.clone(),
                at: self[from].name.clone(),
            }
        })
    }
}

#[cfg(test)]
mod tests;
