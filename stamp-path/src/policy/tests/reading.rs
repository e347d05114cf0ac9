use proptest::prelude::*;
use stamp_document::document::ConfigError;

use super::*;
use crate::class::{Class, Damping, Trust};
use crate::compute::Disjointness;
use crate::compute::Metric;
use crate::topology::Label;

const REFERENCE: &str = include_str!("../../../reference/policies.toml");

/// Policies of a text, or what is wrong, a line each, without the name of the file.
fn read(text: &str) -> Result<Vec<Policy>, Vec<String>> {
    let line = |error: &ConfigError| error.to_string().split_off("p:".len());
    let read = Policies::read("p", text, Some(&homogeneous()));
    read.map(|read| read.policies).map_err(|errors| errors.0.iter().map(line).collect())
}

/// The one mistake of a policy whose candidate is this.
#[track_caller]
fn mistake(candidate: &str) -> String {
    let text =
        format!("[[policy]]\ncolor = 1\nendpoint = \"11\"\ncandidate = [{{ {candidate} }}]\n");
    let found = read(&text).unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn the_reference_is_read_with_every_key() {
    let policies = read(REFERENCE).unwrap();
    let [gold, srv6, plain, mesh @ ..] = &policies[..] else { panic!("three policies") };
    assert_eq!((mesh.len(), mesh[0].name.as_str(), mesh[0].candidates.len()), (6, "200-2-11", 2));
    assert_eq!((gold.name.as_str(), gold.color.value()), ("gold", 100));
    assert_eq!(gold.endpoint.to_string(), "192.0.2.11");
    assert_eq!((gold.priority, gold.class.as_deref()), (Some(10), Some("gaming")));
    assert!(gold.verifies_endpoint && !gold.keeps_installed && gold.is_composite());
    assert_eq!((srv6.name.as_str(), plain.name.as_str()), ("101-192.0.2.11", "102-192.0.2.11"));
    let preferences = gold.candidates.iter().map(|candidate| candidate.preference);
    assert_eq!(preferences.collect::<Vec<_>>(), [300, 200, 100, 50, 40, 30]);
    let first = &gold.candidates[0];
    assert_eq!(first.id.to_string(), "configuration/65000:192.0.2.1/7");
    assert_eq!((first.priority, first.data_plane), (Some(20), DataPlane::Mpls));
    assert_eq!(first.binding_sid, Label::new(15100).map(BindingSid::Label));
    let weights = ListWeights::Bandwidth;
    let dynamic = Dynamic { metric: Metric::Delay, paths: 2, weights, disjoint_from: None };
    assert_eq!(first.kind, CandidateKind::Dynamic(dynamic));
    let disjoint = Dynamic { disjoint_from: Some(300), ..Dynamic::default() };
    assert_eq!(gold.candidates[1].kind, CandidateKind::Dynamic(disjoint));
    assert_eq!(gold.candidates[2].id.to_string(), "configuration/0:0.0.0.0/2");
    let CandidateKind::Explicit(lists) = &gold.candidates[3].kind else { panic!("two lists") };
    assert_eq!(lists.iter().map(|list| list.weight).collect::<Vec<_>>(), [3, 1]);
    let CandidateKind::Composite(parts) = &gold.candidates[5].kind else { panic!("two parts") };
    assert_eq!(
        parts.iter().map(|it| (it.color.value(), it.weight)).collect::<Vec<_>>(),
        [(101, 2), (102, 1)]
    );
}

#[test]
fn the_reference_is_read_with_every_key_of_classes() {
    let topology = homogeneous();
    let read = Policies::read("p", REFERENCE, Some(&topology)).unwrap();
    let [gaming, bulk] = &read.classes[..] else { panic!("two classes") };
    assert_eq!(read.class_of(&read.policies[0]), *gaming);
    assert_eq!(read.class_of(&read.policies[1]), Class::default());
    let require: Vec<String> = gaming.require.iter().map(ToString::to_string).collect();
    assert_eq!(require, ["forward-p99 of at most 20ms", "loss of at most 0.1%"]);
    assert_eq!(gaming.avoid.domains, ["core"]);
    assert_eq!(
        (&gaming.avoid.autonomous_systems[..], &gaming.avoid.srlgs[..]),
        (&[65002][..], &[7][..])
    );
    assert_eq!(gaming.avoid.nodes, topology.node_id("8").into_iter().collect::<Vec<_>>());
    assert_eq!(gaming.avoid.links, topology.link_id("4-8").into_iter().collect::<Vec<_>>());
    assert_eq!(gaming.avoid.affinities, ["satellite"]);
    assert_eq!(gaming.compared().map(|it| it.to_string()).as_deref(), Some("forward-p50"));
    assert_eq!(gaming.standby, Some(Disjointness::NODE));
    let apart = gaming.apart.clone().unwrap();
    assert_eq!((apart.classes, apart.by), (vec!["bulk".to_owned()], Disjointness::LINK));
    assert_eq!((gaming.spread.paths, gaming.spread.weights), (2, ListWeights::Bandwidth));
    assert_eq!(gaming.traffic.prefixes[0].to_string(), "198.51.100.0/24");
    assert_eq!(gaming.traffic.dscp[0].name(), Some("AF41"));
    assert_eq!((gaming.damping, gaming.trust), (Damping::default(), Trust::default()));
    assert!(bulk.require.is_empty() && bulk.avoid.is_empty());
}

/// Every list of the reference can be imposed on the fabric it names.
#[test]
fn the_lists_of_the_reference_are_valid() {
    let topology = homogeneous();
    let mut count = 0;
    for policy in read(REFERENCE).unwrap() {
        for candidate in &policy.candidates {
            if let CandidateKind::Explicit(lists) = &candidate.kind {
                for list in lists {
                    let resolved = policy.resolve(&topology, list);
                    count += usize::from(resolved.is_ok());
                    // The anycast prefix belongs to another node too.
                    let ends = matches!(resolved, Err(ListFlaw::EndsElsewhere { .. }));
                    assert!(resolved.is_ok() || ends, "{resolved:?}");
                }
            }
        }
    }
    assert_eq!(count, 10);
}

#[test]
fn a_candidate_is_one_thing() {
    let one_of = "give exactly one of segments, lists, dynamic and composite";
    assert!(mistake("preference = 1").contains(one_of));
    assert!(mistake("segments = [\"5\"], dynamic = {}").contains(one_of));
    assert!(mistake("segments = []").contains("at least one is needed"));
    assert!(
        mistake("lists = [{ weight = 1 }]").contains("lists[0].segments: at least one is needed")
    );
    let none = read("[[policy]]\ncolor = 1\nendpoint = \"11\"\n").unwrap_err();
    assert!(none[0].contains("policy[0].candidate: at least one is needed, such as"), "{none:?}");
}

#[test]
fn names_are_those_of_the_topology_and_go_before_labels() {
    assert!(
        mistake("segments = [\"5\", \"x5\"]").contains("the topology has no node or link \"x5\"")
    );
    let policies =
        read("[[policy]]\ncolor = 1\nendpoint = \"11\"\ncandidate = [{ segments = [5, 16005] }]\n");
    let policies = policies.unwrap();
    let kinds: Vec<_> = lists(&policies[0])[0].segments.iter().map(Segment::kind).collect();
    assert_eq!(kinds, [None, Some(SegmentType::A)]);
    let text =
        "[[policy]]\ncolor = 1\nendpoint = \"a\"\ncandidate = [{ segments = [\"5\", \"a\"] }]\n";
    let found = Policies::read("p", text, None).unwrap_err().to_string();
    assert_eq!(found.matches("a name needs a topology to come from").count(), 2, "{found}");
}

#[test]
fn tables_of_segments_say_one_thing_with_all_that_belongs_to_it() {
    let table = |keys: &str| mistake(&format!("segments = [{{ {keys} }}]"));
    assert!(table("algorithm = 0").contains("give exactly one of prefix, node and local"));
    assert!(
        table("node = \"192.0.2.1\"").contains("node = \"192.0.2.1\": needs interface as well")
    );
    assert!(table("local = \"192.0.2.1\"").contains("needs remote as well"));
    assert!(
        table("prefix = \"192.0.2.1\", interface = 1")
            .contains("interface = 1: needs node as well")
    );
    assert!(table("local = \"192.0.2.1\", remote = \"::1\"").contains("both are to be IPv4"));
    assert!(table("prefix = \"192.0.2.1/24\"").contains("expected a prefix such as"));
    let srv6 = mistake("dataplane = \"srv6\", segments = [{ prefix = \"192.0.2.1\" }]");
    assert!(srv6.contains("an IPv4 address stands for no SID"), "{srv6}");
}

#[test]
fn policies_and_candidates_are_told_apart() {
    let policy = |keys: &str| {
        format!(
            "[[policy]]\ncolor = 1\nendpoint = \"11\"\n{keys}\ncandidate = [{{ segments = [\"5\"] }}]\n"
        )
    };
    let same = read(&(policy("name = \"a\"") + &policy("name = \"b\""))).unwrap_err();
    assert!(same[0].contains("policy \"a\" has the same headend, color and endpoint"), "{same:?}");
    let named =
        read(&(policy("name = \"a\"") + &policy("name = \"a\"\nfrom = \"1\""))).unwrap_err();
    assert!(named[0].contains("an earlier [[policy]] is called \"a\""), "{named:?}");
    let others = read(&(policy("from = \"1\"") + &policy("behind = \"2\""))).unwrap();
    assert_eq!(others[1].name, "1-2-192.0.2.11");
    let twice = mistake("discriminator = 1, segments = [\"5\"] }, { segments = [\"6\"]");
    assert!(twice.contains("is configuration/0:0.0.0.0/1 already"), "{twice}");
    let nothing = mistake("dynamic = { disjoint-from = 7 }");
    assert!(nothing.contains("no other candidate has preference 7"), "{nothing}");
}

#[test]
fn origins_are_names_or_numbers() {
    let text = "[[policy]]\ncolor = 1\nendpoint = \"11\"\ncandidate = [\
        { origin = \"pcep\", segments = [\"5\"] }, { origin = \"bgp\", segments = [\"5\"] }, \
        { segments = [\"5\"] }, { origin = 77, segments = [\"5\"] }]\n";
    let policies = read(text).unwrap();
    let origins =
        policies[0].candidates.iter().map(|it| (it.id.origin.0, it.id.origin.to_string()));
    let expected = [(10, "pcep"), (20, "bgp"), (30, "configuration"), (77, "77")];
    assert_eq!(
        origins.collect::<Vec<_>>(),
        expected.map(|(number, name)| (number, name.to_owned()))
    );
}

#[test]
fn an_originator_is_compared_as_one_number_of_160_bits() {
    let of = |number, node: &str| Originator::new(number, node.parse().unwrap());
    assert!(of(1, "2001:db8::1") < of(2, "192.0.2.1"), "the autonomous system is the high part");
    assert!(of(1, "255.255.255.255") < of(1, "::1:0:0"), "an IPv4 address has 32 bits");
    assert_eq!(of(1, "192.0.2.1"), of(1, "::c000:201"));
    assert_eq!(of(1, "192.0.2.1").to_string(), "1:192.0.2.1");
    assert_eq!(Originator::default(), of(0, "0.0.0.0"));
}

#[test]
fn all_mistakes_are_told_at_once_with_their_range() {
    let found = read(
        "[[policy]]\ncolor = 0\nendpoint = \"a b\"\nfrom = \"z\"\npriority = 256\nkolor = 1\n\
         candidate = [{ preference = -1, origin = 0, originator = \"x\", segments = [\"a b\"] }]\n",
    );
    let found = found.unwrap_err();
    let expected = [
        "2:9: policy[0].color = 0: expected a color from 1 to 4294967295",
        "3:12: policy[0].endpoint = \"a b\": expected an address, a node of the topology",
        "4:8: policy[0].from = \"z\": the topology has no node or link \"z\"",
        "5:12: policy[0].priority = 256: expected a priority from 0",
        "6:1: policy[0].kolor: unknown key; did you mean \"color\"?",
        "candidate[0].preference = -1: expected a preference from 0",
        "candidate[0].origin = 0: expected configuration, bgp, pcep",
        "candidate[0].originator = \"x\": expected AS:ADDRESS",
        "candidate[0].segments = \"a b\": expected a name of a node or link, a label from 0 to 1048575",
    ];
    for expected in expected {
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(found.len(), expected.len());
}

proptest! {
    /// Whatever is cut from or put into a good file is read or told, never more.
    #[test]
    fn a_damaged_reference_makes_no_panic(
        start in 0..REFERENCE.len(),
        length in 0_usize..40,
        put in "[ -~\\n]{0,12}",
    ) {
        let text: String = REFERENCE.chars().take(start)
            .chain(put.chars())
            .chain(REFERENCE.chars().skip(start + length))
            .collect();
        let read = read(&text);
        prop_assert!(read.is_ok() || !read.unwrap_err().is_empty());
    }
}
