//! From the sections of a document to a topology, contradictions told on the way.
//!
//! Tables are read in an order in which each finds what it names: domains and nodes, then links,
//! then what refers to both.

mod border;
mod link;
mod node;

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv6Net};
use stamp_document::document::{Place, Section};

use super::words::{GivenLabel, Name};
use super::{Flaw, Label, LabelRange, NodeId, Srgb, Topology};

pub(super) fn topology(root: &Section<'_>) -> Topology {
    let srgb = root.section_or_empty("defaults", srgb).unwrap_or_default();
    let mut reader = Reader { srgb, ..Reader::default() };
    root.sections("domain", |section| reader.domain(section));
    root.sections("node", |section| reader.node(section));
    root.sections("link", |section| reader.link(section));
    root.sections("peer", |section| reader.peer(section));
    root.sections("tunnel", |section| reader.tunnel(section));
    root.sections("gateway", |section| reader.gateway(section));
    reader.check_indexes(root);
    reader.check_sids(root);
    reader.topology
}

/// What has been read, and who owns what.
#[derive(Debug, Default)]
struct Reader {
    topology: Topology,
    /// Of nodes that have none of their own.
    srgb: Srgb,
    addresses: BTreeMap<IpAddr, NodeId>,
    sids: BTreeMap<Ipv6Net, (NodeId, Place)>,
    labels: BTreeSet<(NodeId, Label)>,
    /// By domain and index: whose it is.
    indexes: BTreeMap<(Option<String>, u32), String>,
    /// By domain and prefix: its index.
    prefixes: BTreeMap<(Option<String>, IpNet), u32>,
    /// Indexes and where they stand, to be judged when every SRGB is known.
    indexes_used: Vec<(NodeId, u32, Place)>,
}

impl Reader {
    fn name_of(&self, node: NodeId) -> String {
        self.topology[node].name.clone()
    }

    /// The nodes named by the list `key`; those that do not exist are told.
    fn nodes_named(&self, section: &Section<'_>, key: &'static str) -> Option<Vec<NodeId>> {
        let names = section.list::<Name>(key)?;
        let places = section.places(key);
        let found: Vec<Option<NodeId>> = names
            .iter()
            .zip(&places)
            .map(|(name, place)| {
                let found = self.topology.node_id(&name.0);
                if found.is_none() {
                    section.report(place, Flaw::UnknownNode.into());
                }
                found
            })
            .collect();
        found.into_iter().collect()
    }

    /// The node named by `key`.
    fn node_named(&self, section: &Section<'_>, key: &'static str) -> Option<NodeId> {
        let name = section.require::<Name>(key)?;
        let found = self.topology.node_id(&name.0);
        if found.is_none() {
            section.problem(key, Flaw::UnknownNode.into());
        }
        found
    }

    /// Notes that a label means something at a node.
    fn claim_label(&mut self, section: &Section<'_>, place: &Place, node: NodeId, label: Label) {
        let owner = &self.topology[node];
        let block = owner.srgb.0.iter().find(|range| owner.sr && range.contains(label));
        if let Some(range) = block {
            let flaw = Flaw::LabelInSrgb { label, node: owner.name.clone(), range: *range };
            section.report(place, flaw.into());
        } else if !self.labels.insert((node, label)) {
            section.report(place, Flaw::LabelTaken { label, node: self.name_of(node) }.into());
        }
    }

    fn claim_sid(&mut self, section: &Section<'_>, place: &Place, node: NodeId, sid: Ipv6Net) {
        if let Some((owner, _)) = self.sids.get(&sid) {
            let flaw = Flaw::SidTaken { sid, node: self.name_of(*owner) };
            section.report(place, flaw.into());
        } else {
            self.sids.insert(sid, (node, place.clone()));
        }
    }

    /// An index has room in the SRGB of every node that may have to read its label.
    fn check_indexes(&self, root: &Section<'_>) {
        for (owner, index, place) in &self.indexes_used {
            let domain = &self.topology[*owner].domain;
            let mut readers =
                self.topology.nodes.iter().filter(|node| node.sr && node.domain == *domain);
            if let Some(reader) = readers.find(|node| node.label_of(*index).is_none()) {
                let last = reader.srgb.size().saturating_sub(1);
                let flaw = Flaw::IndexOutside { index: *index, node: reader.name.clone(), last };
                root.report(place, flaw.into());
            }
        }
    }

    /// A SID is no address: the kernel could not tell whether to deliver or to forward.
    fn check_sids(&self, root: &Section<'_>) {
        for (sid, (_, place)) in &self.sids {
            let mut addresses = self.addresses.iter().filter_map(|(address, node)| match address {
                IpAddr::V6(address) => Some((address, *node)),
                IpAddr::V4(_) => None,
            });
            if let Some((_, node)) = addresses.find(|(address, _)| sid.contains(*address)) {
                let flaw = Flaw::SidIsAddress { sid: *sid, node: self.name_of(node) };
                root.report(place, flaw.into());
            }
        }
    }
}

/// The key `srgb`, if it is there.
fn srgb(section: &Section<'_>) -> Option<Srgb> {
    let ranges = section.lists::<GivenLabel>("srgb")?;
    if ranges.is_empty() {
        section.problem("srgb", Flaw::EmptySrgb.into());
    }
    let places = section.places("srgb");
    let mut block = Srgb(Vec::new());
    for (numbers, place) in ranges.iter().zip(&places) {
        let flaw = match range(numbers) {
            Ok(range) => {
                let earlier = block.0.iter().find(|earlier| earlier.overlaps(range)).copied();
                block.0.push(range);
                earlier.map(|one| Flaw::RangesOverlap { one, other: range })
            }
            Err(flaw) => Some(flaw),
        };
        if let Some(flaw) = flaw {
            section.report(place, flaw.into());
        }
    }
    Some(block)
}

fn range(numbers: &[GivenLabel]) -> Result<LabelRange, Flaw> {
    let [GivenLabel(first), GivenLabel(last)] = numbers else {
        return Err(Flaw::RangeForm { count: numbers.len() });
    };
    let backwards = Flaw::RangeBackwards { first: *first, last: *last };
    LabelRange::new(*first, *last).ok_or(backwards)
}

/// The key `key` with one entry for each end.
fn per_end<T: stamp_document::Setting>(section: &Section<'_>, key: &'static str) -> Option<[T; 2]> {
    let entries = section.list::<T>(key)?;
    let count = entries.len();
    let pair = <[T; 2]>::try_from(entries).ok();
    if pair.is_none() {
        section.problem(key, Flaw::PerEnd { count }.into());
    }
    pair
}
