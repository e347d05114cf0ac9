//! Lists of candidate paths that are made of other policies: whatever carries these, by weight.

use stamp_path::selection::{List, Outcome};

/// The lists that carry the constituents, each with its part of the whole (RFC 9256 §2.11). `measured`
/// says what is known of a list.
pub(super) fn lists(
    parts: &[(usize, u32)],
    outcomes: &[Outcome],
    measured: impl Fn(&str) -> Option<stamp_path::selection::Measured>,
) -> Vec<List> {
    let carried: Vec<(u128, &Outcome, u128)> = parts
        .iter()
        .filter_map(|(place, weight)| {
            let outcome = outcomes.get(*place)?;
            let sum: u128 =
                outcome.decision.shares.iter().map(|share| u128::from(share.weight)).sum();
            (sum > 0).then_some((u128::from(*weight), outcome, sum))
        })
        .collect();
    // Weights of different policies are made comparable without fractions.
    let common = carried.iter().fold(1_u128, |common, (_, _, sum)| least_common(common, *sum));
    let mut lists = Vec::new();
    for (weight, outcome, sum) in &carried {
        for share in &outcome.decision.shares {
            let part = u128::from(share.weight).saturating_mul(common / sum);
            lists.push((&share.list, weight.saturating_mul(part)));
        }
    }
    let divisor = lists.iter().fold(0, |divisor, (_, weight)| greatest_common(divisor, *weight));
    let largest = lists.iter().map(|(_, weight)| weight / divisor.max(1)).max().unwrap_or(0);
    // What does not fit is rounded, but nothing that carries gets nothing.
    let scale = largest / u128::from(u32::MAX) + 1;
    let each = lists.into_iter().map(|(name, weight)| {
        let weight = (weight / divisor.max(1) / scale).max(1);
        List {
            name: name.clone(),
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
            is_replaced: false,
            measured: measured(name),
        }
    });
    each.collect()
}

fn greatest_common(one: u128, other: u128) -> u128 {
    if other == 0 { one } else { greatest_common(other, one % other) }
}

fn least_common(one: u128, other: u128) -> u128 {
    (one / greatest_common(one, other).max(1)).saturating_mul(other)
}

#[cfg(test)]
mod tests {
    use stamp_path::selection::{Decision, Share, Standing};

    use super::*;

    fn outcome(shares: &[(&str, u32)]) -> Outcome {
        let share =
            |(list, weight): &(&str, u32)| Share { list: (*list).to_owned(), weight: *weight };
        let decision = Decision {
            at: std::time::Duration::ZERO,
            active: None,
            since: None,
            shares: shares.iter().map(share).collect(),
            standing: Standing::Good,
            candidates: Vec::new(),
            change: None,
            held: None,
            next: None,
        };
        Outcome { decision, standby: None, is_unprotected: false }
    }

    fn weights(parts: &[(usize, u32)], outcomes: &[Outcome]) -> Vec<(String, u32)> {
        let lists = lists(parts, outcomes, |_| None);
        lists.into_iter().map(|list| (list.name, list.weight)).collect()
    }

    #[test]
    fn each_policy_has_its_part_however_its_lists_share_it() {
        let outcomes = [outcome(&[("a", 3), ("b", 1)]), outcome(&[("c", 5)])];
        let expected = [("a", 3), ("b", 1), ("c", 2)].map(|(name, it)| (name.to_owned(), it));
        assert_eq!(weights(&[(0, 2), (1, 1)], &outcomes), expected);
    }

    #[test]
    fn a_policy_that_carries_nothing_has_no_part() {
        let outcomes = [outcome(&[]), outcome(&[("c", 7)])];
        assert_eq!(weights(&[(0, 2), (1, 1)], &outcomes), [("c".to_owned(), 1)]);
        assert_eq!(weights(&[(0, 2)], &outcomes), []);
    }

    #[test]
    fn weights_that_fit_nowhere_are_rounded_and_never_lost() {
        let outcomes = [outcome(&[("a", u32::MAX), ("b", 1)]), outcome(&[("c", u32::MAX - 1)])];
        let found = weights(&[(0, u32::MAX), (1, 1)], &outcomes);
        assert!(found.iter().all(|(_, weight)| *weight > 0), "{found:?}");
        assert!(found[0].1 > found[2].1, "{found:?}");
    }
}
