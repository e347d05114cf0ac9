//! What it takes to turn an intent into labels: a delay-bounded path through a random network, and the
//! fewest segments that keep packets to it.
//!
//! `cargo bench -p stamp-path --bench encoding_random`

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::time::Duration;

use divan::{Bencher, black_box};
use stamp_path::Topology;
use stamp_path::compute::{Constraint, Metric, Network, Request};
use stamp_path::encoding::{Forwarding, Imposer, Intent};
use stamp_path::topology::Side;

/// Nodes; there are four times as many links.
const SIZES: [usize; 2] = [1_000, 10_000];

fn main() {
    divan::main();
}

/// A ring, so that everything can be reached, and chords; metrics that say little of delays.
fn topology(nodes: usize) -> Topology {
    let mut text = "[defaults]\nsrgb = [[16000, 36000]]\n".to_owned();
    for node in 0..nodes {
        let (high, low) = (node / 250, node % 250);
        writeln!(
            text,
            "[[node]]\nname = \"n{node}\"\nloopbacks = [\"10.0.{high}.{low}\"]\nindex = {node}"
        )
        .expect("a text takes everything");
    }
    let mut state = 1_u64;
    let mut chance = |limit: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for link in 0..4 * nodes {
        let from = link % nodes;
        let step = if link < nodes { 1 } else { 1 + chance(nodes - 1) };
        let (to, igp, delay) = ((from + step) % nodes, 1 + chance(50), 100 + chance(9_000));
        writeln!(
            text,
            "[[link]]\nname = \"l{link}\"\nends = [\"n{from}\", \"n{to}\"]\nigp = {igp}\n\
             delay = \"{delay}us\"\nadjacency = [{}, {}]",
            100_000 + link,
            200_000 + link
        )
        .expect("a text takes everything");
    }
    Topology::read("random.toml", &text).expect("a topology without mistakes")
}

/// Across the network as fast as can be, within a bound: links that no metric prefers, so that many
/// have to be named.
fn request(topology: &Topology, network: &Network<'_>) -> Request {
    let ends = [0, topology.nodes.len() / 2].map(|number| topology.ids().nth(number));
    let [Some(from), Some(to)] = ends else { panic!("two nodes") };
    let fastest = Request::new(from, to).by(Metric::Delay);
    let least = network.best(&fastest).expect("a way").metric;
    let bound = Duration::from_nanos(least.saturating_mul(2));
    fastest.with(Constraint::MaxDelay(bound))
}

/// The yardstick: shortest ways of all nodes to one, without anything around it.
#[divan::bench(args = SIZES)]
fn bare_dijkstra(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    let mut arcs = vec![Vec::new(); nodes];
    for link in &topology.links {
        for side in Side::BOTH {
            let [from, to] = [side, side.opposite()].map(|end| link.at(end).position());
            arcs[to].push((from, u64::from(link.from(side).igp)));
        }
    }
    bencher.bench_local(|| {
        let mut costs = vec![u64::MAX; nodes];
        costs[nodes / 2] = 0;
        let mut open = BinaryHeap::from([Reverse((0, nodes / 2))]);
        while let Some(Reverse((cost, node))) = open.pop() {
            if cost > costs[node] {
                continue;
            }
            for (from, step) in &arcs[node] {
                if cost + step < costs[*from] {
                    costs[*from] = cost + step;
                    open.push(Reverse((cost + step, *from)));
                }
            }
        }
        costs
    });
}

#[divan::bench(args = SIZES)]
fn forwarding_of_a_new_topology(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    bencher.bench_local(|| Forwarding::new(black_box(&topology)));
}

/// Nothing is known yet of shortest ways.
#[divan::bench(args = SIZES)]
fn path_and_labels_for_the_first_time(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    let network = Network::new(&topology);
    let request = request(&topology, &network);
    bencher.with_inputs(|| Forwarding::new(&topology)).bench_local_values(|forwarding| {
        let answer = network.best(black_box(&request)).expect("a way");
        let intent = Intent::path(&topology, &answer.path);
        let list = forwarding.encode_labels(Imposer::Node, &intent, 0).expect("labels");
        (answer, list, forwarding)
    });
}

/// The ways toward the nodes of the path are known.
#[divan::bench(args = SIZES)]
fn labels_again(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    let network = Network::new(&topology);
    let answer = network.best(&request(&topology, &network)).expect("a way");
    let intent = Intent::path(&topology, &answer.path);
    let forwarding = Forwarding::new(&topology);
    bencher.bench_local(|| forwarding.encode_labels(Imposer::Node, black_box(&intent), 0));
}
