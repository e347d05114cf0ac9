//! Labels, by walking the list from reader to reader.

use ipnet::IpNet;

use crate::policy::{Segment, SegmentFlaw};
use crate::segments::{self, LabelWalk, Origin, SegmentError, Start, Step};
use crate::shortest::ShortestPaths;
use crate::topology::{Label, NodeId, Topology};

use super::adjacency;

/// Algorithm of shortest paths; the topology knows no other segments.
const SPF: u8 = 0;

/// A list while its labels are found.
pub(super) struct Labels<'t> {
    topology: &'t Topology,
    headend: Option<Origin>,
    /// One for each node where the list may be: several behind an anycast prefix, none where nothing
    /// says where it begins.
    walks: Vec<LabelWalk<'t>>,
    pub(super) imposed: Vec<Label>,
    pub(super) start: Option<Start>,
    /// Where the list may be by now, if that is known.
    pub(super) ends: Vec<NodeId>,
}

impl<'t> Labels<'t> {
    pub(super) fn new(topology: &'t Topology, headend: Option<Origin>) -> Self {
        let walks = headend.map(|origin| LabelWalk::new(topology, origin)).into_iter().collect();
        let (imposed, ends) = (Vec::new(), Vec::new());
        Self { topology, headend, walks, imposed, start: None, ends }
    }

    pub(super) fn step(&mut self, segment: &Segment, is_first: bool) -> Result<(), SegmentFlaw> {
        let label = match segment {
            Segment::Label(label) => {
                if is_first {
                    self.check_first(*label)?;
                }
                self.all(Step::Label(*label))?
            }
            _ if self.walks.is_empty() => return Err(SegmentFlaw::NoHeadend),
            Segment::Name { word, .. } => self.all(segments::find(self.topology, word)?)?,
            _ => match segment.prefix() {
                Some((prefix, algorithm)) => self.prefix(prefix, algorithm, is_first)?,
                None => self.adjacency(segment)?,
            },
        };
        self.imposed.extend(label);
        if is_first {
            self.start = self.start.or_else(|| self.walks.iter().find_map(LabelWalk::start));
        }
        let ends: Option<Vec<NodeId>> = self.walks.iter().map(LabelWalk::at).collect();
        self.ends = ends.unwrap_or_default();
        Ok(())
    }

    /// The same step from wherever the list may be: all must want the same label.
    fn all(&mut self, step: Step) -> Result<Option<Label>, SegmentFlaw> {
        if let (true, Step::Label(label)) = (self.walks.is_empty(), step) {
            return Ok(Some(label));
        }
        let mut wanted = Vec::new();
        for walk in &mut self.walks {
            wanted.push(walk.step(step)?);
        }
        wanted.dedup();
        match wanted[..] {
            [label] => Ok(label),
            _ => Err(SegmentFlaw::ManyEnds),
        }
    }

    /// A label that nobody reads leads to no next hop.
    fn check_first(&self, label: Label) -> Result<(), SegmentFlaw> {
        let Some(origin) = self.headend else { return Ok(()) };
        let mut walk = LabelWalk::new(self.topology, origin);
        walk.step(Step::Label(label))?;
        let is_peer = |reader: NodeId| {
            self.topology.peers.iter().any(|peer| peer.at == reader && peer.label == label)
        };
        let is_known = walk.at().is_some() || self.first_readers().into_iter().any(is_peer);
        if is_known { Ok(()) } else { Err(SegmentFlaw::UnknownLabel { label }) }
    }

    fn first_readers(&self) -> Vec<NodeId> {
        match self.headend {
            Some(Origin::Node(node)) => {
                let links = self.topology.links_of(node);
                links.map(|(link, side)| self.topology[link].at(side.opposite())).collect()
            }
            Some(Origin::Behind(node) | Origin::At(node)) => vec![node],
            None => Vec::new(),
        }
    }

    fn prefix(
        &mut self,
        prefix: IpNet,
        algorithm: Option<u8>,
        is_first: bool,
    ) -> Result<Option<Label>, SegmentFlaw> {
        let topology = self.topology;
        let is_own = |node: &NodeId| {
            topology[*node].loopbacks.iter().any(|address| IpNet::from(*address) == prefix)
        };
        let node = topology.ids().find(is_own);
        let members: Vec<NodeId> =
            topology.ids().filter(|node| index(topology, *node, prefix).is_some()).collect();
        if node.is_none() && members.is_empty() {
            return Err(SegmentFlaw::UnknownPrefix { prefix });
        }
        if let Some(algorithm) = algorithm.filter(|algorithm| *algorithm != SPF) {
            return Err(SegmentFlaw::NoAlgorithm { prefix, algorithm });
        }
        match node {
            Some(node) => self.all(Step::Node(node)),
            None => self.anycast(prefix, &members, is_first),
        }
    }

    /// To the nearest of several nodes, whichever that is.
    fn anycast(
        &mut self,
        prefix: IpNet,
        members: &[NodeId],
        is_first: bool,
    ) -> Result<Option<Label>, SegmentFlaw> {
        let topology = self.topology;
        let mut readers = Vec::new();
        match self.headend.filter(|_| is_first) {
            Some(Origin::Node(node)) => {
                let (nearest, next) =
                    nearest(topology, node, members).ok_or(SegmentFlaw::Unreachable { prefix })?;
                self.start = Some(Start::Toward(nearest));
                readers.extend(next);
            }
            _ => {
                for walk in &self.walks {
                    // Behind a label that nobody explains, nobody knows who reads.
                    readers.push(walk.at().ok_or(SegmentFlaw::ManyEnds)?);
                }
                if readers.iter().all(|reader| members.contains(reader)) {
                    return Ok(None);
                }
            }
        }
        let pops = |reader: NodeId| is_first && members.contains(&reader) && topology[reader].php;
        let known = |reader: &NodeId| {
            if pops(*reader) {
                Ok(None)
            } else {
                label(topology, *reader, (prefix, members)).map(Some)
            }
        };
        let mut labels = readers.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        labels.dedup();
        let [label] = labels[..] else { return Err(SegmentFlaw::ManyLabels { prefix }) };
        self.walks =
            members.iter().map(|member| LabelWalk::new(topology, Origin::At(*member))).collect();
        Ok(label)
    }

    fn adjacency(&mut self, segment: &Segment) -> Result<Option<Label>, SegmentFlaw> {
        let (link, side) =
            adjacency(self.topology, segment).ok_or(SegmentFlaw::UnknownAdjacency)?;
        let from = self.topology[link].at(side);
        if let Some(at) = self.walks.iter().filter_map(LabelWalk::at).find(|at| *at != from) {
            let (link, at) = (self.topology[link].name.clone(), self.topology[at].name.clone());
            return Err(SegmentError::ElsewhereThanLink { link, at }.into());
        }
        self.all(Step::Link(link))
    }
}

/// The index under which a node announces a prefix that others announce too.
fn index(topology: &Topology, node: NodeId, prefix: IpNet) -> Option<u32> {
    let mut anycast = topology[node].anycast.iter();
    anycast.find(|anycast| anycast.prefix == prefix).map(|anycast| anycast.index)
}

/// The label by which `reader` knows the way to the nearest of several nodes.
fn label(
    topology: &Topology,
    reader: NodeId,
    (prefix, members): (IpNet, &[NodeId]),
) -> Result<Label, SegmentFlaw> {
    let known = &topology[reader];
    if let Some(learned) = known.learned.iter().find(|learned| learned.prefix == prefix) {
        return Ok(learned.label);
    }
    let index = members.iter().find_map(|member| index(topology, *member, prefix));
    let label = index.filter(|_| known.sr).and_then(|index| known.label_of(index));
    label.ok_or_else(|| {
        let (reader, node) = (known.name.clone(), prefix.to_string());
        SegmentError::Unlabelled { reader, node }.into()
    })
}

/// The nearest of several nodes, and who is next on all the shortest ways there.
fn nearest(topology: &Topology, from: NodeId, members: &[NodeId]) -> Option<(NodeId, Vec<NodeId>)> {
    let ways = members.iter().filter_map(|member| {
        let paths = ShortestPaths::toward(topology, *member);
        Some((paths.cost(from)?, *member, paths))
    });
    let ways: Vec<_> = ways.collect();
    let least = ways.iter().map(|(cost, ..)| *cost).min()?;
    let mut best = ways.iter().filter(|(cost, ..)| *cost == least);
    let (_, nearest, _) = best.clone().next()?;
    let next = best.by_ref().flat_map(|(_, _, paths)| paths.next_hops(topology, from));
    Some((*nearest, next.map(|(link, side)| topology[link].at(side.opposite())).collect()))
}
