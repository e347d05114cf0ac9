use super::*;
use crate::topology::Side;

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
    let text = graphviz(&topology, &[Way { name: "by \"b\"", path: &path }]);
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
    let ways = [Way { name: "one", path: &path }, Way { name: "<two>", path: &path }];
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
    let ways = [Way { name: "a & b", path: &path }];
    let picture = svg(&topology, &ways);
    assert_eq!(picture, svg(&topology, &ways));
    assert!(picture.contains("<title>Ways: a &amp; b</title>"), "{picture}");
    assert_eq!(picture.matches("class=\"way\"").count(), 4, "three links and the legend");
    let places = layout::positions(&topology);
    for (one, here) in places.iter().enumerate() {
        for there in &places[..one] {
            let far = (here.0 - there.0).hypot(here.1 - there.1);
            assert!(far > 0.5, "{places:?}");
        }
    }
}

#[test]
fn neighbours_lie_about_a_link_apart() {
    let topology = network();
    let places = layout::positions(&topology);
    for id in topology.link_ids() {
        let [from, to] = topology[id].ends.map(|end| places[end.position()]);
        let length = (from.0 - to.0).hypot(from.1 - to.1);
        assert!((0.7..1.3).contains(&length), "{}: {length}", topology[id].name);
    }
}

#[test]
fn nothing_is_a_picture_too() {
    let picture = svg(&Topology::default(), &[]);
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"), "{picture}");
}
