use super::*;
use crate::class::Class;
use crate::compute::Network;
use crate::encoding::{End, Forwarding, Walk};

/// The list of the one computed path past spine 6, what is imposed for it, and the nodes it touches.
fn past_6(keys: &str, candidate: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let topology = homogeneous();
    let text = format!(
        "[class.c]\navoid = {{ nodes = [\"5\", \"7\", \"8\"] }}\n[[policy]]\ncolor = 1\n\
         endpoint = \"11\"\nclass = \"c\"\nverify-endpoint = true\n{keys}\ncandidate = [{{ {candidate} }}]\n"
    );
    let read = Policies::read("p.toml", &text, Some(&topology)).unwrap();
    let policy = &read.policies[0];
    let class: Class = read.class_of(policy);
    let network = Network::new(&topology);
    let found = ways(&network, (policy, &class), |_| None).remove(0).1.unwrap();
    let forwarding = Forwarding::new(&topology);
    let encoded = policy.encode(&forwarding, &policy.candidates[0], &found[0]).unwrap();
    let touched = encoded.touched.unwrap();
    assert_eq!(class.avoid.trespass(&topology, &touched), None, "proven");
    let resolution = policy.resolve(&topology, &encoded.list).unwrap();
    let imposed = match resolution.imposed {
        Resolved::Labels(labels) => labels.iter().map(ToString::to_string).collect(),
        Resolved::Sids(sids) => sids.iter().map(ToString::to_string).collect(),
    };
    let list = encoded.list.segments.iter().map(ToString::to_string).collect();
    (list, imposed, touched.nodes.iter().map(|node| topology[*node].name.clone()).collect())
}

#[test]
fn a_computed_path_has_the_fewest_segments_and_touches_nothing_else() {
    let dynamic = "dynamic = {}";
    let nodes = ["1", "3", "6", "9", "11"];
    let (list, imposed, touched) = past_6("from = \"1\"", dynamic);
    assert_eq!(list, ["6", "11"]);
    assert_eq!(imposed, ["16006", "16011"]);
    assert_eq!(touched, nodes);
    let (list, imposed, touched) = past_6("behind = \"1\"", "dynamic = {}, dataplane = \"srv6\"");
    assert_eq!(list, ["6", "11"]);
    assert_eq!(imposed, ["fc00:bb:6:1::", "fc00:bb:11:1::"]);
    assert_eq!(touched, nodes);
}

/// What the topology does not show could be anything.
#[test]
fn a_walk_that_leaves_what_is_known_proves_nothing() {
    let topology = homogeneous();
    let [start, end] = ["1", "11"].map(|name| topology.node_id(name).unwrap());
    let known =
        Walk { nodes: [start, end].into(), ends: [End::Node(end)].into(), ..Walk::default() };
    let touched = crate::class::Touched::of_walk(&known, start).unwrap();
    assert_eq!((touched.nodes, touched.ends), ([start, end].into(), [start, end].into()));
    let hidden = Walk { hidden: [0].into(), ..known.clone() };
    assert_eq!(crate::class::Touched::of_walk(&hidden, start), None);
    let peer = Walk { ends: [End::Peer(0)].into(), ..known };
    assert_eq!(crate::class::Touched::of_walk(&peer, start), None);
}
