use super::*;
use crate::compute::Metric;

fn mesh(keys: &str) -> Result<Vec<Policy>, String> {
    let classes = "[class.gaming]\nrequire = { forward-p99 = \"20ms\" }\n\
        [class.medical]\nstandby = \"node\"\nspread = { paths = 2, weights = \"bandwidth\" }\n";
    let text = format!("{classes}[[mesh]]\ncolor = 100\n{keys}\n");
    let read = Policies::read("m", &text, Some(&homogeneous()));
    read.map(|read| read.policies).map_err(|errors| errors.to_string())
}

#[test]
fn every_pair_of_sites_has_a_policy_in_each_direction() {
    let policies = mesh("sites = [\"1\", \"11\", \"12\"]\nclass = \"gaming\"").unwrap();
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["100-1-11", "100-1-12", "100-11-1", "100-11-12", "100-12-1", "100-12-11"]);
    let first = &policies[0];
    assert_eq!(first.endpoint.to_string(), "192.0.2.11");
    assert_eq!(first.headend, homogeneous().node_id("1").map(Origin::Node));
    let by_delay = Dynamic { metric: Metric::Delay, ..Dynamic::default() };
    assert_eq!(first.candidates.len(), 1);
    assert_eq!(first.candidates[0].kind, CandidateKind::Dynamic(by_delay));
}

#[test]
fn a_class_with_a_standby_has_a_second_path() {
    let policies = mesh("sites = [\"1\", \"11\"]\nclass = \"medical\"\nmetric = \"te\"").unwrap();
    let [best, standby] = &policies[1].candidates[..] else { panic!("two candidates") };
    assert!(best.preference > standby.preference);
    let CandidateKind::Dynamic(dynamic) = &standby.kind else { panic!("computed") };
    let weights = ListWeights::Bandwidth;
    let disjoint_from = Some(best.preference);
    assert_eq!(*dynamic, Dynamic { metric: Metric::Te, paths: 2, weights, disjoint_from });
}

#[test]
fn sites_are_nodes_with_addresses_and_each_is_named_once() {
    for (sites, told) in [
        ("[\"1\"]", "two sites at least are needed"),
        ("[\"1\", \"1\"]", "this site is named already"),
        ("[\"1\", \"x\"]", "the topology has no node or link \"x\""),
    ] {
        let found = mesh(&format!("sites = {sites}")).unwrap_err();
        assert!(found.contains(told), "{found}");
    }
    let unknown = mesh("sites = [\"1\", \"2\"]\nclass = \"x\"").unwrap_err();
    assert!(unknown.contains("mesh[0].class = \"x\": no [class.x] is there"), "{unknown}");
    let again = "sites = [\"1\", \"2\"]\n[[mesh]]\ncolor = 100\nsites = [\"2\", \"1\"]";
    let again = mesh(again).unwrap_err();
    assert!(
        again.contains("policy \"100-2-1\" has the same headend, color and endpoint"),
        "{again}"
    );
}
