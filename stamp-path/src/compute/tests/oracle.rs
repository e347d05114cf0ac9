//! Every way there is, found by trying all of them.

use proptest::prelude::*;

use super::*;
use crate::path::Hop;
use crate::topology::Side;

/// A network of up to seven nodes with values from so few that ties are frequent.
pub(super) fn small_network() -> impl Strategy<Value = Topology> {
    let link = (0_usize..7, 0_usize..7, 1_u32..5, 0_u32..4, 0_u32..3, 0_u32..6, any::<bool>());
    proptest::collection::vec(link, 3..14).prop_map(|links| {
        let nodes = (0..7)
            .map(|number| format!("[[node]]\nname = \"n{number}\"\nas = {}\n", number / 2 + 1));
        let joined = links.iter().enumerate().filter(|(_, link)| link.0 != link.1);
        let links = joined.map(|(name, (from, to, igp, delay, loss, other, drained))| {
            format!(
                "[[link]]\nname = \"l{name}\"\nends = [\"n{from}\", \"n{to}\"]\nigp = {igp}\n\
                 delay = \"{delay}ms\"\nloss = \"{loss}%\"\nsrlgs = [{}]\n\
                 affinities = [\"{}\"]\nbandwidth = \"{}G\"\nback = {{ igp = {}, drained = {} }}\n",
                other / 2,
                if other % 2 == 0 { "even" } else { "odd" },
                other + 1,
                igp + other % 2,
                *drained && *other == 0,
            )
        });
        let text: String = nodes.chain(links).collect();
        Topology::read("t.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
    })
}

/// All ways without circles that keep to the request.
pub(super) fn every_way(topology: &Topology, request: &Request) -> Vec<Path> {
    let mut found = Vec::new();
    let mut hops = Vec::new();
    walk(topology, request, request.from, &mut hops, &mut found);
    found
}

fn walk(
    topology: &Topology,
    request: &Request,
    at: NodeId,
    hops: &mut Vec<Hop>,
    found: &mut Vec<Path>,
) {
    if at == request.to {
        let path = Path::new(topology, request.from, hops.clone()).unwrap();
        if request.constraints.iter().all(|one| keeps(topology, &path, one)) {
            found.push(path);
        }
        return;
    }
    for link in topology.link_ids() {
        for side in Side::BOTH {
            let hop = Hop { link, side };
            let next = hop.to(topology);
            let was_there = next == request.from || hops.iter().any(|hop| hop.to(topology) == next);
            if hop.from(topology) == at && !was_there {
                hops.push(hop);
                walk(topology, request, next, hops, found);
                hops.pop();
            }
        }
    }
}

/// What a way costs, added up anew.
pub(super) fn cost(topology: &Topology, path: &Path, metric: Metric) -> u64 {
    let each = path.hops().iter().map(|hop| hop.direction(topology));
    match metric {
        Metric::Igp => each.map(|one| u64::from(one.igp)).sum(),
        Metric::Te => each.map(|one| u64::from(one.te)).sum(),
        Metric::Delay => u64::try_from(path.delay(topology).as_nanos()).unwrap(),
        Metric::Loss => (path.loss(topology) * 1e9).round() as u64,
        Metric::Hops => path.hops().len() as u64,
    }
}

fn keeps(topology: &Topology, path: &Path, constraint: &Constraint) -> bool {
    let nodes: Vec<NodeId> = path.nodes(topology).collect();
    let transit = &nodes[1..nodes.len().saturating_sub(1).max(1)];
    let mut hops = path.hops().iter().map(|hop| (hop, hop.direction(topology)));
    match constraint {
        Constraint::AvoidDrained => {
            hops.all(|(_, one)| !one.drained) && transit.iter().all(|one| !topology[*one].drained)
        }
        Constraint::MaxDelay(most) => path.delay(topology) <= *most,
        Constraint::MaxLoss(most) => {
            path.loss(topology) <= f64::from(most.billionths()) / 1e9 + 1e-10
        }
        Constraint::MaxHops(most) => path.hops().len() <= *most as usize,
        Constraint::MinBandwidth(least) => hops.all(|(_, one)| one.bandwidth >= Some(*least)),
        Constraint::AvoidNode(node) => !transit.contains(node),
        Constraint::AvoidLink(link) => hops.all(|(hop, _)| hop.link != *link),
        Constraint::AvoidAutonomousSystem(number) => {
            transit.iter().all(|one| topology[*one].autonomous_system != Some(*number))
        }
        Constraint::AvoidDomain(name) => {
            transit.iter().all(|one| topology[*one].domain.as_ref() != Some(name))
        }
        Constraint::AvoidSrlg(group) => hops.all(|(_, one)| !one.srlgs.contains(group)),
        Constraint::ExcludeAffinity(name) => hops.all(|(_, one)| !one.affinities.contains(name)),
        Constraint::IncludeAnyAffinity(names) => {
            hops.all(|(_, one)| names.iter().any(|name| one.affinities.contains(name)))
        }
        Constraint::IncludeAllAffinities(names) => {
            hops.all(|(_, one)| names.iter().all(|name| one.affinities.contains(name)))
        }
        Constraint::DisjointFrom(other, kind) => are_disjoint(topology, path, other, *kind),
    }
}

pub(super) fn are_disjoint(
    topology: &Topology,
    one: &Path,
    other: &Path,
    kind: Disjointness,
) -> bool {
    let links = |path: &Path| path.hops().iter().map(|hop| hop.link).collect::<Vec<_>>();
    let transit = |path: &Path| {
        let nodes: Vec<NodeId> = path.nodes(topology).collect();
        nodes[1..nodes.len().saturating_sub(1).max(1)].to_vec()
    };
    let groups = |path: &Path| {
        let of = |hop: &Hop| topology[hop.link].directions.0[0].srlgs.clone();
        path.hops().iter().flat_map(of).collect::<Vec<u32>>()
    };
    let have_none = |one: &[u32], other: &[u32]| one.iter().all(|item| !other.contains(item));
    links(one).iter().all(|link| !links(other).contains(link))
        && (!kind.nodes || transit(one).iter().all(|node| !transit(other).contains(node)))
        && (!kind.srlgs || have_none(&groups(one), &groups(other)))
}
