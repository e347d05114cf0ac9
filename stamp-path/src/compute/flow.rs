//! Two ways that share no link, or no node, whose costs together are the least.
//!
//! After Suurballe and Bhandari: the second way may undo arcs of the first, and what remains of both
//! is two ways. Distances of the first search make all costs of the second positive.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::query::Query;

/// Costs and, below them, links: no circle is for nothing, so no way has one.
type Price = i128;

/// One way to go, used or not; its partner is the same way back.
#[derive(Clone, Copy, Debug)]
struct Edge {
    to: usize,
    price: Price,
    room: u8,
    /// The arc it stands for; none within a node and on the way back.
    arc: Option<usize>,
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Flow {
    /// Two ways as arcs.
    Two([Vec<usize>; 2]),
    /// Every way goes through this one narrow place.
    Narrow(Narrow),
    /// There is not even one.
    None,
}

/// What every way takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Narrow {
    Node(usize),
    Arc(usize),
}

/// Two ways with the least costs together, by the metric alone: bounds on sums are not kept.
pub(super) fn two(query: &Query<'_, '_>, node_disjoint: bool) -> Flow {
    let mut graph = Graph::new(query, node_disjoint);
    let (source, sink) = (2 * query.from + 1, 2 * query.to);
    if !graph.augment(source, sink) {
        return Flow::None;
    }
    if !graph.augment(source, sink) {
        return Flow::Narrow(graph.narrow(source));
    }
    Flow::Two([(); 2].map(|()| graph.take_way(source, sink)))
}

/// Each node is two, what enters (`2n`) and what leaves (`2n + 1`), so that it can be used up.
struct Graph {
    /// Partners stand at `e` and `e ^ 1`.
    edges: Vec<Edge>,
    of_node: Vec<Vec<usize>>,
    /// Distances of earlier searches, added up.
    potential: Vec<Price>,
}

impl Graph {
    fn new(query: &Query<'_, '_>, node_disjoint: bool) -> Self {
        let network = query.network;
        let halves = 2 * network.node_count();
        let mut graph = Self {
            edges: Vec::with_capacity(2 * (network.arcs().len() + network.node_count())),
            of_node: vec![Vec::new(); halves],
            potential: vec![0; halves],
        };
        let room = if node_disjoint { 1 } else { 2 };
        for node in 0..network.node_count() {
            graph.join(2 * node, 2 * node + 1, Edge { to: 0, price: 0, room, arc: None });
            for arc in network.leaving(node).filter(|arc| query.usable[*arc]) {
                let taken = &network.arcs()[arc];
                let metric = Price::from(taken.weight(query.request.metric));
                let price = (metric << 32) + 1;
                let edge = Edge { to: 0, price, room: 1, arc: Some(arc) };
                graph.join(2 * node + 1, 2 * taken.to, edge);
            }
        }
        graph
    }

    fn join(&mut self, from: usize, to: usize, edge: Edge) {
        self.of_node[from].push(self.edges.len());
        self.edges.push(Edge { to, ..edge });
        self.of_node[to].push(self.edges.len());
        self.edges.push(Edge { to: from, price: -edge.price, room: 0, arc: None });
    }

    /// Adds the cheapest way that is left, if there is one.
    fn augment(&mut self, source: usize, sink: usize) -> bool {
        let (distances, came_by) = self.search(source);
        let Some(length) = distances[sink] else { return false };
        for (potential, distance) in self.potential.iter_mut().zip(&distances) {
            // What lies beyond the sink cannot matter more than the sink does.
            *potential += distance.map_or(length, |distance| distance.min(length));
        }
        let mut at = sink;
        while at != source
            && let Some(edge) = came_by[at]
        {
            self.edges[edge].room -= 1;
            self.edges[edge ^ 1].room += 1;
            at = self.edges[edge ^ 1].to;
        }
        true
    }

    fn search(&self, source: usize) -> (Vec<Option<Price>>, Vec<Option<usize>>) {
        let mut distances = vec![None; self.of_node.len()];
        let mut came_by = vec![None; self.of_node.len()];
        distances[source] = Some(0);
        let mut frontier = BinaryHeap::from([Reverse((0, source))]);
        while let Some(Reverse((distance, node))) = frontier.pop() {
            if distances[node] != Some(distance) {
                continue;
            }
            for number in &self.of_node[node] {
                let edge = &self.edges[*number];
                let price = edge.price + self.potential[node] - self.potential[edge.to];
                let total = distance + price;
                if edge.room > 0 && distances[edge.to].is_none_or(|known| total < known) {
                    distances[edge.to] = Some(total);
                    came_by[edge.to] = Some(*number);
                    frontier.push(Reverse((total, edge.to)));
                }
            }
        }
        (distances, came_by)
    }

    /// Where what can still be reached ends: with one way in use, that is one place.
    fn narrow(&self, source: usize) -> Narrow {
        let (distances, _) = self.search(source);
        let is_full = |node: &usize| {
            self.of_node[*node].iter().find(|number| {
                let is_forward = **number % 2 == 0;
                is_forward
                    && self.edges[**number].room == 0
                    && distances[self.edges[**number].to].is_none()
            })
        };
        let reached = (0..self.of_node.len()).filter(|node| distances[*node].is_some());
        let edge = reached.filter_map(|node| is_full(&node).map(|edge| (node, *edge))).next();
        let (node, edge) = edge.expect("what is not reached lies behind something full");
        self.edges[edge].arc.map_or(Narrow::Node(node / 2), Narrow::Arc)
    }

    /// Takes a way out of what is used.
    fn take_way(&mut self, source: usize, sink: usize) -> Vec<usize> {
        let (mut at, mut arcs) = (source, Vec::new());
        while at != sink {
            let used = self.of_node[at].iter().copied().find(|edge| {
                let is_forward = edge % 2 == 0;
                is_forward && self.edges[edge ^ 1].room > 0
            });
            let Some(edge) = used else { break };
            self.edges[edge ^ 1].room -= 1;
            arcs.extend(self.edges[edge].arc);
            at = self.edges[edge].to;
        }
        arcs
    }
}
