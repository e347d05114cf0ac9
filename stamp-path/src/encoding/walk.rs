//! Everything that a packet can touch: all equal ways, to all ends.

use std::collections::{BTreeMap, BTreeSet};

use core::net::Ipv6Addr;

use ipnet::IpNet;
use stamp_proto::sr::mpls::Label;

use super::Stray;
use super::forwarding::Forwarding;
use super::packet::{Fate, Item, Stack};
use super::reading::{Notes, Read, Reading};
use crate::path::Hop;
use crate::topology::{NodeId, Topology};

/// How a packet with labels sets out from a node.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Departure {
    /// The link it is sent over: the node beyond reads the first label. None: the node itself reads
    /// it, because a host behind it sent the packet, or a list before this one ended at it.
    pub over: Option<Hop>,
    /// Top first.
    pub labels: Vec<Label>,
}

/// Where a packet is when nothing leads it on any more.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum End {
    /// At a node.
    Node(NodeId),
    /// With a peer in another autonomous system, by its place in the topology.
    Peer(usize),
    /// Behind a gateway.
    Prefix(IpNet),
}

/// What packets with the same list can touch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Walk {
    /// Every node that one of them can be at.
    pub nodes: BTreeSet<NodeId>,
    /// Every link that one of them can pass.
    pub hops: BTreeSet<Hop>,
    /// Where they end.
    pub ends: BTreeSet<End>,
    /// Tunnels that they pass and of which the topology does not tell what they pass, by their place
    /// in it: these may touch more than is listed here.
    pub hidden: BTreeSet<usize>,
    /// Nodes that write a timestamp into them.
    pub stamps: BTreeSet<NodeId>,
    /// Nodes that choose among several links, with the most labels or SIDs a packet has there.
    pub choices: BTreeMap<NodeId, usize>,
}

impl Walk {
    /// Whether all of them end here.
    #[must_use]
    pub fn ends_at(&self, node: NodeId) -> bool {
        self.ends.iter().eq(&[End::Node(node)])
    }

    /// Nodes that choose among several links and read fewer labels than packets have there: flows that
    /// differ below these alone, by an entropy label or by ports, are all the same to them.
    pub fn shallow(&self, topology: &Topology) -> impl Iterator<Item = NodeId> {
        let reads_less = |(node, depth): &(&NodeId, &usize)| {
            topology[**node].msd.erld.is_some_and(|erld| usize::from(erld) < **depth)
        };
        self.choices.iter().filter(reads_less).map(|(node, _)| *node)
    }

    /// What either can touch.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.nodes.extend(other.nodes);
        self.hops.extend(other.hops);
        self.ends.extend(other.ends);
        self.hidden.extend(other.hidden);
        self.stamps.extend(other.stamps);
        for (node, depth) in other.choices {
            let known = self.choices.entry(node).or_default();
            *known = depth.max(*known);
        }
        self
    }
}

impl Forwarding<'_> {
    /// Follows a packet from `at` wherever it can go until its labels have ended, and from there by IP
    /// to `destination`, where one is given that is not reached yet.
    ///
    /// # Errors
    ///
    /// [`Stray`] when it is dropped or goes in a circle on any of the ways.
    pub fn walk(
        &self,
        at: NodeId,
        departure: &Departure,
        destination: Option<NodeId>,
    ) -> Result<Walk, Stray> {
        let labels = departure.labels.iter().rev().map(|label| Item::Label(*label));
        let stack = destination.map(Item::Address).into_iter().chain(labels).collect();
        self.follow(at, departure.over, stack)
    }

    /// Follows a packet whose destination addresses, one after the other, are `sids`: SIDs, containers of
    /// micro-SIDs, and maybe an address at the end.
    ///
    /// # Errors
    ///
    /// [`Stray`] when it is dropped or goes in a circle on any of the ways.
    pub fn walk_sids(
        &self,
        at: NodeId,
        over: Option<Hop>,
        sids: &[Ipv6Addr],
    ) -> Result<Walk, Stray> {
        let stack = sids.iter().rev().map(|sid| Item::Sid(*sid)).collect();
        self.follow(at, over, stack)
    }

    fn follow(&self, at: NodeId, over: Option<Hop>, stack: Stack) -> Result<Walk, Stray> {
        let mut trace = Trace::new(self, &Everywhere);
        trace.walk.nodes.insert(at);
        let begin = over.map_or(Ok(at), |hop| {
            let starts_here = hop.from(self.topology) == at;
            trace.walk.hops.insert(hop);
            let link = || self.topology[hop.link].name.clone();
            let stray = || Stray::ElsewhereThanLink { node: self.name(at), link: link() };
            starts_here.then(|| hop.to(self.topology)).ok_or_else(stray)
        })?;
        trace.follow(begin, stack)?;
        Ok(trace.walk)
    }
}

/// Where packets may go.
pub(super) trait Bounds {
    /// A node, or one of several times that it is passed.
    type Place: Copy + Ord;

    fn node(&self, place: Self::Place) -> NodeId;

    /// The place beyond a link; none where it may not be passed.
    fn over(
        &self,
        forwarding: &Forwarding<'_>,
        place: Self::Place,
        hop: Hop,
    ) -> Option<Self::Place>;

    /// The place beyond a tunnel of which nothing is known but its end; none where none may be
    /// passed.
    fn through(&self, forwarding: &Forwarding<'_>, tunnel: usize) -> Option<Self::Place>;
}

/// No bounds.
pub(super) struct Everywhere;

impl Bounds for Everywhere {
    type Place = NodeId;

    fn node(&self, place: NodeId) -> NodeId {
        place
    }

    fn over(&self, forwarding: &Forwarding<'_>, _: NodeId, hop: Hop) -> Option<NodeId> {
        Some(hop.to(forwarding.topology))
    }

    fn through(&self, forwarding: &Forwarding<'_>, tunnel: usize) -> Option<NodeId> {
        Some(forwarding.topology.tunnels[tunnel].to)
    }
}

/// No packet lives for more hops.
pub(super) const MOST_HOPS: usize = 255;

/// What has been touched so far.
pub(super) struct Trace<'f, B: Bounds> {
    forwarding: &'f Forwarding<'f>,
    bounds: &'f B,
    /// Whether packets that were at a place with these labels are still followed.
    seen: BTreeMap<(B::Place, Stack), bool>,
    hops_so_far: usize,
    pub(super) ends: BTreeSet<B::Place>,
    pub(super) walk: Walk,
    /// Who reads what, where somebody wants to know.
    pub(super) readings: Option<Vec<Reading>>,
}

impl<'f, B: Bounds> Trace<'f, B> {
    pub(super) fn new(forwarding: &'f Forwarding<'f>, bounds: &'f B) -> Self {
        Self {
            forwarding,
            bounds,
            seen: BTreeMap::new(),
            hops_so_far: 0,
            ends: BTreeSet::new(),
            walk: Walk::default(),
            readings: None,
        }
    }

    /// Follows packets from a place; false as soon as one leaves the bounds.
    pub(super) fn follow(&mut self, place: B::Place, stack: Stack) -> Result<bool, Stray> {
        let node = self.bounds.node(place);
        self.walk.nodes.insert(node);
        let key = (place, stack.clone());
        match self.seen.get(&key) {
            Some(true) => return Err(Stray::Circle { node: self.forwarding.name(node) }),
            Some(false) => return Ok(true),
            None => self.seen.insert(key.clone(), true),
        };
        let mut notes = Notes { stamps: false, reads: self.readings.as_ref().map(|_| Vec::new()) };
        let is_read = |item: &&Item| matches!(item, Item::Label(_) | Item::Sid(_));
        let depth = stack.iter().filter(is_read).count();
        let fate = self.forwarding.fate(node, stack, &mut notes)?;
        if notes.stamps {
            self.walk.stamps.insert(node);
        }
        self.note(node, notes.reads.unwrap_or_default());
        let is_inside = match fate {
            Fate::Ends(end) => {
                self.walk.ends.insert(end);
                self.ends.insert(place);
                true
            }
            Fate::Splits(stacks) => {
                let known = self.walk.choices.entry(node).or_default();
                *known = depth.max(*known);
                let mut is_inside = true;
                for (_, stack) in stacks {
                    is_inside = is_inside && self.follow(place, stack)?;
                }
                is_inside
            }
            Fate::Vanishes { tunnel, stack } => {
                self.walk.hidden.insert(tunnel);
                let beyond = self.bounds.through(self.forwarding, tunnel);
                beyond.map_or(Ok(false), |beyond| self.follow(beyond, stack))?
            }
            Fate::Leaves(ways) => {
                if ways.len() > 1 {
                    let known = self.walk.choices.entry(node).or_default();
                    *known = depth.max(*known);
                }
                self.leave(place, ways)?
            }
        };
        self.seen.insert(key, false);
        Ok(is_inside)
    }

    fn note(&mut self, node: NodeId, reads: Vec<Read>) {
        let Some(readings) = &mut self.readings else { return };
        for what in reads {
            let reading = Reading { node, what };
            // Ways that part may meet again.
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
    }

    fn leave(&mut self, place: B::Place, ways: Vec<(Hop, Stack)>) -> Result<bool, Stray> {
        if self.hops_so_far == MOST_HOPS {
            return Err(Stray::TooFar { node: self.forwarding.name(self.bounds.node(place)) });
        }
        self.hops_so_far += 1;
        for (hop, stack) in ways {
            self.walk.hops.insert(hop);
            let Some(beyond) = self.bounds.over(self.forwarding, place, hop) else {
                return Ok(false);
            };
            if !self.follow(beyond, stack)? {
                return Ok(false);
            }
        }
        self.hops_so_far -= 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
