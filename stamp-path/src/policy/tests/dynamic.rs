use super::*;
use crate::class::Touched;
use crate::compute::Network;
use crate::path::{Hop, Path};
use crate::topology::Side;

/// The trap: the shortest way a-b-c-d crosses both of the others.
const TRAP: &str = "
    [[link]]
    ends = [\"a\", \"b\"]
    bandwidth = \"100M\"
    [[link]]
    ends = [\"b\", \"c\"]
    [[link]]
    ends = [\"c\", \"d\"]
    loss = \"1%\"
    [[link]]
    ends = [\"a\", \"c\"]
    igp = 30
    bandwidth = \"40M\"
    [[link]]
    ends = [\"b\", \"d\"]
    igp = 30
    delay = \"30ms\"
    bandwidth = \"400M\"
";

fn trap() -> Topology {
    let nodes = (1..).zip(["a", "b", "c", "d"]).map(|(number, name)| {
        format!("[[node]]\nname = \"{name}\"\nloopbacks = [\"192.0.2.{number}\"]\n")
    });
    Topology::read("t.toml", &(nodes.collect::<String>() + TRAP)).unwrap()
}

/// Nodes on the paths of each dynamic candidate with their weights, or why there are none.
fn found(class: &str, keys: &str, candidates: &str) -> Vec<Result<Vec<(String, u32)>, String>> {
    let topology = trap();
    let text = format!(
        "[class.c]\n{class}\n[[policy]]\ncolor = 1\nendpoint = \"d\"\nclass = \"c\"\n{keys}\n\
         candidate = [{candidates}]\n"
    );
    let read = Policies::read("p.toml", &text, Some(&topology)).unwrap_or_else(|e| panic!("{e}"));
    let policy = &read.policies[0];
    let network = Network::new(&topology);
    let hop = |name: &str| Hop { link: topology.link_id(name).unwrap(), side: Side::First };
    let written =
        Path::new(&topology, topology.node_id("a").unwrap(), vec![hop("a-b"), hop("b-d")]);
    let known = |_| Some(Touched::by(&topology, written.as_ref().unwrap()));
    let told = |way: &Way| {
        let nodes = way.answer.path.nodes(&topology).map(|node| topology[node].name.clone());
        (nodes.collect::<String>(), way.weight)
    };
    let found = ways(&network, (policy, &read.class_of(policy)), known).into_iter();
    let each = found.map(|(_, ways)| {
        ways.map(|ways| ways.iter().map(told).collect()).map_err(|why| why.in_words(&topology))
    });
    each.collect()
}

fn path(nodes: &str) -> Result<Vec<(String, u32)>, String> {
    Ok(vec![(nodes.to_owned(), 1)])
}

const FROM: &str = "from = \"a\"";

#[test]
fn bounds_of_the_class_hold_for_the_computed_path() {
    let best = |class: &str| found(class, FROM, "{ dynamic = {} }").remove(0);
    assert_eq!(best(""), path("abcd"));
    assert_eq!(best("require = { loss = \"0.5%\" }"), path("abd"));
    assert_eq!(best("require = { hops = 2 }"), path("abd"), "the first of two equal ones");
    assert_eq!(
        best("avoid = { links = [\"b-c\"] }\nrequire = { forward-p99 = \"20ms\" }"),
        path("acd")
    );
    assert_eq!(best("avoid = { nodes = [\"b\"] }"), path("acd"));
    let none =
        best("avoid = { nodes = [\"c\"] }\nrequire = { forward-p99 = \"20ms\" }").unwrap_err();
    assert!(none.contains("c") && none.contains("20ms"), "{none}");
}

#[test]
fn a_path_and_its_standby_are_found_together() {
    let pair = "{ preference = 200, dynamic = {} }, { dynamic = { disjoint-from = 200 } }";
    let both = found("standby = \"link\"", FROM, pair);
    let mut names: Vec<String> = both.iter().map(|it| it.clone().unwrap()[0].0.clone()).collect();
    names.sort();
    assert_eq!(names, ["abd", "acd"], "abcd would leave no other");
}

#[test]
fn a_path_shares_nothing_with_one_that_is_written_down() {
    let candidates = "{ preference = 200, segments = [\"b\", \"b-d\"] }, \
                      { dynamic = { disjoint-from = 200 } }";
    assert_eq!(found("standby = \"node\"", FROM, candidates), [path("acd")]);
}

#[test]
fn several_paths_share_traffic_by_the_narrowest_link_of_each() {
    let paths = "{ dynamic = { paths = 3, weights = \"bandwidth\" } }";
    let equal = found("", FROM, paths).remove(0).unwrap();
    assert_eq!(
        equal.iter().map(|(_, weight)| *weight).collect::<Vec<_>>(),
        [1, 1, 1],
        "one is unknown"
    );
    let narrow = found("avoid = { links = [\"b-c\", \"c-d\"] }", FROM, paths).remove(0).unwrap();
    assert_eq!(narrow, [("abd".to_owned(), 100)]);
}

#[test]
fn without_ends_there_is_no_path() {
    let none = found("", "", "{ dynamic = {} }").remove(0).unwrap_err();
    assert!(none.contains("give from or behind"), "{none}");
    let none = found("", "from = \"a\"\nverify-endpoint = true", "{ dynamic = {} }").remove(0);
    assert!(none.is_ok());
    let candidates =
        "{ preference = 200, dynamic = { paths = 2 } }, { dynamic = { disjoint-from = 200 } }";
    let after = found("", FROM, candidates);
    assert!(after[1].is_err(), "two paths take all there is: {after:?}");
}
