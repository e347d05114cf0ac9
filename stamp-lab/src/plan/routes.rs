//! Routes: shortest paths of the topology, spelled for the kernel.

use std::net::IpAddr;

use ipnet::IpNet;
use stamp_path::Topology;
use stamp_path::shortest::ShortestPaths;
use stamp_path::topology::{LinkId, NodeId, Side};

use super::{LinkPlan, Route, RouteHop};

/// Ways from a node to every other one, to anycast prefixes and to links it has no end of; none at a
/// node that forwards labels alone.
pub(super) fn of(topology: &Topology, links: &[LinkPlan], from: NodeId) -> Vec<Route> {
    let mut routes = Vec::new();
    if !topology[from].ip {
        return routes;
    }
    let paths: Vec<ShortestPaths> =
        topology.ids().map(|target| ShortestPaths::toward(topology, target)).collect();
    let mut add = |prefix: IpNet, owners: &[NodeId]| {
        if owners.contains(&from) {
            return;
        }
        let Some(target) = nearest(&paths, from, owners) else { return };
        let hops = paths[target.position()].next_hops(topology, from);
        let route = route(topology, links, from, (prefix, &hops));
        routes.extend(route);
    };
    for target in topology.ids() {
        for prefix in prefixes(topology, target) {
            add(prefix, &[target]);
        }
    }
    for (prefix, owners) in anycast(topology) {
        add(prefix, &owners);
    }
    for link in links {
        let ends = link.ends.map(|end| end.node);
        let [first, _] = &link.ends;
        add(first.ipv4.trunc().into(), &ends);
        add(first.ipv6.trunc().into(), &ends);
    }
    routes
}

/// The owner that is reached at the least cost; the first of equals.
pub(crate) fn nearest(paths: &[ShortestPaths], from: NodeId, owners: &[NodeId]) -> Option<NodeId> {
    let cost = |owner: &NodeId| paths[owner.position()].cost(from);
    owners.iter().filter(|owner| cost(owner).is_some()).min_by_key(|owner| cost(owner)).copied()
}

/// Anycast prefixes and the nodes that announce each.
pub(crate) fn anycast(topology: &Topology) -> Vec<(IpNet, Vec<NodeId>)> {
    let mut found: Vec<(IpNet, Vec<NodeId>)> = Vec::new();
    for id in topology.ids() {
        for anycast in &topology[id].anycast {
            match found.iter_mut().find(|(prefix, _)| *prefix == anycast.prefix) {
                Some((_, owners)) => owners.push(id),
                None => found.push((anycast.prefix, vec![id])),
            }
        }
    }
    found
}

/// Addresses and SIDs that lead to one node alone.
fn prefixes(topology: &Topology, id: NodeId) -> Vec<IpNet> {
    let node = &topology[id];
    let sids = &node.sids;
    let own = [sids.end, sids.dt6, sids.tsf].into_iter().flatten().map(|sid| sid.prefix());
    let links = topology.links_of(id);
    let adjacencies = links.filter_map(|(link, side)| topology[link].end_x_of(side));
    let sids = own
        .chain(sids.un.map(|un| un.prefix()))
        .chain(adjacencies.map(|sid| sid.prefix()))
        .map(IpNet::from);
    node.loopbacks.iter().copied().map(IpNet::from).chain(sids).collect()
}

fn route(
    topology: &Topology,
    links: &[LinkPlan],
    from: NodeId,
    (prefix, hops): (IpNet, &[(LinkId, Side)]),
) -> Option<Route> {
    let is_v6 = matches!(prefix, IpNet::V6(_));
    let hops: Vec<RouteHop> = hops
        .iter()
        .filter_map(|(link, side)| {
            let plan = links.iter().find(|plan| plan.link == *link)?;
            let far = plan.end(side.opposite());
            let via: IpAddr = if is_v6 { far.ipv6.addr().into() } else { far.ipv4.addr().into() };
            Some(RouteHop { via, interface: plan.end(*side).index })
        })
        .collect();
    let node = &topology[from];
    let source = if is_v6 { node.ipv6().map(IpAddr::V6) } else { node.ipv4().map(IpAddr::V4) };
    (!hops.is_empty()).then_some(Route { prefix, hops, source })
}
