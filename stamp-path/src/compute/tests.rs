mod absence;
mod oracle;
mod properties;
mod view;
mod ways;

use super::*;
use crate::path::Path;
use crate::topology::{NodeId, Topology};

/// Nodes named by the letters, and links as `("a-b", what else is said of it)`.
fn topology(nodes: &str, links: &[(&str, &str)]) -> Topology {
    let nodes = nodes.chars().map(|name| format!("[[node]]\nname = \"{name}\"\n"));
    let links = links.iter().map(|(ends, more)| {
        let ends = ends.replace('-', "\", \"");
        format!("[[link]]\nends = [\"{ends}\"]\n{more}\n")
    });
    let text: String = nodes.chain(links).collect();
    Topology::read("t.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn node(topology: &Topology, name: &str) -> NodeId {
    topology.node_id(name).unwrap()
}

fn request(topology: &Topology, from: &str, to: &str) -> Request {
    Request::new(node(topology, from), node(topology, to))
}

/// The names of its nodes in a row.
fn written(topology: &Topology, path: &Path) -> String {
    path.nodes(topology).map(|node| topology[node].name.as_str()).collect()
}
