//! From the segments of a list to what its headend imposes.
//!
//! Labels A and SIDs B stand for themselves: what they mean in another domain nobody here can verify.
//! But the first segment has to lead to a next hop, and all others to a node or link of the topology.

mod labels;
mod sids;

use core::net::Ipv6Addr;

use labels::Labels;
use sids::Sids;

use super::candidate::is_null;
use super::{DataPlane, ListFlaw, Policy, Segment, SegmentFlaw, SegmentList};
use crate::segments::Start;
use crate::topology::{Label, LinkId, NodeId, Side, Topology};

/// What is imposed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Resolved {
    /// Labels, the first one on top.
    Labels(Vec<Label>),
    /// SIDs in the order of travel.
    Sids(Vec<Ipv6Addr>),
}

/// A list as its headend imposes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolution {
    /// Labels or SIDs. None are needed on the way to a neighbour.
    pub imposed: Resolved,
    /// How packets set out, where a segment says it.
    pub start: Option<Start>,
    /// Where the list ends, where one node is known to be its end.
    pub end: Option<NodeId>,
}

impl Policy {
    /// What the headend imposes for a list.
    ///
    /// # Errors
    ///
    /// [`ListFlaw`]: why the list is invalid (RFC 9256 §5.1).
    pub fn resolve(&self, topology: &Topology, list: &SegmentList) -> Result<Resolution, ListFlaw> {
        let Some(first) = list.segments.first() else { return Err(ListFlaw::Empty) };
        if list.weight == 0 {
            return Err(ListFlaw::WeightZero);
        }
        let plane = first.data_plane();
        let mut numbered = (1..).zip(&list.segments);
        if let Some((position, other)) = numbered.find(|(_, it)| it.data_plane() != plane) {
            let (segment, other) = (other.clone(), other.data_plane());
            return Err(ListFlaw::Mixed { position, segment, first: plane, other });
        }
        let (imposed, start, ends) = match plane {
            DataPlane::Mpls => {
                let mut labels = Labels::new(topology, self.headend);
                each(&list.segments, |segment, is_first| labels.step(segment, is_first))?;
                (Resolved::Labels(labels.imposed), labels.start, labels.ends)
            }
            DataPlane::Srv6 => {
                let mut sids = Sids::new(topology, self.headend);
                each(&list.segments, |segment, is_first| sids.step(segment, is_first))?;
                let start = sids.first.map(Start::Toward);
                (Resolved::Sids(sids.imposed), start, sids.at.into_iter().collect())
            }
        };
        self.check_end(topology, &ends)?;
        let end = if let [end] = ends[..] { Some(end) } else { None };
        Ok(Resolution { imposed, start, end })
    }

    /// Where it is known where a list ends, it has to be the endpoint, if that is asked for.
    fn check_end(&self, topology: &Topology, ends: &[NodeId]) -> Result<(), ListFlaw> {
        if !self.verifies_endpoint || is_null(self.endpoint) {
            return Ok(());
        }
        let has_endpoint = |node: NodeId| {
            let node = &topology[node];
            node.loopbacks.contains(&self.endpoint)
                || node.anycast.iter().any(|anycast| anycast.prefix.contains(&self.endpoint))
        };
        match ends.iter().find(|end| !has_endpoint(**end)) {
            Some(end) => {
                let end = topology[*end].name.clone();
                Err(ListFlaw::EndsElsewhere { end, endpoint: self.endpoint })
            }
            None => Ok(()),
        }
    }
}

/// Takes one segment after the other; says which one is wrong.
fn each(
    segments: &[Segment],
    mut step: impl FnMut(&Segment, bool) -> Result<(), SegmentFlaw>,
) -> Result<(), ListFlaw> {
    for (position, segment) in (1..).zip(segments) {
        step(segment, position == 1).map_err(|flaw| {
            let segment = segment.clone();
            match position {
                1 => ListFlaw::First { segment, flaw },
                _ => ListFlaw::Unresolved { position, segment, flaw },
            }
        })?;
    }
    Ok(())
}

/// The link that an adjacency is about, and the side that sends.
fn adjacency(topology: &Topology, segment: &Segment) -> Option<(LinkId, Side)> {
    let sides = || topology.link_ids().flat_map(|link| Side::BOTH.map(|side| (link, side)));
    if let Some((local, remote)) = segment.addresses() {
        return sides().find(|(link, side)| {
            let link = &topology[*link];
            link.addresses_of(*side).contains(&local)
                && link.addresses_of(side.opposite()).contains(&remote)
        });
    }
    let (node, interface) = segment.interface()?;
    let (link, side) = sides().find(|(link, side)| {
        let link = &topology[*link];
        let is_there = topology[link.at(*side)].loopbacks.contains(&node);
        is_there && link.interface_of(*side) == Some(interface)
    })?;
    let Segment::Ipv6Interface { remote: Some((node, interface)), .. } = segment else {
        return Some((link, side));
    };
    let (known, far) = (&topology[link], side.opposite());
    let is_there = topology[known.at(far)].loopbacks.contains(&(*node).into());
    (is_there && known.interface_of(far) == Some(*interface)).then_some((link, side))
}
