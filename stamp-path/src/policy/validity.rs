//! Which candidate paths of which policies can be used (RFC 9256 §2.8, §2.10).

use super::{
    CandidateFlaw, CandidateId, CandidateKind, CandidatePath, Dynamic, ListFlaw, Policy,
    Resolution, SegmentList, active, constituents,
};
use crate::topology::Topology;

/// Lists of a candidate path, by their places in it; why one is invalid stands in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lists {
    /// The lists themselves: of a dynamic candidate path what was computed.
    pub lists: Vec<SegmentList>,
    /// What is imposed for each.
    pub resolved: Vec<Result<Resolution, ListFlaw>>,
}

/// What a valid candidate path consists of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// Lists of its own, at least one of them valid (RFC 9256 §5.1, §5.2).
    Lists(Lists),
    /// Other policies, by their places in the file, with their weights.
    Policies(Vec<(usize, u32)>),
}

/// What was found out about one policy; candidates stand in the order of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validity {
    /// Of each candidate path.
    pub candidates: Vec<Result<Content, CandidateFlaw>>,
}

impl Validity {
    /// The valid candidate path that is used (RFC 9256 §2.9); none where the policy is invalid.
    #[must_use]
    pub fn active<'p>(
        &self,
        policy: &'p Policy,
        installed: Option<CandidateId>,
    ) -> Option<&'p CandidatePath> {
        let both = policy.candidates.iter().zip(&self.candidates);
        let valid = both.filter(|(_, content)| content.is_ok()).map(|(candidate, _)| candidate);
        active(valid, installed, policy.keeps_installed)
    }

    /// One of its candidate paths is valid (RFC 9256 §2.10).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.candidates.iter().any(Result::is_ok)
    }
}

/// Judges all policies of a file. `compute` finds the lists of a dynamic candidate path, or says why
/// there are none.
pub fn judge(
    topology: &Topology,
    policies: &[Policy],
    mut compute: impl FnMut(&Policy, &Dynamic) -> Result<Vec<SegmentList>, String>,
) -> Vec<Validity> {
    let mut own = |policy: &Policy| {
        let candidates = policy.candidates.iter().map(|candidate| match &candidate.kind {
            CandidateKind::Explicit(lists) => content(topology, policy, lists.clone()),
            CandidateKind::Dynamic(dynamic) => compute(policy, dynamic)
                .map_err(|reason| CandidateFlaw::Uncomputed { reason })
                .and_then(|lists| content(topology, policy, lists)),
            // Judged below, when it is known which policies are valid.
            CandidateKind::Composite(_) => Err(CandidateFlaw::NoList),
        });
        Validity { candidates: candidates.collect() }
    };
    let mut judged: Vec<Validity> = policies.iter().map(&mut own).collect();
    for (policy, place) in policies.iter().zip(0..) {
        for (candidate, number) in policy.candidates.iter().zip(0..) {
            let CandidateKind::Composite(parts) = &candidate.kind else { continue };
            let place_of = |it: &Policy| policies.iter().position(|other| core::ptr::eq(other, it));
            let is_valid = |it: &Policy| place_of(it).is_some_and(|it| judged[it].is_valid());
            let found = constituents(policy, parts, policies, is_valid);
            let content = found.map(|found| {
                let places =
                    found.into_iter().filter_map(|(it, weight)| Some((place_of(it)?, weight)));
                Content::Policies(places.collect())
            });
            judged[place].candidates[number] = content;
        }
    }
    judged
}

fn content(
    topology: &Topology,
    policy: &Policy,
    lists: Vec<SegmentList>,
) -> Result<Content, CandidateFlaw> {
    let resolved: Vec<_> = lists.iter().map(|list| policy.resolve(topology, list)).collect();
    let flaws = resolved.iter().filter_map(|resolved| resolved.as_ref().err().cloned());
    let flaws: Vec<ListFlaw> = flaws.collect();
    match (lists.len(), flaws.len()) {
        (0, _) => Err(CandidateFlaw::NoList),
        (all, invalid) if all == invalid => Err(CandidateFlaw::Lists(flaws)),
        _ => Ok(Content::Lists(Lists { lists, resolved })),
    }
}
