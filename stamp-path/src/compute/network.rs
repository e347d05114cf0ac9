//! A topology made ready for many searches.

use crate::path::Hop;
use crate::topology::{LinkKind, NodeId, Side, Topology};

use super::request::Metric;

/// Nodes and links as arrays: every direction of a link is an arc, those of a node stand together.
#[derive(Clone, Debug)]
pub struct Network<'t> {
    topology: &'t Topology,
    nodes: Vec<NodeId>,
    /// By the node they leave, in the order of the file.
    arcs: Vec<Arc>,
    /// Where the arcs of a node begin; one more at the end.
    leaving: Vec<usize>,
    /// Positions in `arcs` by the node they enter, in the order of the file.
    entering_arcs: Vec<usize>,
    /// Where those of a node begin; one more at the end.
    entering: Vec<usize>,
}

/// Sums that may be bounded: delay, loss, links.
pub(super) type Sums = [u64; 3];

/// One direction of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    pub(super) hop: Hop,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: LinkKind,
    pub(super) igp: u64,
    pub(super) te: u64,
    pub(super) delay_ns: u64,
    /// What adds up where losses compose; see [`loss_weight`].
    pub(super) loss: u64,
}

impl Arc {
    pub(super) const fn weight(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Igp => self.igp,
            Metric::Te => self.te,
            Metric::Delay => self.delay_ns,
            Metric::Loss => self.loss,
            Metric::Hops => 1,
        }
    }

    pub(super) const fn sums(&self) -> Sums {
        [self.delay_ns, self.loss, 1]
    }
}

impl<'t> Network<'t> {
    /// Reads every link once; each search is then in proportion to what it touches.
    #[must_use]
    pub fn new(topology: &'t Topology) -> Self {
        let nodes: Vec<NodeId> = topology.ids().collect();
        let every = topology.link_ids().flat_map(|link| Side::BOTH.map(|side| Hop { link, side }));
        let mut arcs: Vec<Arc> = every.map(|hop| arc(topology, hop)).collect();
        // Stable, so that the order of the file stays.
        arcs.sort_by_key(|arc| arc.from);
        let mut entering_arcs: Vec<usize> = (0..arcs.len()).collect();
        entering_arcs.sort_by_key(|arc| (arcs[*arc].to, arcs[*arc].hop.link));
        let leaving = starts(nodes.len(), arcs.iter().map(|arc| arc.from));
        let entering = starts(nodes.len(), arcs.iter().map(|arc| arc.to));
        Self { topology, nodes, arcs, leaving, entering_arcs, entering }
    }

    /// What it was made from.
    #[must_use]
    pub const fn topology(&self) -> &'t Topology {
        self.topology
    }

    pub(super) fn arcs(&self) -> &[Arc] {
        &self.arcs
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, position: usize) -> NodeId {
        self.nodes[position]
    }

    /// Arcs that leave a node.
    pub(super) fn leaving(&self, node: usize) -> core::ops::Range<usize> {
        self.leaving[node]..self.leaving[node + 1]
    }

    /// Arcs that enter a node.
    pub(super) fn entering(&self, node: usize) -> &[usize] {
        &self.entering_arcs[self.entering[node]..self.entering[node + 1]]
    }
}

/// Where each node's arcs begin, when there are so many of each.
fn starts(nodes: usize, ends: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut starts = vec![0; nodes + 1];
    for node in ends {
        starts[node + 1] += 1;
    }
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
    starts
}

fn arc(topology: &Topology, hop: Hop) -> Arc {
    let direction = hop.direction(topology);
    Arc {
        hop,
        from: hop.from(topology).position(),
        to: hop.to(topology).position(),
        kind: topology[hop.link].kind,
        igp: direction.igp.into(),
        te: direction.te.into(),
        delay_ns: u64::try_from(direction.delay.as_nanos()).unwrap_or(u64::MAX),
        loss: loss_weight(direction.loss.billionths()),
    }
}

/// Losses multiply what arrives, so the logarithms of what arrives add up: here in steps of 2^-40,
/// a thousand to the smallest share, so that sums are exact and compare alike in every order.
pub(super) fn loss_weight(billionths: u32) -> u64 {
    const STEPS: f64 = (1_u64 << 40) as f64;
    if billionths >= 1_000_000_000 {
        // More than any sum of others.
        return 1 << 56;
    }
    let weight = -(-f64::from(billionths) / 1e9).ln_1p() * STEPS;
    // At most 21 * 2^40, and not negative.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    let weight = weight.round() as u64;
    weight
}
