//! Pictures of a network with ways through it: for Graphviz, for Mermaid, and as SVG.

mod layout;
mod markup;
mod svg;
mod text;

use crate::path::Hop;
use crate::topology::{LinkId, LinkKind, Topology};

pub use markup::escaped;
pub use svg::svg;
pub use text::{graphviz, mermaid};

/// A way to be drawn, and what it is called in the picture.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its hops: one behind the other, or all that packets may take where nodes choose among several.
    pub hops: &'a [Hop],
    /// It carries nothing, and is drawn with dashes.
    pub is_idle: bool,
}

/// Nodes that a picture has room for; of more than these it has those that lie on a way.
const CROWD: usize = 150;

/// Colours that people with colour blindness tell apart (Okabe and Ito); ways beyond them begin anew.
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255"];

/// The colour of a way, by its place among all.
fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// Places of the ways that take a link, in either direction, each with its hop.
fn takers<'w>(ways: &'w [Way<'w>], link: LinkId) -> impl Iterator<Item = (usize, Hop)> + 'w {
    let hop = move |way: &Way<'w>| way.hops.iter().copied().find(|hop| hop.link == link);
    ways.iter().enumerate().filter_map(move |(place, way)| Some((place, hop(way)?)))
}

/// Traffic avoids the link in some direction.
fn is_drained(topology: &Topology, link: LinkId) -> bool {
    topology[link].directions.map_ref(|direction| direction.drained).contains(&true)
}

/// Whether a link is one of wire: others are drawn with dashes.
fn is_wire(topology: &Topology, link: LinkId) -> bool {
    topology[link].kind == LinkKind::Physical
}

#[cfg(test)]
mod tests;
