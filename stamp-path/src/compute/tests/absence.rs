use core::time::Duration;

use stamp_document::quantity::Ratio;

use super::*;
use crate::topology::LinkKind;

fn line() -> Topology {
    let mut topology = topology(
        "abcx",
        &[("a-b", "delay = \"2ms\"\nloss = \"1%\""), ("b-c", "delay = \"3ms\"\nloss = \"1%\"")],
    );
    topology.nodes[1].domain = Some("x".to_owned());
    topology
}

fn why(topology: &Topology, request: &Request) -> String {
    Network::new(topology).best(request).unwrap_err().in_words(topology)
}

#[test]
fn a_constraint_that_keeps_every_way_out_is_named_with_what_it_would_cost_to_give_it_up() {
    let topology = line();
    for (constraint, expected) in [
        (
            Constraint::MaxDelay(Duration::from_micros(4900)),
            "has a delay of at most 4900us; the least is 5ms",
        ),
        (
            Constraint::MaxLoss(Ratio::from_billionths(10_000_000).unwrap()),
            "loses at most 1%; the least is 1.9900%",
        ),
        (Constraint::MaxHops(1), "has at most 1 links; the least is 2"),
        (
            Constraint::AvoidDomain("x".to_owned()),
            "avoids domain x; without that the best is a b c",
        ),
        (
            Constraint::AvoidNode(node(&topology, "b")),
            "avoids node b; without that the best is a b c",
        ),
    ] {
        let request = request(&topology, "a", "c").with(constraint);
        assert_eq!(why(&topology, &request), format!("no path {expected}"));
    }
}

#[test]
fn constraints_that_do_it_together_are_named_together_and_no_others() {
    let topology = topology("abcd", &[("a-b", ""), ("b-d", ""), ("a-c", ""), ("c-d", "")]);
    let request = request(&topology, "a", "d")
        .with(Constraint::AvoidNode(node(&topology, "b")))
        .with(Constraint::MaxHops(9))
        .with(Constraint::AvoidNode(node(&topology, "c")));
    let both = "no path avoids node b; without that the best is a b d; \
                no path avoids node c; without that the best is a c d";
    assert_eq!(why(&topology, &request), both);
    let shorter = request.clone().with(Constraint::MaxHops(1));
    assert_eq!(why(&topology, &shorter), "no path has at most 1 links; the least is 2");
    let [ab, cd] = ["a-b", "c-d"].map(|name| topology.link_id(name).unwrap());
    let twice = request.with(Constraint::AvoidLink(ab)).with(Constraint::AvoidLink(cd));
    assert_eq!(why(&topology, &twice), "no path avoids link a-b and avoids link c-d, all at once");
}

#[test]
fn where_nothing_leads_no_constraint_is_blamed() {
    let topology = line();
    assert_eq!(why(&topology, &request(&topology, "a", "x")), "no way leads there at all");
}

#[test]
fn a_way_over_links_of_other_kinds_is_named_with_what_to_ask_for() {
    let links = [("a-b", "kind = \"lsp\""), ("b-c", ""), ("c-d", "kind = \"abstract\"")];
    let topology = topology("abcd", &links);
    let expected =
        "no way leads there over links of the kinds asked for; over lsp,physical there is a b c";
    assert_eq!(why(&topology, &request(&topology, "a", "c")), expected);
    let mut asked = request(&topology, "a", "d");
    asked.over = vec![LinkKind::Physical, LinkKind::Lsp];
    assert!(why(&topology, &asked).ends_with("; over abstract,lsp,physical there is a b c d"));
}

#[test]
fn two_ways_that_cannot_be_are_told_with_what_they_would_share() {
    let ring = topology("abcd", &[("a-b", ""), ("b-c", ""), ("b-d", ""), ("c-d", "")]);
    let network = Network::new(&ring);
    let why =
        |from, kind| network.pair(&request(&ring, from, "d"), kind).unwrap_err().in_words(&ring);
    let shared = "there are no two such paths: every path takes link a-b";
    assert_eq!(why("a", Disjointness::LINK), shared);
    let mut doubled = ring.clone();
    let mut second = doubled.links[0].clone();
    second.name = "again".to_owned();
    doubled.links.push(second);
    let pair = Network::new(&doubled).pair(&request(&doubled, "a", "d"), Disjointness::NODE);
    let shared = "there are no two such paths: every path takes node b";
    assert_eq!(pair.unwrap_err().in_words(&doubled), shared);
}

#[test]
fn risks_that_all_ways_share_leave_one_way() {
    let topology = topology(
        "abcd",
        &[("a-b", "srlgs = [1]"), ("b-d", ""), ("a-c", "igp = 20\nsrlgs = [1]"), ("c-d", "")],
    );
    let none = Network::new(&topology).pair(&request(&topology, "a", "d"), Disjointness::SRLG);
    let words = "there are no two such paths; the one there is takes a b d";
    assert_eq!(none.unwrap_err().in_words(&topology), words);
}
