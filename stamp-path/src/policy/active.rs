//! Which candidate path carries traffic, and how its lists share it.

use core::cmp::Reverse;

use super::{CandidateId, CandidatePath};

/// The candidate path in use among those that are valid (RFC 9256 §2.9): the highest preference, of
/// these the highest protocol origin, of these the one already in use where that `keeps`, of these
/// the lowest originator, and of these the highest discriminator.
#[must_use]
pub fn active<'c>(
    valid: impl IntoIterator<Item = &'c CandidatePath>,
    installed: Option<CandidateId>,
    keeps: bool,
) -> Option<&'c CandidatePath> {
    valid.into_iter().max_by_key(|candidate| {
        let CandidateId { origin, originator, discriminator } = candidate.id;
        let stays = keeps && installed == Some(candidate.id);
        (candidate.preference, origin, stays, Reverse(originator), discriminator)
    })
}

/// Which part of the traffic goes over each list, from 0 to 1 (RFC 9256 §2.11): as its weight is to
/// the sum of all. All of weight zero share nothing.
#[must_use]
pub fn shares(weights: &[u32]) -> Vec<f64> {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let share = |weight: &u32| if sum == 0 { 0.0 } else { f64::from(*weight) / sum as f64 };
    weights.iter().map(share).collect()
}
