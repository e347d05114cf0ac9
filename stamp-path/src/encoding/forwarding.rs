//! What every node does with the label or SID on top of a packet.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ipnet::IpNet;

use super::sid_table::SidTable;
use super::tree::{Arcs, Tree};
use super::{Segment, Stray};
use crate::path::Hop;
use crate::topology::{Binding, Label, LinkId, LinkKind, NodeId, TimestampLabel, Topology};

/// A topology, and the ways packets take in it by themselves.
///
/// Ways are found when they are first asked for and kept: whoever encodes many paths of one topology
/// keeps one of these.
#[derive(Debug)]
pub struct Forwarding<'t> {
    pub(super) topology: &'t Topology,
    pub(super) arcs: Arcs,
    pub(super) sids: SidTable,
    /// Of each node and of each shared prefix, in this order.
    trees: RefCell<Vec<Option<Box<Tree>>>>,
    groups: Vec<Group<'t>>,
    /// By position of the node: which domain it lies in; the same number is the same domain.
    domains: Vec<usize>,
    indexes: BTreeMap<(usize, u32), Goal>,
    prefixes: BTreeMap<IpNet, Goal>,
    tunnels: BTreeMap<(NodeId, Label), usize>,
    peers: BTreeMap<(NodeId, Label), usize>,
}

/// A prefix that several nodes of one domain announce.
#[derive(Debug)]
struct Group<'t> {
    prefix: IpNet,
    domain: Option<&'t str>,
    index: u32,
    owners: Vec<NodeId>,
}

/// What a Prefix-SID leads to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Goal {
    Node(NodeId),
    /// The nearest of those that share a prefix.
    Group(usize),
}

/// What a label makes its node do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// On, by the shortest way; off, where the goal is the node itself.
    Toward(Goal),
    /// Off, and over this link.
    Over(Hop),
    /// Off, and through this tunnel.
    Through(usize),
    /// Off, and out of the topology to this peer.
    Out(usize),
    /// Off, and to a prefix behind this gateway, which it and this many labels below stand for.
    Behind(IpNet, usize),
    /// Off, when the node has written its timestamp.
    Stamp,
}

impl<'t> Forwarding<'t> {
    /// Nothing is computed yet but who has which label.
    #[must_use]
    pub fn new(topology: &'t Topology) -> Self {
        let mut names = BTreeMap::new();
        let domains = topology.nodes.iter().map(|node| {
            let next = names.len();
            *names.entry(node.domain.as_deref()).or_insert(next)
        });
        let domains: Vec<usize> = domains.collect();
        let groups = groups(topology);
        let (indexes, prefixes) = goals(topology, &domains, &groups);
        let tunnels = topology.tunnels.iter().enumerate();
        let peers = topology.peers.iter().enumerate();
        let count = topology.nodes.len() + groups.len();
        let arcs = Arcs::of(topology);
        Self {
            topology,
            sids: SidTable::of(topology, &arcs),
            arcs,
            trees: RefCell::new((0..count).map(|_| None).collect()),
            groups,
            domains,
            indexes,
            prefixes,
            tunnels: tunnels.map(|(place, it)| ((it.from, it.label), place)).collect(),
            peers: peers.map(|(place, it)| ((it.at, it.label), place)).collect(),
        }
    }

    /// The topology.
    #[must_use]
    pub const fn topology(&self) -> &'t Topology {
        self.topology
    }

    /// What a node does with a label that is not for special purposes; `below` is what lies under it.
    pub(super) fn meaning(
        &self,
        node: NodeId,
        label: Label,
        below: impl Iterator<Item = Label> + Clone,
    ) -> Option<Meaning> {
        let known = &self.topology[node];
        if matches!(known.timestamp_label, Some(TimestampLabel::Assigned { label: own, .. }) if own == label)
        {
            return Some(Meaning::Stamp);
        }
        if let Some(learned) = known.learned.iter().find(|learned| learned.label == label) {
            return self.prefixes.get(&learned.prefix).copied().map(Meaning::Toward);
        }
        if !known.sr {
            return None;
        }
        if let Some(index) = known.srgb.index_of(label) {
            let goal = self.indexes.get(&(self.domains[node.position()], index));
            return goal.copied().map(Meaning::Toward).or_else(|| self.gateway(node, label, below));
        }
        let over = || {
            let mut hops = self.arcs.from(node).iter();
            let is_asked =
                |hop: &&Hop| self.topology[hop.link].adjacency_of(hop.side) == Some(label);
            hops.find(is_asked).copied().map(Meaning::Over)
        };
        let through = || self.tunnels.get(&(node, label)).copied().map(Meaning::Through);
        let out = || self.peers.get(&(node, label)).copied().map(Meaning::Out);
        over().or_else(through).or_else(out).or_else(|| self.gateway(node, label, below))
    }

    /// What a gateway was told to expect on packets for a prefix behind it.
    fn gateway(
        &self,
        node: NodeId,
        label: Label,
        below: impl Iterator<Item = Label> + Clone,
    ) -> Option<Meaning> {
        let gateways = self.topology.gateways.iter().filter(|it| it.nodes.contains(&node));
        let mut prefixes = gateways.flat_map(|gateway| &gateway.prefixes);
        prefixes.find_map(|entry| match &entry.binding {
            Binding::Index(index) => {
                let own = self.topology[node].label_of(*index);
                (own == Some(label)).then_some(Meaning::Behind(entry.prefix, 0))
            }
            Binding::Labels(labels) => {
                let (first, rest) = labels.split_first()?;
                let is_below = below.clone().take(rest.len()).eq(rest.iter().copied());
                let matches = *first == label && is_below;
                matches.then_some(Meaning::Behind(entry.prefix, rest.len()))
            }
            Binding::Ip => None,
        })
    }

    /// The label by which `reader` knows the way to `goal`.
    pub(super) fn known_as(&self, reader: NodeId, goal: Goal) -> Option<Label> {
        let known = &self.topology[reader];
        let leads = |prefix: &IpNet| self.prefixes.get(prefix) == Some(&goal);
        if let Some(learned) = known.learned.iter().find(|learned| leads(&learned.prefix)) {
            return Some(learned.label);
        }
        let owner = match goal {
            Goal::Node(target) => target,
            Goal::Group(group) => *self.groups[group].owners.first()?,
        };
        let index = self.index(goal)?;
        let is_read = known.sr && self.domains[reader.position()] == self.domains[owner.position()];
        known.label_of(index).filter(|_| is_read)
    }

    /// The index of a Prefix-SID.
    pub(super) fn index(&self, goal: Goal) -> Option<u32> {
        match goal {
            Goal::Node(target) => self.topology[target].index,
            Goal::Group(group) => Some(self.groups[group].index),
        }
    }

    /// Whether a node is what a Prefix-SID leads to.
    pub(super) fn owns(&self, node: NodeId, goal: Goal) -> bool {
        match goal {
            Goal::Node(target) => target == node,
            Goal::Group(group) => self.groups[group].owners.contains(&node),
        }
    }

    /// The links on which a node sends packets for a goal.
    pub(super) fn next_hops(&self, node: NodeId, goal: Goal) -> Vec<Hop> {
        let nodes = self.topology.nodes.len();
        let (place, roots) = match goal {
            Goal::Node(target) => (target.position(), vec![target]),
            Goal::Group(group) => (nodes + group, self.groups[group].owners.clone()),
        };
        let mut trees = self.trees.borrow_mut();
        let tree = trees[place].get_or_insert_with(|| Box::new(Tree::toward(roots, nodes)));
        tree.next_hops(self.topology, &self.arcs, node)
    }

    /// The links on which a node sends packets for a goal, and the label that stands on top then:
    /// none where the neighbour wants none.
    ///
    /// # Errors
    ///
    /// [`Stray`] where no way leads, or a neighbour could make no sense of any label.
    pub(super) fn onward(
        &self,
        node: NodeId,
        goal: Goal,
    ) -> Result<Vec<(Hop, Option<Label>)>, Stray> {
        let hops = self.next_hops(node, goal);
        if hops.is_empty() {
            return Err(Stray::Unreachable { node: self.name(node), to: self.goal_name(goal) });
        }
        let with_label = |hop: Hop| {
            let next = hop.to(self.topology);
            let neighbour = &self.topology[next];
            if self.owns(next, goal) && (neighbour.php || !neighbour.sr) {
                return Ok((hop, None));
            }
            let label = self.known_as(next, goal);
            let label = label.ok_or_else(|| Stray::Unlabelled {
                reader: neighbour.name.clone(),
                to: self.goal_name(goal),
            });
            Ok((hop, Some(label?)))
        };
        hops.into_iter().map(with_label).collect()
    }

    /// The link that a tunnel stands for when nothing is said of what it passes: the only
    /// label-switched path between its ends.
    pub(super) fn only_path(&self, tunnel: usize) -> Option<LinkId> {
        let tunnel = &self.topology.tunnels[tunnel];
        let mut paths = self.arcs.from(tunnel.from).iter().filter(|hop| {
            hop.to(self.topology) == tunnel.to && self.topology[hop.link].kind == LinkKind::Lsp
        });
        let only = paths.next()?;
        paths.next().is_none().then_some(only.link)
    }

    /// Shared prefixes that one of these nodes announces.
    pub(super) fn groups_of(&self, nodes: &[NodeId]) -> impl Iterator<Item = Goal> {
        let is_theirs = |group: &Group<'_>| group.owners.iter().any(|one| nodes.contains(one));
        let found = self.groups.iter().enumerate().filter(move |(_, group)| is_theirs(group));
        found.map(|(place, _)| Goal::Group(place))
    }

    /// What a goal is called in a list.
    pub(super) fn segment(&self, goal: Goal) -> Segment {
        match goal {
            Goal::Node(node) => Segment::Node(node),
            Goal::Group(group) => Segment::Anycast(self.groups[group].prefix),
        }
    }

    /// The binding SIDs of a node and the tunnels behind them.
    pub(super) fn tunnels_at(&self, node: NodeId) -> impl Iterator<Item = (Label, usize)> {
        let whole = self.tunnels.range((node, Label::IPV4_EXPLICIT_NULL)..=(node, Label::MAX));
        whole.map(|((_, label), place)| (*label, *place))
    }

    pub(super) fn name(&self, node: NodeId) -> String {
        self.topology[node].name.clone()
    }

    pub(super) fn goal_name(&self, goal: Goal) -> String {
        match goal {
            Goal::Node(node) => self.name(node),
            Goal::Group(group) => self.groups[group].prefix.to_string(),
        }
    }
}

fn groups(topology: &Topology) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for id in topology.ids() {
        let domain = topology[id].domain.as_deref();
        for shared in &topology[id].anycast {
            let known =
                groups.iter_mut().find(|it| (it.prefix, it.domain) == (shared.prefix, domain));
            match known {
                Some(group) => group.owners.push(id),
                None => {
                    let (prefix, index) = (shared.prefix, shared.index);
                    groups.push(Group { prefix, domain, index, owners: vec![id] });
                }
            }
        }
    }
    groups
}

type Goals = (BTreeMap<(usize, u32), Goal>, BTreeMap<IpNet, Goal>);

/// Where an index leads in a domain, and where an address does.
fn goals(topology: &Topology, domains: &[usize], groups: &[Group<'_>]) -> Goals {
    let (mut indexes, mut prefixes) = (BTreeMap::new(), BTreeMap::new());
    for (place, group) in groups.iter().enumerate() {
        let goal = Goal::Group(place);
        if let Some(owner) = group.owners.first() {
            indexes.insert((domains[owner.position()], group.index), goal);
        }
        prefixes.entry(group.prefix).or_insert(goal);
    }
    for id in topology.ids() {
        let goal = Goal::Node(id);
        if let Some(index) = topology[id].index {
            indexes.insert((domains[id.position()], index), goal);
        }
        for address in &topology[id].loopbacks {
            prefixes.insert(IpNet::from(*address), goal);
        }
    }
    (indexes, prefixes)
}
