//! What packets with a list can touch, and the list that brings them back.

use core::net::{IpAddr, Ipv6Addr};

use super::encoded::segment;
use super::{DataPlane, Policy, Resolution, Resolved, Segment};
use crate::class::Touched;
use crate::encoding::{Departure, Forwarding, Imposer, Intent, SidKinds, Walk};
use crate::path::{Hop, Path};
use crate::segments::{Origin, Start};
use crate::shortest::ShortestPaths;
use crate::topology::{NodeId, Topology};

impl Policy {
    /// Where its lists are imposed.
    #[must_use]
    pub const fn imposed_at(&self) -> Option<NodeId> {
        match self.headend {
            Some(Origin::Node(node) | Origin::Behind(node) | Origin::At(node)) => Some(node),
            None => None,
        }
    }

    /// The node that has its endpoint, if one has.
    #[must_use]
    pub fn end_in(&self, topology: &Topology) -> Option<NodeId> {
        topology.ids().find(|node| topology[*node].loopbacks.contains(&self.endpoint))
    }

    /// Everything that packets with a list can touch, on to the endpoint where the list ends before it;
    /// none where the topology does not tell.
    #[must_use]
    pub fn touched(&self, forwarding: &Forwarding<'_>, list: &Resolution) -> Option<Touched> {
        let topology = forwarding.topology();
        let (start, end) = (self.imposed_at()?, self.end_in(topology));
        let mut walk = Walk::default();
        match &list.imposed {
            Resolved::Labels(labels) => {
                for over in self.first_hops(topology, start, list.start)? {
                    let departure = Departure { over, labels: labels.clone() };
                    walk = walk.and(forwarding.walk(start, &departure, end).ok()?);
                }
            }
            Resolved::Sids(sids) => {
                let on = end.filter(|end| list.end != Some(*end));
                let on: Option<Ipv6Addr> = on.and_then(|end| topology[end].ipv6());
                let sids: Vec<Ipv6Addr> = sids.iter().copied().chain(on).collect();
                walk = forwarding.walk_sids(start, None, &sids).ok()?;
            }
        }
        Touched::of_walk(&walk, start)
    }

    /// How packets set out; as to the endpoint where no segment says it.
    fn first_hops(
        &self,
        topology: &Topology,
        from: NodeId,
        start: Option<Start>,
    ) -> Option<Vec<Option<Hop>>> {
        if !matches!(self.headend, Some(Origin::Node(_))) {
            return Some(vec![None]);
        }
        let target = match start {
            Some(Start::Toward(target)) => target,
            Some(Start::Over(link)) => {
                let side = topology[link].side_of(from)?;
                return Some(vec![Some(Hop { link, side })]);
            }
            None => self.end_in(topology)?,
        };
        let hops = ShortestPaths::toward(topology, target).next_hops(topology, from);
        let hops: Vec<_> = hops.into_iter().map(|(link, side)| Some(Hop { link, side })).collect();
        Some(hops).filter(|hops| !hops.is_empty())
    }

    /// Segments that bring packets back from where a list has ended, without relying on routes: over the
    /// same links where the list has one way, else by the shortest way to the headend.
    #[must_use]
    pub fn way_back(
        &self,
        forwarding: &Forwarding<'_>,
        list: &Resolution,
        touched: Option<&Touched>,
    ) -> Option<Vec<Segment>> {
        let topology = forwarding.topology();
        let (start, end) = (self.imposed_at()?, list.end?);
        let only = touched.and_then(|touched| touched.only_way(topology, start, end));
        let intent = match only {
            Some(path) => Intent::path(topology, &path.reversed(topology)),
            None => Intent::shortest(forwarding, end, start),
        };
        let (plane, segments) = match list.imposed {
            Resolved::Labels(_) => {
                let found = forwarding.encode_labels(Imposer::Before, &intent, 0).ok()?;
                (DataPlane::Mpls, found.segments)
            }
            Resolved::Sids(_) => {
                let found = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::END).ok()?;
                (DataPlane::Srv6, found.segments)
            }
        };
        Some(segments.into_iter().map(|it| segment(topology, it, plane)).collect())
    }

    /// An address of its end that packets of a data plane can have as their destination.
    #[must_use]
    pub fn address_over(
        &self,
        topology: &Topology,
        list: &Resolution,
        plane: DataPlane,
    ) -> Option<IpAddr> {
        let takes = |address: &IpAddr| plane == DataPlane::Mpls || address.is_ipv6();
        let own = Some(self.endpoint).filter(|it| !it.is_unspecified() && takes(it));
        let of_node = || {
            let node = self.end_in(topology).or(list.end)?;
            topology[node].loopbacks.iter().copied().find(takes)
        };
        own.or_else(of_node)
    }
}

impl Touched {
    /// The path, where packets can take only one from `start` to `end`.
    #[must_use]
    pub fn only_way(&self, topology: &Topology, start: NodeId, end: NodeId) -> Option<Path> {
        let (mut at, mut hops) = (start, Vec::new());
        while at != end {
            let mut onward = self.hops.iter().filter(|hop| hop.from(topology) == at);
            let hop = *onward.next()?;
            if onward.next().is_some() || hops.contains(&hop) {
                return None;
            }
            hops.push(hop);
            at = hop.to(topology);
        }
        let is_all = hops.len() == self.hops.len();
        Path::new(topology, start, hops).filter(|_| is_all)
    }
}
