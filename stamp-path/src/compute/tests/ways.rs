use core::time::Duration;

use stamp_document::Setting as _;
use stamp_document::quantity::{Bandwidth, Ratio};

use super::*;

/// Three ways from a to d: over b, over c, and the direct one.
fn three_ways() -> Topology {
    topology(
        "abcd",
        &[
            (
                "a-b",
                "delay = \"1ms\"\nloss = \"0.1%\"\nbandwidth = \"10G\"\naffinities = [\"gold\"]",
            ),
            ("b-d", "delay = \"1ms\"\nbandwidth = \"1G\"\naffinities = [\"gold\", \"sea\"]"),
            ("a-c", "delay = \"3ms\"\nbandwidth = \"10G\"\nsrlgs = [7]\nte = 1"),
            ("c-d", "delay = \"3ms\"\nbandwidth = \"10G\"\nte = 1"),
            ("a-d", "igp = 50\ndelay = \"9ms\"\nsrlgs = [7]"),
        ],
    )
}

fn best(topology: &Topology, request: &Request) -> String {
    let network = Network::new(topology);
    network.best(request).map_or_else(
        |none| none.in_words(topology),
        |answer| {
            assert!(answer.optimal);
            written(topology, &answer.path)
        },
    )
}

#[test]
fn each_metric_has_a_best_way_of_its_own() {
    let topology = three_ways();
    for (metric, expected) in [
        (Metric::Igp, "abd"),
        (Metric::Te, "acd"),
        (Metric::Delay, "abd"),
        (Metric::Loss, "ad"),
        (Metric::Hops, "ad"),
    ] {
        assert_eq!(best(&topology, &request(&topology, "a", "d").by(metric)), expected, "{metric}");
    }
}

#[test]
fn each_constraint_keeps_its_ways_out() {
    let topology = three_ways();
    let link = |name| topology.link_id(name).unwrap();
    let gold = || "gold".to_owned();
    let path = Network::new(&topology).best(&request(&topology, "a", "d")).unwrap().path;
    for (constraint, expected) in [
        (Constraint::AvoidNode(node(&topology, "b")), "acd"),
        (Constraint::AvoidLink(link("b-d")), "acd"),
        (Constraint::AvoidSrlg(7), "abd"),
        (Constraint::ExcludeAffinity("sea".to_owned()), "acd"),
        (Constraint::IncludeAnyAffinity(vec![gold(), "sea".to_owned()]), "abd"),
        (Constraint::IncludeAllAffinities(vec![gold()]), "abd"),
        (Constraint::MinBandwidth(Bandwidth(10_000_000_000)), "acd"),
        (Constraint::MaxLoss(Ratio::from_billionths(999_999).unwrap()), "acd"),
        (Constraint::MaxHops(1), "ad"),
        (Constraint::MaxDelay(Duration::from_millis(2)), "abd"),
        (Constraint::DisjointFrom(path.clone(), Disjointness::LINK), "acd"),
        (Constraint::DisjointFrom(path, Disjointness::NODE_AND_SRLG), "acd"),
    ] {
        let request = request(&topology, "a", "d").with(constraint.clone());
        assert_eq!(best(&topology, &request), expected, "{constraint:?}");
    }
    // A bound counts with the direction of travel, and the nearer way is no use when it loses.
    let bounded = request(&topology, "a", "d")
        .with(Constraint::MaxLoss(Ratio::ZERO))
        .with(Constraint::MaxDelay(Duration::from_millis(6)));
    assert_eq!(best(&topology, &bounded), "acd");
}

#[test]
fn what_a_constraint_keeps_out_can_be_told() {
    let topology = three_ways();
    let kept = Network::new(&topology)
        .kept_out(&request(&topology, "a", "d"), &Constraint::AvoidNode(node(&topology, "b")));
    let names: Vec<&str> = kept.iter().map(|hop| topology[hop.link].name.as_str()).collect();
    assert_eq!(names, ["a-b", "a-b", "b-d", "b-d"], "both directions");
    let bound = Constraint::MaxHops(1);
    assert!(Network::new(&topology).kept_out(&request(&topology, "a", "d"), &bound).is_empty());
}

#[test]
fn domains_and_autonomous_systems_are_avoided_on_the_way_but_not_at_its_ends() {
    let mut topology = three_ways();
    topology.nodes[1].autonomous_system = Some(65001);
    topology.nodes[2].domain = Some("x".to_owned());
    topology.nodes[3].domain = Some("x".to_owned());
    let avoiding = |constraint| request(&topology, "a", "d").by(Metric::Te).with(constraint);
    assert_eq!(best(&topology, &avoiding(Constraint::AvoidDomain("x".to_owned()))), "abd");
    let as_number = Constraint::AvoidAutonomousSystem(65001);
    assert_eq!(best(&topology, &request(&topology, "a", "d").with(as_number)), "acd");
}

#[test]
fn what_is_drained_is_avoided_unless_that_is_given_up() {
    let mut topology = three_ways();
    topology.nodes[1].drained = true;
    assert_eq!(best(&topology, &request(&topology, "a", "d")), "acd");
    assert_eq!(best(&topology, &request(&topology, "a", "b")), "ab", "an end is exempt");
    assert_eq!(best(&topology, &request(&topology, "a", "d").without(0)), "abd");
}

#[test]
fn only_links_of_the_kinds_asked_for_are_used() {
    let topology = topology("abc", &[("a-b", "kind = \"lsp\""), ("a-c", ""), ("c-b", "")]);
    let mut request = request(&topology, "a", "b");
    assert_eq!(best(&topology, &request), "acb");
    request.over.push(crate::topology::LinkKind::Lsp);
    assert_eq!(best(&topology, &request), "ab");
    request.closed.push(topology.link_id("a-b").unwrap());
    assert_eq!(best(&topology, &request), "acb");
}

#[test]
fn ways_are_ranked_and_equal_ones_are_all_told() {
    let topology = topology(
        "abcde",
        &[("a-b", ""), ("b-e", ""), ("a-c", ""), ("c-e", ""), ("a-d", "igp = 11"), ("d-e", "")],
    );
    let network = Network::new(&topology);
    let request = request(&topology, "a", "e");
    let all = |answers: Vec<Answer>| -> Vec<(String, u64)> {
        answers.iter().map(|one| (written(&topology, &one.path), one.metric)).collect()
    };
    let expected = [("abe", 20), ("ace", 20), ("ade", 21)].map(|(way, cost)| (way.into(), cost));
    assert_eq!(all(network.ranked(&request, 9).unwrap()), expected);
    assert_eq!(all(network.ranked(&request, 2).unwrap()), expected[..2]);
    assert_eq!(all(network.equally_good(&request, 9).unwrap()), expected[..2]);
    let hops = network.equal_hops(&request).unwrap().unwrap();
    let names: Vec<&str> = hops.iter().map(|hop| topology[hop.link].name.as_str()).collect();
    assert_eq!(names, ["a-b", "b-e", "a-c", "c-e"]);
    let bounded = request.with(Constraint::MaxHops(5));
    assert_eq!(network.equal_hops(&bounded), Ok(None), "whole ways only");
}

#[test]
fn parallel_links_are_ways_of_their_own() {
    let topology = topology("ab", &[("a-b", "name = \"x\""), ("a-b", "name = \"y\"")]);
    let network = Network::new(&topology);
    let names: Vec<&str> = network
        .ranked(&request(&topology, "a", "b"), 5)
        .unwrap()
        .iter()
        .map(|one| topology[one.path.hops()[0].link].name.as_str())
        .collect();
    assert_eq!(names, ["x", "y"], "the order of the file decides");
}

/// The shortest way takes the middle link, and no second one is left beside it: only together
/// are two found.
#[test]
fn a_pair_is_the_best_together() {
    let topology = topology(
        "abcdef",
        &[
            ("a-b", ""),
            ("b-c", "igp = 1"),
            ("c-f", ""),
            ("a-d", "igp = 12"),
            ("d-c", ""),
            ("b-e", ""),
            ("e-f", "igp = 12"),
        ],
    );
    let network = Network::new(&topology);
    let request = request(&topology, "a", "f");
    let shortest = network.best(&request).unwrap();
    assert_eq!(written(&topology, &shortest.path), "abcf");
    assert!(network.best(&request.away_from(&shortest.path, Disjointness::NODE)).is_err());
    for kind in [Disjointness::LINK, Disjointness::NODE, Disjointness::SRLG] {
        let pair = network.pair(&request, kind).unwrap();
        let ways = pair.ways.each_ref().map(|one| (written(&topology, &one.path), one.metric));
        assert_eq!(ways, [("abef".into(), 32), ("adcf".into(), 32)], "{kind}");
        assert!(pair.optimal);
    }
}

#[test]
fn ways_that_share_a_risk_are_no_pair() {
    let topology = three_ways();
    let network = Network::new(&topology);
    let request = request(&topology, "a", "d").by(Metric::Te);
    let pair = |kind| {
        let pair = network.pair(&request, kind).unwrap();
        pair.ways.each_ref().map(|one| written(&topology, &one.path))
    };
    assert_eq!(pair(Disjointness::NODE), ["acd", "abd"]);
    let hops = request.clone().by(Metric::Hops);
    let by_hops = |kind| network.pair(&hops, kind).unwrap().ways.map(|one| one.metric);
    assert_eq!(by_hops(Disjointness::LINK), [1, 2]);
    let risky = network.pair(&hops, Disjointness::SRLG).unwrap();
    assert_eq!(risky.ways.each_ref().map(|one| written(&topology, &one.path)), ["ad", "abd"]);
}

#[test]
fn a_search_that_is_cut_short_says_so() {
    let topology = three_ways();
    let network = Network::new(&topology);
    let mut request = request(&topology, "a", "d")
        .with(Constraint::MaxDelay(Duration::from_millis(6)))
        .with(Constraint::MaxLoss(Ratio::ZERO));
    request.closed = vec![topology.link_id("a-d").unwrap()];
    request.work_limit = 0;
    let answer = network.best(&request).unwrap();
    assert!(!answer.optimal);
    assert_eq!(written(&topology, &answer.path), "acd", "still within the bounds");
}

#[test]
fn a_way_to_itself_has_no_links() {
    let topology = three_ways();
    let network = Network::new(&topology);
    let here = request(&topology, "a", "a");
    assert_eq!(network.best(&here).unwrap().path.hops(), []);
    assert!(network.pair(&here, Disjointness::LINK).is_err());
}

#[test]
fn words_are_read_as_they_are_written() {
    for word in ["igp", "te", "delay", "loss", "hops"] {
        assert_eq!(Metric::read(word).unwrap().to_string(), word);
    }
    for word in ["link", "node", "srlg", "node+srlg"] {
        assert_eq!(Disjointness::read(word).unwrap().to_string(), word);
    }
    assert_eq!((Metric::read("cost"), Disjointness::read("")), (None, None));
}
