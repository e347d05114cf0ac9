//! Loops that a node can send probes on.

use core::cmp::Reverse;
use core::net::Ipv6Addr;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::{Probe, ProbeList};
use crate::encoding::{Departure, End, Forwarding, Imposer, Intent, Route, Segment, SidKinds};
use crate::path::{Hop, Path};
use crate::segments::SidKind;
use crate::topology::{LinkId, LinkKind, NodeId, Side, Topology};

/// Flows over equal links are so many that each is passed with this chance.
const SURE: f64 = 0.99;
/// And no more than these.
const MOST_FLOWS: u16 = 64;

/// A loop over each link, in both directions, as far as lists keep packets to it.
pub(super) fn loops(forwarding: &Forwarding<'_>, from: NodeId, sids: bool) -> Vec<Probe> {
    let topology = forwarding.topology();
    let tree = tree(topology, from);
    let mut probes: Vec<Probe> = Vec::new();
    let mut reached: BTreeSet<LinkId> = BTreeSet::new();
    let hops = || topology.link_ids().flat_map(|link| Side::BOTH.map(|side| Hop { link, side }));
    for hop in hops().filter(|hop| topology[hop.link].kind == LinkKind::Physical) {
        let Some(path) = around(topology, &tree, hop) else { continue };
        let Some((list, routes)) = kept_to(forwarding, &path, sids) else { continue };
        reached.extend(path.hops().iter().map(|hop| hop.link));
        let far = far(topology, &tree, hop);
        probes.push(Probe { from, far, list, flows: 1, routes });
    }
    let is_reached = |link: LinkId| reached.contains(&link);
    for hop in hops().filter(|hop| !is_reached(hop.link)) {
        probes.extend(spread(forwarding, from, hop.to(topology), sids));
    }
    probes.retain(|probe| probe.far != from);
    probes
}

/// By position of the node: the shortest way to it, and what it costs; the first of equals.
fn tree(topology: &Topology, from: NodeId) -> Vec<Option<(u64, Vec<Hop>)>> {
    let mut tree = vec![None; topology.nodes.len()];
    let mut frontier = BinaryHeap::from([Reverse((0_u64, Vec::new(), from))]);
    while let Some(Reverse((cost, hops, node))) = frontier.pop() {
        if tree[node.position()].is_some() {
            continue;
        }
        for (link, side) in topology.links_of(node) {
            let hop = Hop { link, side };
            let is_taken = topology[link].kind == LinkKind::Physical;
            if is_taken && tree[hop.to(topology).position()].is_none() {
                let igp = u64::from(hop.direction(topology).igp);
                let hops: Vec<Hop> = hops.iter().copied().chain([hop]).collect();
                frontier.push(Reverse((cost + igp, hops, hop.to(topology))));
            }
        }
        tree[node.position()] = Some((cost, hops));
    }
    tree
}

/// To where a hop begins, over it, and home from where it ends.
fn around(topology: &Topology, tree: &[Option<(u64, Vec<Hop>)>], hop: Hop) -> Option<Path> {
    let way = |node: NodeId| tree[node.position()].as_ref().map(|(_, hops)| hops);
    let there = way(hop.from(topology))?;
    let back = way(hop.to(topology))?.iter().rev().map(|hop| hop.reversed());
    let hops: Vec<Hop> = there.iter().copied().chain([hop]).chain(back).collect();
    let start = hops.first()?.from(topology);
    Path::new(topology, start, hops)
}

/// The end of a hop that is farther away.
fn far(topology: &Topology, tree: &[Option<(u64, Vec<Hop>)>], hop: Hop) -> NodeId {
    let ends = [hop.from(topology), hop.to(topology)];
    let cost = |node: &NodeId| tree[node.position()].as_ref().map(|(cost, _)| *cost);
    ends.into_iter().max_by_key(cost).unwrap_or_else(|| hop.to(topology))
}

/// A list that keeps packets to a loop, and what they take then: that alone.
fn kept_to(
    forwarding: &Forwarding<'_>,
    path: &Path,
    sids: bool,
) -> Option<(ProbeList, Vec<Route>)> {
    let (intent, from) = (Intent::path(forwarding.topology(), path), path.start());
    let (list, routes) = if sids {
        // No interface is named, so the first SID has to say it all.
        let found = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::END).ok();
        // The last is the sender's own, in whose place its address stands.
        let found =
            found.map(|it| (ProbeList::Sids(without_last(it.segments)), without_last(it.sids)));
        let (list, sids) = found
            .filter(|(list, _)| is_usable(list))
            .or_else(|| node_by_node(forwarding.topology(), path))?;
        let routes = home_by_sids(forwarding, from, None, sids)?;
        (list, routes)
    } else {
        let found = forwarding.encode_labels(Imposer::Node, &intent, 0).ok()?;
        let routes = home_by_labels(forwarding, from, &found.departures)?;
        (ProbeList::Labels(found.segments), routes)
    };
    let is_kept = routes.iter().all(|route| route.hops == path.hops());
    (is_kept && is_usable(&list)).then_some((list, routes))
}

/// A list that names every node on the way: longer than it has to be, but it begins with a node.
fn node_by_node(topology: &Topology, path: &Path) -> Option<(ProbeList, Vec<Ipv6Addr>)> {
    let nodes: Vec<NodeId> = without_last(path.nodes(topology).skip(1).collect());
    let sids = nodes.iter().map(|node| topology.sid(*node, SidKind::End).ok());
    let sids = sids.collect::<Option<_>>()?;
    Some((ProbeList::Sids(nodes.into_iter().map(Segment::Node).collect()), sids))
}

/// Whether a list can be given by names, and without saying by which interface it begins.
fn is_usable(list: &ProbeList) -> bool {
    let is_named = |segment: &Segment| matches!(segment, Segment::Node(_) | Segment::Link(_));
    let segments = list.segments();
    let begins_with_node = matches!(segments.first(), Some(Segment::Node(_)));
    begins_with_node && segments.iter().all(is_named)
}

fn without_last<T>(mut list: Vec<T>) -> Vec<T> {
    list.pop();
    list
}

/// What packets take that set out like this and have to come home.
fn home_by_labels(
    forwarding: &Forwarding<'_>,
    from: NodeId,
    departures: &[Departure],
) -> Option<Vec<Route>> {
    let mut routes = Vec::new();
    for departure in departures.iter().filter(|one| !one.labels.is_empty()) {
        let taken = forwarding.routes(from, departure, Some(from)).ok()?;
        let share = 1.0 / departures.len() as f64;
        routes.extend(taken.into_iter().map(|it| Route { chance: it.chance * share, ..it }));
    }
    is_home(from, &routes).then_some(routes)
}

fn home_by_sids(
    forwarding: &Forwarding<'_>,
    from: NodeId,
    over: Option<Hop>,
    mut sids: Vec<Ipv6Addr>,
) -> Option<Vec<Route>> {
    if sids.is_empty() {
        return None;
    }
    sids.push(forwarding.topology()[from].ipv6()?);
    let routes = forwarding.routes_of_sids((from, over), &sids, None).ok()?;
    is_home(from, &routes).then_some(routes)
}

fn is_home(from: NodeId, routes: &[Route]) -> bool {
    !routes.is_empty() && routes.iter().all(|route| route.end == End::Node(from))
}

/// Flows to a node and home over all equal ways.
fn spread(forwarding: &Forwarding<'_>, from: NodeId, far: NodeId, sids: bool) -> Option<Probe> {
    let ways = |from, to| Intent::shortest(forwarding, from, to);
    if from == far {
        return None;
    }
    let (list, routes) = if sids {
        let there =
            forwarding.encode_sids(Imposer::Before, &ways(from, far), SidKinds::END).ok()?;
        let routes = home_by_sids(forwarding, from, there.over, there.sids)?;
        (ProbeList::Sids(there.segments), routes)
    } else {
        let there = forwarding.encode_labels(Imposer::Node, &ways(from, far), 0).ok()?;
        let back =
            forwarding.encode_labels(Imposer::Before, &ways(far, from), there.depth()).ok()?;
        let home = back.labels()?;
        let departures = there.departures.into_iter().map(|mut one| {
            one.labels.extend(home);
            one
        });
        let departures: Vec<Departure> = departures.collect();
        let routes = home_by_labels(forwarding, from, &departures)?;
        (ProbeList::Labels([there.segments, back.segments].concat()), routes)
    };
    let flows = flows(&routes);
    is_usable(&list).then_some(Probe { from, far, list, flows, routes })
}

/// So many that each link is passed by one of them, as good as surely.
fn flows(routes: &[Route]) -> u16 {
    let mut chances: BTreeMap<Hop, f64> = BTreeMap::new();
    for route in routes {
        for hop in route.hops.iter().collect::<BTreeSet<_>>() {
            *chances.entry(*hop).or_default() += route.chance;
        }
    }
    let rarest = chances.into_values().fold(1.0, f64::min);
    if rarest > SURE {
        return 1;
    }
    let needed = (1.0 - SURE).ln() / (-rarest).ln_1p();
    (needed.ceil() as u16).min(MOST_FLOWS)
}
