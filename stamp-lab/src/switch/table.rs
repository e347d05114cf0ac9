//! What labels mean at a node: Prefix-SIDs by SRGB and index, adjacencies, binding labels.

use std::collections::BTreeMap;

use ipnet::IpNet;
use stamp_path::Topology;
use stamp_path::shortest::ShortestPaths;
use stamp_path::topology::{Hop, Label, NodeId, Side, TimestampLabel};

use crate::plan::{Plan, anycast, nearest};

/// Labels of one node.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct LabelTable {
    entries: BTreeMap<Label, Operation>,
    /// The label that asks this node for a timestamp.
    timestamp: Option<Label>,
}

/// What a label makes its node do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    /// The label is the node's own: off, and on with what is below.
    Pop,
    /// To one of these neighbours, all equally good.
    Forward(Vec<LabelHop>),
    /// One of these takes its place.
    Bind(Vec<Bound>),
}

/// Labels that a binding label stands for, and their share of the packets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Bound {
    pub(super) labels: Vec<Label>,
    pub(super) weight: u32,
}

/// A neighbour, and the label it knows the rest of the way by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LabelHop {
    /// None: the label comes off, the neighbour is where it leads (penultimate-hop popping).
    pub(super) label: Option<Label>,
    pub(super) interface: u32,
    pub(super) source: [u8; 6],
    pub(super) destination: [u8; 6],
}

/// Where a label leads, and what the nodes on the way know it by.
struct Goal {
    target: NodeId,
    index: Option<u32>,
    prefixes: Vec<IpNet>,
}

impl LabelTable {
    /// The labels of a node.
    pub(crate) fn of(topology: &Topology, plan: &Plan, node: NodeId) -> Self {
        let paths: Vec<ShortestPaths> =
            topology.ids().map(|target| ShortestPaths::toward(topology, target)).collect();
        let builder = Builder { topology, plan, paths: &paths, node };
        let mut entries = BTreeMap::new();
        let mut add = |label: Option<Label>, operation: Option<Operation>| {
            if let (Some(label), Some(operation)) = (label, operation) {
                entries.insert(label, operation);
            }
        };
        let here = &topology[node];
        if here.sr {
            for goal in builder.goals() {
                let label = goal.index.and_then(|index| here.label_of(index));
                add(label, builder.toward(&goal));
            }
            for (link, side) in topology.links_of(node) {
                add(topology[link].adjacency_of(side), builder.over(link, side));
            }
            for tunnel in topology.tunnels.iter().filter(|tunnel| tunnel.from == node) {
                let bound = tunnel.routes().map(|(via, weight)| {
                    let hops = via.iter().copied().chain([Hop::Node(tunnel.to)]);
                    Some(Bound { labels: builder.bind(hops)?, weight })
                });
                let bound: Option<Vec<Bound>> = bound.collect();
                add(Some(tunnel.label), bound.map(Operation::Bind));
            }
        }
        for learned in &here.learned {
            add(Some(learned.label), builder.toward_prefix(learned.prefix));
        }
        let timestamp = match here.timestamp_label {
            Some(TimestampLabel::Assigned { label, .. }) => Some(label),
            Some(TimestampLabel::Extended { .. }) | None => None,
        };
        Self { entries, timestamp }
    }

    pub(super) fn get(&self, label: Label) -> Option<&Operation> {
        self.entries.get(&label)
    }

    pub(super) fn asks_for_timestamp(&self, label: Label) -> bool {
        self.timestamp == Some(label)
    }

    /// Whether no label means anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.timestamp.is_none()
    }
}

struct Builder<'a> {
    topology: &'a Topology,
    plan: &'a Plan,
    paths: &'a [ShortestPaths],
    node: NodeId,
}

impl Builder<'_> {
    /// What has an index in the node's domain: nodes, and anycast prefixes at their nearest owner.
    fn goals(&self) -> Vec<Goal> {
        let domain = &self.topology[self.node].domain;
        let mates = self.topology.ids().filter(|id| self.topology[*id].domain == *domain);
        let nodes = mates.map(|target| self.goal(target));
        let shared = anycast(self.topology).into_iter().filter_map(|(prefix, owners)| {
            let mut owners = owners;
            owners.retain(|owner| self.topology[*owner].domain == *domain);
            let target = nearest(self.paths, self.node, &owners)?;
            let announced = &self.topology[target].anycast;
            let index = announced.iter().find(|entry| entry.prefix == prefix)?.index;
            Some(Goal { target, index: Some(index), prefixes: vec![prefix] })
        });
        nodes.chain(shared).collect()
    }

    fn goal(&self, target: NodeId) -> Goal {
        let node = &self.topology[target];
        let prefixes = node.loopbacks.iter().copied().map(IpNet::from).collect();
        Goal { target, index: node.index, prefixes }
    }

    fn toward_prefix(&self, prefix: IpNet) -> Option<Operation> {
        let owns = |id: &NodeId| {
            self.topology[*id].loopbacks.iter().any(|address| IpNet::from(*address) == prefix)
        };
        let target = self.topology.ids().find(owns);
        let goal = match target {
            Some(target) => Goal { prefixes: vec![prefix], ..self.goal(target) },
            None => {
                let (_, owners) =
                    anycast(self.topology).into_iter().find(|(shared, _)| *shared == prefix)?;
                let target = nearest(self.paths, self.node, &owners)?;
                let announced = &self.topology[target].anycast;
                let index = announced.iter().find(|entry| entry.prefix == prefix)?.index;
                Goal { target, index: Some(index), prefixes: vec![prefix] }
            }
        };
        self.toward(&goal)
    }

    fn toward(&self, goal: &Goal) -> Option<Operation> {
        if goal.target == self.node {
            return Some(Operation::Pop);
        }
        let paths = &self.paths[goal.target.position()];
        let hops = paths.next_hops(self.topology, self.node);
        let hops = hops.into_iter().filter_map(|(link, side)| {
            let next = self.topology[link].at(side.opposite());
            Some(LabelHop { label: self.known_as(goal, next)?, ..self.hop(link, side)? })
        });
        let hops: Vec<LabelHop> = hops.collect();
        (!hops.is_empty()).then_some(Operation::Forward(hops))
    }

    /// What a neighbour wants to see on packets for a goal: a label, or none; nothing where it
    /// could make no sense of any.
    #[expect(clippy::option_option, reason = "no label and no way are different answers")]
    fn known_as(&self, goal: &Goal, next: NodeId) -> Option<Option<Label>> {
        let neighbour = &self.topology[next];
        if goal.target == next && (neighbour.php || !neighbour.sr) {
            return Some(None);
        }
        let own = neighbour.learned.iter().find(|entry| goal.prefixes.contains(&entry.prefix));
        let by_index = || goal.index.filter(|_| neighbour.sr).and_then(|i| neighbour.label_of(i));
        Some(Some(own.map(|entry| entry.label).or_else(by_index)?))
    }

    /// Over a link and nothing else.
    fn over(&self, link: stamp_path::topology::LinkId, side: Side) -> Option<Operation> {
        Some(Operation::Forward(vec![self.hop(link, side)?]))
    }

    fn hop(&self, link: stamp_path::topology::LinkId, side: Side) -> Option<LabelHop> {
        let plan = self.plan.link(link)?;
        let (near, far) = (plan.end(side), plan.end(side.opposite()));
        let (interface, source, destination) = (near.index, near.mac, far.mac);
        Some(LabelHop { label: None, interface, source, destination })
    }

    /// The labels that lead along `hops`, each as the node that reads it knows it.
    fn bind(&self, hops: impl Iterator<Item = Hop>) -> Option<Vec<Label>> {
        let mut reader = self.node;
        let mut labels = Vec::new();
        for hop in hops {
            match hop {
                Hop::Node(node) if node == reader => {}
                Hop::Node(node) => {
                    let index = self.topology[node].index?;
                    labels.push(self.topology[reader].label_of(index)?);
                    reader = node;
                }
                Hop::Link(link) => {
                    let side = self.topology[link].side_of(reader)?;
                    labels.push(self.topology[link].adjacency_of(side)?);
                    reader = self.topology[link].at(side.opposite());
                }
            }
        }
        (!labels.is_empty()).then_some(labels)
    }
}

#[cfg(test)]
mod tests;
