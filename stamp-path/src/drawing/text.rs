//! The languages of other tools.

use core::fmt::Write as _;

use super::{Way, colour, is_drained, is_wire, takers};
use crate::topology::Topology;

/// A graph in the language of Graphviz: nodes of a domain lie in a box, ways have colours.
///
/// Writing to a text cannot fail.
#[must_use]
pub fn graphviz(topology: &Topology, ways: &[Way<'_>]) -> String {
    let mut text = String::from(
        "graph network {\n  graph [overlap=false, splines=true];\n  node [shape=ellipse, \
         fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (place, domain) in domains(topology).into_iter().enumerate() {
        let indent = if domain.is_some() { "    " } else { "  " };
        if let Some(domain) = domain {
            let _ = writeln!(text, "  subgraph cluster_{place} {{\n    label={};", quoted(domain));
        }
        for node in topology.nodes.iter().filter(|node| node.domain.as_deref() == domain) {
            let style = if node.drained { " [style=dashed, color=gray]" } else { "" };
            let _ = writeln!(text, "{indent}{}{style};", quoted(&node.name));
        }
        if domain.is_some() {
            text.push_str("  }\n");
        }
    }
    for id in topology.link_ids() {
        let link = &topology[id];
        let [from, to] = link.ends.map(|end| quoted(&topology[end].name));
        let mut style = vec![format!("tooltip={}", quoted(&link.name))];
        let colours: Vec<&str> = takers(ways, id).map(|(place, _)| colour(place)).collect();
        if !colours.is_empty() {
            style.push(format!("color=\"{}\", penwidth=3", colours.join(":")));
        }
        if !is_wire(topology, id) || is_drained(topology, id) {
            style.push("style=dashed".to_owned());
        }
        let _ = writeln!(text, "  {from} -- {to} [{}];", style.join(", "));
    }
    for (place, way) in ways.iter().enumerate() {
        let (name, colour) = (quoted(way.name), colour(place));
        let _ = writeln!(
            text,
            "  legend_{place} [shape=plaintext, label={name}, fontcolor=\"{colour}\"];"
        );
    }
    text.push_str("}\n");
    text
}

/// A flowchart in the language of Mermaid, which many wikis and code hosts draw.
///
/// Writing to a text cannot fail.
#[must_use]
pub fn mermaid(topology: &Topology, ways: &[Way<'_>]) -> String {
    let mut text = String::from("flowchart LR\n");
    for (place, domain) in domains(topology).into_iter().enumerate() {
        if let Some(domain) = domain {
            let _ = writeln!(text, "  subgraph d{place}[{}]", quoted_as_html(domain));
        }
        for id in topology.ids().filter(|id| topology[*id].domain.as_deref() == domain) {
            let node = &topology[id];
            let class = if node.drained { ":::drained" } else { "" };
            let name = quoted_as_html(&node.name);
            let _ = writeln!(text, "    n{}({name}){class}", id.position());
        }
        if domain.is_some() {
            text.push_str("  end\n");
        }
    }
    let mut styles = String::new();
    for id in topology.link_ids() {
        let [from, to] = topology[id].ends.map(|end| end.position());
        let arrow = if is_wire(topology, id) && !is_drained(topology, id) { "---" } else { "-.-" };
        let _ = writeln!(text, "  n{from} {arrow} n{to}");
        // A link has one colour: that of the first way on it, and a width for all.
        let mut places = takers(ways, id).map(|(place, _)| place);
        if let Some(first) = places.next() {
            let (colour, width) = (colour(first), 3 + 2 * places.count());
            let place = id.position();
            let _ = writeln!(styles, "  linkStyle {place} stroke:{colour},stroke-width:{width}px");
        }
    }
    for (place, way) in ways.iter().enumerate() {
        let (name, colour) = (quoted_as_html(way.name), colour(place));
        let _ = writeln!(text, "  w{place}[{name}]\n  style w{place} fill:#fff,stroke:{colour}");
    }
    text.push_str(&styles);
    text.push_str("  classDef drained stroke-dasharray:4 4,color:#777\n");
    text
}

/// Domains in the order of the file, and none for nodes without one.
fn domains(topology: &Topology) -> Vec<Option<&str>> {
    let mut domains: Vec<Option<&str>> = Vec::new();
    for node in &topology.nodes {
        if !domains.contains(&node.domain.as_deref()) {
            domains.push(node.domain.as_deref());
        }
    }
    domains
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Within double quotes Mermaid knows the entities of HTML alone.
fn quoted_as_html(text: &str) -> String {
    format!("\"{}\"", text.replace('&', "#amp;").replace('"', "#quot;").replace('<', "#lt;"))
}
