use super::*;
use crate::compute::Metric;

fn policies(text: &str) -> Vec<Policy> {
    Policies::read("p.toml", text, Some(&homogeneous())).unwrap().policies
}

/// A policy from node 1 to node 11.
fn table(color: u32, candidates: &str) -> String {
    format!(
        "[[policy]]\nfrom = \"1\"\ncolor = {color}\nendpoint = \"11\"\ncandidate = [{candidates}]\n"
    )
}

fn nothing(_: &Policy, _: &Dynamic) -> Result<Vec<SegmentList>, String> {
    Err("no way is that short".to_owned())
}

const GOOD: &str = "segments = [\"5\", \"11\"]";
const BAD: &str = "segments = [\"5\", { prefix = \"198.51.100.0/24\" }]";

#[test]
fn one_valid_list_makes_a_candidate_valid() {
    let both = policies(&table(1, &format!("{{ lists = [{{ {BAD} }}, {{ {GOOD} }}] }}")));
    let judged = judge(&homogeneous(), &both, nothing);
    let Ok(Content::Lists(lists)) = &judged[0].candidates[0] else { panic!("{judged:?}") };
    assert_eq!(lists.resolved.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn an_invalid_candidate_says_why() {
    let none =
        policies(&table(1, &format!("{{ lists = [{{ {BAD} }}, {{ {BAD} }}] }}, {{ {BAD} }}")));
    let judged = judge(&homogeneous(), &none, nothing);
    let texts = judged[0].candidates.iter().map(|it| it.as_ref().unwrap_err().to_string());
    let texts: Vec<String> = texts.collect();
    assert!(texts[0].starts_with("none of its segment lists is valid: list 1: segment 2 (198.51"));
    assert!(texts[0].contains("; list 2: segment 2"), "{texts:?}");
    assert!(texts[1].starts_with("none of its segment lists is valid: segment 2"), "{texts:?}");
    assert!(!judged[0].is_valid());
    assert_eq!(judged[0].active(&none[0], None), None);
}

#[test]
fn a_policy_is_valid_while_one_candidate_is() {
    let candidates = format!("{{ preference = 200, {BAD} }}, {{ {GOOD} }}");
    let policies = policies(&table(1, &candidates));
    let judged = judge(&homogeneous(), &policies, nothing);
    assert!(judged[0].is_valid());
    assert_eq!(judged[0].active(&policies[0], None), Some(&policies[0].candidates[1]));
}

#[test]
fn a_dynamic_candidate_has_what_was_computed() {
    let policies = policies(&table(1, "{ dynamic = { metric = \"delay\", paths = 2 } }"));
    let topology = homogeneous();
    let none = judge(&topology, &policies, nothing);
    let flaw = none[0].candidates[0].as_ref().unwrap_err().to_string();
    assert_eq!(flaw, "no path was found: no way is that short");
    let found = judge(&topology, &policies, |_, dynamic| {
        assert_eq!((dynamic.metric, dynamic.paths), (Metric::Delay, 2));
        let list = |spine: &str| SegmentList {
            weight: 1,
            segments: [spine, "11"]
                .map(|word| Segment::Name { word: word.to_owned(), data_plane: DataPlane::Mpls })
                .to_vec(),
        };
        Ok(vec![list("5"), list("6")])
    });
    assert!(found[0].is_valid());
    let empty = judge(&topology, &policies, |_, _| Ok(Vec::new()));
    assert_eq!(empty[0].candidates[0], Err(CandidateFlaw::NoList));
}

#[test]
fn a_composite_candidate_follows_the_policies_it_is_made_of() {
    let whole = table(1, "{ composite = [{ color = 2, weight = 3 }, { color = 3 }] }");
    let policies = policies(
        &(whole + &table(2, &format!("{{ {GOOD} }}")) + &table(3, &format!("{{ {BAD} }}"))),
    );
    let judged = judge(&homogeneous(), &policies, nothing);
    assert_eq!(judged[0].candidates[0], Ok(Content::Policies(vec![(1, 3)])));
}
