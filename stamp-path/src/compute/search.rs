//! The best way from a node within bounds.
//!
//! Partial ways are looked at in the order of what they cost at least when they have reached the
//! target. One that costs no less than another to the same node, in every sum that is bounded, is
//! dropped. Least sums to the target, known beforehand, drop what cannot end within the bounds.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::network::Sums;
use super::query::Query;
use super::tree::{Cost, Tree};

/// Where a search begins, and what it must leave alone.
#[derive(Clone, Debug)]
pub(super) struct Start<'a> {
    pub(super) node: usize,
    /// What has been paid up to the node.
    pub(super) cost: Cost,
    pub(super) sums: Sums,
    /// Nodes that are not entered, by position.
    pub(super) closed: &'a [bool],
    /// Arcs from the first node that are not taken.
    pub(super) refused: &'a [usize],
}

/// What came of a search.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// The best way from the start, as arcs.
    Best(Vec<usize>),
    /// There is none.
    None,
    /// The limit of work came first; the way, if any, is within the bounds.
    Undecided(Option<Vec<usize>>),
}

/// A way from the start to a node.
#[derive(Clone, Copy, Debug)]
struct Label {
    node: usize,
    /// The arc it came by, and the label before; none at the start.
    before: Option<(usize, usize)>,
    cost: Cost,
    sums: Sums,
    /// The label made before at the same node.
    sibling: Option<usize>,
    dominated: bool,
}

/// Searches; each label is a unit of work.
pub(super) fn search(query: &Query<'_, '_>, start: &Start<'_>, work: &mut u64) -> Found {
    if query.tree.cost(start.node).is_none() || !query.can_end(start.node, start.sums) {
        return Found::None;
    }
    if !query.is_bounded() && start.refused.is_empty() && start.closed.is_empty() {
        return Found::Best(descent(query, &query.tree, start).unwrap_or_default());
    }
    let mut labels = Labels::new(query, start);
    while let Some(current) = labels.next() {
        let label = labels.all[current];
        if label.node == query.to {
            return Found::Best(labels.arcs(current));
        }
        for arc in query.network.leaving(label.node) {
            let is_first = label.before.is_none();
            if !query.usable[arc] || is_first && start.refused.contains(&arc) {
                continue;
            }
            if *work == 0 {
                return Found::Undecided(labels.within_bounds(start));
            }
            if labels.extend(current, arc, start.closed) {
                *work -= 1;
            }
        }
    }
    Found::None
}

/// Labels made so far, and the order in which they are looked at.
struct Labels<'q, 'n, 't> {
    query: &'q Query<'n, 't>,
    all: Vec<Label>,
    /// The latest label of each node.
    latest: Vec<Option<usize>>,
    /// Least cost at the target; then what is nearest to it, then what was made first.
    frontier: BinaryHeap<Reverse<(Cost, Reverse<u32>, usize)>>,
}

impl<'q, 'n, 't> Labels<'q, 'n, 't> {
    fn new(query: &'q Query<'n, 't>, start: &Start<'_>) -> Self {
        let first = Label {
            node: start.node,
            before: None,
            cost: start.cost,
            sums: start.sums,
            sibling: None,
            dominated: false,
        };
        let mut latest = vec![None; query.network.node_count()];
        latest[start.node] = Some(0);
        let frontier = BinaryHeap::from([Reverse((start.cost, Reverse(0), 0))]);
        Self { query, all: vec![first], latest, frontier }
    }

    /// The next that nothing dominates.
    fn next(&mut self) -> Option<usize> {
        loop {
            let Reverse((_, _, label)) = self.frontier.pop()?;
            if !self.all[label].dominated {
                return Some(label);
            }
        }
    }

    /// Adds what an arc makes of a label, unless that leads nowhere new.
    fn extend(&mut self, before: usize, arc: usize, closed: &[bool]) -> bool {
        let taken = &self.query.network.arcs()[arc];
        if closed.get(taken.to).copied().unwrap_or(false) {
            return false;
        }
        let Some(rest) = self.query.tree.cost(taken.to) else { return false };
        let label = self.all[before];
        let cost = label.cost.plus(taken.weight(self.query.request.metric));
        let more = self.query.sums(taken);
        let sums = [0, 1, 2].map(|which| label.sums[which].saturating_add(more[which]));
        if !self.query.can_end(taken.to, sums) || !self.takes_place(taken.to, cost, sums) {
            return false;
        }
        let number = self.all.len();
        let sibling = self.latest[taken.to].replace(number);
        self.all.push(Label {
            node: taken.to,
            before: Some((arc, before)),
            cost,
            sums,
            sibling,
            dominated: false,
        });
        self.frontier.push(Reverse((cost.and(rest), Reverse(cost.hops), number)));
        true
    }

    /// Whether nothing at the node is as good in everything; what is worse in everything goes.
    fn takes_place(&mut self, node: usize, cost: Cost, sums: Sums) -> bool {
        let mut next = self.latest[node];
        while let Some(number) = next {
            let other = &mut self.all[number];
            next = other.sibling;
            if other.dominated {
                continue;
            }
            if other.cost <= cost && is_within(other.sums, sums) {
                return false;
            }
            other.dominated = cost <= other.cost && is_within(sums, other.sums);
        }
        true
    }

    fn arcs(&self, label: usize) -> Vec<usize> {
        let mut arcs = Vec::new();
        let mut at = self.all[label];
        while let Some((arc, before)) = at.before {
            arcs.push(arc);
            at = self.all[before];
        }
        arcs.reverse();
        arcs
    }

    /// Something within the bounds, the cheapest that is known when the search is given up.
    fn within_bounds(&self, start: &Start<'_>) -> Option<Vec<usize>> {
        let mut target = self.latest[self.query.to];
        let mut known = Vec::new();
        while let Some(number) = target {
            known.push((self.all[number].cost, self.arcs(number)));
            target = self.all[number].sibling;
        }
        // What is best by one sum may be good enough by all.
        let trees = self.query.sum_trees.iter().flatten();
        known.extend(trees.filter_map(|tree| {
            let arcs = descent(self.query, tree, start)?;
            Some((start.cost.and(self.query.cost(&arcs)), arcs))
        }));
        known.into_iter().min().map(|(_, arcs)| arcs)
    }
}

/// Follows a tree from the start, by the first of equal arcs; none where that is closed or breaks
/// a bound.
fn descent(query: &Query<'_, '_>, tree: &Tree, start: &Start<'_>) -> Option<Vec<usize>> {
    let network = query.network;
    let (mut node, mut sums, mut arcs) = (start.node, start.sums, Vec::new());
    while node != query.to {
        let is_first = arcs.is_empty();
        let next = network.leaving(node).find(|arc| {
            let next = &network.arcs()[*arc];
            let is_refused = is_first && start.refused.contains(arc);
            let is_closed = start.closed.get(next.to).copied().unwrap_or(false);
            query.usable[*arc] && !is_refused && !is_closed && tree.is_on_least_way(next)
        })?;
        let taken = &network.arcs()[next];
        let more = query.sums(taken);
        sums = [0, 1, 2].map(|which| sums[which].saturating_add(more[which]));
        arcs.push(next);
        node = taken.to;
    }
    query.can_end(node, sums).then_some(arcs)
}

fn is_within(one: Sums, other: Sums) -> bool {
    one.iter().zip(&other).all(|(one, other)| one <= other)
}
