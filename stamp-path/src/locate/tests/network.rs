//! A network in which packets are sent one by one, by rules of its own: what nodes choose among is found by
//! other code than that under test.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::encoding::{Departure, Forwarding, Route};
use crate::locate::{Course, Delay, Loss, Observation, Readings};
use crate::path::Hop;
use crate::shortest::ShortestPaths;
use crate::topology::{LinkId, NodeId, Side, Topology};

pub(super) const CLOS: &str = include_str!("../../../../examples/topologies/clos.toml");

pub(super) fn read(text: &str) -> Topology {
    Topology::read("example.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn id(topology: &Topology, name: &str) -> NodeId {
    topology.node_id(name).unwrap_or_else(|| panic!("no node {name}"))
}

pub(super) fn link(topology: &Topology, name: &str) -> LinkId {
    topology.link_id(name).unwrap_or_else(|| panic!("no link {name}"))
}

/// Chance that can be repeated (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }
}

/// What each direction of a link does to packets.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) loss: BTreeMap<Hop, f64>,
    pub(super) late: BTreeMap<Hop, Duration>,
}

/// A session: its flow decides among equal links, once and for all.
#[derive(Clone, Debug)]
pub(super) struct Session {
    there: Vec<Hop>,
    back: Vec<Hop>,
    /// The ways that the code under test thinks possible.
    course: Course,
}

impl Session {
    /// A reflector answers, and says what was lost on the way there.
    pub(super) fn answered(topology: &Topology, from: &str, to: &str, flow: u64) -> Self {
        let [from, to] = [from, to].map(|name| id(topology, name));
        let [there, back] = [[from, to], [to, from]];
        Self {
            there: taken(topology, &there, flow ^ 1),
            back: taken(topology, &back, flow ^ 2),
            course: Course::Apart {
                there: routes(topology, &there),
                back: routes(topology, &back),
            },
        }
    }

    /// Visits nodes and comes home.
    pub(super) fn looped(topology: &Topology, nodes: &[&str], flow: u64) -> Self {
        let visits: Vec<NodeId> = nodes.iter().map(|name| id(topology, name)).collect();
        Self {
            there: taken(topology, &visits, flow),
            back: Vec::new(),
            course: Course::Loop(routes(topology, &visits)),
        }
    }

    /// Along ways that were computed, of which it takes one.
    pub(super) fn on(routes: &[Route], flow: u64) -> Self {
        let mut at = Chance(flow).share();
        let route = routes.iter().find(|route| {
            at -= route.chance;
            at <= 0.0
        });
        let there = route.unwrap_or(&routes[0]).hops.clone();
        Self { there, back: Vec::new(), course: Course::Loop(routes.to_vec()) }
    }

    /// Sends so many probes.
    pub(super) fn measure(
        &self,
        topology: &Topology,
        faults: &Faults,
        probes: u64,
        chance: &mut Chance,
    ) -> Observation {
        let (there, back) = (&self.there, &self.back);
        let (mut forward, mut backward) = (0, 0);
        for _ in 0..probes {
            let mut is_lost = |hops: &[Hop]| {
                hops.iter()
                    .any(|hop| faults.loss.get(hop).is_some_and(|share| chance.share() < *share))
            };
            if is_lost(there) {
                forward += 1;
            } else if is_lost(back) {
                backward += 1;
            }
        }
        let delay = |hops: &[Hop], chance: &mut Chance| {
            let late: Duration = hops.iter().filter_map(|hop| faults.late.get(hop)).sum();
            let usual: Duration = hops.iter().map(|hop| hop.direction(topology).delay).sum();
            // What hosts and queues add to a median.
            let noise = Duration::from_nanos(chance.next() % 60_000);
            Delay { value: usual + late + noise, spread: Duration::from_micros(50), usual: None }
        };
        let loss = |decided, lost| Some(Loss { decided, lost });
        let (loss, delay) = if matches!(self.course, Course::Loop(_)) {
            let both = Some(delay(there, chance));
            (
                Readings { round_trip: loss(probes, forward), ..Readings::default() },
                Readings { round_trip: both, ..Readings::default() },
            )
        } else {
            let arrived = probes - forward;
            let [there, back] = [there, back].map(|hops| Some(delay(hops, chance)));
            (
                Readings {
                    forward: loss(probes, forward),
                    backward: loss(arrived, backward),
                    ..Readings::default()
                },
                Readings { forward: there, backward: back, ..Readings::default() },
            )
        };
        Observation { course: self.course.clone(), loss, delay }
    }
}

/// The links that packets of a flow take which visits these nodes.
fn taken(topology: &Topology, visits: &[NodeId], flow: u64) -> Vec<Hop> {
    let mut hops = Vec::new();
    for pair in visits.windows(2) {
        let (mut at, to) = (pair[0], pair[1]);
        let paths = ShortestPaths::toward(topology, to);
        while at != to {
            let next = paths.next_hops(topology, at);
            // Each node has a hash of its own.
            let mut hash = Chance(flow ^ (at.position() as u64) << 32);
            let (link, side) = next[hash.below(next.len())];
            hops.push(Hop { link, side });
            at = topology[link].at(side.opposite());
        }
    }
    hops
}

/// The same as the code under test sees it, which does not know what flows do.
fn routes(topology: &Topology, visits: &[NodeId]) -> Vec<Route> {
    let label = |node: &NodeId| {
        let node = &topology[*node];
        node.label_of(node.index.unwrap()).unwrap()
    };
    let departure = Departure { over: None, labels: visits[1..].iter().map(label).collect() };
    let routes = Forwarding::new(topology).routes(visits[0], &departure, visits.last().copied());
    routes.unwrap_or_else(|error| panic!("{error}"))
}

/// Every pair of these nodes in both roles, with so many flows each.
pub(super) fn mesh(topology: &Topology, nodes: &[&str], flows: u64) -> Vec<Session> {
    let mut sessions = Vec::new();
    for from in nodes {
        for to in nodes.iter().filter(|to| *to != from) {
            for flow in 0..flows {
                let seed = flow * 7919 + sessions.len() as u64;
                sessions.push(Session::answered(topology, from, to, seed));
            }
        }
    }
    sessions
}

pub(super) fn both(link: LinkId) -> [Hop; 2] {
    Side::BOTH.map(|side| Hop { link, side })
}
