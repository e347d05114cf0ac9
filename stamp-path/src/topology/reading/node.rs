//! `[[node]]`.

use core::net::IpAddr;

use ipnet::IpNet;
use stamp_document::document::{Place, Problem, Section};
use stamp_proto::time::TimestampFormat;

use super::super::words::{
    AutonomousSystem, Depth, Extended, GivenLabel, Loopback, Name, Offset, PrefixIndex,
};
use super::super::{
    Anycast, Flaw, LearnedLabel, Msd, Node, NodeId, Sid, Sids, TimestampLabel, UsidPrefix,
};
use super::{Reader, srgb};

impl Reader {
    pub(super) fn node(&mut self, section: &Section<'_>) {
        let id = NodeId(self.topology.nodes.len());
        let name = section.require::<Name>("name").unwrap_or_default().0;
        if !name.is_empty() && self.topology.node_id(&name).is_some() {
            let remedy = "give each node a name of its own";
            section.problem("name", Flaw::NameTaken { table: "[[node]]", remedy }.into());
        }
        let (anycast, anycast_places) = anycast(section);
        let (learned, learned_places) = learned(section);
        let timestamp_label = section.section("timestamp-label", timestamp_label).flatten();
        let node = Node {
            name,
            autonomous_system: section.get::<AutonomousSystem>("as").map(|number| number.0),
            domain: section.get::<Name>("domain").map(|name| name.0),
            loopbacks: self.loopbacks(section, id),
            index: section.get::<PrefixIndex>("index").map(|index| index.0),
            anycast,
            learned,
            sids: section.section("sids", |sids| self.sids(sids, id)).unwrap_or_default(),
            timestamp_label,
            msd: section.section("msd", msd).unwrap_or_default(),
            php: section.get("php").unwrap_or(true),
            sr: section.get("sr").unwrap_or(true),
            ip: section.get("ip").unwrap_or(true),
            drained: section.get("drained").unwrap_or(false),
            srgb: srgb(section).unwrap_or_else(|| self.srgb.clone()),
        };
        self.topology.nodes.push(node);
        self.claim(section, id, &anycast_places, &learned_places);
    }

    /// Addresses of the node; one that another has is told.
    fn loopbacks(&mut self, section: &Section<'_>, id: NodeId) -> Vec<IpAddr> {
        let addresses = section.list::<Loopback>("loopbacks").unwrap_or_default();
        let places = section.places("loopbacks");
        for (Loopback(address), place) in addresses.iter().zip(&places) {
            if let Some(owner) = self.addresses.insert(*address, id) {
                let own = section.get::<Name>("name").unwrap_or_default().0;
                let node = if owner == id { own } else { self.name_of(owner) };
                section.report(place, Flaw::AddressTaken { address: *address, node }.into());
            }
        }
        addresses.into_iter().map(|Loopback(address)| address).collect()
    }

    fn sids(&mut self, section: &Section<'_>, id: NodeId) -> Sids {
        let sids = Sids {
            end: section.get::<Sid>("end"),
            dt6: section.get::<Sid>("dt6"),
            tsf: section.get::<Sid>("tsf"),
            un: section.get::<UsidPrefix>("un"),
        };
        for (key, sid) in [("end", sids.end), ("dt6", sids.dt6), ("tsf", sids.tsf)] {
            if let Some(sid) = sid {
                self.claim_sid(section, &section.place(key), id, sid.prefix());
            }
        }
        if let Some(un) = sids.un {
            self.claim_sid(section, &section.place("un"), id, un.prefix());
        }
        sids
    }

    /// Notes whose indexes, prefixes and labels these are.
    fn claim(
        &mut self,
        section: &Section<'_>,
        id: NodeId,
        anycast_places: &[Place],
        learned_places: &[Place],
    ) {
        let node = self.topology[id].clone();
        if let Some(index) = node.index {
            let place = section.place("index");
            if node.loopbacks.is_empty() {
                section.report(&place, Flaw::IndexWithoutPrefix.into());
            }
            let owner = format!("node \"{}\"", node.name);
            self.claim_index(section, &place, id, (index, owner));
        }
        for (Anycast { prefix, index }, place) in node.anycast.iter().zip(anycast_places) {
            let known = self.prefixes.insert((node.domain.clone(), *prefix), *index);
            if let Some(known) = known.filter(|known| known != index) {
                let flaw = Flaw::PrefixHasIndex { prefix: *prefix, index: known };
                section.report(place, flaw.into());
            }
            self.claim_index(section, place, id, (*index, prefix.to_string()));
        }
        for (learned, place) in node.learned.iter().zip(learned_places) {
            self.claim_label(section, place, id, learned.label);
        }
        if let Some(TimestampLabel::Assigned { label, .. }) = node.timestamp_label {
            self.claim_label(section, &section.place("timestamp-label"), id, label);
        }
    }

    fn claim_index(
        &mut self,
        section: &Section<'_>,
        place: &Place,
        id: NodeId,
        (index, owner): (u32, String),
    ) {
        let key = (self.topology[id].domain.clone(), index);
        let known = self.indexes.entry(key).or_insert_with(|| owner.clone());
        if *known != owner {
            section.report(place, Flaw::IndexTaken { index, prefix: known.clone() }.into());
        }
        self.indexes_used.push((id, index, place.clone()));
    }
}

fn anycast(section: &Section<'_>) -> (Vec<Anycast>, Vec<Place>) {
    let read = section.sections("anycast", |entry| {
        let prefix = entry.require::<IpNet>("prefix");
        let index = entry.require::<PrefixIndex>("index");
        let anycast = Anycast { prefix: prefix?, index: index?.0 };
        Some((anycast, entry.place("index")))
    });
    read.into_iter().flatten().unzip()
}

fn learned(section: &Section<'_>) -> (Vec<LearnedLabel>, Vec<Place>) {
    let read = section.sections("learned", |entry| {
        let prefix = entry.require::<IpNet>("prefix");
        let label = entry.require::<GivenLabel>("label");
        let learned = LearnedLabel { prefix: prefix?, label: label?.0 };
        Some((learned, entry.place("label")))
    });
    read.into_iter().flatten().unzip()
}

fn timestamp_label(section: &Section<'_>) -> Option<TimestampLabel> {
    let extended = section.get::<Extended>("extended");
    let label = section.get::<GivenLabel>("label").map(|label| label.0);
    let offset_octets = section.get::<Offset>("offset").map(|offset| offset.0);
    let format = section.get::<TimestampFormat>("format");
    let has = [section.has("extended"), section.has("label")];
    if has[0] == has[1] {
        let flaw = Flaw::OneOf { choices: "extended and label" };
        section.problem(if has[0] { "extended" } else { "label" }, flaw.into());
        return None;
    }
    for key in ["offset", "format"] {
        if has[0] && section.has(key) {
            section.problem(key, Problem::Needs { other: "label" });
        }
    }
    extended
        .map(|extended| TimestampLabel::Extended { label: extended.0 })
        .or_else(|| Some(TimestampLabel::Assigned { label: label?, offset_octets, format }))
}

fn msd(section: &Section<'_>) -> Msd {
    let depth = |key| section.get::<Depth>(key).map(|depth| depth.0);
    Msd { impose: depth("impose"), erld: depth("erld"), srh: depth("srh") }
}
