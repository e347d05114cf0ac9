use super::*;

/// Policies from node 1, by colour and what their candidate says.
fn policies(candidates: &[(u32, &str)]) -> Vec<Policy> {
    let table = |(color, candidate): &(u32, &str)| {
        format!(
            "[[policy]]\nfrom = \"1\"\ncolor = {color}\nendpoint = \"11\"\n\
             candidate = [{{ {candidate} }}]\n"
        )
    };
    let text: String = candidates.iter().map(table).collect();
    Policies::read("p.toml", &text, Some(&homogeneous())).unwrap().policies
}

fn parts(policy: &Policy) -> &[Constituent] {
    match &policy.candidates[0].kind {
        CandidateKind::Composite(parts) => parts,
        other => panic!("{other:?}"),
    }
}

/// Colours that can be used by the first of the policies, or why there is none.
fn used(policies: &[Policy], valid: &[u32]) -> Result<Vec<u32>, String> {
    let is_valid = |policy: &Policy| valid.contains(&policy.color.value());
    let found = constituents(&policies[0], parts(&policies[0]), policies, is_valid);
    let colors = found.map(|found| found.iter().map(|(it, _)| it.color.value()).collect());
    colors.map_err(|flaw| flaw.to_string())
}

const PLAIN: &str = "segments = [\"5\", \"11\"]";

#[test]
fn policies_that_are_valid_carry_a_composite_one() {
    let all = policies(&[
        (1, "composite = [{ color = 2, weight = 3 }, { color = 3 }]"),
        (2, PLAIN),
        (3, PLAIN),
    ]);
    assert_eq!(used(&all, &[2, 3]), Ok(vec![2, 3]));
    assert_eq!(used(&all, &[3]), Ok(vec![3]), "one is enough");
    assert_eq!(
        used(&all, &[]).unwrap_err(),
        "none of its policies can be used: color 2: it is not valid; color 3: it is not valid"
    );
}

#[test]
fn a_circle_cannot_be_made() {
    let circle =
        policies(&[(1, "composite = [{ color = 2 }]"), (2, "composite = [{ color = 1 }]")]);
    assert!(used(&circle, &[1, 2]).unwrap_err().ends_with("color 2: it is composite itself"));
    let itself = policies(&[(1, "composite = [{ color = 1 }]")]);
    assert!(used(&itself, &[1]).unwrap_err().ends_with("color 1: it is the policy itself"));
}

#[test]
fn parts_have_headend_and_endpoint_of_the_whole() {
    let mut all = policies(&[(1, "composite = [{ color = 2 }]"), (2, PLAIN)]);
    all[1].endpoint = "192.0.2.12".parse().unwrap();
    assert!(
        used(&all, &[2])
            .unwrap_err()
            .ends_with("there is no such policy from this headend to this endpoint")
    );
    all[1].endpoint = all[0].endpoint;
    all[1].headend = None;
    assert!(used(&all, &[2]).is_err());
}

#[test]
fn a_part_without_weight_has_no_share() {
    let all = policies(&[(1, "composite = [{ color = 2 }]"), (2, PLAIN)]);
    let none = [Constituent { color: all[1].color, weight: 0 }];
    let flaw = constituents(&all[0], &none, &all, |_| true).unwrap_err();
    assert_eq!(flaw, CandidateFlaw::Composite(vec![(all[1].color, CompositeFlaw::WeightZero)]));
    assert_eq!(constituents(&all[0], &[], &all, |_| true), Err(CandidateFlaw::NoList));
}

#[test]
fn traffic_is_shared_by_policies_first_and_then_by_their_lists() {
    let found: Vec<_> = fractions(&[(3, &[1, 1]), (1, &[5])])
        .iter()
        .map(|it| (it.policy, it.list, it.share))
        .collect();
    assert_eq!(found, [(0, 0, 0.375), (0, 1, 0.375), (1, 0, 0.25)]);
}
