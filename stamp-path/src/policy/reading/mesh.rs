//! `[[mesh]]`: a policy for each pair of sites, in both directions.

use stamp_document::document::Section;

use super::words::{ColorWord, Name};
use super::{PolicyMistake, Reader};
use crate::policy::{CandidateId, CandidateKind, CandidatePath, DataPlane, Dynamic, Policy};
use crate::segments::Origin;
use crate::topology::NodeId;

impl Reader<'_> {
    /// A policy from each site to each other. What their paths have to be like is said by the class;
    /// where it wants a standby, there is a second path that shares nothing with the first.
    pub(super) fn mesh(&self, section: &Section<'_>) -> Vec<Policy> {
        let color = section.require::<ColorWord>("color");
        let class = self.class(section);
        let profile = crate::class::profile(section, self.profiles);
        let data_plane: DataPlane = section.get("dataplane").unwrap_or_default();
        let metric = section.get("metric");
        let sites = self.sites(section);
        let (Some(color), Some(topology)) = (color, self.topology) else { return Vec::new() };
        let known = class.as_ref().and_then(|name| self.classes.iter().find(|it| it.name == *name));
        let mut dynamic = known.map_or_else(Dynamic::default, |class| class.dynamic());
        dynamic.metric = metric.unwrap_or(dynamic.metric);
        let has_standby = known.is_some_and(|class| class.standby.is_some());
        let pairs = sites.iter().flat_map(|from| sites.iter().map(move |to| (*from, *to)));
        let policy = |(from, to): (NodeId, NodeId)| {
            let [near, far] = [from, to].map(|node| &topology[node].name);
            Some(Policy {
                name: format!("{}-{near}-{far}", color.0),
                headend: Some(Origin::Node(from)),
                color: color.0,
                endpoint: *topology[to].loopbacks.first()?,
                priority: None,
                class: class.clone(),
                profile: profile.clone(),
                verifies_endpoint: false,
                keeps_installed: false,
                candidates: candidates(&dynamic, has_standby, data_plane),
            })
        };
        pairs.filter(|(from, to)| from != to).filter_map(policy).collect()
    }

    /// Nodes of the list `sites`: two at least, each with an address.
    fn sites(&self, section: &Section<'_>) -> Vec<NodeId> {
        let names = section.list::<Name>("sites").unwrap_or_default();
        let mut sites = Vec::new();
        for (Name(word), place) in names.iter().zip(section.places("sites")) {
            let found = match self.topology {
                Some(topology) => {
                    let node = crate::segments::node(topology, word);
                    node.map_err(PolicyMistake::Named).and_then(|node| {
                        let has_address = !topology[node].loopbacks.is_empty();
                        if has_address { Ok(node) } else { Err(PolicyMistake::NoAddress) }
                    })
                }
                None => Err(PolicyMistake::NoTopology),
            };
            match found {
                Ok(node) if sites.contains(&node) => {
                    section.report(&place, PolicyMistake::SiteTwice.into());
                }
                Ok(node) => sites.push(node),
                Err(mistake) => section.report(&place, mistake.into()),
            }
        }
        if names.len() < 2 {
            section.problem("sites", PolicyMistake::FewSites.into());
        }
        sites
    }
}

/// The best path, and one that stands by.
fn candidates(dynamic: &Dynamic, has_standby: bool, data_plane: DataPlane) -> Vec<CandidatePath> {
    let first = CandidatePath::USUAL_PREFERENCE;
    let candidate = |discriminator, preference, dynamic| CandidatePath {
        id: CandidateId { discriminator, ..CandidateId::default() },
        name: format!("preference-{preference}"),
        preference,
        priority: None,
        binding_sid: None,
        data_plane,
        kind: CandidateKind::Dynamic(dynamic),
    };
    let standby = Dynamic { disjoint_from: Some(first), ..dynamic.clone() };
    let best = candidate(0, first, dynamic.clone());
    let standby = has_standby.then(|| candidate(1, first / 2, standby));
    [Some(best), standby].into_iter().flatten().collect()
}
