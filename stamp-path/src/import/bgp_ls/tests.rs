mod arbitrary;
mod routes;

use super::*;
use crate::Topology;
use crate::topology::{Msd, Side};
use routes::{Form, ROUTER, destination, link, node, peer, prefix, table};
use serde_json::{Value, json};

/// What is imported, as the file that is read back.
#[track_caller]
fn read(text: &str) -> (Topology, Vec<String>) {
    let Imported { text, notes } = bgp_ls(text).unwrap();
    let topology =
        Topology::read("net.toml", &text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    (topology, notes)
}

fn noted(notes: &[String], part: &str) -> bool {
    notes.iter().any(|note| note.contains(part))
}

/// Two routers and a link, whatever prints them.
#[test]
fn every_form_says_the_same_network() {
    for form in Form::ALL {
        let routes = [
            node(
                form,
                2,
                json!({ "name": "lon", "ranges": [[16_000, 24_000]], "ipv4": "192.0.2.2" }),
            ),
            node(
                form,
                1,
                json!({ "name": "ams", "ranges": [[16_000, 24_000]], "ipv4": "192.0.2.1" }),
            ),
            prefix(form, 1, "192.0.2.1/32", json!({ "sid": 101 })),
            prefix(form, 2, "192.0.2.2/32", json!({ "sid": 102 })),
            prefix(form, 2, "203.0.113.0/24", json!({})),
            link(form, [1, 2], [11, 21], json!({ "igp": 20, "te": 30, "sid": 24_012 })),
            link(form, [2, 1], [21, 11], json!({ "igp": 25, "te": 30, "sid": 24_021 })),
        ];
        let (topology, notes) = read(&table(form, &routes));
        let names: Vec<&str> = topology.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["ams", "lon"], "{form:?}");
        let [ams, _] = &topology.nodes[..] else { panic!("two nodes") };
        assert_eq!(ams.autonomous_system, Some(65_000));
        assert_eq!(ams.loopbacks, ["192.0.2.1".parse::<core::net::IpAddr>().unwrap()]);
        assert_eq!((ams.index, ams.php, ams.sr, ams.msd), (Some(101), true, true, Msd::default()));
        assert_eq!(ams.label_of(101).map(crate::topology::Label::value), Some(16_101));
        assert_eq!(ams.srgb.size(), 8_000);
        let [wire] = &topology.links[..] else { panic!("one link") };
        assert_eq!(wire.name, "ams-lon");
        assert_eq!(wire.directions.map_ref(|way| (way.igp, way.te)), [(20, 30), (25, 30)]);
        let labels = Side::BOTH.map(|side| wire.adjacency_of(side).unwrap().value());
        assert_eq!(labels, [24_012, 24_021]);
        assert_eq!(wire.interfaces, Some([11, 21]));
        assert!(noted(&notes, "left to add: delay, loss of links, MSD"), "{notes:?}");
    }
}

/// What versions from 4 on print of performance, in messages and on the command line.
#[test]
fn delay_affinities_risk_groups_and_bandwidth_are_of_their_direction() {
    let there = json!({ "igp": 1, "groups": 5, "srlgs": [7], "octets": 1.25e9, "least": 900, "average": 1000, "variation": 30 });
    let back = json!({ "igp": 1, "octets": 1.25e8, "average": 1100 });
    for form in [Form::MessageOf4, Form::CommandLine] {
        let routes = [
            node(form, 1, json!({})),
            node(form, 2, json!({})),
            link(form, [1, 2], [0, 0], there.clone()),
            link(form, [2, 1], [0, 0], back.clone()),
        ];
        let (topology, notes) = read(&table(form, &routes));
        let [forth, back] = &topology.links[0].directions.0;
        assert_eq!([forth, back].map(|way| way.delay.as_micros()), [900, 1100]);
        assert_eq!(forth.jitter.as_micros(), 30);
        assert_eq!(forth.affinities, ["group-0", "group-2"]);
        assert_eq!((forth.srlgs.as_slice(), back.srlgs.as_slice()), (&[7][..], &[][..]));
        assert!(back.affinities.is_empty());
        let bits = [forth, back].map(|way| way.bandwidth.map(|bandwidth| bandwidth.0));
        assert_eq!(bits, [Some(10_000_000_000), Some(1_000_000_000)]);
        assert_eq!(topology.links[0].interfaces, None);
        assert!(noted(&notes, "group-0 is the lowest"), "{notes:?}");
        assert!(!noted(&notes, "left to add: delay"), "{notes:?}");
    }
}

#[test]
fn srv6_sids_have_the_length_that_their_structure_says() {
    for form in [Form::MessageOf4, Form::CommandLine] {
        let sid = |address: &str, behavior: u32, function: u32| {
            routes::sid(form, 1, address, behavior, [32, 16, function])
        };
        let routes = [
            node(form, 1, json!({})),
            node(form, 2, json!({})),
            sid("fc00:bb:1:1::", 1, 16),
            sid("fc00:bb:1:d6::", 18, 16),
            sid("fcbb:bb00:1::", 43, 0),
            sid("fc00:bb:1:17::", 17, 16),
            link(form, [1, 2], [0, 0], json!({ "end_x": "fc00:bb:1:a2::" })),
            link(form, [2, 1], [0, 0], json!({ "end_x": "fc00:bb:2:a1::" })),
        ];
        let (topology, _) = read(&table(form, &routes));
        let sids = topology.nodes[0].sids;
        assert_eq!(sids.end.unwrap().to_string(), "fc00:bb:1:1::/64");
        assert_eq!(sids.dt6.unwrap().to_string(), "fc00:bb:1:d6::/64");
        assert_eq!(sids.un.unwrap().to_string(), "fcbb:bb00:1::/48");
        let there = topology.links[0].end_x_of(Side::First).unwrap();
        assert_eq!(there.to_string(), "fc00:bb:1:a2::/64");
        assert!(topology.nodes[0].sr && topology.nodes[1].sr);
    }
}

/// Egress peer engineering (RFC 9086): the border is one of the nodes, the peer is not.
#[test]
fn peers_of_a_border_are_its_labels() {
    let form = Form::MessageOf3;
    let border = json!({ "ipv4": "192.0.2.1" });
    let routes = [
        node(form, 1, border),
        peer([65_000, 9_999], ["192.0.2.1", "203.0.113.9"], "bgpPeerNodeSid", json!(24_900)),
        peer(
            [65_000, 9_999],
            ["192.0.2.1", "203.0.113.9"],
            "bgpPeerSetSid",
            json!({ "sid": 24_901 }),
        ),
        peer(
            [65_000, 9_998],
            ["192.0.2.1", "203.0.113.8"],
            "bgpPeerSetSid",
            json!({ "sid": 24_901 }),
        ),
    ];
    let (topology, notes) = read(&table(form, &routes));
    let peers: Vec<(u32, u32)> =
        topology.peers.iter().map(|peer| (peer.autonomous_system, peer.label.value())).collect();
    assert_eq!(peers, [(9_998, 24_901), (9_999, 24_900)]);
    assert!(noted(&notes, "1 times: a label of a peer means something else as well"), "{notes:?}");
}

/// Between two of its own autonomous systems an operator knows both ends.
#[test]
fn peers_that_are_both_known_are_a_link() {
    let form = Form::MessageOf3;
    let routes = [
        node(form, 1, json!({ "ipv4": "192.0.2.1" })),
        node(form, 2, json!({ "ipv4": "192.0.2.2", "asn": 65_001 })),
        peer([65_000, 65_001], ["192.0.2.1", "192.0.2.2"], "bgpPeerNodeSid", json!(24_012)),
        peer([65_001, 65_000], ["192.0.2.2", "192.0.2.1"], "bgpPeerNodeSid", json!(24_021)),
    ];
    let (topology, notes) = read(&table(form, &routes));
    assert!(topology.peers.is_empty());
    assert_eq!(topology.links[0].adjacency_of(Side::Second).unwrap().value(), 24_021);
    assert!(noted(&notes, "a link says no metric"), "{notes:?}");
}

#[test]
fn a_shared_network_joins_every_two_of_its_nodes() {
    let form = Form::MessageOf3;
    let lan = format!("{ROUTER}1-02");
    let mut routes = Vec::new();
    for number in 1..=3 {
        routes.push(node(form, number, json!({})));
        let own = format!("{ROUTER}{number}");
        let metric = json!({ "igp": 10 * number });
        routes.push(routes::between(form, [&own, &lan], [0, 0], metric));
        // Nobody is reached who is not told to be.
        if number < 3 {
            routes.push(routes::between(form, [&lan, &own], [0, 0], json!({})));
        }
    }
    let (topology, _) = read(&table(form, &routes));
    assert_eq!(topology.nodes.len(), 3);
    let [link] = &topology.links[..] else { panic!("one link") };
    assert_eq!(link.directions.map_ref(|way| way.igp), [10, 20]);
}

#[test]
fn what_traffic_is_to_keep_off_is_drained() {
    let form = Form::MessageOf3;
    let routes = [
        node(form, 1, json!({ "overload": true })),
        node(form, 2, json!({})),
        link(form, [1, 2], [0, 0], json!({ "igp": 0xff_ffff })),
        link(form, [2, 1], [0, 0], json!({ "igp": 10 })),
        link(form, [1, 2], [7, 8], json!({ "igp": 10 })),
    ];
    let (topology, notes) = read(&table(form, &routes));
    assert!(topology.nodes[0].drained && !topology.nodes[1].drained);
    assert_eq!(topology.links.len(), 1);
    assert_eq!(topology.links[0].directions.map_ref(|way| way.drained), [true, false]);
    assert!(!topology.nodes[0].sr, "it told no SRGB and no SID");
    assert!(noted(&notes, "1 times: a link is told in one direction only"), "{notes:?}");
}

#[test]
fn prefixes_of_several_nodes_are_anycast_and_flags_are_kept() {
    let form = Form::MessageOf4;
    let srgb = json!({ "ranges": [[100, 200], [1000, 1100]], "ipv4": "192.0.2.1" });
    let routes = [
        node(form, 1, srgb),
        node(form, 2, json!({ "ranges": [[16_000, 24_000]] })),
        prefix(form, 1, "192.0.2.1/32", json!({ "sid": 1, "flags": 0x60 })),
        prefix(form, 1, "2001:db8::1/128", json!({ "sid": 61 })),
        prefix(form, 2, "192.0.2.2/32", json!({ "sid": 0 })),
        prefix(form, 1, "192.0.2.20/32", json!({ "sid": 20 })),
        prefix(form, 2, "192.0.2.20/32", json!({ "sid": 20 })),
        prefix(form, 2, "192.0.2.77/32", json!({ "sid": 777 })),
    ];
    let (topology, notes) = read(&table(form, &routes));
    let [first, second] = &topology.nodes[..] else { panic!("two nodes") };
    assert_eq!((first.index, first.php), (Some(1), false));
    assert_eq!((second.index, second.php), (Some(0), true));
    let indexes: Vec<u32> = first.anycast.iter().map(|anycast| anycast.index).collect();
    assert_eq!(indexes, [61, 20]);
    assert_eq!(second.anycast.len(), 1);
    assert!(noted(&notes, "1 times: an index is outside"), "{notes:?}");
}

/// Two networks that were numbered apart keep their numbers.
#[test]
fn autonomous_systems_with_the_same_indexes_are_domains() {
    let form = Form::MessageOf3;
    let other = json!({ "asn": 65_001, "ipv4": "192.0.2.2" });
    let one = routes::of(65_001, prefix(form, 2, "192.0.2.2/32", json!({ "sid": 1 })));
    let routes = [
        node(form, 1, json!({ "ipv4": "192.0.2.1" })),
        node(form, 2, other),
        prefix(form, 1, "192.0.2.1/32", json!({ "sid": 1 })),
        one,
        prefix(form, 1, "192.0.2.8/32", json!({ "sid": 8 })),
        prefix(form, 1, "192.0.2.9/32", json!({ "sid": 8 })),
    ];
    let (topology, notes) = read(&table(form, &routes));
    let domains = topology.nodes.iter().map(|node| (node.domain.as_deref(), node.index));
    assert_eq!(
        domains.collect::<Vec<_>>(),
        [(Some("as65000"), Some(1)), (Some("as65001"), Some(1))]
    );
    assert!(noted(&notes, "each is a domain"), "{notes:?}");
    assert!(noted(&notes, "1 times: one index stands for different prefixes"), "{notes:?}");
}

#[test]
fn errors_name_route_key_and_value() {
    let error = |text: &str| bgp_ls(text).unwrap_err().to_string();
    assert!(error("{ \"destination\": ").starts_with("line 1, column 17: no JSON: "));
    assert_eq!(
        error(""),
        "there is no route of link state: was it told by a neighbour, of the family \"ls\"?"
    );
    let form = "document 1 is not what GoBGP prints of a table: an object with \"destination\", or with a \
                list of paths for each route";
    assert_eq!(error("[1]"), form);
    assert_eq!(error("{ \"nodes\": 7 }"), form);
    let hidden = json!({ "NLRI { NODE }": [{ "nlri": null, "best": true, "attrs": null }] });
    let expected = "route NLRI { NODE }: nlri is null: the command line of GoBGP before 3.11 prints no link \
                    state; ask its API";
    assert_eq!(error(&hidden.to_string()), expected);
    let strange = json!({ "@type": "x/apipb.LsAddrPrefix", "@value": "CAMSVwoo",
        "@error": "apipb.LsAddrPrefix is not recognized" });
    let told = error(&destination("NLRI { NODE }", &strange, &json!({})).to_string());
    assert!(told.ends_with("give it attribute.proto of GoBGP as well"), "{told}");
    let wrong = |attribute: Value| {
        let nlri = json!({ "@type": "x/apipb.LsAddrPrefix", "type": "LS_NLRI_NODE",
            "nlri": { "localNode": { "asn": 1, "igpRouterId": "0000.0000.0001" } } });
        error(&destination("NLRI { NODE }", &nlri, &attribute).to_string())
    };
    let expected = "route NLRI { NODE }: name is 7, not text";
    assert_eq!(wrong(json!({ "node": { "name": 7 } })), expected);
    let expected = "route NLRI { NODE }: there is no end";
    let half = json!({ "node": { "srCapabilities": { "ranges": [{ "begin": 16_000 }] } } });
    assert_eq!(wrong(half), expected);
    let expected = "route NLRI { NODE }: end is -1, not a number from 0 to 4294967295";
    let half =
        json!({ "node": { "srCapabilities": { "ranges": [{ "begin": 16_000, "end": -1 }] } } });
    assert_eq!(wrong(half), expected);
}
