//! Whether lists are right and as short as can be, told by trying every list in small networks.
//!
//! What forwards packets here shares no code with what is tested: costs by repeated relaxation, tables
//! looked up afresh at each node, lists enumerated from every label that occurs anywhere.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stamp_proto::sr::mpls::Label;

use super::{EncodeError, Forwarding, Imposer, Intent};
use crate::path::{Hop, Path};
use crate::topology::{NodeId, Side, Topology};

/// No list is tried that is longer.
const LONGEST: usize = 3;

/// A small network in which about everything differs from node to node.
#[derive(Clone, Debug)]
struct Network {
    text: String,
    /// Choices among the links at each node, which make a path.
    turns: Vec<usize>,
}

fn network() -> impl Strategy<Value = Network> {
    let nodes = prop::collection::vec((0..4_u8, any::<bool>(), any::<bool>(), 0..6_u8), 3..6);
    let links = prop::collection::vec((0..6_usize, 0..6_usize, 1..4_u32, 0..3_u8), 3..9);
    let tunnels = prop::collection::vec((0..6_usize, 0..6_usize, 0..6_usize), 0..2);
    let turns = prop::collection::vec(0..8_usize, 1..6);
    (nodes, links, tunnels, turns).prop_map(|(nodes, links, tunnels, turns)| Network {
        text: text(&nodes, &links, &tunnels),
        turns,
    })
}

type NodeChoice = (u8, bool, bool, u8);

fn text(
    nodes: &[NodeChoice],
    links: &[(usize, usize, u32, u8)],
    tunnels: &[(usize, usize, usize)],
) -> String {
    let count = nodes.len();
    let mut text = String::new();
    for (number, (block, php, shares, deaf)) in nodes.iter().enumerate() {
        // Some blocks are alike, some are not.
        let first = 1_000 * u32::from(block % 3 + 1);
        text += &format!(
            "[[node]]\nname = \"{number}\"\nloopbacks = [\"192.0.2.{number}\"]\nphp = {php}\n\
             srgb = [[{first}, {}]]\nsr = {}\n",
            first + 99,
            *deaf != 0,
        );
        if *block != 3 {
            text += &format!("index = {number}\n");
        }
        if *shares {
            text += "anycast = [{ prefix = \"192.0.2.100\", index = 50 }]\n";
        }
        if *deaf == 0 {
            let learned = (0..count).filter(|other| *other != number).map(|other| {
                format!("{{ prefix = \"192.0.2.{other}\", label = {} }}", 5_000 + other)
            });
            text += &format!("learned = [{}]\n", learned.collect::<Vec<_>>().join(", "));
        }
    }
    for (number, (from, to, igp, labels)) in links.iter().enumerate() {
        let (from, to) = (from % count, to % count);
        if from == to {
            continue;
        }
        text += &format!(
            "[[link]]\nname = \"l{number}\"\nends = [\"{from}\", \"{to}\"]\nigp = {igp}\n"
        );
        if *labels > 0 {
            text += &format!("adjacency = [{0}, {0}]\n", 9_000 + number);
        }
    }
    for (number, (from, to, via)) in tunnels.iter().enumerate() {
        let (from, to, via) = (from % count, to % count, via % count);
        if from != to {
            let label = 9_500 + number;
            text += &format!(
                "[[tunnel]]\nfrom = \"{from}\"\nto = \"{to}\"\nvia = [\"{via}\"]\nlabel = {label}\n"
            );
        }
    }
    text
}

/// A path that takes the chosen links.
fn path(topology: &Topology, turns: &[usize]) -> Option<Path> {
    let start = topology.ids().next()?;
    let mut at = start;
    let mut hops = Vec::new();
    for turn in turns {
        let links: Vec<_> = topology.links_of(at).collect();
        let (link, side) = *links.get(turn % links.len().max(1))?;
        at = topology[link].at(side.opposite());
        hops.push(Hop { link, side });
    }
    Path::new(topology, start, hops)
}

/// Costs from all nodes to each, by relaxation until nothing changes.
fn costs(topology: &Topology) -> Vec<Vec<u64>> {
    let count = topology.nodes.len();
    let toward = |target: usize| {
        let mut costs = vec![u64::MAX; count];
        costs[target] = 0;
        for _ in 0..count {
            for (link, side) in
                topology.links.iter().flat_map(|it| Side::BOTH.map(|side| (it, side)))
            {
                let [from, to] = [side, side.opposite()].map(|end| link.at(end).position());
                let over = costs[to].saturating_add(u64::from(link.from(side).igp));
                costs[from] = costs[from].min(over);
            }
        }
        costs
    };
    (0..count).map(toward).collect()
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Label(u32),
    /// Toward the nearest of these, inside of a tunnel.
    Toward(Vec<usize>),
}

/// A naive network: looked up afresh for each packet.
struct Naive<'t> {
    topology: &'t Topology,
    costs: Vec<Vec<u64>>,
}

impl Naive<'_> {
    fn owners(&self, index: u32) -> Vec<usize> {
        let nodes = self.topology.nodes.iter().enumerate();
        let own = nodes.filter(|(_, node)| {
            node.index == Some(index) || node.anycast.iter().any(|one| one.index == index)
        });
        own.map(|(place, _)| place).collect()
    }

    fn cost(&self, from: usize, owners: &[usize]) -> u64 {
        owners.iter().map(|owner| self.costs[*owner][from]).min().unwrap_or(u64::MAX)
    }

    fn next_hops(&self, from: usize, owners: &[usize]) -> Vec<Hop> {
        let whole = self.cost(from, owners);
        let node = self.topology.ids().nth(from).unwrap();
        let hops = self.topology.links_of(node).map(|(link, side)| Hop { link, side });
        let is_best = |hop: &Hop| {
            let igp = u64::from(hop.direction(self.topology).igp);
            let rest = self.cost(hop.to(self.topology).position(), owners);
            whole != u64::MAX && rest.saturating_add(igp) == whole
        };
        hops.filter(is_best).collect()
    }

    /// What stands for the way to these at a node: as it learned it, or by its block.
    fn wanted(&self, reader: usize, owners: &[usize], index: Option<u32>) -> Option<u32> {
        let node = &self.topology.nodes[reader];
        if let [owner] = owners
            && index != Some(50)
        {
            let own = self.topology.nodes[*owner].loopbacks[0];
            let learned = node.learned.iter().find(|entry| entry.prefix.addr() == own);
            if let Some(learned) = learned {
                return Some(learned.label.value());
            }
        }
        let first = node.srgb.0[0].first().value();
        index.filter(|_| node.sr).map(|index| first + index)
    }

    /// The places a packet ends at, when it keeps to the path; none when it does not.
    fn follow(&self, path: &[Hop], place: usize, stack: &[Step]) -> Option<BTreeSet<usize>> {
        let at = |place: usize| match path.get(place) {
            Some(hop) => hop.from(self.topology).position(),
            None => path[place - 1].to(self.topology).position(),
        };
        let here = at(place);
        let Some((top, below)) = stack.split_first() else { return Some([place].into()) };
        let (owners, index, is_label) = match top {
            Step::Toward(owners) => (owners.clone(), None, false),
            Step::Label(label) => match self.read(here, *label)? {
                Read::Owners(owners, index) => (owners, index, true),
                Read::Over(hop) => {
                    let fits = path.get(place) == Some(&hop);
                    return if fits { self.follow(path, place + 1, below) } else { None };
                }
                Read::Through(steps) => {
                    let stack: Vec<Step> = steps.into_iter().chain(below.iter().cloned()).collect();
                    return self.follow(path, place, &stack);
                }
            },
        };
        if owners.contains(&here) {
            return self.follow(path, place, below);
        }
        let hops = self.next_hops(here, &owners);
        // A path is one link after the other: whoever spreads leaves it.
        let [hop] = hops[..] else { return None };
        if path.get(place) != Some(&hop) {
            return None;
        }
        let next = hop.to(self.topology).position();
        let neighbour = &self.topology.nodes[next];
        let is_off = owners.contains(&next) && (neighbour.php || !neighbour.sr);
        let top = match (is_label, is_off) {
            (false, _) => Some(Step::Toward(owners)),
            (true, true) => None,
            (true, false) => Some(Step::Label(self.wanted(next, &owners, index)?)),
        };
        let stack: Vec<Step> = top.into_iter().chain(below.iter().cloned()).collect();
        self.follow(path, place + 1, &stack)
    }

    fn read(&self, here: usize, label: u32) -> Option<Read> {
        let node = &self.topology.nodes[here];
        if let Some(learned) = node.learned.iter().find(|entry| entry.label.value() == label) {
            let mut nodes = self.topology.nodes.iter();
            let own = nodes.position(|one| one.loopbacks[0] == learned.prefix.addr())?;
            return Some(Read::Owners(vec![own], self.topology.nodes[own].index));
        }
        if !node.sr {
            return None;
        }
        let first = node.srgb.0[0].first().value();
        if (first..first + 100).contains(&label) {
            let owners = self.owners(label - first);
            return (!owners.is_empty()).then_some(Read::Owners(owners, Some(label - first)));
        }
        let id = self.topology.ids().nth(here).unwrap();
        let mut links = self.topology.links_of(id);
        let over = links.find(|(link, side)| {
            self.topology[*link].adjacency_of(*side).map(Label::value) == Some(label)
        });
        if let Some((link, side)) = over {
            return Some(Read::Over(Hop { link, side }));
        }
        let mut tunnels = self.topology.tunnels.iter();
        let tunnel = tunnels.find(|one| one.from == id && one.label.value() == label)?;
        let via = tunnel.via.iter().map(|hop| match hop {
            crate::topology::Hop::Node(node) => *node,
            crate::topology::Hop::Link(_) => unreachable!("the networks have none"),
        });
        let steps = via.chain([tunnel.to]).map(|node| Step::Toward(vec![node.position()]));
        Some(Read::Through(steps.collect()))
    }

    /// Every label that means something somewhere.
    fn alphabet(&self) -> Vec<u32> {
        let nodes = &self.topology.nodes;
        let indexes: Vec<u32> = nodes.iter().filter_map(|node| node.index).chain([50]).collect();
        let of_blocks = nodes.iter().flat_map(|node| {
            let first = node.srgb.0[0].first().value();
            indexes.iter().map(move |index| first + index)
        });
        let learned =
            nodes.iter().flat_map(|node| node.learned.iter().map(|one| one.label.value()));
        let links = self.topology.links.iter().filter_map(|link| link.adjacency_of(Side::First));
        let tunnels = self.topology.tunnels.iter().map(|tunnel| tunnel.label);
        let local = links.chain(tunnels).map(Label::value);
        let all: BTreeSet<u32> = of_blocks.chain(learned).chain(local).collect();
        all.into_iter().collect()
    }

    /// The length of the shortest list of at most so many labels that keeps to the path to its end.
    fn shortest(&self, path: &[Hop], begin: usize, limit: usize) -> Option<usize> {
        let mut open = vec![Vec::new()];
        for length in 0..=limit {
            let end = BTreeSet::from([path.len()]);
            let mut next = Vec::new();
            for list in open {
                match self.follow(path, begin, &list) {
                    Some(ends) if ends == end => return Some(length),
                    Some(_) => next.push(list),
                    None => {}
                }
            }
            let letters = self.alphabet();
            open = next
                .iter()
                .flat_map(|list| {
                    letters.iter().map(|letter| {
                        list.iter().cloned().chain([Step::Label(*letter)]).collect::<Vec<_>>()
                    })
                })
                .collect();
        }
        None
    }
}

enum Read {
    Owners(Vec<usize>, Option<u32>),
    Over(Hop),
    Through(Vec<Step>),
}

fn start_of(topology: &Topology) -> NodeId {
    topology.ids().next().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is encoded keeps to the path for whoever forwards by other code, and no shorter list does.
    #[test]
    fn no_list_is_shorter_that_keeps_to_the_path(network in network()) {
        let Ok(topology) = Topology::read("t", &network.text) else { return Ok(()) };
        let Some(path) = path(&topology, &network.turns) else { return Ok(()) };
        let naive = Naive { topology: &topology, costs: costs(&topology) };
        let forwarding = Forwarding::new(&topology);
        let intent = Intent::path(&topology, &path);
        // A neighbour of the imposing node reads its labels at the second place.
        for (imposer, begin) in [(Imposer::Before, 0), (Imposer::Node, 1)] {
            let found = forwarding.encode_labels(imposer, &intent, 0);
            let found = match &found {
                Ok(list) => {
                    prop_assert!(list.covers);
                    prop_assert!(list.walk.hops.iter().all(|hop| path.hops().contains(hop)));
                    let labels = list.labels().expect("one way has one list");
                    let stack: Vec<Step> =
                        labels.iter().map(|label| Step::Label(label.value())).collect();
                    let ends = naive.follow(path.hops(), begin, &stack);
                    prop_assert_eq!(ends, Some([path.hops().len()].into()));
                    Some(labels.len())
                }
                Err(EncodeError::NoSegment { .. }) => None,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let limit = found.map_or(LONGEST, |length| length.min(LONGEST));
            let best = naive.shortest(path.hops(), begin, limit);
            let expected = found.filter(|length| *length <= LONGEST);
            prop_assert_eq!(best, expected, "{:?} from {:?}", imposer, start_of(&topology));
        }
    }
}
