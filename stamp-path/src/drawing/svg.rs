//! A picture that every browser shows.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use super::layout::positions;
use super::{CROWD, Way, colour, escaped, is_drained, is_wire, takers};
use crate::topology::{LinkId, NodeId, Topology};

/// Length of a link, in pixels.
const LINK: f64 = 110.0;
const MARGIN: f64 = 60.0;
const RADIUS: f64 = 15.0;
/// Between the middle lines of two ways, or of two links, beside each other.
const BESIDE: f64 = 6.0;
const LEGEND_LINE: f64 = 20.0;

const STYLE: &str = "\
text { font-family: 'Inter', 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: #24292f; }
.node { fill: #ffffff; stroke: #57606a; stroke-width: 1.5; }
.drained { stroke-dasharray: 4 3; opacity: 0.55; }
.name { font-size: 12px; text-anchor: middle; dominant-baseline: central; }
.link { stroke: #b4bcc4; stroke-width: 1.5; }
.dashed { stroke-dasharray: 5 4; }
.way { stroke-width: 4; stroke-linecap: round; opacity: 0.9; }
.idle { stroke-dasharray: 7 6; opacity: 0.6; }
.legend { font-size: 13px; dominant-baseline: central; }
";

/// The network, each way in a colour of its own beside the links it takes. Of a network that is too large for a
/// picture, those nodes and links that lie on the ways.
///
/// Writing to a text cannot fail.
#[must_use]
pub fn svg(topology: &Topology, ways: &[Way<'_>]) -> String {
    let picture = Picture::of(topology, ways);
    let (width, height) = picture.size;
    let lines = ways.len() + usize::from(picture.is_part(topology));
    let whole = height + lines as f64 * LEGEND_LINE;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {whole:.0}\" \
         width=\"{width:.0}\" height=\"{whole:.0}\" role=\"img\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#f6f8fa\"/>\n",
        escaped(&title(ways))
    );
    for id in topology.link_ids().filter(|id| picture.has(topology, *id)) {
        text.push_str(&picture.link(topology, id, ways));
    }
    for (id, (x, y)) in &picture.places {
        let node = &topology[*id];
        let class = if node.drained { "node drained" } else { "node" };
        let name = escaped(&node.name);
        // As wide as the name needs, at some six pixels a letter.
        let half = RADIUS.max(4.0 + 3.6 * node.name.chars().count() as f64);
        let _ = writeln!(
            text,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{RADIUS}\" \
             class=\"{class}\"/><text x=\"{x:.1}\" y=\"{y:.1}\" class=\"name\">{name}</text>",
            x - half,
            y - RADIUS,
            2.0 * half,
            2.0 * RADIUS,
        );
    }
    for (place, way) in ways.iter().enumerate() {
        let y = height + (place as f64 - 0.5) * LEGEND_LINE;
        let (colour, name) = (colour(place), escaped(way.name));
        let _ = writeln!(
            text,
            "<line x1=\"24\" y1=\"{y:.1}\" x2=\"48\" y2=\"{y:.1}\" class=\"{}\" \
             stroke=\"{colour}\"/><text x=\"58\" y=\"{y:.1}\" class=\"legend\">{name}</text>",
            class_of(way)
        );
    }
    if picture.is_part(topology) {
        let y = height + (ways.len() as f64 - 0.5) * LEGEND_LINE;
        let (drawn, all) = (picture.places.len(), topology.nodes.len());
        let _ = writeln!(
            text,
            "<text x=\"24\" y=\"{y:.1}\" class=\"legend\">{drawn} of {all} nodes: those on these \
             ways</text>"
        );
    }
    text.push_str("</svg>\n");
    text
}

const fn class_of(way: &Way<'_>) -> &'static str {
    if way.is_idle { "way idle" } else { "way" }
}

fn title(ways: &[Way<'_>]) -> String {
    let names: Vec<&str> = ways.iter().map(|way| way.name).collect();
    if names.is_empty() { "Network".to_owned() } else { format!("Ways: {}", names.join(", ")) }
}

/// Nodes in pixels.
struct Picture {
    places: BTreeMap<NodeId, (f64, f64)>,
    /// Where only these links are drawn.
    only: Option<BTreeSet<LinkId>>,
    size: (f64, f64),
}

impl Picture {
    fn of(topology: &Topology, ways: &[Way<'_>]) -> Self {
        let hops = || ways.iter().flat_map(|way| way.hops);
        let is_crowd = topology.nodes.len() > CROWD;
        let only = is_crowd.then(|| hops().map(|hop| hop.link).collect::<BTreeSet<_>>());
        let touched = hops().flat_map(|hop| topology[hop.link].ends);
        let touched: BTreeSet<NodeId> = touched.collect();
        let nodes: Vec<NodeId> =
            topology.ids().filter(|node| !is_crowd || touched.contains(node)).collect();
        let mut places = positions(topology, &nodes);
        let least = |of: fn(&(f64, f64)) -> f64| places.values().map(of).fold(f64::MAX, f64::min);
        let (left, top) = (least(|place| place.0), least(|place| place.1));
        for (x, y) in places.values_mut() {
            *x = (*x - left) * LINK + MARGIN;
            *y = (*y - top) * LINK + MARGIN;
        }
        let most =
            |of: fn(&(f64, f64)) -> f64| places.values().map(of).fold(0.0, f64::max) + MARGIN;
        let size = (most(|place| place.0).max(2.0 * MARGIN), most(|place| place.1));
        Self { places, only, size }
    }

    /// It is not all of the network.
    fn is_part(&self, topology: &Topology) -> bool {
        self.places.len() < topology.nodes.len()
    }

    /// The link is drawn.
    fn has(&self, topology: &Topology, id: LinkId) -> bool {
        let is_wanted = self.only.as_ref().is_none_or(|only| only.contains(&id));
        is_wanted && topology[id].ends.iter().all(|end| self.places.contains_key(end))
    }

    /// A link and the ways on it.
    fn link(&self, topology: &Topology, id: LinkId, ways: &[Way<'_>]) -> String {
        let is_plain = is_wire(topology, id) && !is_drained(topology, id);
        let class = if is_plain { "link" } else { "link dashed" };
        let shift = beside(topology, id);
        let mut text = self.line(topology, id, shift, &format!("class=\"{class}\""));
        let places: Vec<usize> = takers(ways, id).map(|(place, _)| place).collect();
        let middle = (places.len() as f64 - 1.0) / 2.0;
        for (position, place) in places.iter().enumerate() {
            let shift = shift + (position as f64 - middle) * BESIDE;
            let style =
                format!("class=\"{}\" stroke=\"{}\"", class_of(&ways[*place]), colour(*place));
            text.push_str(&self.line(topology, id, shift, &style));
        }
        text
    }

    fn line(&self, topology: &Topology, id: LinkId, shift: f64, style: &str) -> String {
        let [from, to] = topology[id].ends.map(|end| self.places[&end]);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-6);
        let (right, down) = (-dy / length * shift, dx / length * shift);
        format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>\n",
            from.0 + right,
            from.1 + down,
            to.0 + right,
            to.1 + down
        )
    }
}

/// How far a link lies from the line between its ends, where there are several.
fn beside(topology: &Topology, id: LinkId) -> f64 {
    let ends = |link: LinkId| {
        let [one, other] = topology[link].ends;
        (one.min(other), one.max(other))
    };
    let same: Vec<LinkId> = topology.link_ids().filter(|link| ends(*link) == ends(id)).collect();
    let place = same.iter().position(|link| *link == id).unwrap_or(0) as f64;
    let shift = (place - (same.len() as f64 - 1.0) / 2.0) * 2.0 * BESIDE;
    // The other way round, what lies to the right lies to the left.
    if topology[id].ends[0] <= topology[id].ends[1] { shift } else { -shift }
}
