use clap::Parser as _;
use serde_json::Value;
use stamp_path::Topology;

use super::*;
use crate::command_line::{CommandLine, SchemaFormat, Verb};
use crate::output::{golden, schema};

/// Two sites and three ways between them, one of them over two wires.
const NETWORK: &str = r#"
[[node]]
name = "ams"
as = 65001
[[node]]
name = "fra"
as = 65001
[[node]]
name = "par"
as = 65002
domain = "west"
[[node]]
name = "lon"
[[link]]
ends = ["ams", "fra"]
delay = "4ms"
bandwidth = "40G"
[[link]]
name = "fra-lon-1"
ends = ["fra", "lon"]
delay = "9ms"
bandwidth = "10G"
[[link]]
name = "fra-lon-2"
ends = ["fra", "lon"]
delay = "9500us"
bandwidth = "20G"
affinities = ["leased"]
[[link]]
ends = ["ams", "par"]
delay = "5ms"
igp = 30
bandwidth = "100G"
[[link]]
ends = ["par", "lon"]
delay = "4ms"
loss = "0.1%"
srlgs = [7]
bandwidth = "100G"
[[link]]
ends = ["ams", "lon"]
delay = "30ms"
igp = 5
affinities = ["satellite"]
bandwidth = "1G"
"#;

pub(super) fn topology() -> Topology {
    Topology::read("net.toml", NETWORK).unwrap()
}

pub(super) fn flags(verb: &str, more: &str) -> Path {
    let line = format!("stamp-sender path {verb} --topology net.toml {more}");
    let parsed = CommandLine::try_parse_from(line.split_whitespace());
    match parsed.unwrap_or_else(|error| panic!("{error}")).verb {
        Some(Verb::Path(path)) => path,
        other => panic!("{other:?}"),
    }
}

fn compute(more: &str) -> Box<Compute> {
    match flags("compute", &format!("--from ams --to lon {more}")) {
        Path::Compute(compute) => compute,
        other => panic!("{other:?}"),
    }
}

/// What is printed.
fn printed(more: &str) -> String {
    let (topology, compute) = (topology(), compute(more));
    let request = asked::request(&topology, &compute.wanted).unwrap();
    let seen = Seen::of(&topology, &request);
    let found = found(&seen, &request, &compute);
    if compute.json {
        layout::text(&Document::of(&seen, &found, compute.dataplane)).unwrap()
    } else {
        table::text(&seen, &request, &found, compute.dataplane)
    }
}

fn told(more: &str) -> String {
    let Path::Explain(explain) = flags("explain", &format!("--from ams --to lon {more}")) else {
        panic!("explain")
    };
    let topology = topology();
    let request = asked::request(&topology, &explain.wanted).unwrap();
    let seen = Seen::of(&topology, &request);
    let found = seen.search(&request, |network, request| network.ranked(request, 2));
    explanation::text(&seen, &request, &found, explain.dataplane)
}

/// The nodes of each way that is printed.
fn ways(more: &str) -> Vec<String> {
    let text = printed(more);
    let row = |line: &str| line.split("  ").next().unwrap_or_default().to_owned();
    // Behind the table stand the lists.
    text.lines().skip(1).take_while(|line| !line.contains(": ")).map(row).collect()
}

fn refusal(more: &str) -> String {
    asked::request(&topology(), &compute(more).wanted).unwrap_err().to_string()
}

#[test]
fn tables_are_as_they_were() {
    let tables = [
        "",
        "--k 4 --metric delay",
        "--k 9 --metric te --exclude satellite",
        "--pair --disjoint node",
        "--max-delay 5ms",
        "--avoid-domain west --exclude satellite,leased --max-delay 10ms",
        "--work-limit 0 --max-delay 20ms",
    ];
    let each = tables.map(|more| format!("$ path compute {more}\n{}\n", printed(more)));
    golden::check("path-compute.txt", &each.concat());
}

#[test]
fn explanations_are_as_they_were() {
    let explanations = [
        "",
        "--metric delay --max-loss 0.01%",
        "--exclude satellite --avoid-as 65002 --max-hops 3",
        "--exclude satellite --avoid-node fra --avoid-srlg 7",
        "--metric loss --disjoint-from ams,par,lon --disjoint node+srlg",
    ];
    let each = explanations.map(|more| format!("$ path explain {more}\n{}\n", told(more)));
    golden::check("path-explain.txt", &each.concat());
}

/// Each node knows the same segment by a label of its own block (RFC 8670).
#[test]
fn who_reads_what_stands_below_a_list() {
    let text = include_str!("../../../examples/topologies/clos-srgb.toml");
    let topology = Topology::read("clos-srgb.toml", text).unwrap();
    let [from, to] = ["1", "11"].map(|name| topology.node_id(name).unwrap());
    let request = Request::new(from, to);
    let request = request.by(stamp_path::compute::Metric::Delay);
    let seen = Seen::of(&topology, &request);
    let path = seen.best(&request).unwrap().path;
    assert_eq!(
        table::readers(&seen, &path, crate::command_line::path::DataPlane::Mpls),
        "1 4 7 10 11: --segments 7,11  labels 4007 7011\n  4 reads 4007\n  7 reads 7011\n  10 reads 10011\n"
    );
}

#[test]
fn documents_are_as_they_were_and_keep_to_their_schema() {
    golden::check("path-compute.json", &printed("--k 2 --metric delay --json"));
    golden::check("path-none.json", &printed("--max-delay 5ms --json"));
    let schema: Value = serde_json::from_str(&schema::text(SchemaFormat::Path)).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for more in ["--k 9 --json", "--pair --json", "--max-hops 1 --exclude satellite --json"] {
        let document: Value = serde_json::from_str(&printed(more)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    }
}

#[test]
fn each_flag_does_what_it_says() {
    for (more, expected) in [
        ("--metric hops", &["ams lon"][..]),
        ("--metric hops --exclude satellite", &["ams fra fra-lon-1 lon"]),
        ("--metric delay --max-loss 0%", &["ams fra fra-lon-1 lon"]),
        ("--min-bandwidth 50G", &["ams par lon"]),
        ("--include-any leased,satellite", &["ams lon"]),
        ("--include-all satellite", &["ams lon"]),
        ("--avoid-link ams-lon,fra-lon-1", &["ams fra fra-lon-2 lon"]),
        ("--avoid-srlg 7 --k 9", &["ams lon", "ams fra fra-lon-1 lon", "ams fra fra-lon-2 lon"]),
        ("--equal --exclude satellite", &["ams fra fra-lon-1 lon", "ams fra fra-lon-2 lon"]),
        ("--equal --k 1 --exclude satellite", &["ams fra fra-lon-1 lon"]),
        ("--disjoint-from ams,lon --disjoint-from ams,fra,fra-lon-1,lon", &["ams par lon"]),
        ("--disjoint-from ams,ams-fra,fra-lon-1 --metric delay", &["ams par lon"]),
    ] {
        assert_eq!(ways(more), expected, "{more}");
    }
}

#[test]
fn what_a_domain_hides_is_neither_shown_nor_counted() {
    let topology = Topology::read(
        "net.toml",
        r#"
        node = [
            { name = "ams" },
            { name = "par" },
            { name = "gate", domain = "far" },
            { name = "lon", domain = "far", loopbacks = ["192.0.2.4"] },
        ]
        link = [{ ends = ["ams", "par"] }, { ends = ["par", "gate"] }, { ends = ["gate", "lon"] }]
        domain = [{ name = "far", shows = "reachability" }]
        [[gateway]]
        domain = "far"
        nodes = ["gate"]
        prefixes = [{ prefix = "192.0.2.4", accepts = "ip" }]
        "#,
    );
    let topology = topology.unwrap();
    for (more, expected) in [
        ("", "ams par gate gate~lon lon    -      -     -          -       -\n"),
        (
            "--max-hops 9",
            "ways lead through domains that do not show what they are made of, so none is known",
        ),
    ] {
        let compute = compute(more);
        let request = asked::request(&topology, &compute.wanted).unwrap();
        let seen = Seen::of(&topology, &request);
        let found = found(&seen, &request, &compute);
        let text = table::text(&seen, &request, &found, compute.dataplane);
        assert!(text.contains(expected), "{text}");
        let document =
            serde_json::to_value(Document::of(&seen, &found, compute.dataplane)).unwrap();
        assert!(document["paths"].as_array().unwrap().iter().all(|one| one["delay_ns"].is_null()));
    }
}

#[test]
fn names_that_name_nothing_are_refused_with_what_there_is() {
    for (more, expected) in [
        (
            "--avoid-node pari",
            "--avoid-node: the topology has no node or link \"pari\"; there is par",
        ),
        ("--avoid-link ams", "--avoid-link: the topology has no link \"ams\"; it is a node"),
        ("--avoid-as 7", "--avoid-as: no node of the topology is in AS 7; there is 65001, 65002"),
        (
            "--avoid-domain east",
            "--avoid-domain: no node of the topology is in domain east; there is west",
        ),
        ("--avoid-srlg 8", "--avoid-srlg: no link of the topology is in SRLG 8; there is 7"),
        (
            "--exclude x",
            "--exclude: no link of the topology has affinity x; there is leased, satellite",
        ),
        (
            "--include-any x",
            "--include-any: no link of the topology has affinity x; there is leased, satellite",
        ),
        (
            "--disjoint-from ams,fra,lon",
            "--disjoint-from: several links join fra and lon: put one of fra-lon-1, fra-lon-2 between them",
        ),
        ("--disjoint-from fra,par", "--disjoint-from: no link joins fra and par"),
        (
            "--disjoint-from ams-fra",
            "--disjoint-from: a way begins with a node, and ams-fra is a link",
        ),
        ("--disjoint-from ams,par-lon", "--disjoint-from: link par-lon does not begin at ams"),
    ] {
        assert_eq!(refusal(more), expected);
    }
    let same = flags("compute", "--from ams --to ams");
    let Path::Compute(same) = same else { panic!("compute") };
    let refused = asked::request(&topology(), &same.wanted).unwrap_err();
    assert_eq!(refused.to_string(), "--to: ams is where the way begins already");
}
