//! How traffic is spread over several ways.

use crate::path::Path;
use crate::topology::Topology;

/// Bits per second that one is counted for.
const UNIT: u64 = 1_000_000;

/// Weights of ways in proportion to the least bandwidth of each, in Mbit/s (path-weighted ECMP).
/// All are 1 where a bandwidth is not known: nothing says then that they differ.
#[must_use]
pub fn weights(topology: &Topology, ways: &[&Path]) -> Vec<u32> {
    let known = |path: &&Path| {
        let is_known = path.hops().iter().all(|hop| hop.direction(topology).bandwidth.is_some());
        let least = path.bandwidth(topology).filter(|_| is_known)?;
        Some(u32::try_from((least.0 / UNIT).max(1)).unwrap_or(u32::MAX))
    };
    let weights: Option<Vec<u32>> = ways.iter().map(known).collect();
    weights.unwrap_or_else(|| vec![1; ways.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::{Network, Request};

    fn topology(widths: [&str; 3]) -> Topology {
        let nodes = ["a", "b"].map(|name| format!("[[node]]\nname = \"{name}\"\n"));
        let links = widths.iter().enumerate().map(|(name, more)| {
            format!("[[link]]\nname = \"l{name}\"\nends = [\"a\", \"b\"]\n{more}\n")
        });
        let text: String = nodes.into_iter().chain(links).collect();
        Topology::read("t.toml", &text).unwrap()
    }

    fn of(topology: &Topology) -> Vec<u32> {
        let [a, b] = ["a", "b"].map(|name| topology.node_id(name).unwrap());
        let ways = Network::new(topology).ranked(&Request::new(a, b), 9).unwrap();
        weights(topology, &ways.iter().map(|way| &way.path).collect::<Vec<_>>())
    }

    #[test]
    fn a_weight_is_the_least_bandwidth() {
        let width = ["bandwidth = \"40M\"", "bandwidth = \"20M\"", "bandwidth = \"2.5G\""];
        assert_eq!(of(&topology(width)), [40, 20, 2500]);
        assert_eq!(of(&topology(["bandwidth = \"10k\"", width[1], width[2]])), [1, 20, 2500]);
    }

    #[test]
    fn where_one_is_unknown_all_are_alike() {
        assert_eq!(of(&topology(["", "bandwidth = \"1G\"", "bandwidth = \"9G\""])), [1, 1, 1]);
    }
}
