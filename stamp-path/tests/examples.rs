//! Every shipped topology is read, and gives the ways that it is made for.

use std::fs;

use stamp_path::Topology;
use stamp_path::compute::{Constraint, Disjointness, Metric, Network, Request};
use stamp_path::encoding::{Forwarding, Imposer, Intent};
use stamp_path::path::Path;
use stamp_path::topology::LinkKind;

fn example(name: &str) -> Topology {
    let path = format!("{}/../examples/topologies/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap();
    Topology::read(&path, &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn request(topology: &Topology, from: &str, to: &str) -> Request {
    let [from, to] = [from, to].map(|name| topology.node_id(name).unwrap());
    Request::new(from, to)
}

fn words(topology: &Topology, path: &Path) -> String {
    path.nodes(topology).map(|node| topology[node].name.as_str()).collect::<Vec<_>>().join(" ")
}

fn srlgs() -> Disjointness {
    Disjointness { nodes: false, srlgs: true }
}

/// Traffic of a branch keeps off the internet while its leased line is there, and what must not fail
/// together does not share a street.
#[test]
fn branches_have_a_way_for_each_kind_of_traffic() {
    let topology = example("branches.toml");
    let network = Network::new(&topology);
    let best = |request: &Request| words(&topology, &network.best(request).unwrap().path);
    let west = request(&topology, "west", "main");
    assert_eq!(best(&west), "west carrier-b carrier-a main");
    let not = |request: &Request, affinity: &str| {
        request.clone().with(Constraint::ExcludeAffinity(affinity.to_owned()))
    };
    let rest = not(&not(&west, "leased"), "mobile");
    assert_eq!(best(&rest), "west internet main");
    assert_eq!(best(&not(&not(&rest, "leased"), "none")), "west internet main");
    let pair = network.pair(&west, srlgs()).unwrap();
    assert_eq!(pair.ways.len(), 2);
    let east = request(&topology, "east", "spare");
    assert!(network.pair(&east, srlgs()).is_err(), "both lines lie in one street");
    assert!(network.pair(&east, Disjointness { nodes: false, srlgs: false }).is_ok());
}

/// Two ways over the ocean that no landing and no trench joins, and each within what its nodes can impose.
#[test]
fn the_backbone_crosses_the_ocean_on_two_cables_that_share_nothing() {
    let topology = example("science.toml");
    let network = Network::new(&topology);
    let request = request(&topology, "chi", "gva").by(Metric::Delay);
    let pair = network.pair(&request, srlgs()).unwrap();
    let names = pair.ways.each_ref().map(|way| words(&topology, &way.path));
    assert_eq!(names, ["chi nyc lon ams fra gva", "chi hou wdc par gva"].map(str::to_owned));
    let forwarding = Forwarding::new(&topology);
    for way in &pair.ways {
        let intent = Intent::path(&topology, &way.path);
        let list = forwarding.encode_labels(Imposer::Node, &intent, 0).unwrap();
        assert!(list.depth() <= 8 && list.covers, "{list:?}");
    }
}

/// The six labels of the text on label stacks: on arrival at GW1b, as Source1 imposes them.
#[test]
fn lsps_behind_binding_sids_are_joined_by_labels_of_peers() {
    let topology = example("interdomain-lsps.toml");
    let mut request = request(&topology, "Source1", "Destination");
    request.over = vec![LinkKind::Physical, LinkKind::Lsp];
    let disjoint = Disjointness { nodes: true, srlgs: false };
    let pair = Network::new(&topology).pair(&request, disjoint).unwrap();
    let forwarding = Forwarding::new(&topology);
    let labels = pair.ways.iter().map(|way| {
        let intent = Intent::path(&topology, &way.path);
        let list = forwarding.encode_labels(Imposer::Node, &intent, 0).unwrap();
        list.labels().unwrap().iter().map(|label| label.value()).collect::<Vec<_>>()
    });
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    assert_eq!(labels, [[101, 102, 103, 104, 105, 700_077], [112, 113, 114, 115, 116, 800_077]]);
}

#[test]
fn every_shipped_topology_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/topologies");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let topology = Topology::read(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(!topology.nodes.is_empty() && !topology.links.is_empty(), "{name}");
        count += 1;
    }
    assert!(count >= 10, "{count} files in {folder}");
}
