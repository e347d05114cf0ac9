use std::collections::BTreeSet;

use super::*;
use crate::class::Touched;
use crate::encoding::Forwarding;
use crate::topology::Label;

/// The fabric as one domain.
fn whole() -> Topology {
    let mut topology = homogeneous();
    for node in &mut topology.nodes {
        (node.domain, node.autonomous_system) = (None, None);
    }
    topology
}

fn read(text: &str, topology: &Topology) -> Policies {
    let read = Policies::read("p.toml", text, Some(topology));
    read.unwrap_or_else(|errors| panic!("{errors}"))
}

/// A policy from 1 to 11 with these candidates.
fn policies(candidates: &str, topology: &Topology) -> Policies {
    let keys = "name = \"p\"\nfrom = \"1\"\ncolor = 1\nendpoint = \"11\"";
    read(&format!("[[policy]]\n{keys}\ncandidate = [{candidates}]\n"), topology)
}

fn nodes(topology: &Topology, touched: &Touched) -> String {
    let names = touched.nodes.iter().map(|node| topology[*node].name.as_str());
    names.collect::<Vec<_>>().join(" ")
}

/// Of the first list of each candidate what is imposed and what is touched.
fn seen(topology: &Topology, policies: &Policies) -> Vec<(String, String)> {
    let surveyed = survey(topology, policies).remove(0);
    let lists = surveyed.iter().map(|candidate| {
        assert_eq!(candidate.flaw, None);
        let list = &candidate.lists[0];
        let imposed = match &list.resolution.imposed {
            Resolved::Labels(labels) => labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
            Resolved::Sids(sids) => sids.iter().map(ToString::to_string).collect(),
        };
        let touched = list.touched.as_ref().map(|touched| nodes(topology, touched));
        (imposed.join(" "), touched.unwrap_or_default())
    });
    lists.collect()
}

#[test]
fn what_is_written_is_followed_over_every_equal_way_and_on_to_the_endpoint() {
    let topology = whole();
    let candidates = "{ segments = [\"5\", \"11\"] }, { name = \"loose\", segments = [\"11\"] }, \
                      { preference = 7, segments = [\"6\"] }, \
                      { preference = 8, segments = [16005, 16011] }, \
                      { preference = 9, dataplane = \"srv6\", segments = [\"6\", \"9\"] }";
    let found = seen(&topology, &policies(candidates, &topology));
    let all = "1 3 4 5 6 7 8 9 10 11";
    let expected = [
        ("16005 16011", "1 3 5 9 11"),
        ("16011", all),
        ("16006", "1 3 6 9 11"),
        // Who writes labels does not say where packets set out to: as to the endpoint, past 4 too.
        ("16005 16011", "1 2 3 4 5 9 11"),
        ("fc00:bb:6:1:: fc00:bb:9:1::", "1 3 6 9 11"),
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.0.as_str(), found.1.as_str()), expected);
    }
}

#[test]
fn candidates_are_called_by_what_is_written_or_by_their_preference() {
    let topology = whole();
    let list = "segments = [\"11\"]";
    let candidates = format!(
        "{{ {list} }}, {{ {list} }}, {{ name = \"fast\", {list} }}, {{ preference = 7, {list} }}"
    );
    let policies = policies(&candidates, &topology);
    let names: Vec<&str> =
        policies.policies[0].candidates.iter().map(|candidate| candidate.name.as_str()).collect();
    assert_eq!(names, ["preference-100", "preference-100-1", "fast", "preference-7"]);
    let taken = format!("{{ name = \"a\", {list} }}, {{ name = \"a\", {list} }}");
    let text = format!("[[policy]]\ncolor = 1\nendpoint = \"11\"\ncandidate = [{taken}]\n");
    let error = Policies::read("p.toml", &text, Some(&topology)).unwrap_err().to_string();
    assert!(error.contains("an earlier candidate is called \"a\""), "{error}");
}

#[test]
fn the_way_back_takes_the_same_links_where_there_is_one_way() {
    let topology = whole();
    let forwarding = Forwarding::new(&topology);
    let back = |candidate: &str| {
        let policies = policies(candidate, &topology);
        let list = survey(&topology, &policies).remove(0).remove(0).lists.remove(0);
        let policy = &policies.policies[0];
        let back = policy.way_back(&forwarding, &list.resolution, list.touched.as_ref()).unwrap();
        back.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(back("{ segments = [\"6\", \"11\"] }"), ["6", "1"]);
    assert_eq!(back("{ segments = [\"11\"] }"), ["1"], "any of the shortest");
    assert_eq!(back("{ dataplane = \"srv6\", segments = [\"7\", \"11\"] }"), ["7", "1"]);
}

#[test]
fn what_is_drained_is_computed_over_only_where_nothing_else_leads() {
    let mut topology = whole();
    let policies = policies("{ dynamic = {} }", &topology);
    for node in [2, 3] {
        topology.nodes[node].drained = true;
    }
    let surveyed = survey(&topology, &policies).remove(0).remove(0);
    let touched = surveyed.lists[0].touched.clone().unwrap();
    assert_eq!(surveyed.flaw, None);
    assert!(touched.drained(&topology).is_some(), "3 and 4 are all that 1 has");
    topology.nodes[2].drained = false;
    let surveyed = survey(&topology, &policies).remove(0).remove(0);
    assert_eq!(surveyed.lists[0].touched.clone().unwrap().drained(&topology), None);
}

fn names(roster: &Roster, policies: &Policies) -> Vec<(String, bool)> {
    let policy = &policies.policies[0];
    let entries = policy.candidates.iter().flat_map(|candidate| roster.of(policy, candidate));
    entries.map(|entry| (entry.name.clone(), entry.is_replaced)).collect()
}

/// The roster after lists past these nodes were written one after the other; the lists of `carrying`
/// carried traffic when the last came.
fn rosters(steps: &[&[&str]], carrying: &[&str]) -> Vec<(String, bool)> {
    let topology = whole();
    let mut roster = Roster::default();
    let mut last = Vec::new();
    let carrying: BTreeSet<String> = carrying.iter().map(|name| (*name).to_owned()).collect();
    for step in steps {
        let lists = step.iter().map(|node| format!("{{ segments = [\"{node}\", \"11\"] }}"));
        let lists = lists.collect::<Vec<_>>().join(", ");
        let policies = policies(&format!("{{ name = \"c\", lists = [{lists}] }}"), &topology);
        let surveyed = survey(&topology, &policies);
        roster = roster.next(&topology, &policies, &surveyed, &carrying);
        last = names(&roster, &policies);
    }
    last
}

#[test]
fn a_list_that_imposes_the_same_keeps_its_name_wherever_it_stands() {
    let is = |names: &[(&str, bool)]| -> Vec<(String, bool)> {
        names.iter().map(|(name, replaced)| ((*name).to_owned(), *replaced)).collect()
    };
    assert_eq!(rosters(&[&["5", "6"]], &[]), is(&[("p/c/0", false), ("p/c/1", false)]));
    assert_eq!(
        rosters(&[&["5", "6"], &["6", "5"]], &[]),
        is(&[("p/c/1", false), ("p/c/0", false)])
    );
    assert_eq!(
        rosters(&[&["5", "6"], &["7", "6"]], &[]),
        is(&[("p/c/2", false), ("p/c/1", false)])
    );
    assert_eq!(
        rosters(&[&["5"], &["6"]], &["p/c/0"]),
        is(&[("p/c/1", false), ("p/c/0", true)]),
        "it carries on until traffic has moved"
    );
    assert_eq!(
        rosters(&[&["5"], &["6"], &["6"]], &["p/c/1"]),
        is(&[("p/c/1", false)]),
        "what was replaced and carries nothing is gone"
    );
    assert_eq!(
        rosters(&[&["5"], &["6"], &["5"]], &["p/c/0"]),
        is(&[("p/c/0", false)]),
        "what comes back is what it was"
    );
}

#[test]
fn what_its_class_does_not_let_touch_carries_no_longer() {
    let topology = whole();
    let with = |class: &str, node: &str| {
        let keys = "name = \"p\"\nfrom = \"1\"\ncolor = 1\nendpoint = \"11\"\nclass = \"c\"";
        let list = format!("{{ name = \"c\", segments = [\"{node}\", \"11\"] }}");
        read(&format!("[class.c]\n{class}\n[[policy]]\n{keys}\ncandidate = [{list}]\n"), &topology)
    };
    let before = with("", "5");
    let roster =
        Roster::default().next(&topology, &before, &survey(&topology, &before), &[].into());
    let carrying = BTreeSet::from(["p/c/0".to_owned()]);
    for (class, kept) in [("", 2), ("avoid = { nodes = [\"5\"] }", 1)] {
        let after = with(class, "6");
        let next = roster.next(&topology, &after, &survey(&topology, &after), &carrying);
        assert_eq!(names(&next, &after).len(), kept, "{class}");
    }
}

#[test]
fn addresses_of_the_end_are_of_the_family_that_is_carried() {
    let topology = whole();
    let policies = policies("{ segments = [\"11\"] }", &topology);
    let policy = &policies.policies[0];
    let list = survey(&topology, &policies).remove(0).remove(0).lists.remove(0);
    let address = |plane| policy.address_over(&topology, &list.resolution, plane).unwrap();
    assert_eq!(address(DataPlane::Mpls).to_string(), "192.0.2.11");
    assert_eq!(address(DataPlane::Srv6).to_string(), "2001:db8::11");
    assert_eq!(
        Label::new(16011).map(|label| vec![label]),
        match list.resolution.imposed {
            Resolved::Labels(labels) => Some(labels),
            Resolved::Sids(_) => None,
        }
    );
}

/// Routers do not know yet of work that is announced.
#[test]
fn a_list_over_what_is_drained_is_followed_as_if_it_were_not() {
    let mut topology = whole();
    let link = topology.link_id("5-9").unwrap();
    for direction in &mut topology.links[link.position()].directions.0 {
        direction.drained = true;
    }
    let policies = policies("{ segments = [\"5\", \"11\"] }, { dynamic = {} }", &topology);
    let surveyed = survey(&topology, &policies).remove(0);
    let drained = |place: usize| {
        let touched = surveyed[place].lists[0].touched.clone().unwrap();
        touched.drained(&topology).map(|shared| shared.to_string())
    };
    assert_eq!((drained(0).as_deref(), drained(1)), (Some("link 5-9"), None));
}
