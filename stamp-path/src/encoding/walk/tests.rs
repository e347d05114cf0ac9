use super::super::examples::*;
use super::*;
use crate::topology::Topology;

/// What a node does with a packet: to whom, with what on top.
fn entry(topology: &Topology, node: &str, label: u32) -> Vec<(String, Option<u32>)> {
    let forwarding = Forwarding::new(topology);
    let stack = labels(&[label]).into_iter().map(Item::Label).collect();
    let fate = forwarding.fate(id(topology, node), stack, &mut Notes::default()).unwrap();
    let Fate::Leaves(ways) = fate else { panic!("{fate:?}") };
    let entry = |(hop, stack): &(Hop, Stack)| {
        let top = stack.last().map(|item| match item {
            Item::Label(label) => label.value(),
            other => panic!("{other:?}"),
        });
        (topology[hop.to(topology)].name.clone(), top)
    };
    ways.iter().map(entry).collect()
}

fn ways(entries: &[(&str, Option<u32>)]) -> Vec<(String, Option<u32>)> {
    entries.iter().map(|(node, label)| ((*node).to_owned(), *label)).collect()
}

/// The published forwarding entries for node 11 where all blocks are alike.
#[test]
fn labels_are_forwarded_as_published() {
    for text in [CLOS, IBGP, LABELS_ONLY] {
        let topology = read(text);
        for (node, expected) in [
            ("1", &[("3", Some(16_011)), ("4", Some(16_011))][..]),
            ("4", &[("7", Some(16_011)), ("8", Some(16_011))]),
            ("7", &[("10", Some(16_011))]),
            ("10", &[("11", None)]),
        ] {
            assert_eq!(entry(&topology, node, 16_011), ways(expected), "node {node}");
        }
    }
}

/// The published entries around node 7, which knows no Segment Routing.
#[test]
fn labels_of_a_node_without_segment_routing_are_swapped_as_published() {
    let topology = read(INCREMENTAL);
    assert_eq!(entry(&topology, "7", 12_345), ways(&[("10", Some(16_011))]));
    let at_4 = ways(&[("7", Some(12_345)), ("8", Some(16_011))]);
    assert_eq!(entry(&topology, "4", 16_011), at_4);
    let whole = walked(&topology, "1", &[16_011]);
    assert!(whole.ends_at(id(&topology, "11")));
    assert_eq!(touched(&topology, &whole), "1 3 4 5 6 7 8 9 10 11");
}

/// The published swaps of flow FA1 along the fabric, each node with a block of its own.
#[test]
fn labels_are_swapped_as_published() {
    let topology = read(SRGB);
    for (node, label, expected) in [
        ("1", 1_011, &[("3", Some(3_011)), ("4", Some(4_011))][..]),
        ("3", 3_011, &[("5", Some(5_011)), ("6", Some(6_011))]),
        ("4", 4_011, &[("7", Some(7_011)), ("8", Some(8_011))]),
        ("5", 5_011, &[("9", Some(9_011))]),
        ("6", 6_011, &[("9", Some(9_011))]),
        ("7", 7_011, &[("10", Some(10_011))]),
        ("8", 8_011, &[("10", Some(10_011))]),
        ("9", 9_011, &[("11", None)]),
        ("10", 10_011, &[("11", None)]),
    ] {
        assert_eq!(entry(&topology, node, label), ways(expected), "{label} at {node}");
    }
}

#[test]
fn a_list_is_followed_over_all_equal_ways() {
    let topology = read(CLOS);
    let any = walked(&topology, "1", &[16_011]);
    assert_eq!(touched(&topology, &any), "1 3 4 5 6 7 8 9 10 11");
    let choices: Vec<(&str, usize)> =
        any.choices.iter().map(|(node, depth)| (topology[*node].name.as_str(), *depth)).collect();
    assert_eq!(choices, [("1", 1), ("3", 1), ("4", 1)]);
    let by_5 = walked(&topology, "1", &[16_005, 16_011]);
    assert_eq!(touched(&topology, &by_5), "1 3 5 9 11");
    assert_eq!(by_5.hops.len(), 4);
    assert!(by_5.choices.is_empty() && by_5.hidden.is_empty() && by_5.stamps.is_empty());
}

#[test]
fn a_node_that_chooses_without_reading_to_the_bottom_is_told() {
    let mut topology = read(CLOS);
    let shallow = |topology: &Topology| {
        let walk = walked(topology, "1", &[16_011, 16_005, 16_001]);
        walk.shallow(topology).map(|node| topology[node].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(shallow(&topology), [""; 0], "what is not known is not told");
    for (node, erld) in [(0, 3), (2, 2), (3, 3), (8, 1)] {
        topology.nodes[node].msd.erld = Some(erld);
    }
    assert_eq!(shallow(&topology), ["3"]);
}

#[test]
fn a_shared_prefix_ends_at_each_of_the_nearest() {
    let topology = read(CLOS);
    let any = walked(&topology, "1", &[16_020]);
    let ends = ["11", "12"].map(|name| End::Node(id(&topology, name)));
    assert_eq!(any.ends, BTreeSet::from(ends));
}

#[test]
fn a_peer_is_the_end_and_reads_no_label() {
    let topology = read(CLOS);
    let out = walked(&topology, "1", &[16_012, 9_999]);
    assert_eq!(out.ends, BTreeSet::from([End::Peer(1)]));
    let departure = Departure { over: None, labels: labels(&[16_012, 9_999, 16_011]) };
    let stray = Forwarding::new(&topology).walk(id(&topology, "1"), &departure, None);
    assert_eq!(stray.unwrap_err().to_string(), "12 sends to AS 9999 what still has labels");
}

/// The published list of enhanced loopback, imposed by node 1 toward node 3.
#[test]
fn a_loopback_list_is_stamped_where_it_turns_and_comes_back_by_labels() {
    for (text, list) in [
        (SRGB, [3_005, 5_011, 15, 240, 11_006, 6_001]),
        (LABELS_ONLY, [16_005, 16_011, 15, 240, 16_006, 16_001]),
    ] {
        let topology = read(text);
        let over = Some(hop(&topology, "1", "3"));
        let departure = Departure { over, labels: labels(&list) };
        let forwarding = Forwarding::new(&topology);
        let one = id(&topology, "1");
        let walk = forwarding.walk(one, &departure, Some(one)).unwrap();
        assert!(walk.ends_at(one));
        assert_eq!(walk.stamps, BTreeSet::from([id(&topology, "11")]));
        assert_eq!(touched(&topology, &walk), "1 3 5 6 9 11");
    }
}

#[test]
fn where_labels_end_too_early_ip_has_to_lead_on() {
    let list = Departure { over: None, labels: labels(&[16_005]) };
    for (text, expected) in [(CLOS, Ok(true)), (LABELS_ONLY, Err("5 has no IP route to 11"))] {
        let topology = read(text);
        let (one, eleven) = (id(&topology, "1"), id(&topology, "11"));
        let walk = Forwarding::new(&topology).walk(one, &list, Some(eleven));
        let found = walk.map(|walk| walk.ends_at(eleven)).map_err(|stray| stray.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }
}

#[test]
fn what_does_not_arrive_is_told() {
    let topology = read(CLOS);
    for (list, expected) in [
        (&[17_000][..], "label 17000 means nothing at 1"),
        (&[9_999], "label 9999 means nothing at 1"),
        (&[1], "label 1 means nothing at 1"),
        (&[16_005, 15], "label 15 needs another one below it"),
        (&[16_005, 15, 241], "label 241 means nothing at 5"),
        (&[7], "label 7 needs another one below it"),
    ] {
        let departure = Departure { over: None, labels: labels(list) };
        let stray = Forwarding::new(&topology).walk(id(&topology, "1"), &departure, None);
        assert_eq!(stray.unwrap_err().to_string(), expected);
    }
    let elsewhere = Departure { over: Some(hop(&topology, "3", "5")), labels: labels(&[16_011]) };
    let stray = Forwarding::new(&topology).walk(id(&topology, "1"), &elsewhere, None);
    assert_eq!(stray.unwrap_err().to_string(), "link 3-5 does not begin at 1");
}

#[test]
fn entropy_and_explicit_null_lead_nowhere_else() {
    let topology = read(CLOS);
    let walk = walked(&topology, "1", &[16_005, 7, 777_777, 0, 16_011, 2]);
    assert!(walk.ends_at(id(&topology, "11")));
    assert_eq!(touched(&topology, &walk), "1 3 5 9 11");
}

/// Nodes whose metrics send each other's packets back: what a stale file can look like.
#[test]
fn a_label_that_was_learned_for_the_way_back_goes_in_a_circle() {
    let text = r#"
        node = [
            { name = "a", loopbacks = ["192.0.2.1"], index = 1 },
            { name = "b", loopbacks = ["192.0.2.2"], index = 2 },
            { name = "c", loopbacks = ["192.0.2.3"], index = 3 },
        ]
        link = [{ ends = ["a", "b"] }, { ends = ["b", "c"] }]
        tunnel = [{ from = "a", to = "c", via = ["b", "a", "b"], label = 500 }]
    "#;
    let topology = read(text);
    let walk = walked(&topology, "a", &[500]);
    assert!(walk.ends_at(id(&topology, "c")), "a way that comes by twice is no circle");
    let unreachable = read(&text.replace(", { ends = [\"b\", \"c\"] }", ""));
    let departure = Departure { over: None, labels: labels(&[500]) };
    let stray = Forwarding::new(&unreachable).walk(id(&unreachable, "a"), &departure, None);
    assert_eq!(stray.unwrap_err().to_string(), "no way leads from b to c");
}

#[test]
fn a_tunnel_of_which_nothing_is_known_is_told() {
    let text = r#"
        node = [{ name = "a" }, { name = "b" }, { name = "c" }]
        link = [{ ends = ["a", "c"] }, { ends = ["a", "b"], kind = "lsp", name = "lsp" }]
        tunnel = [
            { from = "a", to = "b", label = 500 },
            { from = "a", to = "c", label = 501 },
        ]
    "#;
    let topology = read(text);
    let only = walked(&topology, "a", &[500]);
    assert!(only.hidden.is_empty() && only.ends_at(id(&topology, "b")));
    assert_eq!(only.hops, BTreeSet::from([hop(&topology, "a", "b")]));
    let hidden = walked(&topology, "a", &[501]);
    assert_eq!((hidden.hidden, hidden.hops.len()), (BTreeSet::from([1]), 0));
}

#[test]
fn a_gateway_takes_what_it_was_told_to_expect() {
    let text = r#"
        [[node]]
        name = "g"
        domain = "x"
        [[gateway]]
        domain = "x"
        nodes = ["g"]
        prefixes = [
            { prefix = "203.0.113.7", index = 77 },
            { prefix = "203.0.113.8", labels = [302, 305] },
        ]
    "#;
    let topology = read(text);
    let end = |list: &[u32]| {
        let ends = walked(&topology, "g", list).ends;
        ends.iter().map(|end| format!("{end:?}")).collect::<String>()
    };
    assert!(end(&[16_077]).contains("203.0.113.7"));
    assert!(end(&[302, 305]).contains("203.0.113.8"));
    let departure = Departure { over: None, labels: labels(&[302, 306]) };
    let stray = Forwarding::new(&topology).walk(id(&topology, "g"), &departure, None);
    assert_eq!(stray.unwrap_err().to_string(), "label 302 means nothing at g");
}
