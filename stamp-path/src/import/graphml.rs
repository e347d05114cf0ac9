//! GraphML as the Internet Topology Zoo publishes networks.
//!
//! Attributes are found by their names whatever the case: `label` (else `name`, else the id), `Latitude`
//! and `Longitude` of nodes, `hyperedge` of those that are no place but a line with several ends;
//! `LinkSpeedRaw` of edges, in bits per second, or else `LinkSpeed` with `LinkSpeedUnits`. Light takes
//! its time through a fibre between two places, so their distance makes a delay.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use super::Imported;
use super::naming::{LONGEST, unique, word};

/// Light in a fibre (refractive index 1.468), in kilometres per second.
const KILOMETRES_PER_SECOND: f64 = 204_218.0;
/// Mean radius of the Earth, in kilometres.
const EARTH: f64 = 6_371.0;

/// Why a text is no network.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GraphMlError {
    #[error("no XML: {0}")]
    Xml(String),
    #[error("no GraphML: there is no <graph>")]
    NoGraph,
    #[error("line {line}: an <edge> leads to {id:?}, which no <node> has for its id")]
    UnknownNode { line: u32, id: String },
    #[error("line {line}: a <{element}> has no {attribute}")]
    Missing { line: u32, element: &'static str, attribute: &'static str },
}

/// The network of a GraphML text, with the delay that distances make.
///
/// Nodes get a loopback for documentation (RFC 3849) and the index of a Prefix-SID each, in the order of the
/// text. Edges from a node to itself, and
/// all that is not a node or an edge, are left out and told.
///
/// # Errors
///
/// When it is no GraphML, or contradicts itself.
pub fn graphml(text: &str) -> Result<Imported, GraphMlError> {
    let document = Document::parse(text).map_err(|error| GraphMlError::Xml(error.to_string()))?;
    let named = |element: &'static str| {
        document.descendants().filter(move |node| node.has_tag_name_of(element))
    };
    let graph = named("graph").next().ok_or(GraphMlError::NoGraph)?;
    let keys: BTreeMap<&str, String> = named("key")
        .filter_map(|key| Some((key.attribute("id")?, key.attribute("attr.name")?.to_lowercase())))
        .collect();
    let mut reading = Reading { document: &document, keys, notes: Vec::new() };
    let nodes = reading.nodes(graph)?;
    let mut text = reading.head(graph);
    let made_up = "loopbacks are made up, of 2001:db8::/32, and so are the indexes of Prefix-SIDs";
    reading.notes.push(made_up.to_owned());
    for (place, node) in nodes.iter().enumerate() {
        let (name, number) = (&node.name, place + 1);
        let _ = writeln!(text, "\n[[node]]\nname = \"{name}\"");
        if node.is_line {
            text.push_str("sr = false\n");
        } else {
            let _ = writeln!(text, "loopbacks = [\"2001:db8::{number:x}\"]\nindex = {number}");
        }
        if let Some((latitude, longitude)) = node.at {
            let _ = writeln!(text, "# at {latitude}, {longitude}");
        }
    }
    text.push_str(&reading.links(graph, &nodes)?);
    Ok(Imported { text, notes: reading.notes })
}

/// A node as the text has it.
struct Place<'d> {
    id: &'d str,
    name: String,
    /// Latitude and longitude, in degrees.
    at: Option<(f64, f64)>,
    /// No router, but a line that joins several.
    is_line: bool,
}

struct Reading<'d> {
    document: &'d Document<'d>,
    /// Names of attributes, in lower case, by their ids.
    keys: BTreeMap<&'d str, String>,
    notes: Vec<String>,
}

impl<'d> Reading<'d> {
    fn nodes(&mut self, graph: Node<'d, 'd>) -> Result<Vec<Place<'d>>, GraphMlError> {
        let mut nodes = Vec::new();
        let mut taken = BTreeSet::new();
        for node in graph.children().filter(|node| node.has_tag_name_of("node")) {
            let id = self.required(node, "node", "id")?;
            let label = self.data(node, "label").or_else(|| self.data(node, "name"));
            let name = unique(&word(label.unwrap_or(id)), &mut taken);
            let degrees = |name| self.data(node, name)?.parse::<f64>().ok();
            let at = degrees("latitude").zip(degrees("longitude"));
            let at = at.filter(|(latitude, longitude)| {
                (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude)
            });
            let is_line = self.data(node, "hyperedge") == Some("1");
            nodes.push(Place { id, name, at, is_line });
        }
        let lines = nodes.iter().filter(|node| node.is_line).count();
        if lines > 0 {
            self.notes
                .push(format!("nodes without an address, {lines}, are lines with several ends"));
        }
        Ok(nodes)
    }

    fn links(&mut self, graph: Node<'d, 'd>, nodes: &[Place<'d>]) -> Result<String, GraphMlError> {
        let mut text = String::new();
        let mut taken = BTreeSet::new();
        let mut without_delay = 0;
        for edge in graph.children().filter(|node| node.has_tag_name_of("edge")) {
            let source = self.end(edge, "source", nodes)?;
            let target = self.end(edge, "target", nodes)?;
            if source.id == target.id {
                self.notes.push(format!("an edge from {} to itself is left out", source.name));
                continue;
            }
            let ends = format!("{}-{}", source.name, target.name);
            let name = unique(&ends, &mut taken);
            let _ = writeln!(text, "\n[[link]]\nends = [\"{}\", \"{}\"]", source.name, target.name);
            if name != ends || ends.chars().count() > LONGEST {
                let _ = writeln!(text, "name = \"{name}\"");
            }
            match source.at.zip(target.at) {
                Some((from, to)) => {
                    let _ = writeln!(text, "delay = \"{}us\"", delay_us(from, to));
                }
                None => without_delay += 1,
            }
            if let Some(bits) = self.speed(edge).filter(|bits| (1e3..1e15).contains(bits)) {
                let _ = writeln!(text, "bandwidth = \"{}k\"", (bits / 1e3).round());
            }
        }
        if without_delay > 0 {
            let plural = if without_delay == 1 { "link has" } else { "links have" };
            self.notes.push(format!("{without_delay} {plural} no delay: an end has no place"));
        }
        Ok(text)
    }

    /// Bits per second: as they are, or a number and a letter for its size.
    fn speed(&self, edge: Node<'d, 'd>) -> Option<f64> {
        let number = |name| self.data(edge, name)?.parse::<f64>().ok();
        number("linkspeedraw").or_else(|| {
            let size = match self.data(edge, "linkspeedunits")? {
                "K" | "k" => 1e3,
                "M" => 1e6,
                "G" => 1e9,
                "T" => 1e12,
                _ => return None,
            };
            Some(number("linkspeed")? * size)
        })
    }

    fn head(&self, graph: Node<'d, 'd>) -> String {
        let name = self.data(graph, "network").or_else(|| self.data(graph, "label"));
        // What is in the original may hold anything, line ends among it.
        let name: String =
            name.unwrap_or("a network").split_whitespace().collect::<Vec<_>>().join(" ");
        format!(
            "# {name}, from GraphML. Delays are those of light in a straight fibre between the places.\n"
        )
    }

    fn end<'n>(
        &self,
        edge: Node<'d, 'd>,
        attribute: &'static str,
        nodes: &'n [Place<'d>],
    ) -> Result<&'n Place<'d>, GraphMlError> {
        let id = self.required(edge, "edge", attribute)?;
        let line = self.line(edge);
        let found = nodes.iter().find(|node| node.id == id);
        found.ok_or_else(|| GraphMlError::UnknownNode { line, id: id.to_owned() })
    }

    fn required(
        &self,
        node: Node<'d, 'd>,
        element: &'static str,
        attribute: &'static str,
    ) -> Result<&'d str, GraphMlError> {
        let line = self.line(node);
        node.attribute(attribute).ok_or(GraphMlError::Missing { line, element, attribute })
    }

    /// The value of an attribute of that name, if it has one.
    fn data(&self, node: Node<'d, 'd>, name: &str) -> Option<&'d str> {
        let is_it = |data: &Node<'d, 'd>| {
            let key = data.attribute("key").and_then(|id| self.keys.get(id));
            data.has_tag_name_of("data") && key.is_some_and(|key| key == name)
        };
        node.children().find(is_it)?.text().map(str::trim).filter(|text| !text.is_empty())
    }

    fn line(&self, node: Node<'d, 'd>) -> u32 {
        self.document.text_pos_at(node.range().start).row
    }
}

/// Elements by their names, whatever the name space: files in the wild disagree about it.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// How long light takes along the great circle between two places, a microsecond at least.
fn delay_us(from: (f64, f64), to: (f64, f64)) -> u64 {
    let [latitude, other] = [from.0, to.0].map(f64::to_radians);
    let (dy, dx) = ((to.0 - from.0).to_radians(), (to.1 - from.1).to_radians());
    let half = (dy / 2.0).sin().powi(2) + latitude.cos() * other.cos() * (dx / 2.0).sin().powi(2);
    let kilometres = 2.0 * EARTH * half.clamp(0.0, 1.0).sqrt().asin();
    let us = (kilometres / KILOMETRES_PER_SECOND * 1e6).round();
    // A tenth of a second at most.
    (us as u64).max(1)
}

#[cfg(test)]
mod tests;
