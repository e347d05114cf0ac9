//! Shortest ways to one goal, found as far as they are asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::path::Hop;
use crate::shortest::step;
use crate::topology::{LinkKind, NodeId, Side, Topology};

/// Cost that no way over wires reaches: what a domain does not show is passed where nothing that is
/// shown leads.
const HIDDEN: u64 = 1 << 56;

/// Stands for a cost that is not known yet.
const UNKNOWN: u64 = u64::MAX;

/// The links at each node, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Arcs {
    /// By position of the node: where its hops begin in `hops`; one more at the end.
    begins: Vec<usize>,
    hops: Vec<Hop>,
}

impl Arcs {
    pub(super) fn of(topology: &Topology) -> Self {
        let ways = |link| Side::BOTH.map(|side| Hop { link, side });
        let mut hops: Vec<Hop> = topology.link_ids().flat_map(ways).collect();
        hops.sort_by_key(|hop| hop.from(topology));
        let mut begins = vec![0; topology.nodes.len() + 1];
        for hop in &hops {
            begins[hop.from(topology).position() + 1] += 1;
        }
        for position in 1..begins.len() {
            begins[position] += begins[position - 1];
        }
        Self { begins, hops }
    }

    /// What leaves a node.
    pub(super) fn from(&self, node: NodeId) -> &[Hop] {
        &self.hops[self.begins[node.position()]..self.begins[node.position() + 1]]
    }
}

/// How far nodes are from a goal: one node, or the nearest of several.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    roots: Vec<NodeId>,
    /// By position of the node; final when the node is settled.
    costs: Vec<u64>,
    settled: Vec<bool>,
    frontier: BinaryHeap<Reverse<(u64, NodeId)>>,
}

impl Tree {
    pub(super) fn toward(roots: Vec<NodeId>, nodes: usize) -> Self {
        let mut costs = vec![UNKNOWN; nodes];
        for root in &roots {
            costs[root.position()] = 0;
        }
        let frontier = roots.iter().map(|root| Reverse((0, *root))).collect();
        Self { roots, costs, settled: vec![false; nodes], frontier }
    }

    pub(super) fn is_root(&self, node: NodeId) -> bool {
        self.roots.contains(&node)
    }

    /// What a node sends on, all equally good. Empty at a root and where no way leads.
    pub(super) fn next_hops(&mut self, topology: &Topology, arcs: &Arcs, node: NodeId) -> Vec<Hop> {
        let Some(cost) = self.cost(topology, arcs, node) else { return Vec::new() };
        if self.is_root(node) {
            return Vec::new();
        }
        // Whoever is nearer was settled before, for no step is free.
        let is_best = |hop: &&Hop| {
            let next = hop.to(topology).position();
            let onward =
                self.step(topology, **hop).map(|step| self.costs[next].saturating_add(step));
            self.settled[next] && onward == Some(cost)
        };
        arcs.from(node).iter().filter(is_best).copied().collect()
    }

    /// Cost from a node; none where no way leads.
    pub(super) fn cost(&mut self, topology: &Topology, arcs: &Arcs, node: NodeId) -> Option<u64> {
        while !self.settled[node.position()] {
            let Reverse((cost, next)) = self.frontier.pop()?;
            if !self.settled[next.position()] {
                self.settle(topology, arcs, (cost, next));
            }
        }
        Some(self.costs[node.position()])
    }

    fn settle(&mut self, topology: &Topology, arcs: &Arcs, (cost, node): (u64, NodeId)) {
        self.settled[node.position()] = true;
        for hop in arcs.from(node) {
            // Packets come towards the goal, so the far end's direction counts.
            let Some(step) = self.step(topology, hop.reversed()) else { continue };
            let from = hop.to(topology);
            let total = cost.saturating_add(step);
            if total < self.costs[from.position()] {
                self.costs[from.position()] = total;
                self.frontier.push(Reverse((total, from)));
            }
        }
    }

    fn step(&self, topology: &Topology, hop: Hop) -> Option<u64> {
        let ends_here = self.is_root(hop.to(topology));
        match topology[hop.link].kind {
            LinkKind::Physical => step(topology, hop.link, hop.side, ends_here),
            LinkKind::Abstract => Some(HIDDEN + u64::from(hop.direction(topology).igp)),
            LinkKind::Lsp => None,
        }
    }
}
