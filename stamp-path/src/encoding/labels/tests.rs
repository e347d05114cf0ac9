use std::collections::BTreeSet;

use super::super::examples::*;
use super::super::walk::End;
use super::*;
use crate::path::Path;
use crate::topology::Side;

/// All shortest ways between two nodes.
fn any(topology: &Topology, from: &str, to: &str) -> Intent {
    Intent::shortest(&Forwarding::new(topology), id(topology, from), id(topology, to))
}

fn encode(topology: &Topology, imposer: Imposer, intent: &Intent) -> LabelList {
    Forwarding::new(topology).encode_labels(imposer, intent, 0).unwrap()
}

/// The published policies: spines 5 to 8 from a host behind node 1, with the delays of each way.
#[test]
fn ways_through_each_spine_are_two_labels() {
    let topology = read(CLOS);
    for (nodes, expected, delay) in [
        ("1 3 5 9 11", [16_005, 16_011], 800),
        ("1 3 6 9 11", [16_006, 16_011], 700),
        ("1 4 7 10 11", [16_007, 16_011], 615),
        ("1 4 8 10 11", [16_008, 16_011], 1_055),
    ] {
        let list = strict(&topology, Imposer::Before, nodes);
        assert_eq!(values(list.labels().unwrap()), expected, "{nodes}");
        assert!(list.covers);
        assert_eq!(path(&topology, nodes).delay(&topology).as_micros(), delay);
        let words: Vec<String> = list.segments.iter().map(|one| one.word(&topology)).collect();
        assert_eq!(words[1], "11");
    }
}

/// The published flows where each node has a block of its own, with the label by which 8 is reached.
#[test]
fn each_label_is_what_its_reader_calls_the_next_end() {
    let topology = read(SRGB);
    for (nodes, expected) in [("1 3 5 9 11", [1_005, 5_011]), ("2 4 8 10 11", [2_008, 8_011])] {
        let list = strict(&topology, Imposer::Before, nodes);
        assert_eq!(values(list.labels().unwrap()), expected, "{nodes}");
    }
    for (from, expected) in [("1", 1_011), ("2", 2_011)] {
        let list = encode(&topology, Imposer::Before, &any(&topology, from, "11"));
        assert_eq!(values(list.labels().unwrap()), [expected]);
        assert!(list.covers, "all equal ways are taken");
    }
    let list = encode(&read(CLOS), Imposer::Before, &any(&read(CLOS), "1", "11"));
    assert_eq!(values(list.labels().unwrap()), [16_011]);
}

/// The published list, there and back; what it begins with at node 1 is read by its next hop.
#[test]
fn a_node_imposes_what_its_next_hop_reads_and_the_way_back_ends_by_label() {
    let topology = read(SRGB);
    let there = strict(&topology, Imposer::Node, "1 3 5 9 11");
    let back = strict(&topology, Imposer::Before, "11 9 6 3 1");
    assert_eq!(values(there.labels().unwrap()), [3_005, 5_011]);
    assert_eq!(there.departures[0].over, Some(hop(&topology, "1", "3")));
    assert_eq!(values(back.labels().unwrap()), [11_006, 6_001]);
    assert!(back.walk.ends_at(id(&topology, "1")));
}

#[test]
fn next_hops_that_disagree_get_a_list_each() {
    let topology = read(SRGB);
    let list = encode(&topology, Imposer::Node, &any(&topology, "1", "11"));
    assert_eq!(list.labels(), None);
    let lists: Vec<Vec<u32>> = list.departures.iter().map(|one| values(&one.labels)).collect();
    assert_eq!(lists, [[3_011], [4_011]]);
    assert_eq!(list.depth(), 1);
    let same = encode(&read(CLOS), Imposer::Node, &any(&read(CLOS), "1", "11"));
    assert_eq!(values(same.labels().unwrap()), [16_011]);
}

/// The published ways out: to one peer behind one border, and to the nearest border.
#[test]
fn borders_are_left_by_peer_and_reached_by_shared_prefix() {
    let topology = read(CLOS);
    let intent = any(&topology, "1", "12").to_peer(1);
    let list = encode(&topology, Imposer::Before, &intent);
    assert_eq!(values(list.labels().unwrap()), [16_012, 9_999]);
    assert_eq!(list.walk.ends, BTreeSet::from([End::Peer(1)]));
    let [first, second] = ["11", "12"].map(|border| any(&topology, "1", border));
    let ends = ["11", "12"].map(|name| id(&topology, name));
    let both = first.hops().chain(second.hops());
    let intent = Intent::within(&topology, id(&topology, "1"), both, &ends);
    let list = encode(&topology, Imposer::Before, &intent);
    assert_eq!(values(list.labels().unwrap()), [16_020]);
    assert!(list.covers);
    let elsewhere = any(&topology, "1", "11").to_peer(1);
    let error = Forwarding::new(&topology).encode_labels(Imposer::Before, &elsewhere, 0);
    assert_eq!(
        error.unwrap_err().to_string(),
        "the peer behind label 9999 is at 12, and the links that are meant end at 11"
    );
}

#[test]
fn a_node_without_segment_routing_is_passed_but_reads_no_list() {
    let topology = read(INCREMENTAL);
    let list = strict(&topology, Imposer::Before, "1 4 8 10 11");
    assert_eq!(values(list.labels().unwrap()), [16_008, 16_011]);
    let intent = Intent::path(&topology, &path(&topology, "1 4 7 10 11"));
    let error = Forwarding::new(&topology).encode_labels(Imposer::Before, &intent, 0);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no segment leads from 4 over 4-7: it has no label or SID of its own, and 7 has none that is read there"
    );
}

/// Two wires side by side: only the label of one keeps packets to it.
#[test]
fn a_link_is_named_where_a_node_would_spread() {
    let text = r#"
        node = [
            { name = "a", loopbacks = ["192.0.2.1"], index = 1 },
            { name = "b", loopbacks = ["192.0.2.2"], index = 2 },
            { name = "c", loopbacks = ["192.0.2.3"], index = 3 },
        ]
        link = [
            { ends = ["a", "b"] },
            { name = "one", ends = ["b", "c"], adjacency = [501, 502] },
            { name = "two", ends = ["b", "c"] },
        ]
    "#;
    let topology = read(text);
    let path = |link: &str| {
        let link = topology.link_id(link).unwrap();
        let hops = vec![hop(&topology, "a", "b"), Hop { link, side: Side::First }];
        Intent::path(&topology, &Path::new(&topology, id(&topology, "a"), hops).unwrap())
    };
    let list = encode(&topology, Imposer::Before, &path("one"));
    assert_eq!(values(list.labels().unwrap()), [16_002, 501]);
    assert_eq!(values(encode(&topology, Imposer::Node, &path("one")).labels().unwrap()), [501]);
    let error = Forwarding::new(&topology).encode_labels(Imposer::Node, &path("two"), 0);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no segment leads from b over two: it has no label or SID of its own, and packets for c also take one"
    );
}

#[test]
fn too_many_labels_are_told_with_what_would_help() {
    let mut topology = read(CLOS);
    topology.nodes[0].msd.impose = Some(3);
    let intent = Intent::path(&topology, &path(&topology, "1 3 5 9 11"));
    let forwarding = Forwarding::new(&topology);
    assert!(forwarding.encode_labels(Imposer::Node, &intent, 1).is_ok());
    let longer = Intent::path(&topology, &path(&topology, "1 3 5 9 11 10 8"));
    let error = forwarding.encode_labels(Imposer::Node, &longer, 1).unwrap_err();
    assert!(error.to_string().contains("a binding SID at 5 for"), "{error}");
    let error = forwarding.encode_labels(Imposer::Node, &intent, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4 labels are more than the 3 that 1 puts on; a binding SID at 3 for the rest of the way \
         would save 1, and so would a looser way to the same end"
    );
    let error = forwarding.encode_labels(Imposer::Node, &intent, 3).unwrap_err();
    assert_eq!(error.to_string(), "5 labels are more than the 3 that 1 puts on");
    assert!(forwarding.encode_labels(Imposer::Before, &intent, 200).is_ok(), "a host has no limit");
}

#[test]
fn what_is_there_already_needs_no_list() {
    let topology = read(CLOS);
    let intent = Intent::path(&topology, &path(&topology, "1"));
    let error = Forwarding::new(&topology).encode_labels(Imposer::Node, &intent, 0);
    assert_eq!(
        error.unwrap_err().to_string(),
        "1 is where the path ends already: it needs no list"
    );
}
