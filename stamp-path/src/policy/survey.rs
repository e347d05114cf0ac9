//! All that is known of the candidate paths of a file before anything is measured.

use std::collections::BTreeMap;

use super::{
    CandidateFlaw, CandidateId, CandidateKind, Content, Dynamic, Encoded, Found, Policies, Policy,
    Resolution, SegmentList, Unfound, judge, ways,
};
use crate::class::Touched;
use crate::compute::Network;
use crate::encoding::Forwarding;
use crate::topology::Topology;

/// A candidate path, with its valid lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Surveyed {
    /// Which of the policy's.
    pub id: CandidateId,
    /// Why it is invalid, where it is.
    pub flaw: Option<CandidateFlaw>,
    /// Lists of its own.
    pub lists: Vec<SurveyedList>,
    /// Policies that it is made of, by their places in the file, with their weights.
    pub parts: Vec<(usize, u32)>,
}

/// A valid list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SurveyedList {
    /// As it was written or computed.
    pub list: SegmentList,
    /// What is imposed for it.
    pub resolution: Resolution,
    /// What its packets can touch; none where nobody can tell.
    pub touched: Option<Touched>,
}

/// Resolves what is written, computes what is to be computed, and follows the packets of every list.
/// Policies and candidates stand in the order of the file.
///
/// What is drained is avoided by what is computed as long as there is another way. Packets are followed
/// as if nothing were drained: work on a link is announced before anybody routes around it, and a list
/// that keeps to its path then does so afterwards too.
#[must_use]
pub fn survey(topology: &Topology, policies: &Policies) -> Vec<Vec<Surveyed>> {
    let open = topology.undrained();
    let surveyor = Surveyor::new(topology, &open, policies);
    let compute = |policy: &Policy, dynamic: &Dynamic| surveyor.lists(policy, dynamic);
    let judged = judge(&open, &policies.policies, compute);
    let both = policies.policies.iter().zip(judged);
    both.map(|(policy, validity)| {
        let candidates = policy.candidates.iter().zip(validity.candidates);
        candidates
            .map(|(candidate, content)| surveyor.surveyed(policy, candidate.id, content))
            .collect()
    })
    .collect()
}

impl Topology {
    /// The same network with nothing drained.
    #[must_use]
    pub fn undrained(&self) -> Self {
        let mut open = self.clone();
        open.nodes.iter_mut().for_each(|node| node.drained = false);
        for link in &mut open.links {
            link.directions.0.iter_mut().for_each(|direction| direction.drained = false);
        }
        open
    }
}

/// What was computed for each dynamic candidate.
type Computed<'p> = BTreeMap<(&'p str, CandidateId), Result<Vec<Encoded>, String>>;

struct Surveyor<'p> {
    forwarding: Forwarding<'p>,
    computed: Computed<'p>,
}

impl<'p> Surveyor<'p> {
    fn new(topology: &Topology, open: &'p Topology, policies: &'p Policies) -> Self {
        let forwarding = Forwarding::new(open);
        let mut computed = Computed::new();
        let is_dynamic = |policy: &&Policy| {
            let mut kinds = policy.candidates.iter().map(|candidate| &candidate.kind);
            kinds.any(|kind| matches!(kind, CandidateKind::Dynamic(_)))
        };
        let mut dynamic = policies.policies.iter().filter(is_dynamic).peekable();
        if dynamic.peek().is_some() {
            let network = Network::new(topology);
            let undrained = Network::new(open);
            for policy in dynamic {
                let found = search([&network, &undrained], policies, policy, &forwarding);
                for (id, ways) in found {
                    let encoded = encoded(&forwarding, policy, id, ways);
                    computed.insert((&policy.name, id), encoded);
                }
            }
        }
        Self { forwarding, computed }
    }

    fn lists(&self, policy: &Policy, wanted: &Dynamic) -> Result<Vec<SegmentList>, String> {
        let is_it = |kind: &CandidateKind| matches!(kind, CandidateKind::Dynamic(dynamic) if core::ptr::eq(dynamic, wanted));
        let candidate = policy.candidates.iter().find(|candidate| is_it(&candidate.kind));
        let known = candidate.and_then(|it| self.computed.get(&(policy.name.as_str(), it.id)));
        let encoded = known.ok_or_else(|| "nobody has computed it".to_owned())?.as_ref();
        let encoded = encoded.map_err(String::clone)?;
        Ok(encoded.iter().map(|encoded| encoded.list.clone()).collect())
    }

    fn surveyed(
        &self,
        policy: &Policy,
        id: CandidateId,
        content: Result<Content, CandidateFlaw>,
    ) -> Surveyed {
        let mut surveyed = Surveyed { id, flaw: None, lists: Vec::new(), parts: Vec::new() };
        match content {
            Err(flaw) => surveyed.flaw = Some(flaw),
            Ok(Content::Policies(parts)) => surveyed.parts = parts,
            Ok(Content::Lists(lists)) => {
                let encoded = self.computed.get(&(policy.name.as_str(), id));
                let proven = encoded.and_then(|it| it.as_ref().ok()).map_or(&[][..], Vec::as_slice);
                let each = lists.lists.into_iter().zip(lists.resolved).enumerate();
                surveyed.lists = each
                    .filter_map(|(place, (list, resolution))| {
                        let resolution = resolution.ok()?;
                        let touched = match proven.get(place) {
                            Some(encoded) => encoded.touched.clone(),
                            None => policy.touched(&self.forwarding, &resolution),
                        };
                        Some(SurveyedList { list, resolution, touched })
                    })
                    .collect();
            }
        }
        surveyed
    }
}

/// Ways of all dynamic candidates of a policy, over what is drained where nothing else leads.
fn search(
    [network, undrained]: [&Network<'_>; 2],
    policies: &Policies,
    policy: &Policy,
    forwarding: &Forwarding<'_>,
) -> Found {
    let class = policies.class_of(policy);
    let written = |id: CandidateId| {
        let CandidateKind::Explicit(lists) = &policy.candidate(id)?.kind else { return None };
        let mut all = Touched::default();
        for list in lists {
            let resolution = policy.resolve(forwarding.topology(), list).ok()?;
            all.extend(policy.touched(forwarding, &resolution)?);
        }
        Some(all)
    };
    let mut found = ways(network, (policy, &class), written);
    let is_absent = |result: &Result<_, Unfound>| matches!(result, Err(Unfound::Absent(_)));
    if found.iter().any(|(_, result)| is_absent(result)) {
        let open = ways(undrained, (policy, &class), written);
        for ((_, result), (_, open)) in found.iter_mut().zip(open) {
            if is_absent(result) && open.is_ok() {
                *result = open;
            }
        }
    }
    found
}

/// Lists for the ways of a candidate; why there are none where no way has one.
fn encoded(
    forwarding: &Forwarding<'_>,
    policy: &Policy,
    id: CandidateId,
    ways: Result<Vec<super::Way>, Unfound>,
) -> Result<Vec<Encoded>, String> {
    let ways = ways.map_err(|unfound| unfound.in_words(forwarding.topology()))?;
    let candidate = policy.candidate(id).ok_or_else(String::new)?;
    let (mut lists, mut reason) = (Vec::new(), None);
    for way in &ways {
        match policy.encode(forwarding, candidate, way) {
            Ok(encoded) => lists.push(encoded),
            Err(error) => reason = reason.or(Some(error.to_string())),
        }
    }
    match reason {
        Some(reason) if lists.is_empty() => Err(reason),
        _ => Ok(lists),
    }
}
