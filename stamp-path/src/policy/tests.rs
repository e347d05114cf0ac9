//! What tests of policies share: the published five-stage fabric with everything a segment can name.

mod active;
mod composite;
mod dynamic;
mod encoded;
mod mesh;
mod reading;
mod resolution;
mod survey;
mod validity;

use super::*;
use crate::Topology;

/// Who is joined to whom.
const LINKS: [(u32, u32); 16] = [
    (1, 3),
    (1, 4),
    (2, 3),
    (2, 4),
    (3, 5),
    (3, 6),
    (4, 7),
    (4, 8),
    (5, 9),
    (6, 9),
    (7, 10),
    (8, 10),
    (9, 11),
    (9, 12),
    (10, 11),
    (10, 12),
];

/// The fabric; every interface has the number of the node at its other end.
pub(super) fn fabric(of_node: impl Fn(u32) -> String) -> Topology {
    let nodes = (1..=12).map(|node| {
        let anycast =
            if node > 10 { "anycast = [{ prefix = \"192.0.2.20\", index = 20 }]" } else { "" };
        let of_node = of_node(node);
        let domain = if node == 8 { "domain = \"core\"\nas = 65002" } else { "" };
        format!(
            "[[node]]\nname = \"{node}\"\nloopbacks = [\"192.0.2.{node}\", \"2001:db8::{node}\"]\n\
             index = {node}\nsids = {{ end = \"fc00:bb:{node}:1::/64\" }}\n{anycast}\n{domain}\n{of_node}\n"
        )
    });
    let links = LINKS.iter().enumerate().map(|(number, (a, b))| {
        let (low, high) = (2 * number, 2 * number + 1);
        let [forth, back] = [(a, b), (b, a)].map(|(from, to)| 124_000 + 100 * from + to);
        format!(
            "[[link]]\nends = [\"{a}\", \"{b}\"]\nadjacency = [{forth}, {back}]\n\
             interfaces = [{b}, {a}]\nend-x = [\"fc00:bb:{a}:a{b}::/64\", \"fc00:bb:{b}:a{a}::/64\"]\n\
             addresses = [[\"198.51.100.{low}\", \"2001:db8:{a}{b}::\"], \
             [\"198.51.100.{high}\", \"2001:db8:{a}{b}::1\"]]\n"
        )
    });
    let text: String = nodes.chain(links).collect();
    Topology::read("fabric.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The fabric where every node has the same block.
pub(super) fn homogeneous() -> Topology {
    fabric(|_| "peer-less = 0".replace("peer-less = 0", ""))
}

/// The fabric where node K owns labels from 1000 K.
pub(super) fn heterogeneous() -> Topology {
    fabric(|node| format!("srgb = [[{}, {}]]", 1000 * node, 1000 * node + 999))
}

/// A policy with one candidate, from what is written of both.
pub(super) fn policy(topology: &Topology, keys: &str, candidate: &str) -> Policy {
    let text = format!(
        "[[policy]]\ncolor = 1\nendpoint = \"11\"\n{keys}\ncandidate = [{{ {candidate} }}]\n"
    );
    let read = Policies::read("p.toml", &text, Some(topology));
    let mut policies = read.unwrap_or_else(|errors| panic!("{errors}")).policies;
    policies.remove(0)
}

/// Its lists as they are written.
pub(super) fn lists(policy: &Policy) -> &[SegmentList] {
    match &policy.candidates[0].kind {
        CandidateKind::Explicit(lists) => lists,
        other => panic!("{other:?}"),
    }
}
