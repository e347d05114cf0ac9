//! Lists through several domains: the published network of two gateways, three backbones and their
//! labels, each of which one node alone knows.

use stamp_proto::sr::mpls::Label;

use super::examples::{id, read, values};
use super::packet::{Fate, Item, Stack};
use super::reading::Notes;
use super::{EncodeError, Forwarding, Imposer, Intent, LabelList};
use crate::path::{Hop, Path};
use crate::topology::Topology;

const NODES: [&str; 19] = [
    "Host1a", "N1", "N2", "GW1a", "GW1b", "PE1a", "PE1b", "PE2a", "ASBR2a", "ASBR2b", "ASBR3a",
    "PE1c", "PE1d", "PE3b", "GW3a", "GW3b", "N3", "N4", "Host3b",
];

/// Wires, each with the label of its first end.
const WIRES: [(&str, &str, u32); 17] = [
    ("Host1a", "N1", 101),
    ("Host1a", "N2", 1_101),
    ("N1", "GW1a", 103),
    ("N2", "GW1b", 102),
    ("GW1a", "PE1a", 201),
    ("GW1a", "PE1b", 204),
    ("GW1b", "PE2a", 206),
    ("ASBR2a", "ASBR3a", 209),
    ("ASBR2b", "ASBR3a", 211),
    ("PE1c", "GW3b", 302),
    ("PE1c", "GW3a", 304),
    ("PE1d", "GW3a", 303),
    ("PE3b", "GW3a", 301),
    ("GW3a", "N3", 303),
    ("GW3b", "N4", 304),
    ("N3", "Host3b", 1_305),
    ("N4", "Host3b", 1_305),
];

/// Label-switched paths, each with the binding SID of its first end.
const PATHS: [(&str, &str, u32); 6] = [
    ("PE1a", "PE1c", 202),
    ("PE1a", "PE1c", 203),
    ("PE1b", "PE1d", 205),
    ("PE2a", "ASBR2a", 207),
    ("PE2a", "ASBR2b", 208),
    ("ASBR3a", "PE3b", 210),
];

/// The network; `knows_host` are the nodes that know Host3b as 305, `more` is what is added.
fn network(knows_host: &[&str], more: &str) -> Topology {
    let mut text = String::new();
    for (number, name) in NODES.into_iter().enumerate() {
        text += &format!("[[node]]\nname = \"{name}\"\nloopbacks = [\"192.0.2.{}\"]\n", number + 1);
        if knows_host.contains(&name) {
            text += "learned = [{ prefix = \"192.0.2.19\", label = 305 }]\n";
        } else if name == "GW1a" {
            text += "learned = [{ prefix = \"192.0.2.16\", label = 302 }]\n";
        }
    }
    for (number, (from, to, label)) in WIRES.into_iter().enumerate() {
        let back = 5_000 + number;
        text +=
            &format!("[[link]]\nends = [\"{from}\", \"{to}\"]\nadjacency = [{label}, {back}]\n");
    }
    for (from, to, label) in PATHS {
        text += &format!(
            "[[link]]\nname = \"L{label}\"\nends = [\"{from}\", \"{to}\"]\nkind = \"lsp\"\n\
             [[tunnel]]\nfrom = \"{from}\"\nto = \"{to}\"\nvia = [\"L{label}\"]\nlabel = {label}\n"
        );
    }
    read(&(text + more))
}

/// Links by their names, forwards.
fn hops(topology: &Topology, start: &str, links: &str) -> Vec<Hop> {
    let mut at = id(topology, start);
    let hops = links.split(' ').map(|name| {
        let link = topology.link_id(name).unwrap_or_else(|| panic!("no link {name}"));
        let hop = Hop { link, side: topology[link].side_of(at).unwrap() };
        at = hop.to(topology);
        hop
    });
    hops.collect()
}

fn strict(topology: &Topology, imposer: Imposer, links: &str) -> LabelList {
    let hops = hops(topology, "Host1a", links);
    let path = Path::new(topology, id(topology, "Host1a"), hops).unwrap();
    let list = Forwarding::new(topology).encode_labels(imposer, &Intent::path(topology, &path), 0);
    list.unwrap_or_else(|error| panic!("{error}"))
}

/// Where a list is read, and what is on the packet there; one that spreads takes the first way.
fn stations(topology: &Topology, start: &str, list: &[u32]) -> Vec<(String, Vec<u32>)> {
    let forwarding = Forwarding::new(topology);
    let mut node = id(topology, start);
    let labels = list.iter().rev().map(|label| Item::Label(Label::new(*label).unwrap()));
    let mut stack: Stack = labels.collect();
    let mut stations = Vec::new();
    loop {
        while let Some(Item::Toward(goal)) = stack.last()
            && forwarding.owns(node, *goal)
        {
            stack.pop();
        }
        let on_it = stack.iter().rev().filter_map(|item| match item {
            Item::Label(label) => Some(label.value()),
            _ => None,
        });
        let is_label = matches!(stack.last(), Some(Item::Label(_)));
        if is_label {
            stations.push((topology[node].name.clone(), on_it.collect()));
        }
        match forwarding.fate(node, stack, &mut Notes::default()).unwrap() {
            Fate::Ends(_) => return stations,
            Fate::Splits(ways) => stack = ways[0].1.clone(),
            Fate::Leaves(ways) => {
                let (hop, rest) = ways[0].clone();
                (node, stack) = (hop.to(topology), rest);
            }
            Fate::Vanishes { tunnel, .. } => panic!("nothing is known of tunnel {tunnel}"),
        }
    }
}

const CASE_A: &str = "Host1a-N1 N1-GW1a GW1a-PE1a L202 PE1c-GW3b GW3b-N4 N4-Host3b";

/// Cases a and d: everything is known.
#[test]
fn a_source_that_knows_everything_names_every_link() {
    let topology = network(&["N3", "N4"], "");
    let list = strict(&topology, Imposer::Node, CASE_A);
    assert_eq!(values(list.labels().unwrap()), [103, 201, 202, 302, 304, 305]);
    assert_eq!(list.departures[0].over.unwrap().to(&topology), id(&topology, "N1"));
    assert!(list.walk.ends_at(id(&topology, "Host3b")) && list.walk.hidden.is_empty());
    let other = "Host1a-N2 N2-GW1b GW1b-PE2a L207 ASBR2a-ASBR3a L210 PE3b-GW3a GW3a-N3 N3-Host3b";
    let list = strict(&topology, Imposer::Node, other);
    assert_eq!(values(list.labels().unwrap()), [102, 206, 207, 209, 210, 301, 303, 305]);
    assert_eq!(list.departures[0].over.unwrap().to(&topology), id(&topology, "N2"));
}

/// Case a, hop by hop.
#[test]
fn labels_are_read_where_they_are_known() {
    let topology = network(&["N3", "N4"], "");
    let found = stations(&topology, "N1", &[103, 201, 202, 302, 304, 305]);
    let expected: [(&str, &[u32]); 6] = [
        ("N1", &[103, 201, 202, 302, 304, 305]),
        ("GW1a", &[201, 202, 302, 304, 305]),
        ("PE1a", &[202, 302, 304, 305]),
        ("PE1c", &[302, 304, 305]),
        ("GW3b", &[304, 305]),
        ("N4", &[305]),
    ];
    let expected = expected.map(|(node, labels)| (node.to_owned(), labels.to_vec()));
    assert_eq!(found, expected);
    let found = stations(&topology, "N2", &[102, 206, 207, 209, 210, 301, 303, 305]);
    let nodes: Vec<&str> = found.iter().map(|(node, _)| node.as_str()).collect();
    assert_eq!(nodes, ["N2", "GW1b", "PE2a", "ASBR2a", "ASBR3a", "PE3b", "GW3a", "N3"]);
}

/// Case b: the far domain finds its own way to the host.
#[test]
fn a_domain_that_is_not_shown_finds_its_own_way() {
    let topology = network(&["GW3a", "GW3b", "N3", "N4"], "");
    let list = strict(&topology, Imposer::Node, CASE_A);
    assert_eq!(values(list.labels().unwrap()), [103, 201, 202, 302, 305]);
}

/// Case c: only what can be reached is known, with and without the label the host reads itself.
#[test]
fn what_is_only_known_to_be_reached_is_passed_by_what_knows_more() {
    let hidden = "[[link]]\nname = \"hidden\"\nends = [\"GW1a\", \"GW3b\"]\nkind = \"abstract\"\n";
    let topology = network(&["GW3a", "GW3b", "N3", "N4"], hidden);
    let links = "Host1a-N1 N1-GW1a hidden GW3b-N4 N4-Host3b";
    let list = strict(&topology, Imposer::Node, links);
    assert_eq!(values(list.labels().unwrap()), [103, 302, 305]);
    let list = strict(&topology, Imposer::Before, links);
    assert_eq!(values(list.labels().unwrap()), [101, 103, 302, 305]);
}

/// The binding SIDs that GW1a and GW1b hold for the gateways of the other side.
const BOUND: &str = r#"
    [[tunnel]]
    from = "GW1a"
    to = "GW3b"
    label = 401
    ways = [
        { via = ["GW1a-PE1a", "L202", "PE1c-GW3b"] },
        { via = ["GW1a-PE1a", "L203", "PE1c-GW3b"] },
    ]
    [[tunnel]]
    from = "GW1a"
    to = "GW3a"
    label = 402
    ways = [
        { via = ["GW1a-PE1a", "L202", "PE1c-GW3a"], weight = 40 },
        { via = ["GW1a-PE1a", "L203", "PE1c-GW3a"], weight = 20 },
        { via = ["GW1a-PE1b", "L205", "PE1d-GW3a"], weight = 40 },
    ]
    [[tunnel]]
    from = "GW1b"
    to = "GW3a"
    label = 403
    ways = [
        { via = ["GW1b-PE2a", "L207", "ASBR2a-ASBR3a", "L210", "PE3b-GW3a"], weight = 30 },
        { via = ["GW1b-PE2a", "L208", "ASBR2b-ASBR3a", "L210", "PE3b-GW3a"], weight = 10 },
    ]
"#;

#[test]
fn a_binding_sid_stands_for_several_labels_and_several_ways() {
    let topology = network(&["N3", "N4"], BOUND);
    let forwarding = Forwarding::new(&topology);
    let within = |ways: &[&str]| {
        let hops = ways.iter().flat_map(|links| hops(&topology, "Host1a", links));
        Intent::within(&topology, id(&topology, "Host1a"), hops, &[id(&topology, "Host3b")])
    };
    let other = CASE_A.replace("L202", "L203");
    let list = forwarding.encode_labels(Imposer::Node, &within(&[CASE_A, &other]), 0).unwrap();
    assert_eq!(values(list.labels().unwrap()), [103, 401, 304, 305]);
    assert!(list.covers);
    let words: Vec<String> = list.segments.iter().map(|one| one.word(&topology)).collect();
    assert_eq!(words, ["Host1a-N1", "N1-GW1a", "401", "GW3b-N4", "Host3b"]);
    let narrow = strict(&topology, Imposer::Node, CASE_A);
    assert_eq!(narrow.depth(), 6, "a binding SID that spreads does not keep to one path");
    for (at, label, ends, links) in [("GW1a", 402, "GW3a", 7), ("GW1b", 403, "GW3a", 7)] {
        let walk = super::examples::walked(&topology, at, &[label]);
        assert!(walk.ends_at(id(&topology, ends)));
        assert_eq!(walk.hops.len(), links, "{at}");
        assert!(walk.choices.contains_key(&id(&topology, at)));
    }
}

/// The six labels on arrival at GW1b: five that one node alone knows, and one of the far gateway's
/// block.
#[test]
fn the_last_of_six_labels_is_made_by_the_block_of_the_far_gateway() {
    let text = r#"
        node = [
            { name = "GW1b" }, { name = "PE2a" }, { name = "ASBR2a" }, { name = "ASBR3a" },
            { name = "PE3a" },
            { name = "GW2a", domain = "d", srgb = [[700000, 700999]] },
            { name = "Destination", domain = "d", loopbacks = ["192.0.2.1"], index = 77 },
        ]
        link = [
            { ends = ["GW1b", "PE2a"], adjacency = [101, 901] },
            { name = "lsp2", kind = "lsp", ends = ["PE2a", "ASBR2a"] },
            { ends = ["ASBR2a", "ASBR3a"], adjacency = [103, 903] },
            { name = "lsp3", kind = "lsp", ends = ["ASBR3a", "PE3a"] },
            { ends = ["PE3a", "GW2a"], adjacency = [105, 905] },
            { ends = ["GW2a", "Destination"] },
        ]
        tunnel = [
            { from = "PE2a", to = "ASBR2a", label = 102 },
            { from = "ASBR3a", to = "PE3a", label = 104 },
        ]
    "#;
    let topology = read(text);
    let links = "GW1b-PE2a lsp2 ASBR2a-ASBR3a lsp3 PE3a-GW2a GW2a-Destination";
    let hops = hops(&topology, "GW1b", links);
    let path = Path::new(&topology, id(&topology, "GW1b"), hops).unwrap();
    let intent = Intent::path(&topology, &path);
    let list = Forwarding::new(&topology).encode_labels(Imposer::Before, &intent, 0).unwrap();
    assert_eq!(values(list.labels().unwrap()), [101, 102, 103, 104, 105, 700_077]);
}

/// Case d there and back by links, in enhanced loopback: 8, 2 and 8 labels.
#[test]
fn what_a_host_cannot_impose_is_refused_with_what_would_help() {
    let mut topology = network(&["N3", "N4"], "");
    topology.nodes[0].msd.impose = Some(12);
    let links = "Host1a-N2 N2-GW1b GW1b-PE2a L207 ASBR2a-ASBR3a L210 PE3b-GW3a GW3a-N3 N3-Host3b";
    let hops = hops(&topology, "Host1a", links);
    let path = Path::new(&topology, id(&topology, "Host1a"), hops).unwrap();
    let intent = Intent::path(&topology, &path);
    let error =
        Forwarding::new(&topology).encode_labels(Imposer::Node, &intent, 2 + 8).unwrap_err();
    assert!(matches!(error, EncodeError::TooDeep { needed: 18, limit: 12, .. }), "{error}");
    assert!(error.to_string().contains("a binding SID at GW1b for"), "{error}");
}
