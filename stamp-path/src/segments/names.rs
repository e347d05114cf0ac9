//! Words of a list, looked up.

use super::SegmentError;
use crate::topology::{Label, LinkId, NodeId, Topology};

/// One segment of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// To a node, by the shortest way.
    Node(NodeId),
    /// Over a link.
    Link(LinkId),
    /// Whatever this label means where it is read.
    Label(Label),
}

/// Most names that an unknown one is taken for.
const MOST_NEAREST: usize = 3;

/// What a word names; a node goes before a link.
///
/// # Errors
///
/// [`SegmentError::UnknownName`], with the names that look like it.
pub fn find(topology: &Topology, word: &str) -> Result<Step, SegmentError> {
    let node = topology.node_id(word).map(Step::Node);
    let link = || topology.link_id(word).map(Step::Link);
    node.or_else(link).ok_or_else(|| {
        let nodes = topology.nodes.iter().map(|node| &node.name);
        let links = topology.links.iter().map(|link| &link.name);
        unknown(word, nodes.chain(links))
    })
}

/// The node that a word names.
///
/// # Errors
///
/// [`SegmentError::UnknownName`], with the nodes that look like it.
pub fn node(topology: &Topology, word: &str) -> Result<NodeId, SegmentError> {
    let names = || topology.nodes.iter().map(|node| &node.name);
    topology.node_id(word).ok_or_else(|| unknown(word, names()))
}

fn unknown<'a>(word: &str, names: impl Iterator<Item = &'a String>) -> SegmentError {
    // A name of three letters with two of them wrong is another one.
    let limit = (word.chars().count() / 2).clamp(1, 3);
    let mut near: Vec<(usize, &String)> =
        names.map(|name| (distance(word, name), name)).filter(|(far, _)| *far <= limit).collect();
    near.sort();
    let nearest = near.into_iter().take(MOST_NEAREST).map(|(_, name)| name.clone()).collect();
    SegmentError::UnknownName { word: word.to_owned(), nearest }
}

/// How many letters have to be changed, added or left out, upper case taken for lower.
fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|text| text.to_lowercase().chars().collect::<Vec<_>>());
    let mut before: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, pair) in before.windows(2).enumerate() {
            let changed = pair[0] + usize::from(other[column] != *letter);
            current.push(changed.min(pair[1] + 1).min(current[column] + 1));
        }
        before = current;
    }
    before[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        for (one, other, expected) in [
            ("ams", "ams", 0),
            ("AMS", "ams", 0),
            ("ams", "amsx", 1),
            ("asm", "ams", 2),
            ("", "x", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_look_like_it() {
        let nodes = ["london", "londen", "paris"]
            .map(|name| format!("[[node]]\nname = \"{name}\"\n"))
            .concat();
        let links = "[[link]]\nends = [\"london\", \"paris\"]\n";
        let topology = Topology::read("t.toml", &(nodes + links)).unwrap();
        let told = |word: &str| find(&topology, word).unwrap_err().to_string();
        assert_eq!(
            told("Londn"),
            "the topology has no node or link \"Londn\"; there is londen, london"
        );
        assert_eq!(told("berlin"), "the topology has no node or link \"berlin\"");
        assert!(told("london-pari").ends_with("; there is london-paris"));
        assert!(matches!(find(&topology, "london-paris"), Ok(Step::Link(_))));
        assert!(node(&topology, "london-paris").is_err());
    }
}
