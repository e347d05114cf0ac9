use std::collections::BTreeSet;

use super::super::examples::*;
use super::*;
use crate::topology::Topology;

fn addresses(texts: &[&str]) -> Vec<Ipv6Addr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn encode(topology: &Topology, nodes: &str, kinds: SidKinds) -> SidList {
    let intent = Intent::path(topology, &path(topology, nodes));
    let list = Forwarding::new(topology).encode_sids(Imposer::Before, &intent, kinds);
    list.unwrap_or_else(|error| panic!("{nodes}: {error}"))
}

/// The published way from A to Z by spine 5.
#[test]
fn sids_are_as_published() {
    let topology = read(IPV6);
    let list = encode(&topology, "1 3 5 9 11", SidKinds::END);
    assert_eq!(list.sids, addresses(&["2001:db8::5", "2001:db8::11"]));
    assert_eq!(list.containers, list.sids);
    assert!(list.covers && list.walk.ends_at(id(&topology, "11")));
    assert_eq!(touched(&topology, &list.walk), "1 3 5 9 11");
}

#[test]
fn micro_sids_share_an_address() {
    let topology = read(CLOS);
    let list = encode(&topology, "1 3 5 9 11 10 8 4 2", SidKinds::MICRO);
    let words: Vec<String> = list.segments.iter().map(|one| one.word(&topology)).collect();
    assert_eq!(words, ["5", "11", "8", "2"]);
    assert_eq!(list.containers, addresses(&["fcbb:bb00:5:11:8:2::"]));
    assert!(list.walk.ends_at(id(&topology, "2")));
    assert_eq!(touched(&topology, &list.walk), "1 2 3 4 5 8 9 10 11");
}

#[test]
fn the_last_sid_does_what_is_asked_for() {
    let topology = read(CLOS);
    for (last, expected) in
        [(SidKind::EndDt6, "fc00:bb:11:d6::"), (SidKind::EndTsf, "fc00:bb:11:f::")]
    {
        let kinds = SidKinds { last, ..SidKinds::END };
        let list = encode(&topology, "1 3 5 9 11", kinds);
        assert_eq!(list.sids, addresses(&["fc00:bb:5:1::", expected]));
        let stamps = (last == SidKind::EndTsf).then_some(id(&topology, "11"));
        assert_eq!(list.walk.stamps, stamps.into_iter().collect::<BTreeSet<_>>());
    }
    let mixed =
        encode(&topology, "1 3 5 9 11", SidKinds { last: SidKind::EndDt6, ..SidKinds::MICRO });
    assert_eq!(mixed.containers, addresses(&["fcbb:bb00:5::", "fc00:bb:11:d6::"]));
}

const WIRES: &str = r#"
    node = [
        { name = "a", loopbacks = ["2001:db8::a"], sids = { end = "fc00:a::", un = "fcbb:bb00:a::/48" } },
        { name = "b", loopbacks = ["2001:db8::b"], sids = { end = "fc00:b::", un = "fcbb:bb00:b::/48" } },
        { name = "c", loopbacks = ["2001:db8::c"], sids = { end = "fc00:c::", un = "fcbb:bb00:c::/48" }, msd = { srh = 2 } },
    ]
    link = [
        { ends = ["a", "b"], end-x = ["fcbb:bb00:a:e001::/64", "fcbb:bb00:b:e001::/64"] },
        { name = "one", ends = ["b", "c"], end-x = ["fcbb:bb00:b:e002::/64", "fcbb:bb00:c:e002::/64"] },
        { name = "two", ends = ["b", "c"], end-x = ["fc00:b:2::", "fc00:c:2::"] },
        { name = "bare", ends = ["b", "c"], igp = 20 },
    ]
"#;

/// A path over the named links, there or back.
fn over(topology: &Topology, start: &str, links: &str) -> Intent {
    let mut at = id(topology, start);
    let hops = links.split(' ').map(|name| {
        let link = topology.link_id(name).unwrap();
        let hop = Hop { link, side: topology[link].side_of(at).unwrap() };
        at = hop.to(topology);
        hop
    });
    let hops = hops.collect();
    Intent::path(topology, &crate::Path::new(topology, id(topology, start), hops).unwrap())
}

/// A SID of a link brings packets to its node as well, but a list ends at a node.
#[test]
fn a_link_is_named_where_a_node_would_spread() {
    let topology = read(WIRES);
    let forwarding = Forwarding::new(&topology);
    let intent = over(&topology, "a", "a-b one");
    let whole = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::END).unwrap();
    assert_eq!(whole.sids, addresses(&["fcbb:bb00:b:e002::", "fc00:c::"]));
    let micro = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::MICRO).unwrap();
    assert_eq!(micro.containers, addresses(&["fcbb:bb00:b:e002:c::"]));
    let own = over(&topology, "b", "two");
    let free = forwarding.encode_sids(Imposer::Node, &own, SidKinds::END).unwrap();
    assert_eq!(
        free.over,
        topology.link_id("two").map(|link| own.hops().find(|hop| hop.link == link).unwrap())
    );
    assert_eq!(free.sids, addresses(&["fc00:c::"]));
    let bare = over(&topology, "a", "a-b bare");
    let error = forwarding.encode_sids(Imposer::Before, &bare, SidKinds::END).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no segment leads from b over bare: it has no label or SID of its own, and packets for c \
         also take one"
    );
}

/// Forth and back over the same wires: places, not nodes, say how far one is.
#[test]
fn containers_are_as_few_as_can_be_and_no_more_than_a_node_works_on() {
    let mut topology = read(WIRES);
    let intent = over(&topology, "a", "a-b one one one one one");
    let forwarding = Forwarding::new(&topology);
    let list = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::MICRO).unwrap();
    let expected = addresses(&["fcbb:bb00:b:e002:c:e002:b:e002", "fcbb:bb00:c:e002:b:e002:c:0"]);
    assert_eq!(list.containers, expected);
    assert!(list.walk.ends_at(id(&topology, "c")));
    let error = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::END).unwrap_err();
    assert_eq!(
        error.to_string(),
        "c would find 5 segments left and works on 2 at most; a binding SID (End.B6) on the way \
         there or a looser way would save some"
    );
    topology.nodes[2].sids = Default::default();
    let error = Forwarding::new(&topology).encode_sids(Imposer::Before, &intent, SidKinds::END);
    assert!(error.is_err());
}

/// The published walk of a container of micro-SIDs, with a function of node b in it.
#[test]
fn a_container_is_shifted_as_published() {
    let text = r#"
        node = [
            { name = "1", sids = { un = "fcbb:bb00:1::/48" } },
            { name = "5", sids = { un = "fcbb:bb00:5::/48" } },
            { name = "b", sids = { un = "fcbb:bb00:b::/48" } },
        ]
        link = [
            { ends = ["1", "5"] },
            { ends = ["5", "b"], end-x = ["fcbb:bb00:5:f001::/64", "fcbb:bb00:b:f016::/64"] },
        ]
    "#;
    let topology = read(text);
    let forwarding = Forwarding::new(&topology);
    let container = addresses(&["fcbb:bb00:5:b:f016:5:1::"]);
    let walk = forwarding.walk_sids(id(&topology, "5"), None, &container).unwrap();
    assert!(walk.ends_at(id(&topology, "1")));
    assert_eq!(touched(&topology, &walk), "1 5 b");
    assert_eq!(walk.hops.len(), 3);
}

#[test]
fn what_does_not_arrive_is_told() {
    let topology = read(WIRES);
    let walk = |sids: &[&str]| {
        let walk = Forwarding::new(&topology).walk_sids(id(&topology, "a"), None, &addresses(sids));
        walk.unwrap_err().to_string()
    };
    assert_eq!(walk(&["2001:db8::1"]), "nobody has the SID 2001:db8::1");
    assert_eq!(
        walk(&["2001:db8::c", "fc00:a::"]),
        "a list ends at c with 2001:db8::c, but more SIDs follow"
    );
    assert_eq!(walk(&["fc00:b:2::"]), "fc00:b:2:: leads on from b, but no SID follows");
    let mut deaf = topology.clone();
    deaf.nodes[1].ip = false;
    let stray = Forwarding::new(&deaf).walk_sids(id(&deaf, "a"), None, &addresses(&["fc00:c::"]));
    assert_eq!(stray.unwrap_err().to_string(), "b has no IP route to c");
}
