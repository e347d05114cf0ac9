//! A request made ready for a search: which arcs are left, and what has to be added up.

use core::time::Duration;

use super::network::{Arc, Network, Sums, loss_weight};
use super::request::{Constraint, Disjointness, Request};
use super::tree::{Cost, Measure, Tree};
use crate::path::{Hop, Path};
use crate::topology::{LinkId, Topology};

/// A request over a network.
#[derive(Clone, Debug)]
pub(super) struct Query<'n, 't> {
    pub(super) network: &'n Network<'t>,
    pub(super) request: &'n Request,
    pub(super) from: usize,
    pub(super) to: usize,
    /// By position of the arc.
    pub(super) usable: Vec<bool>,
    /// `u64::MAX` where there is none.
    pub(super) bounds: Sums,
    /// Least costs to the target.
    pub(super) tree: Tree,
    /// Least sums to the target, of those that are bounded.
    pub(super) sum_trees: [Option<Tree>; 3],
}

impl<'n, 't> Query<'n, 't> {
    pub(super) fn new(network: &'n Network<'t>, request: &'n Request) -> Self {
        let (from, to) = (request.from.position(), request.to.position());
        let usable = usable(network, request);
        let bounds = bounds(request);
        let tree = Tree::toward(network, to, &usable, Measure::Metric(request.metric));
        let sum_trees = [0, 1, 2].map(|which| {
            let is_bounded = bounds[which] != u64::MAX;
            is_bounded.then(|| Tree::toward(network, to, &usable, Measure::Sum(which)))
        });
        Self { network, request, from, to, usable, bounds, tree, sum_trees }
    }

    /// The sums of an arc, as far as they are bounded.
    pub(super) fn sums(&self, arc: &Arc) -> Sums {
        let all = arc.sums();
        [0, 1, 2].map(|which| if self.bounds[which] == u64::MAX { 0 } else { all[which] })
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.bounds != [u64::MAX; 3]
    }

    /// Whether a way that has these sums at a node can still end within the bounds.
    pub(super) fn can_end(&self, node: usize, sums: Sums) -> bool {
        [0, 1, 2].into_iter().all(|which| match &self.sum_trees[which] {
            None => true,
            Some(tree) => tree
                .cost(node)
                .is_some_and(|rest| sums[which].saturating_add(rest.metric) <= self.bounds[which]),
        })
    }

    /// What a way costs that is made of these arcs.
    pub(super) fn cost(&self, arcs: &[usize]) -> Cost {
        arcs.iter().fold(Cost::default(), |cost, arc| {
            cost.plus(self.network.arcs()[*arc].weight(self.request.metric))
        })
    }

    pub(super) fn path(&self, arcs: &[usize]) -> Path {
        let hops: Vec<Hop> = arcs.iter().map(|arc| self.network.arcs()[*arc].hop).collect();
        let start = self.network.node(self.from);
        Path::new(self.network.topology(), start, hops).expect("each arc begins where one ended")
    }
}

/// Everything.
const WHOLE: u32 = 1_000_000_000;

fn bounds(request: &Request) -> Sums {
    let mut bounds = [u64::MAX; 3];
    for constraint in &request.constraints {
        let (which, bound) = match constraint {
            Constraint::MaxDelay(delay) => (0, nanoseconds(*delay)),
            // What may lose everything is not bounded.
            Constraint::MaxLoss(loss) if loss.billionths() < WHOLE => {
                (1, loss_weight(loss.billionths()))
            }
            Constraint::MaxHops(hops) => (2, u64::from(*hops)),
            _ => continue,
        };
        bounds[which] = bounds[which].min(bound);
    }
    bounds
}

fn nanoseconds(delay: Duration) -> u64 {
    u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX - 1)
}

/// Which arcs are left, by position.
pub(super) fn usable(network: &Network<'_>, request: &Request) -> Vec<bool> {
    let mut usable: Vec<bool> =
        network.arcs().iter().map(|arc| request.over.contains(&arc.kind)).collect();
    let topology = network.topology();
    let mut links = Links::new(topology);
    links.close(&request.closed);
    for constraint in &request.constraints {
        if let Constraint::DisjointFrom(path, kind) = constraint {
            links.close_shared(path, *kind);
        }
    }
    for (arc, usable) in network.arcs().iter().zip(&mut usable) {
        *usable = *usable
            && !links.0[arc.hop.link.position()]
            && request.constraints.iter().all(|one| admits(topology, request, one, arc));
    }
    usable
}

/// Links that are closed, by position.
struct Links<'t>(Vec<bool>, &'t Topology);

impl<'t> Links<'t> {
    fn new(topology: &'t Topology) -> Self {
        Self(vec![false; topology.links.len()], topology)
    }

    fn close(&mut self, links: &[LinkId]) {
        for link in links {
            self.0[link.position()] = true;
        }
    }

    /// Everything that would share a link or a risk with the path; nodes are another matter.
    fn close_shared(&mut self, path: &Path, kind: Disjointness) {
        for hop in path.hops() {
            self.0[hop.link.position()] = true;
        }
        if !kind.srlgs {
            return;
        }
        let groups = groups(self.1, path);
        for link in self.1.link_ids() {
            if shares_group(self.1, link, &groups) {
                self.0[link.position()] = true;
            }
        }
    }
}

/// The shared risk link groups of a way, of both directions of its links, in order.
pub(super) fn groups(topology: &Topology, path: &Path) -> Vec<u32> {
    let of_link = |hop: &Hop| topology[hop.link].directions.map_ref(|one| one.srlgs.clone());
    let mut groups: Vec<u32> = path.hops().iter().flat_map(of_link).flatten().collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Whether a link, in either direction, is in one of these groups, which are in order.
pub(super) fn shares_group(topology: &Topology, link: LinkId, groups: &[u32]) -> bool {
    let Some(link) = (!groups.is_empty()).then(|| &topology[link]) else { return false };
    link.directions.0.iter().flat_map(|one| &one.srlgs).any(|one| groups.binary_search(one).is_ok())
}

/// Whether a constraint that is about single links and nodes lets an arc pass.
fn admits(topology: &Topology, request: &Request, constraint: &Constraint, arc: &Arc) -> bool {
    let link = arc.hop.direction(topology);
    // Both ends of the way are exempt.
    let transit = || {
        [arc.hop.from(topology), arc.hop.to(topology)]
            .into_iter()
            .filter(|node| ![request.from, request.to].contains(node))
    };
    let has = |name: &String| link.affinities.contains(name);
    match constraint {
        Constraint::AvoidDrained => !link.drained && transit().all(|node| !topology[node].drained),
        Constraint::MinBandwidth(least) => link.bandwidth.is_some_and(|known| known >= *least),
        Constraint::AvoidNode(avoided) => transit().all(|node| node != *avoided),
        Constraint::AvoidLink(avoided) => arc.hop.link != *avoided,
        Constraint::AvoidAutonomousSystem(number) => {
            transit().all(|node| topology[node].autonomous_system != Some(*number))
        }
        Constraint::AvoidDomain(name) => {
            transit().all(|node| topology[node].domain.as_ref() != Some(name))
        }
        Constraint::AvoidSrlg(group) => !link.srlgs.contains(group),
        Constraint::ExcludeAffinity(name) => !has(name),
        Constraint::IncludeAnyAffinity(names) => names.iter().any(has),
        Constraint::IncludeAllAffinities(names) => names.iter().all(has),
        Constraint::DisjointFrom(path, kind) => {
            !kind.nodes || transit().all(|node| !path.nodes(topology).any(|used| used == node))
        }
        Constraint::MaxDelay(_) | Constraint::MaxLoss(_) | Constraint::MaxHops(_) => true,
    }
}
