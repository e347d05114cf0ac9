//! Every shipped topology is read.

use std::fs;

use stamp_path::Topology;

#[test]
fn every_shipped_topology_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/topologies");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let topology = Topology::read(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(!topology.nodes.is_empty() && !topology.links.is_empty(), "{name}");
        count += 1;
    }
    assert!(count >= 6, "{count} files in {folder}");
}
