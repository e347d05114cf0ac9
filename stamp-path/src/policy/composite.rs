//! Candidate paths that are made of other policies (RFC 9256 §5.3).

use super::{CandidateFlaw, CompositeFlaw, Constituent, Policy, shares};

/// The policies that can be used, each with its weight.
///
/// # Errors
///
/// [`CandidateFlaw::Composite`] where there is none, with the reason of each.
pub fn constituents<'p>(
    policy: &Policy,
    parts: &[Constituent],
    policies: &'p [Policy],
    is_valid: impl Fn(&Policy) -> bool,
) -> Result<Vec<(&'p Policy, u32)>, CandidateFlaw> {
    if parts.is_empty() {
        return Err(CandidateFlaw::NoList);
    }
    let (mut usable, mut flaws) = (Vec::new(), Vec::new());
    for part in parts {
        match constituent(policy, part, policies, &is_valid) {
            Ok(found) => usable.push((found, part.weight)),
            Err(flaw) => flaws.push((part.color, flaw)),
        }
    }
    if usable.is_empty() { Err(CandidateFlaw::Composite(flaws)) } else { Ok(usable) }
}

fn constituent<'p>(
    policy: &Policy,
    part: &Constituent,
    policies: &'p [Policy],
    is_valid: &impl Fn(&Policy) -> bool,
) -> Result<&'p Policy, CompositeFlaw> {
    if part.color == policy.color {
        return Err(CompositeFlaw::Itself);
    }
    let is_part = |other: &&Policy| {
        let ends = (other.headend, other.endpoint) == (policy.headend, policy.endpoint);
        ends && other.color == part.color
    };
    let found = policies.iter().find(is_part).ok_or(CompositeFlaw::Unknown)?;
    match found {
        found if found.is_composite() => Err(CompositeFlaw::Composite),
        _ if part.weight == 0 => Err(CompositeFlaw::WeightZero),
        found if !is_valid(found) => Err(CompositeFlaw::Invalid),
        found => Ok(found),
    }
}

/// What part of a composite candidate path's traffic takes a list of one of its policies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction {
    /// Which of the policies, from 0.
    pub policy: usize,
    /// Which of its lists, from 0.
    pub list: usize,
    /// From 0 to 1.
    pub share: f64,
}

/// Shares of all lists, from the weight of each policy and those of its lists.
#[must_use]
pub fn fractions(parts: &[(u32, &[u32])]) -> Vec<Fraction> {
    let weights: Vec<u32> = parts.iter().map(|(weight, _)| *weight).collect();
    let each = shares(&weights).into_iter().zip(parts).enumerate();
    each.flat_map(|(policy, (part, (_, lists)))| {
        let shared = shares(lists).into_iter().enumerate();
        shared.map(move |(list, share)| Fraction { policy, list, share: part * share })
    })
    .collect()
}
