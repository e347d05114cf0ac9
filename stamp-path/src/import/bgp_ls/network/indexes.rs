//! Which Prefix-SIDs become indexes of nodes, and which of shared prefixes.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::claims::room;
use super::{Network, NodeDraft, Places, Prefixes};

/// A Prefix-SID that a node told.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    place: usize,
    net: IpNet,
    index: u32,
    /// It becomes the index of the node, and not that of a prefix.
    own: bool,
}

/// A domain, which numbers its prefixes for itself.
type Domain = Option<String>;

/// No block of labels has more.
const MOST: u32 = 1_048_560;

pub(super) fn assign(network: &mut Network, prefixes: &Prefixes, places: &Places) {
    let mut candidates = candidates(network, prefixes, places);
    if !clashes(&network.nodes, &candidates).is_empty() {
        domains(network);
    }
    let clashes = clashes(&network.nodes, &candidates);
    network.count(clashes.len(), "one index stands for different prefixes, and is left out");
    candidates.retain(|one| !clashes.contains(&(domain(&network.nodes, one.place), one.index)));
    let before = candidates.len();
    let rooms = rooms(&network.nodes);
    candidates.retain(|one| {
        let room = rooms.get(&domain(&network.nodes, one.place)).copied().unwrap_or(MOST);
        one.index < room
    });
    let outside = before - candidates.len();
    network.count(outside, "an index is outside of a block of labels, and is left out");
    for one in candidates {
        let Some(node) = network.nodes.get_mut(one.place) else { continue };
        if one.own {
            node.index = Some(one.index);
        } else {
            node.anycast.push((one.net, one.index));
        }
    }
}

/// Those of each node's addresses in their order; the first makes its index, and others may share it.
fn candidates(network: &mut Network, prefixes: &Prefixes, places: &Places) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (net, tellers) in prefixes {
        for (key, sid) in tellers {
            let (Some(place), Some(sid)) = (places.of(key), sid) else { continue };
            let Some(node) = network.nodes.get_mut(place) else { continue };
            let is_host = net.prefix_len() == net.max_prefix_len();
            let own = is_host && node.loopbacks.contains(&net.addr());
            if own && sid.no_php == Some(true) {
                node.php = false;
            }
            candidates.push(Candidate { place, net: *net, index: sid.index, own });
        }
    }
    let nodes = &network.nodes;
    let rank = |one: &Candidate| {
        let loopbacks = nodes.get(one.place).map(|node| &node.loopbacks);
        let rank = loopbacks.and_then(|own| own.iter().position(|own| *own == one.net.addr()));
        (one.place, !one.own, rank, one.net)
    };
    candidates.sort_by_key(rank);
    let mut indexes: BTreeMap<usize, u32> = BTreeMap::new();
    for one in candidates.iter_mut().filter(|one| one.own) {
        one.own = *indexes.entry(one.place).or_insert(one.index) == one.index;
    }
    candidates
}

fn domain(nodes: &[NodeDraft], place: usize) -> Domain {
    nodes.get(place).and_then(|node| node.domain.clone())
}

/// Indexes that a file cannot hold: of several prefixes, or of a prefix that has another as well.
fn clashes(nodes: &[NodeDraft], candidates: &[Candidate]) -> BTreeSet<(Domain, u32)> {
    let mut owners: BTreeMap<(Domain, u32), BTreeSet<String>> = BTreeMap::new();
    let mut indexes: BTreeMap<(Domain, IpNet), BTreeSet<u32>> = BTreeMap::new();
    for one in candidates {
        let domain = domain(nodes, one.place);
        // Addresses of a node that share its index are one owner.
        let owner = if one.own { format!("node {}", one.place) } else { one.net.to_string() };
        owners.entry((domain.clone(), one.index)).or_default().insert(owner);
        indexes.entry((domain, one.net)).or_default().insert(one.index);
    }
    let several = owners.into_iter().filter(|(_, owners)| owners.len() > 1);
    let mut clashes: BTreeSet<_> = several.map(|(index, _)| index).collect();
    for ((domain, _), several) in indexes.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        clashes.extend(several.into_iter().map(|index| (domain.clone(), index)));
    }
    clashes
}

/// Autonomous systems that number their prefixes each for themselves become domains.
fn domains(network: &mut Network) {
    let systems: BTreeSet<u32> =
        network.nodes.iter().filter_map(|node| node.autonomous_system).collect();
    if systems.len() < 2 {
        return;
    }
    for node in &mut network.nodes {
        node.domain = node.autonomous_system.map(|number| format!("as{number}"));
    }
    let note = "autonomous systems use the same indexes for different prefixes: each is a domain, named after its number";
    network.notes.push(note.to_owned());
}

/// By domain: how many indexes every node in it has labels for.
fn rooms(nodes: &[NodeDraft]) -> BTreeMap<Domain, u32> {
    let mut rooms: BTreeMap<Domain, u32> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.sr) {
        let least = rooms.entry(node.domain.clone()).or_insert(MOST);
        *least = room(node).min(*least);
    }
    rooms
}
