use super::*;
use crate::segments::Start;

/// What the headend imposes, or what is wrong, in words.
fn resolved(topology: &Topology, keys: &str, candidate: &str) -> Result<Vec<String>, String> {
    let policy = policy(topology, keys, candidate);
    let resolution = policy.resolve(topology, &lists(&policy)[0]);
    let resolution = resolution.map_err(|flaw| flaw.to_string())?;
    Ok(match resolution.imposed {
        Resolved::Labels(labels) => labels.iter().map(ToString::to_string).collect(),
        Resolved::Sids(sids) => sids.iter().map(ToString::to_string).collect(),
    })
}

fn behind_1(topology: &Topology, segments: &str) -> Result<Vec<String>, String> {
    resolved(topology, "behind = \"1\"", &format!("segments = [{segments}]"))
}

fn flaw(segments: &str) -> String {
    behind_1(&homogeneous(), segments).unwrap_err()
}

fn texts<const N: usize>(texts: [&str; N]) -> Result<Vec<String>, String> {
    Ok(texts.map(str::to_owned).to_vec())
}

/// The published policies of the fabric: spine 5, spine 8, any border.
#[test]
fn names_and_prefixes_become_the_labels_of_their_readers() {
    let (same, own) = (homogeneous(), heterogeneous());
    assert_eq!(behind_1(&same, "\"5\", \"11\""), texts(["16005", "16011"]));
    assert_eq!(behind_1(&own, "\"11\""), texts(["1011"]));
    assert_eq!(behind_1(&own, "\"5\", \"11\""), texts(["1005", "5011"]));
    let c = "{ prefix = \"192.0.2.5\" }, { prefix = \"192.0.2.11\", algorithm = 0 }";
    assert_eq!(behind_1(&own, c), texts(["1005", "5011"]));
    let d = "{ prefix = \"2001:db8::5\" }, { prefix = \"2001:db8::11\" }";
    assert_eq!(behind_1(&own, d), texts(["1005", "5011"]));
    let via_8 = "segments = [\"8\", \"11\"]";
    assert_eq!(resolved(&own, "behind = \"2\"", via_8), texts(["2008", "8011"]));
    let via_5 = "segments = [\"5\", \"11\"]";
    assert_eq!(resolved(&own, "from = \"1\"", via_5), texts(["3005", "5011"]));
}

#[test]
fn an_anycast_prefix_leads_to_each_of_its_nodes() {
    let (same, own) = (homogeneous(), heterogeneous());
    let any = "{ prefix = \"192.0.2.20\" }";
    assert_eq!(behind_1(&same, any), texts(["16020"]));
    assert_eq!(behind_1(&own, any), texts(["1020"]));
    assert_eq!(behind_1(&same, &format!("{any}, \"9\"")), texts(["16020", "16009"]));
    let then = behind_1(&own, &format!("{any}, \"9\"")).unwrap_err();
    assert!(then.contains("segment 2 (9) cannot be resolved: its meaning depends on"), "{then}");
    let from_9 = resolved(&same, "from = \"9\"", &format!("segments = [{any}]"));
    assert_eq!(from_9, texts([]), "both neighbours want no label");
    let from_5 = resolved(&own, "from = \"5\"", &format!("segments = [{any}]"));
    assert_eq!(from_5, texts(["9020"]));
    let from_1 = resolved(&own, "from = \"1\"", &format!("segments = [{any}]")).unwrap_err();
    assert!(from_1.contains("192.0.2.20 know it by different ones"), "3020 or 4020: {from_1}");
}

#[test]
fn an_adjacency_is_found_by_interface_and_by_addresses() {
    let topology = homogeneous();
    for adjacency in [
        "{ node = \"192.0.2.1\", interface = 3 }",
        "{ local = \"198.51.100.0\", remote = \"198.51.100.1\" }",
        "{ node = \"2001:db8::1\", interface = 3 }",
        "{ node = \"2001:db8::1\", interface = 3, remote-node = \"2001:db8::3\", remote-interface = 1 }",
        "{ local = \"2001:db8:13::\", remote = \"2001:db8:13::1\" }",
        "\"1-3\"",
    ] {
        let found = behind_1(&topology, &format!("{adjacency}, \"11\""));
        assert_eq!(found, texts(["124103", "16011"]), "{adjacency}");
    }
    let policy = policy(
        &topology,
        "from = \"1\"",
        "segments = [{ node = \"192.0.2.1\", interface = 3 }, \"11\"]",
    );
    let resolution = policy.resolve(&topology, &lists(&policy)[0]).unwrap();
    assert_eq!(resolution.start, topology.link_id("1-3").map(Start::Over));
    assert_eq!(resolution.end, topology.node_id("11"));
    assert_eq!(behind_1(&topology, "\"3\", \"3-5\", \"11\""), texts(["16003", "124305", "16011"]));
}

#[test]
fn srv6_segments_are_sids_of_nodes_and_adjacencies() {
    let topology = homogeneous();
    for segment in [
        "{ node = \"2001:db8::1\", interface = 3 }",
        "{ node = \"2001:db8::1\", interface = 3, remote-node = \"2001:db8::3\", remote-interface = 1 }",
        "{ local = \"2001:db8:13::\", remote = \"2001:db8:13::1\" }",
        "\"1-3\"",
    ] {
        let candidate = format!("dataplane = \"srv6\", segments = [{segment}, \"11\"]");
        let found = resolved(&topology, "from = \"1\"", &candidate);
        assert_eq!(found, texts(["fc00:bb:1:a3::", "fc00:bb:11:1::"]), "{segment}");
    }
    let candidate =
        "dataplane = \"srv6\", segments = [{ prefix = \"2001:db8::5\" }, \"fc00:bb:11:1::\"]";
    let policy = policy(&topology, "from = \"1\"\nverify-endpoint = true", candidate);
    let resolution = policy.resolve(&topology, &lists(&policy)[0]).unwrap();
    assert_eq!(resolution.end, topology.node_id("11"));
    assert_eq!(resolution.start, topology.node_id("5").map(Start::Toward));
}

/// What another domain means by a label or SID cannot be verified, but the first one has to lead on.
#[test]
fn labels_and_sids_stand_for_themselves_behind_the_first() {
    let topology = homogeneous();
    assert_eq!(behind_1(&topology, "16005, 999999, 0"), texts(["16005", "999999", "0"]));
    assert!(flaw("999999").ends_with("leads to no next hop: no neighbour knows label 999999"));
    let srv6 = |segments: &str| {
        let candidate = format!("dataplane = \"srv6\", segments = [{segments}]");
        resolved(&topology, "from = \"1\"", &candidate)
    };
    assert_eq!(
        srv6("\"2001:db8::5\", \"2001:db8:ffff::1\""),
        texts(["2001:db8::5", "2001:db8:ffff::1"])
    );
    assert_eq!(
        srv6("\"2001:db8:ffff::1\"").unwrap_err(),
        "its first segment (2001:db8:ffff::1) leads to no next hop: no node of the topology answers \
         to 2001:db8:ffff::1"
    );
    let nowhere = resolved(&topology, "", "segments = [16005, 16011]");
    assert_eq!(nowhere, texts(["16005", "16011"]), "what nothing is known of is not refused");
    let nowhere = resolved(&topology, "", "segments = [\"5\"]").unwrap_err();
    assert!(nowhere.ends_with("give from or behind"), "{nowhere}");
}

/// The published list for IPv6 packets over segments that are announced for IPv4.
#[test]
fn an_explicit_null_may_end_a_list() {
    let topology = homogeneous();
    let policy = policy(&topology, "behind = \"1\"", "segments = [\"5\"]");
    let labels = [16002, 16003, 16004, 2].map(|label| crate::topology::Label::new(label).unwrap());
    let list = SegmentList { weight: 1, segments: labels.map(Segment::Label).to_vec() };
    let resolution = policy.resolve(&topology, &list).unwrap();
    assert_eq!(resolution.imposed, Resolved::Labels(labels.to_vec()));
    assert_eq!(resolution.end, topology.node_id("4"), "whoever takes it off reads on");
}

#[test]
fn a_peer_of_another_autonomous_system_is_a_next_hop() {
    let mut topology = homogeneous();
    let (at, label) = (topology.node_id("12").unwrap(), crate::topology::Label::new(9999).unwrap());
    topology.peers.push(crate::topology::Peer { at, autonomous_system: 9999, label });
    let via = |keys: &str| resolved(&topology, keys, "segments = [9999]");
    assert_eq!(via("behind = \"12\""), texts(["9999"]));
    assert!(via("behind = \"11\"").is_err());
    assert_eq!(behind_1(&topology, "\"12\", 9999"), texts(["16012", "9999"]));
}

#[test]
fn an_invalid_list_says_which_rule_it_breaks() {
    let topology = homogeneous();
    let policy = policy(&topology, "behind = \"1\"", "segments = [\"5\"]");
    let list = |weight, segments: &[Segment]| {
        let list = SegmentList { weight, segments: segments.to_vec() };
        policy.resolve(&topology, &list).unwrap_err().to_string()
    };
    assert_eq!(list(1, &[]), "it has no segment");
    let label = Segment::Label(crate::topology::Label::new(16005).unwrap());
    assert_eq!(list(0, core::slice::from_ref(&label)), "its weight is zero");
    let sid = Segment::Sid("fc00:bb:5:1::".parse().unwrap());
    assert_eq!(
        list(1, &[label, sid]),
        "segment 2 (fc00:bb:5:1::) is of SRv6, those before it are of SR-MPLS"
    );
    assert_eq!(
        flaw("\"5\", { prefix = \"198.51.100.0/24\" }"),
        "segment 2 (198.51.100.0/24) cannot be resolved: no node of the topology announces \
         198.51.100.0/24"
    );
    assert_eq!(
        flaw("{ prefix = \"192.0.2.5\", algorithm = 1 }"),
        "its first segment (192.0.2.5 (algorithm 1)) leads to no next hop: 192.0.2.5 has no segment \
         of algorithm 1"
    );
    assert!(flaw("\"5\", { node = \"192.0.2.1\", interface = 3 }").contains("the list is at 5"));
    assert!(flaw("{ node = \"192.0.2.1\", interface = 9 }").contains("no link of the topology"));
    let other_end = "{ node = \"2001:db8::1\", interface = 3, remote-node = \"2001:db8::4\", \
                     remote-interface = 1 }";
    assert!(flaw(other_end).contains("no link of the topology has such an interface"));
}

#[test]
fn a_list_may_have_to_end_at_the_endpoint() {
    let topology = homogeneous();
    let ends = |keys: &str, segments: &str| {
        let candidate = format!("segments = [{segments}]");
        let policy = policy(&topology, &format!("behind = \"1\"\n{keys}"), &candidate);
        policy.resolve(&topology, &lists(&policy)[0]).map_err(|flaw| flaw.to_string()).map(|_| ())
    };
    assert_eq!(ends("", "\"5\""), Ok(()), "nobody asked");
    let at_5 = ends("verify-endpoint = true", "\"5\"");
    assert_eq!(at_5, Err("it ends at 5, which is not the endpoint 192.0.2.11".to_owned()));
    assert_eq!(ends("verify-endpoint = true", "\"9\", \"9-11\""), Ok(()), "an adjacency to it");
    assert_eq!(
        ends("verify-endpoint = true", "\"5\", 999999"),
        Ok(()),
        "nobody knows where it ends"
    );
    let any = ends("verify-endpoint = true", "{ prefix = \"192.0.2.20\" }");
    assert_eq!(any, Err("it ends at 12, which is not the endpoint 192.0.2.11".to_owned()));
}

#[test]
fn a_list_to_anywhere_may_end_anywhere() {
    let topology = homogeneous();
    for (endpoint, is_good) in [("0.0.0.0", true), ("::", true), ("192.0.2.11", false)] {
        let text = format!(
            "[[policy]]\ncolor = 1\nendpoint = \"{endpoint}\"\nbehind = \"1\"\n\
             verify-endpoint = true\ncandidate = [{{ segments = [\"5\"] }}]\n"
        );
        let policies = Policies::read("p.toml", &text, Some(&topology)).unwrap().policies;
        let resolved = policies[0].resolve(&topology, &lists(&policies[0])[0]);
        assert_eq!(resolved.is_ok(), is_good, "{endpoint}");
    }
}

#[test]
fn every_segment_has_the_letter_of_the_standard() {
    let topology = homogeneous();
    let letters = |candidate: &str| {
        let policy = policy(&topology, "behind = \"1\"", candidate);
        let kinds = lists(&policy)[0].segments.iter().map(|it| format!("{:?}", it.kind().unwrap()));
        kinds.collect::<String>()
    };
    let mpls = "segments = [16005, { prefix = \"192.0.2.5\" }, { prefix = \"2001:db8::5\" }, \
        { node = \"192.0.2.1\", interface = 3 }, { local = \"192.0.2.1\", remote = \"192.0.2.3\" }, \
        { node = \"2001:db8::1\", interface = 3 }, { local = \"2001:db8::1\", remote = \"2001:db8::3\" }]";
    assert_eq!(letters(mpls), "ACDEFGH");
    let srv6 = "dataplane = \"srv6\", segments = [\"fc00::\", { prefix = \"2001:db8::5\" }, \
        { node = \"2001:db8::1\", interface = 3 }, { local = \"2001:db8::1\", remote = \"2001:db8::3\" }]";
    assert_eq!(letters(srv6), "BIJK");
}
