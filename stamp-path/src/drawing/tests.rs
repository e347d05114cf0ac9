use super::*;
use crate::path::Path;
use crate::topology::{NodeId, Side};

/// Two domains, two links beside each other, one that is drained, and names that need care.
fn network() -> Topology {
    Topology::read(
        "t.toml",
        r#"
        node = [
            { name = "a", domain = "west" },
            { name = "b", domain = "west", drained = true },
            { name = "c", domain = "east" },
            { name = "host" },
        ]
        link = [
            { ends = ["a", "b"] },
            { ends = ["b", "a"], name = "b-a-2", drained = true },
            { ends = ["b", "c"] },
            { ends = ["c", "host"], kind = "lsp" },
        ]
        "#,
    )
    .unwrap()
}

fn way(topology: &Topology) -> Path {
    let hops = ["a-b", "b-c", "c-host"]
        .map(|name| Hop { link: topology.link_id(name).unwrap(), side: Side::First });
    Path::new(topology, topology.node_id("a").unwrap(), hops.to_vec()).unwrap()
}

#[test]
fn graphviz_has_every_node_and_link_and_colours_the_way() {
    let topology = network();
    let path = way(&topology);
    let text = graphviz(&topology, &[Way { name: "by \"b\"", hops: path.hops(), is_idle: false }]);
    for line in [
        "    label=\"west\";",
        "    \"b\" [style=dashed, color=gray];",
        "  \"host\";",
        "  \"a\" -- \"b\" [tooltip=\"a-b\", color=\"#0072b2\", penwidth=3];",
        "  \"b\" -- \"a\" [tooltip=\"b-a-2\", style=dashed];",
        "  \"c\" -- \"host\" [tooltip=\"c-host\", color=\"#0072b2\", penwidth=3, style=dashed];",
        "  legend_0 [shape=plaintext, label=\"by \\\"b\\\"\", fontcolor=\"#0072b2\"];",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn mermaid_styles_links_by_their_number() {
    let topology = network();
    let path = way(&topology);
    let ways = [
        Way { name: "one", hops: path.hops(), is_idle: false },
        Way { name: "<two>", hops: path.hops(), is_idle: false },
    ];
    let text = mermaid(&topology, &ways);
    for line in [
        "    n1(\"b\"):::drained",
        "  n0 --- n1",
        "  n1 -.- n0",
        "  linkStyle 2 stroke:#0072b2,stroke-width:5px",
        "  w1[\"#lt;two>\"]",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    assert!(!text.contains("linkStyle 1 "), "nobody takes it");
}

#[test]
fn the_picture_is_the_same_every_time_and_nodes_lie_apart() {
    let topology = network();
    let path = way(&topology);
    let ways = [Way { name: "a & b", hops: path.hops(), is_idle: false }];
    let picture = svg(&topology, &ways);
    assert_eq!(picture, svg(&topology, &ways));
    assert!(picture.contains("<title>Ways: a &amp; b</title>"), "{picture}");
    assert_eq!(picture.matches("class=\"way\"").count(), 4, "three links and the legend");
    let nodes: Vec<NodeId> = topology.ids().collect();
    let places = layout::positions(&topology, &nodes);
    for (one, here) in &places {
        for (_, there) in places.range(..one) {
            let far = (here.0 - there.0).hypot(here.1 - there.1);
            assert!(far > 0.5, "{places:?}");
        }
    }
}

#[test]
fn neighbours_lie_about_a_link_apart() {
    let topology = network();
    let nodes: Vec<NodeId> = topology.ids().collect();
    let places = layout::positions(&topology, &nodes);
    for id in topology.link_ids() {
        let [from, to] = topology[id].ends.map(|end| places[&end]);
        let length = (from.0 - to.0).hypot(from.1 - to.1);
        assert!((0.7..1.3).contains(&length), "{}: {length}", topology[id].name);
    }
}

/// Nodes in a row, each joined to the next.
fn row(count: usize) -> Topology {
    let nodes: String = (0..count).map(|node| format!("[[node]]\nname = \"n{node}\"\n")).collect();
    let link = |end: usize| format!("[[link]]\nends = [\"n{}\", \"n{end}\"]\n", end - 1);
    let links: String = (1..count).map(link).collect();
    Topology::read("t.toml", &(nodes + &links)).unwrap()
}

#[test]
fn of_a_crowd_only_what_lies_on_the_ways_is_drawn() {
    let topology = row(CROWD + 1);
    let hops = ["n0-n1", "n1-n2"]
        .map(|name| Hop { link: topology.link_id(name).unwrap(), side: Side::First });
    let picture = svg(&topology, &[Way { name: "two", hops: &hops, is_idle: true }]);
    assert_eq!(picture.matches("class=\"name\"").count(), 3, "{picture}");
    assert_eq!(picture.matches("class=\"link\"").count(), 2, "{picture}");
    assert_eq!(picture.matches("class=\"way idle\"").count(), 3, "two links and the legend");
    let told = format!("3 of {} nodes: those on these ways", CROWD + 1);
    assert!(picture.contains(&told), "{picture}");
    assert!(svg(&topology, &[]).contains("0 of "));
}

#[test]
fn nothing_is_a_picture_too() {
    let picture = svg(&Topology::default(), &[]);
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"), "{picture}");
}
