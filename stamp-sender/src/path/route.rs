//! A way in words: the nodes it visits, and its links where nodes do not say which is meant.

use stamp_path::Topology;
use stamp_path::path::{Hop, Path};
use stamp_path::segments::{self, Step};
use stamp_path::topology::NodeId;

/// Reads `a,b,second-wire,c`.
///
/// # Errors
///
/// What is unknown, not joined, or joined by several links.
pub(super) fn read(topology: &Topology, words: &str) -> Result<Path, String> {
    let mut start = None;
    let mut hops: Vec<Hop> = Vec::new();
    for word in words.split(',') {
        let step = segments::find(topology, word).map_err(|error| error.to_string())?;
        let at = hops.last().map_or(start, |hop| Some(hop.to(topology)));
        match (step, at) {
            (Step::Node(node), None) => start = Some(node),
            // Where the link before it leads.
            (Step::Node(node), Some(at)) if node == at => {}
            (Step::Node(node), Some(at)) => hops.push(joining(topology, at, node)?),
            (Step::Link(_), None) => {
                return Err(format!("a way begins with a node, and {word} is a link"));
            }
            (Step::Link(link), Some(at)) => {
                let side = topology[link].side_of(at).ok_or_else(|| {
                    format!("link {word} does not begin at {}", topology[at].name)
                })?;
                hops.push(Hop { link, side });
            }
            (Step::Label(label), _) => return Err(format!("{label} is no node and no link")),
        }
    }
    start.and_then(|start| Path::new(topology, start, hops)).ok_or_else(|| "no way".to_owned())
}

/// The only link between two nodes.
fn joining(topology: &Topology, from: NodeId, to: NodeId) -> Result<Hop, String> {
    let between = between(topology, from, to);
    let names = [from, to].map(|node| &topology[node].name);
    match between[..] {
        [hop] => Ok(hop),
        [] => Err(format!("no link joins {} and {}", names[0], names[1])),
        _ => {
            let links: Vec<&str> =
                between.iter().map(|hop| topology[hop.link].name.as_str()).collect();
            Err(format!(
                "several links join {} and {}: put one of {} between them",
                names[0],
                names[1],
                links.join(", ")
            ))
        }
    }
}

fn between(topology: &Topology, from: NodeId, to: NodeId) -> Vec<Hop> {
    let hops = topology.links_of(from).map(|(link, side)| Hop { link, side });
    hops.filter(|hop| hop.to(topology) == to).collect()
}

/// Writes a way so that [`read`] reads it, with spaces.
pub(super) fn words(topology: &Topology, path: &Path) -> String {
    let mut words = vec![topology[path.start()].name.as_str()];
    for hop in path.hops() {
        let name = &topology[hop.link].name;
        // Names that users give have no tilde: such a one stands for what is not shown.
        if between(topology, hop.from(topology), hop.to(topology)).len() > 1 || name.contains('~') {
            words.push(name);
        }
        words.push(&topology[hop.to(topology)].name);
    }
    words.join(" ")
}
