use core::cmp::Reverse;

use proptest::prelude::*;

use super::*;

fn candidate(preference: u32, origin: u8, node: u8, discriminator: u32) -> CandidatePath {
    let originator = Originator::new(65_000, [192, 0, 2, node].into());
    let id = CandidateId { origin: ProtocolOrigin(origin), originator, discriminator };
    let kind = CandidateKind::Explicit(Vec::new());
    let data_plane = DataPlane::Mpls;
    let name = String::new();
    CandidatePath { id, name, preference, priority: None, binding_sid: None, data_plane, kind }
}

/// Which of two wins, by position.
fn winner(one: CandidatePath, other: CandidatePath, installed: Option<usize>) -> usize {
    let both = [one, other];
    let id = installed.map(|position| both[position].id);
    let found = active(&both, id, installed.is_some()).unwrap();
    both.iter().position(|it| it.id == found.id).unwrap()
}

#[test]
fn rules_decide_in_their_order() {
    let low = || candidate(100, 30, 1, 9);
    assert_eq!(winner(low(), candidate(200, 10, 9, 0), Some(0)), 1, "preference goes first");
    assert_eq!(winner(candidate(100, 20, 1, 9), candidate(100, 30, 9, 0), Some(0)), 1, "origin");
    assert_eq!(winner(candidate(100, 30, 9, 0), low(), Some(0)), 0, "what is installed stays");
    assert_eq!(winner(candidate(100, 30, 9, 9), candidate(100, 30, 1, 0), None), 1, "originator");
    assert_eq!(winner(candidate(100, 30, 1, 0), low(), None), 1, "discriminator");
}

#[test]
fn what_is_installed_counts_only_where_that_is_configured() {
    let both = [candidate(100, 30, 1, 0), candidate(100, 30, 9, 0)];
    let installed = Some(both[1].id);
    assert_eq!(active(&both, installed, false), both.first());
    assert_eq!(active(&both, installed, true), both.last());
    assert_eq!(active(&[], installed, true), None);
}

/// The published example: 3 to 1, and the rest when one list becomes invalid.
#[test]
fn lists_share_traffic_by_weight() {
    assert_eq!(shares(&[3, 1]), [0.75, 0.25]);
    assert_eq!(shares(&[3]), [1.0]);
    assert_eq!(shares(&[0, 0]), [0.0, 0.0]);
    assert_eq!(shares(&[40, 20, 40]), [0.4, 0.2, 0.4]);
}

#[test]
fn the_lowest_priority_among_candidates_counts_unless_the_policy_has_one() {
    let topology = homogeneous();
    let candidates = "priority = 90, segments = [\"5\"] }, { priority = 7, segments = [\"6\"]";
    let with = |keys| policy(&topology, keys, candidates).effective_priority();
    assert_eq!((with("priority = 50"), with("")), (50, 7));
    assert_eq!(policy(&topology, "", "segments = [\"5\"]").effective_priority(), 128);
}

#[test]
fn the_binding_sid_is_that_of_the_candidate_in_use() {
    let topology = homogeneous();
    let candidates = "binding-sid = 15100, segments = [\"5\"] }, { segments = [\"6\"]";
    let policy = policy(&topology, "", candidates);
    let of = |position: usize| policy.binding_sid(policy.candidates[position].id);
    assert_eq!((of(0).map(|sid| sid.to_string()).as_deref(), of(1)), (Some("15100"), None));
}

proptest! {
    /// The rules one after the other, each leaving those that are best by it.
    #[test]
    fn the_one_in_use_is_what_the_rules_leave_whatever_the_order(
        mut rows in prop::collection::vec((0_u32..3, 0_u8..3, 0_u8..3, 0_u32..3), 1..12),
        installed in 0_usize..12,
        keeps: bool,
        turn in 0_usize..12,
    ) {
        rows.sort_unstable();
        rows.dedup_by_key(|row| (row.1, row.2, row.3));
        let all: Vec<CandidatePath> = rows.iter().map(|row| candidate(row.0, row.1, row.2, row.3)).collect();
        let installed = all.get(installed).map(|it| it.id).filter(|id| {
            all.iter().filter(|it| it.id == *id).count() == 1
        });
        let mut left: Vec<&CandidatePath> = all.iter().collect();
        let preference = left.iter().map(|it| it.preference).max().unwrap();
        left.retain(|it| it.preference == preference);
        let origin = left.iter().map(|it| it.id.origin).max().unwrap();
        left.retain(|it| it.id.origin == origin);
        if keeps && left.iter().any(|it| Some(it.id) == installed) {
            left.retain(|it| Some(it.id) == installed);
        }
        let originator = left.iter().map(|it| Reverse(it.id.originator)).max().unwrap();
        left.retain(|it| Reverse(it.id.originator) == originator);
        let discriminator = left.iter().map(|it| it.id.discriminator).max().unwrap();
        left.retain(|it| it.id.discriminator == discriminator);
        let mut turned = all.clone();
        turned.rotate_left(turn % all.len());
        prop_assert_eq!(active(&turned, installed, keeps).map(|it| it.id), left.first().map(|it| it.id));
    }

    #[test]
    fn shares_add_up(weights in prop::collection::vec(0_u32..=u32::MAX, 1..20)) {
        let sum: f64 = shares(&weights).iter().sum();
        let expected = if weights.iter().any(|weight| *weight > 0) { 1.0 } else { 0.0 };
        prop_assert!((sum - expected).abs() < 1e-9);
    }
}
