use super::*;
use crate::segments::find;
use crate::topology::{LabelRange, Srgb};

const FABRIC: &str = include_str!("../../../reference/fabric.toml");

/// The published fabric; `block` is the SRGB of a node, `more` what else is to be said of it.
fn fabric(block: fn(u32) -> String, more: fn(u32) -> &'static str) -> Topology {
    let text = (1..=12).fold(FABRIC.to_owned(), |text, number| {
        let index = format!("index = {number}\n");
        text.replace(&index, &format!("{index}{}\n{}\n", block(number), more(number)))
    });
    Topology::read("fabric.toml", &text).unwrap()
}

fn alike(_: u32) -> String {
    String::new()
}

/// Node K owns 1000 K to 1000 K + 999.
fn apart(number: u32) -> String {
    format!("srgb = [[{}, {}]]", number * 1_000, number * 1_000 + 999)
}

fn walk<'t>(topology: &'t Topology, origin: Origin, list: &str) -> (Vec<u32>, LabelWalk<'t>) {
    let mut walk = LabelWalk::new(topology, origin);
    let labels = list.split(' ').filter_map(|word| {
        let label = word.strip_prefix('#').map(|label| Label::new(label.parse().unwrap()).unwrap());
        let step = label.map_or_else(|| find(topology, word).unwrap(), Step::Label);
        walk.step(step).unwrap_or_else(|error| panic!("{list}: {error}"))
    });
    let labels = labels.map(Label::value).collect();
    (labels, walk)
}

fn id(topology: &Topology, name: &str) -> NodeId {
    topology.node_id(name).unwrap()
}

/// The published flows, with the label by which 8 is really reached.
#[test]
fn a_host_behind_a_router_writes_the_labels_of_each_reader() {
    for (block, router, list, expected) in [
        (alike as fn(u32) -> String, "1", "11", &[16_011][..]),
        (alike, "1", "5 11", &[16_005, 16_011]),
        (apart, "1", "11", &[1_011]),
        (apart, "2", "11", &[2_011]),
        (apart, "1", "5 11", &[1_005, 5_011]),
        (apart, "2", "8 11", &[2_008, 8_011]),
    ] {
        let topology = fabric(block, |_| "");
        let origin = Origin::Behind(id(&topology, router));
        assert_eq!(walk(&topology, origin, list).0, expected, "{router}: {list}");
    }
}

#[test]
fn a_router_writes_the_first_label_for_its_next_hop() {
    let topology = fabric(apart, |_| "");
    let (out, at_11) = walk(&topology, Origin::Node(id(&topology, "1")), "5 11");
    assert_eq!(out, [3_005, 5_011], "3 is the only next hop toward 5");
    assert_eq!(at_11.start(), Some(Start::Toward(id(&topology, "5"))));
    assert_eq!(at_11.at(), Some(id(&topology, "11")));
    let back = walk(&topology, Origin::At(id(&topology, "11")), "6 1").0;
    assert_eq!(back, [11_006, 6_001]);
    let topology = fabric(alike, |_| "");
    assert_eq!(walk(&topology, Origin::Node(id(&topology, "1")), "11").0, [16_011]);
}

#[test]
fn next_hops_that_disagree_are_named() {
    let topology = fabric(apart, |_| "");
    let mut walk = LabelWalk::new(&topology, Origin::Node(id(&topology, "1")));
    let refused = walk.step(find(&topology, "11").unwrap()).unwrap_err().to_string();
    assert!(
        refused.contains("toward 11 know it by different labels (3: 3011, 4: 4011)"),
        "{refused}"
    );
}

#[test]
fn a_neighbour_that_wants_no_label_gets_none() {
    let topology = fabric(apart, |_| "");
    let origin = Origin::Node(id(&topology, "1"));
    assert_eq!(walk(&topology, origin, "3 5").0, [3_005]);
    let keeps = fabric(apart, |number| if number == 3 { "php = false" } else { "" });
    assert_eq!(walk(&keeps, Origin::Node(id(&keeps, "1")), "3 5").0, [3_003, 3_005]);
}

#[test]
fn where_the_list_is_already_no_label_leads() {
    let topology = fabric(alike, |_| "");
    assert_eq!(walk(&topology, Origin::Node(id(&topology, "1")), "1 5 5 11").0, [16_005, 16_011]);
}

#[test]
fn adjacencies_are_labels_of_the_node_where_they_begin() {
    let topology = fabric(apart, |_| "");
    let origin = Origin::Node(id(&topology, "1"));
    assert_eq!(walk(&topology, origin, "5 5-9 11").0, [3_005, 124_509, 9_011]);
    assert_eq!(walk(&topology, origin, "9 5-9").0.last(), Some(&124_905), "the other way");
    let (labels, walk) = walk(&topology, origin, "1-4 8");
    assert_eq!(labels, [4_008], "over a link of one's own nothing has to lead");
    assert_eq!(walk.start(), topology.link_id("1-4").map(Start::Over));
    let mut walk = LabelWalk::new(&topology, origin);
    let refused = walk.step(find(&topology, "5-9").unwrap()).unwrap_err().to_string();
    assert_eq!(refused, "the list is at 1 by then, and link 5-9 does not begin there");
}

/// As published: node 7 knows no Segment Routing and gives 192.0.2.11 a label of its own.
#[test]
fn a_label_that_follows_from_no_index_goes_before_one_that_does() {
    let topology = fabric(alike, |number| match number {
        7 => "sr = false\nlearned = [{ prefix = \"192.0.2.11\", label = 12345 }]",
        _ => "",
    });
    let at_7 = Origin::At(id(&topology, "7"));
    assert_eq!(walk(&topology, at_7, "11").0, [12_345]);
    let refused = LabelWalk::new(&topology, at_7).step(find(&topology, "12").unwrap());
    let refused = refused.unwrap_err().to_string();
    assert_eq!(refused, "7 knows no Segment Routing and has learned no label for 12");
}

#[test]
fn a_label_that_is_a_number_is_followed_as_far_as_the_topology_knows_it() {
    let topology = fabric(apart, |_| "");
    let at_1 = Origin::Behind(id(&topology, "1"));
    assert_eq!(walk(&topology, at_1, "#1005 11").0, [1_005, 5_011]);
    assert_eq!(walk(&topology, at_1, "5 #124509 11").0, [1_005, 124_509, 9_011]);
    assert_eq!(walk(&topology, at_1, "5 #0 11").0, [1_005, 0, 5_011]);
    let from_1 = Origin::Node(id(&topology, "1"));
    assert_eq!(walk(&topology, from_1, "#3005 11").0, [3_005, 5_011], "as its neighbour reads it");
    let (_, mut astray) = walk(&topology, at_1, "#99999");
    let refused = astray.step(find(&topology, "11").unwrap()).unwrap_err().to_string();
    assert_eq!(refused, "behind 99999 nobody knows where the list is: no name can follow");
}

#[test]
fn what_has_no_label_is_told_by_what_it_lacks() {
    let mut topology = fabric(alike, |_| "");
    // The file would be refused; what a controller pushes is no file.
    let range = [16_000, 16_010].map(|label| Label::new(label).unwrap());
    topology.nodes[0].srgb = Srgb(vec![LabelRange::new(range[0], range[1]).unwrap()]);
    let step = |from: &str, word: &str| {
        let mut walk = LabelWalk::new(&topology, Origin::Behind(id(&topology, from)));
        walk.step(find(&topology, word).unwrap()).unwrap_err().to_string()
    };
    let beyond = "index 11 of node 11 is beyond the SRGB of 1, which reads its label";
    assert_eq!(step("1", "11"), beyond);
    let text = "[[node]]\nname = \"a\"\n[[node]]\nname = \"b\"\n[[node]]\nname = \"c\"\n\
                [[link]]\nends = [\"a\", \"b\"]\n";
    let bare = Topology::read("t.toml", text).unwrap();
    let step = |origin: Origin, word: &str| {
        LabelWalk::new(&bare, origin).step(find(&bare, word).unwrap()).unwrap_err().to_string()
    };
    let a = id(&bare, "a");
    assert_eq!(step(Origin::Node(a), "c"), "no way leads from a to c");
    assert_eq!(step(Origin::At(a), "b"), "node b has no index, and a has learned no label for it");
    assert_eq!(step(Origin::At(a), "a-b"), "link a-b has no adjacency label");
}
