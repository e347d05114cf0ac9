use super::*;
use crate::Topology;
use crate::class::{Shared, Touched};
use crate::compute::Disjointness;
use crate::path::{Hop, Path};
use crate::topology::Side;

/// A square a-b-d, a-c-d and a link a-d.
fn square() -> Topology {
    let node = |(name, more): (&str, &str)| format!("[[node]]\nname = \"{name}\"\n{more}\n");
    let nodes = [("a", ""), ("b", "domain = \"x\"\nas = 7"), ("c", ""), ("d", "")].map(node);
    let link = |(from, to, more): (&str, &str, &str)| {
        format!("[[link]]\nends = [\"{from}\", \"{to}\"]\n{more}\n")
    };
    let links = [
        ("a", "b", "srlgs = [1]"),
        ("b", "d", ""),
        ("a", "c", "srlgs = [1]"),
        ("c", "d", "affinities = [\"satellite\"]"),
        ("a", "d", ""),
    ];
    Topology::read("t.toml", &(nodes.concat() + &links.map(link).concat())).unwrap()
}

fn touched(topology: &Topology, links: &[&str]) -> Touched {
    let hop = |name: &&str| Hop { link: topology.link_id(name).unwrap(), side: Side::First };
    let start = topology.node_id("a").unwrap();
    let path = Path::new(topology, start, links.iter().map(hop).collect()).unwrap();
    Touched::by(topology, &path)
}

/// Why a path may not be used by a class of these keys.
fn refused(keys: &str, links: &[&str]) -> Option<String> {
    let topology = square();
    let text = format!("[class.c]\n{keys}\n");
    let class = Policies::read("c.toml", &text, Some(&topology)).unwrap().classes.remove(0);
    let admission = admit(&topology, &class, Some(&touched(&topology, links)), &[]);
    admission.forbidden.map(|forbidden| forbidden.to_string())
}

#[test]
fn nothing_that_is_avoided_may_be_touched() {
    let past_b = &["a-b", "b-d"][..];
    for (keys, told) in [
        ("domains = [\"x\"]", "node b of domain x"),
        ("as = [7]", "node b of AS 7"),
        ("nodes = [\"b\"]", "node b"),
        ("links = [\"b-d\"]", "link b-d"),
        ("srlgs = [1]", "link a-b of shared risk link group 1"),
    ] {
        let refused = |links| refused(&format!("avoid = {{ {keys} }}"), links);
        assert_eq!(refused(past_b), Some(format!("its packets can touch {told}")));
        assert_eq!(refused(&["a-d"]), None, "{keys}");
    }
    let satellite = refused("avoid = { affinities = [\"satellite\"] }", &["a-c", "c-d"]);
    assert_eq!(satellite.as_deref(), Some("its packets can touch link c-d of group satellite"));
}

/// One branch of equal cost is enough.
#[test]
fn every_branch_of_a_list_counts() {
    let topology = square();
    let text = "[class.c]\navoid = { domains = [\"x\"] }\n";
    let class = Policies::read("c.toml", text, Some(&topology)).unwrap().classes.remove(0);
    let mut both = touched(&topology, &["a-c", "c-d"]);
    assert_eq!(admit(&topology, &class, Some(&both), &[]).forbidden, None);
    both.extend(touched(&topology, &["a-b", "b-d"]));
    assert!(admit(&topology, &class, Some(&both), &[]).forbidden.is_some());
    let unproven = admit(&topology, &class, None, &[]).forbidden;
    assert_eq!(unproven, Some(Forbidden::Unproven));
    let free = admit(&topology, &Class::default(), None, &[]);
    assert_eq!(free, Admission::default(), "who avoids nothing needs no proof");
}

#[test]
fn a_trespassing_path_is_left_at_once_however_good_it_is() {
    let mut scene = Scene::new("require = { forward-p50 = \"20ms\" }", [200, 100]);
    scene.measure(["1ms", "19ms"]).step();
    scene.candidates[0].admission.forbidden = Some(Forbidden::Unproven);
    assert_eq!(scene.after(1).step(), (Some(1), Some(ChangeReason::Forbidden)));
    scene.candidates[1].admission.forbidden = Some(Forbidden::Unproven);
    let decision = scene.after(1).decide();
    assert_eq!((decision.active, decision.standing), (None, Standing::Unavailable));
}

#[test]
fn classes_stay_apart() {
    let topology = square();
    let text = "[class.small]\n[class.c]\napart-from = { classes = [\"small\"], by = \"link\" }\n";
    let class = Policies::read("c.toml", text, Some(&topology)).unwrap().classes.remove(1);
    let small = touched(&topology, &["a-b", "b-d"]);
    let others = [("small", &small)];
    let admitted = |links: &[&str]| {
        admit(&topology, &class, Some(&touched(&topology, links)), &others).forbidden
    };
    let shared = Shared::Link { name: "a-b".to_owned() };
    assert_eq!(
        admitted(&["a-b", "b-d"]),
        Some(Forbidden::Shared { shared, class: "small".to_owned() })
    );
    assert_eq!(admitted(&["a-c", "c-d"]), None);
}

#[test]
fn drained_links_and_nodes_are_told_but_for_the_ends() {
    let mut topology = square();
    let drained = |topology: &Topology, links: &[&str]| {
        touched(topology, links).drained(topology).map(|shared| shared.to_string())
    };
    topology.nodes[1].drained = true;
    topology.nodes[3].drained = true;
    assert_eq!(drained(&topology, &["a-b", "b-d"]).as_deref(), Some("node b"));
    assert_eq!(drained(&topology, &["a-c", "c-d"]), None, "d is where they go");
    topology.links[3].directions.0[0].drained = true;
    assert_eq!(drained(&topology, &["a-c", "c-d"]).as_deref(), Some("link c-d"));
}

#[test]
fn a_standby_shares_nothing_with_the_path_in_use() {
    let topology = square();
    let links: [&[&str]; 3] = [&["a-b", "b-d"], &["a-c", "c-d"], &["a-d"]];
    let mut scene = Scene::new("require = { forward-p50 = \"20ms\" }", [300, 200, 100]);
    scene.measure(["10ms", "10ms", "10ms"]);
    let decision = scene.decide();
    let by = |disjoint| {
        let found = standby(&topology, disjoint, &decision, |id| {
            links.get(id.discriminator as usize).map(|links| touched(&topology, links))
        });
        found.map(|id| id.discriminator)
    };
    let kinds = [Disjointness::LINK, Disjointness::NODE, Disjointness::SRLG];
    assert_eq!(kinds.map(by), [Some(1), Some(1), Some(2)], "a-b and a-c share a risk");
    let decision = scene.after(1).measure(["10ms", "30ms", "30ms"]).decide();
    assert_eq!(
        standby(&topology, Disjointness::LINK, &decision, |_| Some(touched(&topology, &["a-d"]))),
        None
    );
}
