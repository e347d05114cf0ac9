//! SIDs: the same wherever they are read.

use core::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::adjacency;
use crate::policy::{Segment, SegmentFlaw};
use crate::segments::{self, Origin, SegmentError, SidKind, SidWalk, Step};
use crate::shortest::ShortestPaths;
use crate::topology::{NodeId, Side, Topology};

/// Algorithm of shortest paths; the topology knows no other segments.
const SPF: u8 = 0;

/// A list while its SIDs are found.
pub(super) struct Sids<'t> {
    topology: &'t Topology,
    headend: Option<NodeId>,
    pub(super) imposed: Vec<Ipv6Addr>,
    /// Where packets set out to.
    pub(super) first: Option<NodeId>,
    /// Where the list is, if that is known.
    pub(super) at: Option<NodeId>,
}

impl<'t> Sids<'t> {
    pub(super) fn new(topology: &'t Topology, headend: Option<Origin>) -> Self {
        let headend = headend.map(|origin| match origin {
            Origin::Node(node) | Origin::Behind(node) | Origin::At(node) => node,
        });
        Self { topology, headend, imposed: Vec::new(), first: None, at: headend }
    }

    pub(super) fn step(&mut self, segment: &Segment, is_first: bool) -> Result<(), SegmentFlaw> {
        let (sid, owner, end) = self.resolve(segment)?;
        self.imposed.push(sid);
        self.at = end;
        if is_first {
            self.first = owner;
            self.check_first(sid, owner)?;
        }
        Ok(())
    }

    /// The SID, the node that answers to it, and where a packet is behind it.
    fn resolve(&self, segment: &Segment) -> Result<Found, SegmentFlaw> {
        if let Segment::Sid(sid) = segment {
            let (owner, end) = self.owner(*sid).unzip();
            return Ok((*sid, owner, end));
        }
        if let Segment::Name { word, .. } = segment {
            return self.named(word);
        }
        let Some((prefix, algorithm)) = segment.prefix() else { return self.adjacency(segment) };
        let is_own = |node: &NodeId| {
            self.topology[*node].loopbacks.iter().any(|address| IpNet::from(*address) == prefix)
        };
        let node = self.topology.ids().find(is_own);
        let node = node.ok_or(SegmentFlaw::UnknownPrefix { prefix })?;
        match algorithm {
            None | Some(SPF) => Ok((self.end_sid(node)?, Some(node), Some(node))),
            Some(algorithm) => Err(SegmentFlaw::NoAlgorithm { prefix, algorithm }),
        }
    }

    fn named(&self, word: &str) -> Result<Found, SegmentFlaw> {
        match segments::find(self.topology, word)? {
            Step::Node(node) => Ok((self.end_sid(node)?, Some(node), Some(node))),
            step => {
                let mut walk = SidWalk::new(self.topology, self.at);
                let sid = walk.step(step, SidKind::End)?;
                let owner = self.owner(sid).map(|(owner, _)| owner);
                Ok((sid, owner, walk.at()))
            }
        }
    }

    fn adjacency(&self, segment: &Segment) -> Result<Found, SegmentFlaw> {
        let (id, side) = adjacency(self.topology, segment).ok_or(SegmentFlaw::UnknownAdjacency)?;
        let link = &self.topology[id];
        let sid = link.end_x_of(side);
        let sid = sid.ok_or_else(|| SegmentError::NoEndX { link: link.name.clone() })?;
        Ok((sid.address(), Some(link.at(side)), Some(link.at(side.opposite()))))
    }

    /// End where the node has it, else its micro-SID.
    fn end_sid(&self, node: NodeId) -> Result<Ipv6Addr, SegmentError> {
        let end = self.topology.sid(node, SidKind::End);
        end.or_else(|error| self.topology.sid(node, SidKind::Un).map_err(|_| error))
    }

    /// Who answers to a SID or address, and where a packet is behind it.
    fn owner(&self, sid: Ipv6Addr) -> Option<(NodeId, NodeId)> {
        let topology = self.topology;
        let has_it = |node: &NodeId| {
            let node = &topology[*node];
            let sids = [node.sids.end, node.sids.dt6, node.sids.tsf];
            sids.into_iter().flatten().any(|own| own.prefix().contains(&sid))
                || node.sids.un.is_some_and(|un| un.prefix().contains(&sid))
                || node.loopbacks.contains(&IpAddr::V6(sid))
        };
        let node = topology.ids().find(has_it).map(|node| (node, node));
        let over = || {
            topology.link_ids().flat_map(|link| Side::BOTH.map(|side| (link, side))).find_map(
                |(link, side)| {
                    let link = &topology[link];
                    let is_it = link.end_x_of(side).is_some_and(|own| own.prefix().contains(&sid));
                    is_it.then(|| (link.at(side), link.at(side.opposite())))
                },
            )
        };
        node.or_else(over)
    }

    /// The node of the first SID has to be reached from the headend, where that is known.
    fn check_first(&self, sid: Ipv6Addr, owner: Option<NodeId>) -> Result<(), SegmentFlaw> {
        let Some(headend) = self.headend else { return Ok(()) };
        let owner = owner.ok_or(SegmentFlaw::UnknownSid { sid })?;
        let cost = ShortestPaths::toward(self.topology, owner).cost(headend);
        cost.map(|_| ()).ok_or(SegmentFlaw::UnreachableSid { sid })
    }
}

/// A SID, the node that answers to it, and where a packet is behind it.
type Found = (Ipv6Addr, Option<NodeId>, Option<NodeId>);
