//! How long ways take to compute, as a multiple of a plain shortest-path search in the same run.
//!
//! `cargo bench -p stamp-path --bench compute_walltime` prints medians of this machine; under
//! `cargo test --benches` everything is done once, for its own checks. Networks are a ring, so that
//! everything is joined, and links at random, four for each node in all; metric and delay of a link
//! have nothing to do with one another, which makes bounds on the one hard for the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

use stamp_path::Topology;
use stamp_path::compute::{Answer, Constraint, Disjointness, Metric, Network, Request};
use stamp_path::topology::NodeId;

/// Budgets for a thousand nodes and four thousand links (docs/performance.md).
const BUDGET_BOUNDED: Duration = Duration::from_millis(5);
const BUDGET_PAIRS: Duration = Duration::from_millis(100);

fn main() {
    let is_bench = env::args().any(|argument| argument == "--bench");
    let (sizes, rounds): (&[usize], usize) =
        if is_bench { (&[100, 1_000, 10_000], 20) } else { (&[100], 1) };
    println!(
        "{:>6} {:>9} {:>9} {:>16} {:>16} {:>16} {:>16} {:>16}",
        "nodes", "made in", "plain", "one", "delay bounded", "two bounds", "10 best", "10 pairs"
    );
    for nodes in sizes {
        measure(*nodes, rounds);
    }
}

fn measure(nodes: usize, rounds: usize) {
    let topology = topology(nodes);
    let made = median(rounds, |_| Network::new(&topology));
    let network = Network::new(&topology);
    let plain = Plain::new(&topology);
    let ends: Vec<Request> = requests(&topology, rounds);
    let base = median(rounds, |round| plain.costs(ends[round].from.position()));
    let one = median(rounds, |round| network.best(&ends[round]));
    let bounded: Vec<Request> = ends.iter().map(|request| within(&network, request, 13)).collect();
    let by_delay = median(rounds, |round| network.best(&bounded[round]));
    let twice: Vec<Request> = bounded.iter().map(|request| and_hops(&network, request)).collect();
    let by_both = median(rounds, |round| network.best(&twice[round]));
    let ten = median(rounds, |round| network.ranked(&ends[round], 10));
    let pairs = median(rounds, |round| {
        let some = ends.iter().cycle().skip(round).take(10);
        some.map(|request| network.pair(request, Disjointness::NODE)).collect::<Vec<_>>()
    });
    for request in &bounded {
        let answer = network.best(request).expect("a bound above the least delay");
        assert!(answer.optimal, "within the usual work limit");
    }
    let ratio =
        |time: Duration| format!("{:.2?} {:>5.1}x", time, time.as_secs_f64() / base.as_secs_f64());
    println!(
        "{nodes:>6} {:>9} {:>9} {:>16} {:>16} {:>16} {:>16} {:>16}",
        format!("{made:.1?}"),
        format!("{base:.1?}"),
        ratio(one),
        ratio(by_delay),
        ratio(by_both),
        ratio(ten),
        ratio(pairs)
    );
    if nodes == 1_000 {
        println!(
            "       budgets: delay bounded {BUDGET_BOUNDED:?}, {}; 10 pairs {BUDGET_PAIRS:?}, {}",
            kept(by_delay <= BUDGET_BOUNDED),
            kept(pairs <= BUDGET_PAIRS)
        );
    }
}

const fn kept(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "exceeded" }
}

/// The time in the middle.
#[expect(clippy::disallowed_methods, reason = "a bench is there to read the clock")]
fn median<T>(rounds: usize, work: impl Fn(usize) -> T) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            black_box(work(round));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

fn topology(nodes: usize) -> Topology {
    let text = "[[node]]\nname = \"a\"\n[[node]]\nname = \"b\"\n[[link]]\nends = [\"a\", \"b\"]\n";
    let mut topology = Topology::read("seed.toml", text).expect("a small network");
    let (node, link) = (topology.nodes[0].clone(), topology.links[0].clone());
    topology.nodes = vec![node; nodes];
    let ids: Vec<NodeId> = topology.ids().collect();
    let mut chance = Chance(1);
    topology.links = (0..4 * nodes)
        .map(|number| {
            let mut link = link.clone();
            let from = number % nodes;
            let far = 1 + chance.below(nodes - 1);
            let to = if number < nodes { (from + 1) % nodes } else { (from + far) % nodes };
            link.ends = [ids[from], ids[to]];
            for direction in &mut link.directions.0 {
                direction.igp = 1 + u32::try_from(chance.below(100)).expect("small");
                direction.delay = Duration::from_micros(100 + chance.below(10_000) as u64);
            }
            link
        })
        .collect();
    topology
}

fn requests(topology: &Topology, rounds: usize) -> Vec<Request> {
    let ids: Vec<NodeId> = topology.ids().collect();
    let mut chance = Chance(2);
    let mut pick = || {
        let from = chance.below(ids.len());
        (from, (from + 1 + chance.below(ids.len() - 1)) % ids.len())
    };
    (0..rounds).map(|_| pick()).map(|(from, to)| Request::new(ids[from], ids[to])).collect()
}

/// The same with tenths of the least delay for a bound.
fn within(network: &Network<'_>, request: &Request, tenths: u32) -> Request {
    let by_delay = network.best(&request.clone().by(Metric::Delay)).expect("all is joined");
    let bound = Duration::from_nanos(by_delay.metric) * tenths / 10;
    request.clone().with(Constraint::MaxDelay(bound))
}

/// The same with as many links as the best has.
fn and_hops(network: &Network<'_>, request: &Request) -> Request {
    let links = |answer: Answer| u32::try_from(answer.path.hops().len()).expect("few");
    let best = network.best(request).map_or(u32::MAX, links);
    request.clone().with(Constraint::MaxHops(best))
}

/// What a shortest-path search costs at least: one heap, one array of costs, one of neighbours.
struct Plain(Vec<Vec<(usize, u64)>>);

impl Plain {
    fn new(topology: &Topology) -> Self {
        let mut neighbours = vec![Vec::new(); topology.nodes.len()];
        for link in &topology.links {
            let [first, second] = link.ends.map(NodeId::position);
            let [forth, back] = link.directions.map_ref(|one| u64::from(one.igp));
            neighbours[first].push((second, forth));
            neighbours[second].push((first, back));
        }
        Self(neighbours)
    }

    fn costs(&self, from: usize) -> Vec<u64> {
        let mut costs = vec![u64::MAX; self.0.len()];
        costs[from] = 0;
        let mut frontier = BinaryHeap::from([Reverse((0, from))]);
        while let Some(Reverse((cost, node))) = frontier.pop() {
            if cost > costs[node] {
                continue;
            }
            for (next, step) in &self.0[node] {
                let total = cost + step;
                if total < costs[*next] {
                    costs[*next] = total;
                    frontier.push(Reverse((total, *next)));
                }
            }
        }
        costs
    }
}
