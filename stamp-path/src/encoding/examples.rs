//! The shipped fabrics, and words for what tests do with them.

use stamp_proto::sr::mpls::Label;

use super::{Departure, Forwarding, Imposer, Intent, LabelList, Walk};
use crate::path::{Hop, Path};
use crate::topology::{NodeId, Topology};

pub(super) const CLOS: &str = include_str!("../../../examples/topologies/clos.toml");
pub(super) const SRGB: &str = include_str!("../../../examples/topologies/clos-srgb.toml");
pub(super) const INCREMENTAL: &str =
    include_str!("../../../examples/topologies/clos-incremental.toml");
pub(super) const IBGP: &str = include_str!("../../../examples/topologies/clos-ibgp.toml");
pub(super) const LABELS_ONLY: &str =
    include_str!("../../../examples/topologies/clos-labels-only.toml");

pub(super) const IPV6: &str = include_str!("../../../examples/topologies/clos-ipv6.toml");

pub(super) fn read(text: &str) -> Topology {
    Topology::read("example.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn id(topology: &Topology, name: &str) -> NodeId {
    topology.node_id(name).unwrap_or_else(|| panic!("no node {name}"))
}

/// The only link between two nodes.
pub(super) fn hop(topology: &Topology, from: &str, to: &str) -> Hop {
    let (from, to) = (id(topology, from), id(topology, to));
    let link = topology.link_ids().find(|link| {
        topology[*link].side_of(from).is_some() && topology[*link].side_of(to).is_some()
    });
    let link = link.unwrap_or_else(|| panic!("no link"));
    Hop { link, side: topology[link].side_of(from).unwrap() }
}

/// Nodes, one next to the other.
pub(super) fn path(topology: &Topology, nodes: &str) -> Path {
    let names: Vec<&str> = nodes.split(' ').collect();
    let hops = names.windows(2).map(|pair| hop(topology, pair[0], pair[1])).collect();
    Path::new(topology, id(topology, names[0]), hops).unwrap()
}

/// What a strict path is encoded as.
pub(super) fn strict(topology: &Topology, imposer: Imposer, nodes: &str) -> LabelList {
    let intent = Intent::path(topology, &path(topology, nodes));
    let list = Forwarding::new(topology).encode_labels(imposer, &intent, 0);
    list.unwrap_or_else(|error| panic!("{nodes}: {error}"))
}

pub(super) fn labels(values: &[u32]) -> Vec<Label> {
    values.iter().map(|value| Label::new(*value).unwrap()).collect()
}

pub(super) fn values(labels: &[Label]) -> Vec<u32> {
    labels.iter().map(|label| label.value()).collect()
}

/// What packets touch whose first label this node reads.
pub(super) fn walked(topology: &Topology, at: &str, list: &[u32]) -> Walk {
    let departure = Departure { over: None, labels: labels(list) };
    let walk = Forwarding::new(topology).walk(id(topology, at), &departure, None);
    walk.unwrap_or_else(|stray| panic!("{list:?} at {at}: {stray}"))
}

/// Names of the nodes of a walk, in the order of the file.
pub(super) fn touched(topology: &Topology, walk: &Walk) -> String {
    let names: Vec<&str> = walk.nodes.iter().map(|node| topology[*node].name.as_str()).collect();
    names.join(" ")
}
