//! The ways packets take by themselves: shortest by the metric of the interior gateway protocol.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::topology::{LinkId, LinkKind, NodeId, Side, Topology};

/// Cost that no sum of metrics reaches: what is drained is used where nothing else leads.
const DRAINED: u64 = 1 << 40;

/// How far every node is from one target, and which links lead there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShortestPaths {
    target: NodeId,
    /// By position of the node.
    costs: Vec<Option<u64>>,
}

impl ShortestPaths {
    /// Finds the shortest ways of all nodes to `target` over physical links.
    #[must_use]
    pub fn toward(topology: &Topology, target: NodeId) -> Self {
        let mut costs = vec![None; topology.nodes.len()];
        let mut frontier = BinaryHeap::from([Reverse((0_u64, target))]);
        while let Some(Reverse((cost, node))) = frontier.pop() {
            if costs[node.position()].is_some() {
                continue;
            }
            costs[node.position()] = Some(cost);
            for (link, side) in topology.links_of(node) {
                // Packets come towards the target, so the far end's direction counts.
                if let Some(step) = step(topology, link, side.opposite(), node == target) {
                    let from = topology[link].at(side.opposite());
                    frontier.push(Reverse((cost + step, from)));
                }
            }
        }
        Self { target, costs }
    }

    /// Cost from a node; none where no way leads.
    #[must_use]
    pub fn cost(&self, node: NodeId) -> Option<u64> {
        self.costs[node.position()]
    }

    /// Links on which the node sends packets for the target, all equally good, each with the side
    /// it sends from. Empty at the target and where no way leads.
    #[must_use]
    pub fn next_hops(&self, topology: &Topology, node: NodeId) -> Vec<(LinkId, Side)> {
        let Some(cost) = self.cost(node).filter(|_| node != self.target) else {
            return Vec::new();
        };
        let is_best = |(link, side): &(LinkId, Side)| {
            let next = topology[*link].at(side.opposite());
            let step = step(topology, *link, *side, next == self.target);
            let total = self.cost(next).zip(step).map(|(rest, step)| rest + step);
            total == Some(cost)
        };
        topology.links_of(node).filter(is_best).collect()
    }
}

/// Cost of one wire, sent from `side`; `ends_here` where its far end is what is to be reached.
pub(crate) fn step(topology: &Topology, link: LinkId, side: Side, ends_here: bool) -> Option<u64> {
    let link = &topology[link];
    if link.kind != LinkKind::Physical {
        return None;
    }
    let next = link.at(side.opposite());
    let is_drained = link.from(side).drained || !ends_here && topology[next].drained;
    Some(u64::from(link.from(side).igp) + if is_drained { DRAINED } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square a-b-d, a-c-d, and what a test adds to the link a-b.
    fn square(on_ab: &str) -> Topology {
        let nodes = ["a", "b", "c", "d"].map(|name| format!("[[node]]\nname = \"{name}\"\n"));
        let links = [("a", "b", on_ab), ("b", "d", ""), ("a", "c", ""), ("c", "d", "")]
            .map(|(from, to, more)| format!("[[link]]\nends = [\"{from}\", \"{to}\"]\n{more}\n"));
        Topology::read("t.toml", &(nodes.concat() + &links.concat())).unwrap()
    }

    fn ways(topology: &Topology, from: &str, to: &str) -> (Option<u64>, Vec<String>) {
        let [from, to] = [from, to].map(|name| topology.node_id(name).unwrap());
        let paths = ShortestPaths::toward(topology, to);
        let hops = paths.next_hops(topology, from);
        (paths.cost(from), hops.iter().map(|(link, _)| topology[*link].name.clone()).collect())
    }

    #[test]
    fn equal_ways_are_all_found() {
        let topology = square("");
        assert_eq!(ways(&topology, "a", "d"), (Some(20), vec!["a-b".into(), "a-c".into()]));
        assert_eq!(ways(&topology, "a", "a"), (Some(0), vec![]));
    }

    #[test]
    fn the_metric_of_the_direction_decides() {
        let topology = square("igp = 30\nback = { igp = 1 }");
        assert_eq!(ways(&topology, "a", "d"), (Some(20), vec!["a-c".into()]));
        assert_eq!(ways(&topology, "d", "a"), (Some(11), vec!["b-d".into()]));
    }

    #[test]
    fn what_is_drained_or_no_wire_is_avoided() {
        assert_eq!(ways(&square("drained = true"), "a", "b").1, ["a-c"]);
        assert_eq!(ways(&square("kind = \"lsp\""), "a", "b").1, ["a-c"]);
        let mut topology = square("");
        topology.nodes[1].drained = true;
        assert_eq!(ways(&topology, "a", "d").1, ["a-c"]);
        assert_eq!(ways(&topology, "a", "b").1, ["a-b"], "it can still be reached itself");
    }

    #[test]
    fn where_no_way_leads_there_is_none() {
        let topology = Topology::read("t.toml", "[[node]]\nname = \"a\"\n[[node]]\nname = \"b\"\n");
        assert_eq!(ways(&topology.unwrap(), "a", "b"), (None, vec![]));
    }
}
