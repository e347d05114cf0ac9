//! From lists to sessions: what keeps probes to a list, and brings them back without relying on routes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use stamp_path::encoding::Forwarding;
use stamp_path::policy::{
    CandidatePath, DataPlane, Entry, Policies, Policy, Resolution, Resolved, Roster, Segment,
    SegmentList,
};
use stamp_path::segments::{self, Origin, SidKind, Start, Step};
use stamp_path::topology::{Label, NodeId, Topology};

use crate::daemon::{ListSession, Membership, Paths, SessionSpec, Settings};
use crate::names;

/// Lists that become sessions.
pub(super) struct Lists<'p> {
    paths: &'p Paths,
    policies: &'p Policies,
    forwarding: Forwarding<'p>,
}

/// What a profile says that a list has to go by.
struct Form {
    is_looped: bool,
    is_enhanced: bool,
    /// SIDs are put around the probe.
    is_tunnel: bool,
    /// The profile says how SIDs are put on.
    is_said: bool,
    /// SIDs are compressed.
    is_micro: bool,
}

impl Form {
    fn of(settings: &Settings) -> Self {
        let mode = settings.get("mode").unwrap_or_default();
        let form = settings.get("srv6").unwrap_or_default();
        Self {
            is_looped: ["loopback", "enhanced-loopback"].contains(&mode),
            is_enhanced: mode == "enhanced-loopback",
            is_tunnel: ["encap", "reduced"].contains(&form),
            is_micro: form == "usid",
            is_said: settings.get("srv6").is_some(),
        }
    }

    /// For a list that takes off a header at its end: there has to be one around the probe.
    fn around(self) -> Self {
        Self { is_tunnel: true, ..self }
    }
}

impl<'p> Lists<'p> {
    pub(super) fn new(paths: &'p Paths, topology: &'p Topology, policies: &'p Policies) -> Self {
        Self { paths, policies, forwarding: Forwarding::new(topology) }
    }

    fn topology(&self) -> &'p Topology {
        self.forwarding.topology()
    }

    /// One for each list that can have one, and why others cannot.
    pub(super) fn sessions(
        &self,
        roster: &Roster,
    ) -> (Vec<Arc<SessionSpec>>, BTreeMap<String, String>) {
        let (mut sessions, mut unmeasured) = (Vec::new(), BTreeMap::new());
        for policy in &self.policies.policies {
            for candidate in &policy.candidates {
                for entry in roster.of(policy, candidate) {
                    match self.session(policy, candidate, entry) {
                        Ok(spec) => sessions.push(Arc::new(spec)),
                        Err(reason) => drop(unmeasured.insert(entry.name.clone(), reason)),
                    }
                }
            }
        }
        (sessions, unmeasured)
    }

    fn session(
        &self,
        policy: &Policy,
        candidate: &CandidatePath,
        entry: &Entry,
    ) -> Result<SessionSpec, String> {
        let profile = self.policies.profile_of(policy);
        let settings = self.paths.settings(profile.as_deref());
        let form = Form::of(&settings);
        let list = &entry.list.resolution;
        let takes_off = !form.is_said && self.takes_off(list);
        let form = if takes_off { form.around() } else { form };
        let plane = match list.imposed {
            Resolved::Labels(_) => DataPlane::Mpls,
            Resolved::Sids(_) => DataPlane::Srv6,
        };
        let target = policy.address_over(self.topology(), list, plane);
        let target = target.ok_or("its end has no address that probes could be sent to")?;
        let back = || {
            // Behind a header that is off the probe finds its way back by its own address.
            let is_led_back = form.is_looped && !takes_off;
            let is_wanted = is_led_back && settings.get("return-segments").is_none();
            let touched = entry.list.touched.as_ref();
            is_wanted.then(|| policy.way_back(&self.forwarding, list, touched)).flatten()
        };
        let steering = match &list.imposed {
            Resolved::Labels(labels) => {
                let back = back().map(|back| self.read_back(policy, list, &back)).transpose()?;
                self.over_labels(labels, list.end.filter(|_| form.is_enhanced), back)
            }
            Resolved::Sids(_) => self.over_sids(policy, entry, back(), &form)?,
        };
        let steering = if takes_off { steering.with("srv6", "encap".to_owned()) } else { steering };
        let weight = entry.list.list.weight;
        let membership =
            Membership::of(&policy.name, &candidate.name, candidate.preference, weight);
        self.paths.session(ListSession {
            name: entry.name.clone(),
            target: target.to_string(),
            profile,
            steering,
            toward: self.toward(policy, list, target)?,
            membership,
        })
    }

    /// Whether the list ends with the SID by which a node takes an outer header off (End.DT6).
    fn takes_off(&self, list: &Resolution) -> bool {
        let Resolved::Sids(sids) = &list.imposed else { return false };
        let known = self.topology().nodes.iter().filter_map(|node| node.sids.dt6);
        let last = sids.last();
        last.is_some_and(|last| known.into_iter().any(|sid| sid.prefix().contains(last)))
    }

    /// Addresses that frames leave towards: those of the first node, or of the far end of the first link.
    fn toward(
        &self,
        policy: &Policy,
        list: &Resolution,
        target: IpAddr,
    ) -> Result<Vec<IpAddr>, String> {
        let topology = self.topology();
        if matches!(list.imposed, Resolved::Sids(_)) {
            return Ok(Vec::new());
        }
        match (list.start, policy.headend) {
            (Some(Start::Toward(node)), _) => Ok(topology[node].loopbacks.clone()),
            (Some(Start::Over(link)), Some(Origin::Node(node))) => {
                let link = &topology[link];
                let beyond = link.side_of(node).map(|side| link.addresses_of(side.opposite()));
                let alike = beyond.unwrap_or_default().iter().copied();
                let alike: Vec<IpAddr> =
                    alike.filter(|it| it.is_ipv4() == target.is_ipv4()).collect();
                if alike.is_empty() {
                    return Err(format!(
                        "it begins with link {} of this host, whose far end has no address there",
                        link.name
                    ));
                }
                Ok(alike)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Labels, and the one that asks a node for its timestamp.
    fn over_labels(
        &self,
        labels: &[Label],
        stamps: Option<NodeId>,
        back: Option<Resolved>,
    ) -> Settings {
        let mut settings = Settings::default();
        if !labels.is_empty() {
            settings = settings.with("segments", joined(labels));
        }
        let label = stamps.and_then(|node| self.topology()[node].timestamp_label);
        if let Some(label) = label {
            settings = settings.with("timestamp-label", names::asks_for_stamps(label).to_string());
        }
        match back {
            Some(Resolved::Labels(labels)) if !labels.is_empty() => {
                settings.with("return-segments", joined(&labels))
            }
            _ => settings,
        }
    }

    /// A way back as it is read where the list there has ended.
    fn read_back(
        &self,
        policy: &Policy,
        list: &Resolution,
        back: &[Segment],
    ) -> Result<Resolved, String> {
        let headend = list.end.map(Origin::At);
        let there = Policy { headend, verifies_endpoint: false, ..policy.clone() };
        let back = SegmentList { weight: SegmentList::USUAL_WEIGHT, segments: back.to_vec() };
        let resolved = there.resolve(self.topology(), &back).map_err(|flaw| flaw.to_string())?;
        Ok(resolved.imposed)
    }

    fn over_sids(
        &self,
        policy: &Policy,
        entry: &Entry,
        back: Option<Vec<Segment>>,
        form: &Form,
    ) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let way_on = if form.is_micro { SidKind::Un } else { SidKind::End };
        let takes_off =
            |is_end: bool| if form.is_tunnel && is_end { SidKind::EndDt6 } else { way_on };
        let (list, end) = (&entry.list.resolution, entry.list.resolution.end);
        let back = match back {
            Some(back) => {
                let read = self.read_back(policy, list, &back)?;
                // This host's own address follows: its SID would not lead there.
                let left_out = policy.imposed_at().filter(|_| !form.is_tunnel);
                self.sids(&back, &read, (way_on, takes_off(true)), left_out)?
            }
            None => Vec::new(),
        };
        let far = end.filter(|_| !form.is_looped && !form.is_tunnel);
        let last = takes_off(back.is_empty());
        let segments = &entry.list.list.segments;
        let forward = self.sids(segments, &list.imposed, (way_on, last), far)?;
        if !forward.is_empty() {
            settings = settings.with("segments", joined(&forward));
        }
        if !back.is_empty() {
            settings = settings.with("return-segments", joined(&back));
        }
        if let Some(node) = end.filter(|_| form.is_enhanced) {
            let sid =
                self.topology().sid(node, SidKind::EndTsf).map_err(|error| error.to_string())?;
            settings = settings.with("end-tsf", sid.to_string());
        }
        Ok(settings)
    }

    /// SIDs of segments, each node's of the kind that its place asks for, others as they were resolved.
    fn sids(
        &self,
        segments: &[Segment],
        resolved: &Resolved,
        (way_on, last): (SidKind, SidKind),
        left_out: Option<NodeId>,
    ) -> Result<Vec<Ipv6Addr>, String> {
        let topology = self.topology();
        let Resolved::Sids(resolved) = resolved else { return Ok(Vec::new()) };
        let mut sids = Vec::new();
        for (place, (segment, sid)) in segments.iter().zip(resolved).enumerate() {
            let is_last = place + 1 == segments.len();
            let node = match segment {
                Segment::Name { word, .. } => segments::find(topology, word).ok(),
                _ => None,
            };
            match node {
                Some(Step::Node(node)) if is_last && left_out == Some(node) => {}
                Some(Step::Node(node)) => {
                    let kind = if is_last { last } else { way_on };
                    sids.push(topology.sid(node, kind).map_err(|error| error.to_string())?);
                }
                _ => sids.push(*sid),
            }
        }
        Ok(sids)
    }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
