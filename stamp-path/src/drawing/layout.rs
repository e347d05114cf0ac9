//! Where nodes lie in a picture: as far from each other as there are links between them.

use std::collections::{BTreeMap, VecDeque};

use crate::topology::{NodeId, Topology};

/// Rounds in which distances are made right. More change nothing that is seen.
const ROUNDS: usize = 120;
/// Nodes that no way joins lie so many links apart.
const APART: f64 = 3.0;

/// Coordinates of these nodes, in the length of a link.
///
/// Stress majorization (Gansner, Koren, North 2004) over the distances in links, from a beginning that has
/// those of a distance in a column. Nothing is left to chance: the same network has the same picture.
pub(super) fn positions(topology: &Topology, nodes: &[NodeId]) -> BTreeMap<NodeId, (f64, f64)> {
    let distances: Vec<Vec<Option<u32>>> = nodes
        .iter()
        .map(|node| {
            let all = distances(topology, *node);
            nodes.iter().map(|other| all[other.position()]).collect()
        })
        .collect();
    let mut places = columns(&distances);
    for _ in 0..ROUNDS {
        for node in 0..places.len() {
            if let Some(place) = pulled(node, &places, &distances[node]) {
                places[node] = place;
            }
        }
    }
    nodes.iter().copied().zip(places).collect()
}

/// Where the others want a node: each at its distance, near ones more than far ones.
fn pulled(node: usize, places: &[(f64, f64)], distances: &[Option<u32>]) -> Option<(f64, f64)> {
    let (here, mut sum, mut weights) = (places[node], (0.0, 0.0), 0.0);
    for (other, there) in places.iter().enumerate().filter(|(other, _)| *other != node) {
        let wanted = distances[other].map_or(APART, f64::from);
        let weight = wanted.powi(-2);
        let (dx, dy) = (here.0 - there.0, here.1 - there.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-6);
        sum.0 += weight * (there.0 + dx / length * wanted);
        sum.1 += weight * (there.1 + dy / length * wanted);
        weights += weight;
    }
    (weights > 0.0).then(|| (sum.0 / weights, sum.1 / weights))
}

/// Columns by the distance from a node at the edge; in a column nodes are spread in their order.
fn columns(distances: &[Vec<Option<u32>>]) -> Vec<(f64, f64)> {
    let farthest = |row: &Vec<Option<u32>>| row.iter().flatten().copied().max().unwrap_or(0);
    // The first of those that are farthest from some other.
    let most = distances.iter().map(farthest).max().unwrap_or(0);
    let Some(edge) = distances.iter().find(|row| farthest(row) == most) else {
        return Vec::new();
    };
    let mut heights: Vec<usize> = Vec::new();
    let columns: Vec<usize> =
        edge.iter().map(|far| far.map_or(most as usize + 1, |far| far as usize)).collect();
    let places: Vec<(usize, usize)> = columns
        .into_iter()
        .map(|column| {
            heights.resize(heights.len().max(column + 1), 0);
            heights[column] += 1;
            (column, heights[column] - 1)
        })
        .collect();
    let spread = |(column, row): (usize, usize)| {
        let middle = (heights[column] as f64 - 1.0) / 2.0;
        // Two in one line would never leave it.
        (column as f64 + 0.01 * row as f64, row as f64 - middle + 0.013 * column as f64)
    };
    places.into_iter().map(spread).collect()
}

/// Links between a node and every other, whatever they are made of.
fn distances(topology: &Topology, from: NodeId) -> Vec<Option<u32>> {
    let mut distances = vec![None; topology.nodes.len()];
    distances[from.position()] = Some(0);
    let mut waiting = VecDeque::from([(from, 0)]);
    while let Some((node, far)) = waiting.pop_front() {
        for (link, side) in topology.links_of(node) {
            let next = topology[link].at(side.opposite());
            if distances[next.position()].is_none() {
                distances[next.position()] = Some(far + 1);
                waiting.push_back((next, far + 1));
            }
        }
    }
    distances
}
