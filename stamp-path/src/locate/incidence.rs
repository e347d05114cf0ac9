//! Which causes the packets of which observation can meet.

use std::collections::{BTreeMap, BTreeSet};

use super::Cause;
use super::observation::{Course, Observation};
use crate::encoding::Route;
use crate::path::Hop;
use crate::topology::{NodeId, Side, Topology};

/// A set of the ways of an observation.
pub(super) type Ways = Vec<u64>;

/// A way of an observation in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) chance: f64,
    /// What is usual on it.
    pub(super) expected: f64,
}

/// The ways of one observation.
#[derive(Clone, Debug)]
pub(super) struct Legs {
    pub(super) there: Vec<Leg>,
    pub(super) back: Vec<Leg>,
    /// Each way there goes on as the way back of the same place.
    pub(super) is_loop: bool,
}

/// Causes that are met together everywhere, and so cannot be told apart.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) causes: Vec<Cause>,
    /// By observation that can meet them: on which ways there, and on which back.
    pub(super) met: BTreeMap<usize, [Ways; 2]>,
}

/// All causes, and all observations.
#[derive(Clone, Debug)]
pub(super) struct Incidence {
    pub(super) classes: Vec<Class>,
    pub(super) legs: Vec<Legs>,
    /// Causes that no observation meets.
    pub(super) unwatched: Vec<Cause>,
}

impl Incidence {
    pub(super) fn of(
        topology: &Topology,
        observations: &[Observation],
        expected: impl Fn(&Hop) -> f64,
    ) -> Self {
        let routes: Vec<[Vec<Route>; 2]> =
            observations.iter().map(|it| directions(&it.course)).collect();
        let leg = |route: &Route| Leg {
            chance: route.chance,
            expected: route.hops.iter().map(&expected).sum(),
        };
        let legs = routes.iter().zip(observations).map(|([there, back], observation)| Legs {
            there: there.iter().map(leg).collect(),
            back: back.iter().map(leg).collect(),
            is_loop: matches!(observation.course, Course::Loop(_)),
        });
        let legs = legs.collect();
        let near = Near::of(&routes);
        let mut by_key: BTreeMap<BTreeMap<usize, [Ways; 2]>, Vec<Cause>> = BTreeMap::new();
        for cause in Cause::all(topology) {
            let met = near.observations(cause).filter_map(|place| {
                let met = routes[place].each_ref().map(|routes| ways_on(cause, routes));
                let is_met = met.iter().flatten().any(|word| *word != 0);
                is_met.then_some((place, met))
            });
            by_key.entry(met.collect()).or_default().push(cause);
        }
        let unwatched = by_key.remove(&BTreeMap::new()).unwrap_or_default();
        let class = |(met, causes)| Class { causes, met };
        Self { classes: by_key.into_iter().map(class).collect(), legs, unwatched }
    }
}

/// Whether a way is in a set.
pub(super) fn is_in(ways: &[u64], way: usize) -> bool {
    ways.get(way / 64).is_some_and(|word| word >> (way % 64) & 1 == 1)
}

fn ways_on(cause: Cause, routes: &[Route]) -> Ways {
    let mut ways = vec![0_u64; routes.len().div_ceil(64)];
    for (place, _) in routes.iter().enumerate().filter(|(_, route)| cause.is_on(route)) {
        ways[place / 64] |= 1 << (place % 64);
    }
    ways
}

/// Ways there and ways back.
pub(super) fn directions(course: &Course) -> [Vec<Route>; 2] {
    match course {
        Course::Apart { there, back } => [there.clone(), back.clone()],
        Course::Loop(routes) => {
            let (there, back) = routes.iter().map(split).unzip();
            [there, back]
        }
    }
}

/// A loop as far as the node that stamps, and from there; where none does, its two halves, so that what is
/// passed there and back is met twice.
fn split(route: &Route) -> (Route, Route) {
    let mut there = route.clone();
    let half = route.hops.len().div_ceil(2);
    let turn = if route.hidden.is_empty() {
        route.stamped.unwrap_or(half)
    } else {
        // Hops and nodes do not go side by side.
        route.nodes.len() - 1
    };
    let hops = if route.hidden.is_empty() { turn } else { route.hops.len() };
    let back = Route {
        nodes: there.nodes.split_off(turn + 1),
        hops: there.hops.split_off(hops),
        hidden: Vec::new(),
        ..route.clone()
    };
    (there, back)
}

/// Which observations come near a node: the others need not be asked.
struct Near {
    by_node: BTreeMap<NodeId, BTreeSet<usize>>,
    by_hop: BTreeMap<Hop, BTreeSet<usize>>,
    count: usize,
}

impl Near {
    fn of(routes: &[[Vec<Route>; 2]]) -> Self {
        let mut near =
            Self { by_node: BTreeMap::new(), by_hop: BTreeMap::new(), count: routes.len() };
        for (place, directions) in routes.iter().enumerate() {
            for route in directions.iter().flatten() {
                for node in &route.nodes {
                    near.by_node.entry(*node).or_default().insert(place);
                }
                for hop in &route.hops {
                    near.by_hop.entry(*hop).or_default().insert(place);
                }
            }
        }
        near
    }

    fn observations(&self, cause: Cause) -> impl Iterator<Item = usize> {
        let of = |hop: Hop| self.by_hop.get(&hop).cloned().unwrap_or_default();
        let found: BTreeSet<usize> = match cause {
            Cause::Direction(hop) => of(hop),
            Cause::Link(link) => {
                Side::BOTH.into_iter().flat_map(|side| of(Hop { link, side })).collect()
            }
            Cause::Node(node) => self.by_node.get(&node).cloned().unwrap_or_default(),
            Cause::Tunnel(_) => (0..self.count).collect(),
        };
        found.into_iter()
    }
}
