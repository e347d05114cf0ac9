//! How far every node is from one target.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::network::{Arc, Network};
use super::request::Metric;

/// What a way costs: fewer links decide between equals, which also keeps ways over links that cost
/// nothing from going in circles.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Cost {
    pub(super) metric: u64,
    pub(super) hops: u32,
}

impl Cost {
    /// Of what is not reached.
    pub(super) const UNREACHED: Self = Self { metric: u64::MAX, hops: u32::MAX };

    pub(super) const fn plus(self, weight: u64) -> Self {
        Self { metric: self.metric.saturating_add(weight), hops: self.hops.saturating_add(1) }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            metric: self.metric.saturating_add(other.metric),
            hops: self.hops.saturating_add(other.hops),
        }
    }
}

/// What adds up along a way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// What the request wants to be small.
    Metric(Metric),
    /// One of the sums that may be bounded.
    Sum(usize),
}

impl Measure {
    const fn of(self, arc: &Arc) -> u64 {
        match self {
            Self::Metric(metric) => arc.weight(metric),
            Self::Sum(which) => arc.sums()[which],
        }
    }
}

/// Least costs to a target.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    measure: Measure,
    /// By position of the node.
    costs: Vec<Cost>,
}

impl Tree {
    /// Over arcs that are usable.
    pub(super) fn toward(
        network: &Network<'_>,
        target: usize,
        usable: &[bool],
        measure: Measure,
    ) -> Self {
        let mut costs = vec![Cost::UNREACHED; network.node_count()];
        costs[target] = Cost::default();
        let mut frontier = BinaryHeap::from([Reverse((Cost::default(), target))]);
        while let Some(Reverse((cost, node))) = frontier.pop() {
            if cost > costs[node] {
                continue;
            }
            for arc in network.entering(node).iter().filter(|arc| usable[**arc]) {
                let arc = &network.arcs()[*arc];
                let total = cost.plus(measure.of(arc));
                if total < costs[arc.from] {
                    costs[arc.from] = total;
                    frontier.push(Reverse((total, arc.from)));
                }
            }
        }
        Self { measure, costs }
    }

    /// From a node; none where no way leads.
    pub(super) fn cost(&self, node: usize) -> Option<Cost> {
        Some(self.costs[node]).filter(|cost| *cost != Cost::UNREACHED)
    }

    /// Whether an arc is on a least way to the target.
    pub(super) fn is_on_least_way(&self, arc: &Arc) -> bool {
        let through = self.cost(arc.to).map(|rest| rest.plus(self.measure.of(arc)));
        through.is_some() && through == self.cost(arc.from)
    }
}
