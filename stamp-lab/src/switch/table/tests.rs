use super::*;

/// a-b-c with b in the middle, blocks of their own, and d beside b that knows no labels by index.
const CHAIN: &str = r#"
[[node]]
name = "a"
loopbacks = ["192.0.2.1"]
index = 1
srgb = [[1000, 1099]]
[[node]]
name = "b"
loopbacks = ["192.0.2.2"]
index = 2
srgb = [[2000, 2099]]
timestamp-label = { label = 15001 }
[[node]]
name = "c"
loopbacks = ["192.0.2.3"]
index = 3
srgb = [[3000, 3099]]
anycast = [{ prefix = "192.0.2.20", index = 20 }]
[[node]]
name = "d"
loopbacks = ["192.0.2.4"]
index = 4
sr = false
learned = [{ prefix = "192.0.2.3", label = 777 }]
[[link]]
ends = ["a", "b"]
adjacency = [24012, 24021]
[[link]]
ends = ["b", "c"]
adjacency = [24023, 24032]
[[link]]
ends = ["d", "b"]
[[tunnel]]
from = "a"
to = "c"
via = ["a-b", "b"]
label = 15100
"#;

/// What a label means at a node: `pop`, `bind …`, or the neighbour's hardware address and label.
fn meaning(text: &str, node: &str, label: u32) -> String {
    let topology = Topology::read("t", text).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = Plan::of(&topology).unwrap();
    let table = LabelTable::of(&topology, &plan, topology.node_id(node).unwrap());
    match table.get(Label::new(label).unwrap()) {
        None => "unknown".to_owned(),
        Some(Operation::Pop) => "pop".to_owned(),
        Some(Operation::Bind(bound)) => {
            let one = |bound: &Bound| {
                let labels: Vec<u32> = bound.labels.iter().map(|label| label.value()).collect();
                format!("bind {labels:?}")
            };
            bound.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Some(Operation::Forward(hops)) => {
            let hop = |hop: &LabelHop| {
                let [.., link, end] = hop.destination;
                let label = hop.label.map_or("popped".to_owned(), |label| label.to_string());
                format!("link {link} end {end}: {label}")
            };
            hops.iter().map(hop).collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn a_prefix_label_is_swapped_by_the_block_of_the_next_node() {
    assert_eq!(meaning(CHAIN, "a", 1003), "link 1 end 2: 2003");
}

#[test]
fn the_last_hop_but_one_pops() {
    assert_eq!(meaning(CHAIN, "b", 2003), "link 2 end 2: popped");
    let kept = CHAIN.replace("index = 3", "index = 3\nphp = false");
    assert_eq!(meaning(&kept, "b", 2003), "link 2 end 2: 3003");
}

#[test]
fn a_node_pops_its_own_label() {
    assert_eq!(meaning(CHAIN, "c", 3003), "pop");
    assert_eq!(meaning(CHAIN, "c", 3020), "pop");
    assert_eq!(meaning(CHAIN, "a", 1020), "link 1 end 2: 2020");
}

#[test]
fn an_adjacency_label_leads_over_its_link() {
    assert_eq!(meaning(CHAIN, "b", 24021), "link 1 end 1: popped");
    assert_eq!(meaning(CHAIN, "b", 24023), "link 2 end 2: popped");
    assert_eq!(meaning(CHAIN, "b", 24012), "unknown");
}

#[test]
fn a_node_without_segment_routing_is_known_by_what_it_learned() {
    let behind = CHAIN.to_owned() + "[[node]]\nname = \"e\"\n[[link]]\nends = [\"e\", \"d\"]\n";
    assert_eq!(meaning(&behind, "e", 16003), "link 4 end 2: 777");
    assert_eq!(meaning(CHAIN, "d", 777), "link 3 end 2: 2003");
    assert_eq!(meaning(CHAIN, "d", 16003), "unknown");
    assert_eq!(meaning(CHAIN, "b", 2004), "link 3 end 1: popped");
    assert_eq!(meaning(&behind, "e", 16001), "unknown", "d has no label for it");
}

#[test]
fn a_binding_label_stands_for_labels_as_their_readers_know_them() {
    assert_eq!(meaning(CHAIN, "a", 15100), "bind [24012, 2003]");
}

#[test]
fn equal_ways_are_all_there() {
    let square = CHAIN.to_owned()
        + "[[node]]\nname = \"f\"\n[[link]]\nends = [\"a\", \"f\"]\n[[link]]\nends = [\"f\", \"c\"]\n";
    assert_eq!(meaning(&square, "a", 1003), "link 1 end 2: 2003, link 4 end 2: 16003");
}

/// The published five-stage fabric with one block per node: labels along the flow FA1.
#[test]
fn the_labels_of_a_fabric_with_blocks_of_their_own_are_those_published() {
    const FABRIC: &str = include_str!("../../../../stamp-path/reference/fabric.toml");
    let text = (1..=12).fold(FABRIC.to_owned(), |text, node| {
        let index = format!("index = {node}\n");
        text.replace(&index, &format!("{index}srgb = [[{node}000, {node}999]]\n"))
    });
    for (node, label, expected) in [
        ("1", 1011, "link 1 end 2: 3011, link 2 end 2: 4011"),
        ("3", 3011, "link 5 end 2: 5011, link 6 end 2: 6011"),
        ("4", 4011, "link 7 end 2: 7011, link 8 end 2: 8011"),
        ("5", 5011, "link 9 end 2: 9011"),
        ("7", 7011, "link 11 end 2: 10011"),
        ("9", 9011, "link 13 end 2: popped"),
        ("1", 1005, "link 1 end 2: 3005"),
    ] {
        assert_eq!(meaning(&text, node, label), expected, "{label} at {node}");
    }
}
