use proptest::prelude::*;

use super::*;
use crate::Topology;

/// In the form of the Topology Zoo; the network is made up.
fn network(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="d36" />
  <key attr.name="Latitude" attr.type="double" for="node" id="d29" />
  <key attr.name="Longitude" attr.type="double" for="node" id="d32" />
  <key attr.name="label" attr.type="string" for="node" id="d33" />
  <key attr.name="Network" attr.type="string" for="graph" id="d16" />
  <graph edgedefault="undirected">
    <data key="d16">Example
      Net</data>
{body}
  </graph>
</graphml>
"#
    )
}

fn node(id: &str, label: &str, at: Option<(f64, f64)>) -> String {
    let at = at.map(|(latitude, longitude)| {
        format!("<data key=\"d29\">{latitude}</data><data key=\"d32\">{longitude}</data>")
    });
    format!("<node id=\"{id}\"><data key=\"d33\">{label}</data>{}</node>\n", at.unwrap_or_default())
}

fn edge(source: &str, target: &str, speed: &str) -> String {
    format!(
        "<edge source=\"{source}\" target=\"{target}\"><data key=\"d36\">{speed}</data></edge>\n"
    )
}

const AMSTERDAM: Option<(f64, f64)> = Some((52.374_03, 4.889_69));
const LONDON: Option<(f64, f64)> = Some((51.508_53, -0.125_74));

#[test]
fn a_network_is_a_topology_with_the_delay_of_its_distances() {
    let body = [
        node("0", "Amsterdam", AMSTERDAM),
        node("1", "London", LONDON),
        node("2", "St. P\u{f6}lten &amp; more", None),
        edge("0", "1", "10000000000.0"),
        edge("1", "0", ""),
        edge("1", "2", "2500000"),
    ];
    let Imported { text, notes } = graphml(&network(&body.concat())).unwrap();
    assert!(text.starts_with("# Example Net, from GraphML."), "{text}");
    let topology = Topology::read("net.toml", &text).unwrap();
    let names: Vec<&str> = topology.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["Amsterdam", "London", "St.-P\u{f6}lten---more"]);
    assert_eq!(topology.nodes[1].index, Some(2));
    let links: Vec<&str> = topology.links.iter().map(|link| link.name.as_str()).collect();
    assert_eq!(links, ["Amsterdam-London", "London-Amsterdam", "London-St.-P\u{f6}lten---more"]);
    // 358 km.
    let delay = topology.links[0].directions.0[0].delay.as_micros();
    assert!((1_740..1_770).contains(&delay), "{delay}");
    let bandwidths = [0, 1, 2].map(|link: usize| {
        topology.links[link].directions.0[0].bandwidth.map(|bandwidth| bandwidth.0)
    });
    assert_eq!(bandwidths, [Some(10_000_000_000), None, Some(2_500_000)]);
    assert_eq!(notes[1..], ["1 link has no delay: an end has no place"]);
    assert!(notes[0].starts_with("loopbacks are made up"), "{notes:?}");
}

#[test]
fn names_that_are_the_same_are_told_apart() {
    let body = [
        node("0", "?", None),
        node("1", "?", None),
        edge("0", "1", ""),
        edge("0", "1", ""),
        edge("1", "1", ""),
    ];
    let Imported { text, notes } = graphml(&network(&body.concat())).unwrap();
    let topology = Topology::read("net.toml", &text).unwrap();
    let links: Vec<&str> = topology.links.iter().map(|link| link.name.as_str()).collect();
    assert_eq!(links, ["node-node-2", "node-node-2-2"]);
    assert_eq!(notes[1], "an edge from node-2 to itself is left out");
}

/// What published files hold besides nodes and edges, in one that is written by hand.
#[test]
fn quirks_of_published_files_are_taken() {
    let Imported { text, notes } = graphml(include_str!("quirks.graphml")).unwrap();
    let topology = Topology::read("net.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(text.starts_with("# Quirks & more, from GraphML."), "{text}");
    let nodes: Vec<(&str, bool)> =
        topology.nodes.iter().map(|node| (node.name.as_str(), node.sr)).collect();
    let expected = [
        ("Malm\u{f6}", true),
        ("node", true),
        ("node-2", true),
        ("S\u{e3}o-Paulo--2", true),
        ("cable", false),
        ("5", true),
    ];
    assert_eq!(nodes, expected);
    assert!(topology.nodes[4].loopbacks.is_empty());
    let links: Vec<(&str, Option<u64>)> = topology
        .links
        .iter()
        .map(|link| {
            let bandwidth = link.directions.0[0].bandwidth.map(|bandwidth| bandwidth.0);
            (link.name.as_str(), bandwidth)
        })
        .collect();
    let expected = [
        ("Malm\u{f6}-node", Some(2_500_000_000)),
        ("Malm\u{f6}-node-2", Some(155_000_000)),
        ("Malm\u{f6}-node-2-2", None),
        ("cable-node", None),
        ("5-cable", None),
    ];
    assert_eq!(links, expected);
    let expected = [
        "nodes without an address, 1, are lines with several ends",
        "loopbacks are made up, of 2001:db8::/32, and so are the indexes of Prefix-SIDs",
        "an edge from 5 to itself is left out",
        "5 links have no delay: an end has no place",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let error = |text: &str| graphml(text).unwrap_err().to_string();
    assert!(error("<a").starts_with("no XML: "), "{}", error("<a"));
    assert_eq!(error("<graphml/>"), "no GraphML: there is no <graph>");
    let body = node("0", "a", None) + &edge("0", "7", "");
    let expected = "line 12: an <edge> leads to \"7\", which no <node> has for its id";
    assert_eq!(error(&network(&body)), expected);
    let expected = "line 11: a <node> has no id";
    assert_eq!(error(&network("<node/>")), expected);
}

proptest! {
    /// Whatever labels and edges there are, the text is a topology.
    #[test]
    fn what_is_imported_can_be_read(
        labels in prop::collection::vec("\\PC{0,80}", 1..8),
        edges in prop::collection::vec((0_usize..8, 0_usize..8), 0..16),
    ) {
        let count = labels.len();
        let label = |text: &String| {
            text.replace('&', "&amp;").replace('<', "&lt;").replace([']', '>'], "")
        };
        let mut body: String = labels
            .iter()
            .enumerate()
            .map(|(id, text)| node(&id.to_string(), &label(text), AMSTERDAM))
            .collect();
        let within = edges.into_iter().filter(|(from, to)| *from < count && *to < count);
        for (from, to) in within {
            body += &edge(&from.to_string(), &to.to_string(), "1e9");
        }
        let imported = graphml(&network(&body)).unwrap();
        let read = Topology::read("net.toml", &imported.text);
        prop_assert!(read.is_ok(), "{}\n{}", read.unwrap_err(), imported.text);
    }
}
