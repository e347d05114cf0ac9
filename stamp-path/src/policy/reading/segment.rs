//! Segments: words, and tables for those that need more than one.

use core::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use stamp_document::document::{Place, Problem, Section};

use super::words::{Algorithm, Interface, RemoteNode, Word, Written};
use super::{PolicyMistake, Reader};
use crate::policy::{DataPlane, Segment};
use crate::segments;

impl Reader<'_> {
    /// The list `segments`.
    pub(super) fn segments(&self, section: &Section<'_>, plane: DataPlane) -> Option<Vec<Segment>> {
        let read = |table: &Section<'_>| self.table(table, plane).map(Written::Table);
        let written = section.list_or_tables("segments", read)?;
        let places = section.places("segments");
        if written.is_empty() {
            section.problem("segments", PolicyMistake::Empty.into());
        }
        let each = written.into_iter().zip(&places).map(|(written, place)| match written {
            Written::Word(word) => self.word(section, place, (word, plane)),
            Written::Table(segment) => Some(segment),
        });
        // Every wrong segment is told, so the first does not end the reading.
        each.collect::<Vec<_>>().into_iter().collect()
    }

    /// What the topology calls a node or link goes before a label of the same digits.
    fn word(
        &self,
        section: &Section<'_>,
        place: &Place,
        (word, data_plane): (Word, DataPlane),
    ) -> Option<Segment> {
        let is_name = |word: &str| self.topology.is_some_and(|it| segments::find(it, word).is_ok());
        let word = match word {
            Word::Label(label, text) if !is_name(&text) => return Some(Segment::Label(label)),
            Word::Sid(sid) => return Some(Segment::Sid(sid)),
            Word::Label(_, word) | Word::Name(word) => word,
        };
        let mistake = match self.topology.map(|topology| segments::find(topology, &word)) {
            Some(Ok(_)) => return Some(Segment::Name { word, data_plane }),
            Some(Err(error)) => PolicyMistake::Named(error),
            None => PolicyMistake::NoTopology,
        };
        section.report(place, mistake.into());
        None
    }

    /// A prefix, an interface, or the addresses of two.
    fn table(&self, table: &Section<'_>, plane: DataPlane) -> Option<Segment> {
        let prefix = table.get::<IpNet>("prefix");
        let algorithm = table.get::<Algorithm>("algorithm").map(|algorithm| algorithm.0);
        let node = table.get::<IpAddr>("node");
        let interface = table.get::<Interface>("interface").map(|interface| interface.0);
        let remote_node = table.get::<RemoteNode>("remote-node").map(|node| node.0);
        let remote_interface = table.get::<Interface>("remote-interface").map(|it| it.0);
        let local = table.get::<IpAddr>("local");
        let remote = table.get::<IpAddr>("remote");
        let given: Vec<&'static str> =
            ["prefix", "node", "local"].into_iter().filter(|key| table.has(key)).collect();
        let [what] = given[..] else {
            let mistake = PolicyMistake::OneOf { choices: "prefix, node and local" };
            table.problem(given.get(1).copied().unwrap_or("prefix"), mistake.into());
            return None;
        };
        for (key, other) in [
            ("algorithm", "prefix"),
            ("interface", "node"),
            ("remote-node", "node"),
            ("remote-interface", "remote-node"),
            ("remote", "local"),
        ] {
            if table.has(key) && !table.has(other) {
                table.problem(key, Problem::Needs { other });
            }
        }
        let segment = match what {
            "prefix" => by_prefix(prefix?, algorithm, plane),
            "node" => {
                let interface = interface.or_else(|| needs(table, "node", "interface"))?;
                let remote = match remote_node {
                    Some(node) => {
                        let needed = || needs(table, "remote-node", "remote-interface");
                        Some((node, remote_interface.or_else(needed)?))
                    }
                    None => None,
                };
                by_interface((node?, interface), remote, plane)
            }
            _ => by_addresses(local?, remote.or_else(|| needs(table, "local", "remote"))?, plane),
        };
        segment.map_err(|mistake| table.problem(what, mistake.into())).ok()
    }
}

fn needs<T>(table: &Section<'_>, key: &'static str, other: &'static str) -> Option<T> {
    if !table.has(other) {
        table.problem(key, Problem::Needs { other });
    }
    None
}

fn by_prefix(
    prefix: IpNet,
    algorithm: Option<u8>,
    data_plane: DataPlane,
) -> Result<Segment, PolicyMistake> {
    match (prefix, data_plane) {
        (IpNet::V4(_), DataPlane::Srv6) => Err(PolicyMistake::Ipv4Sid),
        (IpNet::V4(prefix), DataPlane::Mpls) => Ok(Segment::Ipv4Prefix { prefix, algorithm }),
        (IpNet::V6(prefix), data_plane) => {
            Ok(Segment::Ipv6Prefix { prefix, algorithm, data_plane })
        }
    }
}

fn by_interface(
    (node, interface): (IpAddr, u32),
    remote: Option<(Ipv6Addr, u32)>,
    data_plane: DataPlane,
) -> Result<Segment, PolicyMistake> {
    match (node, data_plane) {
        (IpAddr::V4(_), DataPlane::Srv6) => Err(PolicyMistake::Ipv4Sid),
        (IpAddr::V4(_), DataPlane::Mpls) if remote.is_some() => Err(PolicyMistake::Families),
        (IpAddr::V4(node), DataPlane::Mpls) => Ok(Segment::Ipv4Interface { node, interface }),
        (IpAddr::V6(node), data_plane) => {
            Ok(Segment::Ipv6Interface { node, interface, remote, data_plane })
        }
    }
}

fn by_addresses(
    local: IpAddr,
    remote: IpAddr,
    data_plane: DataPlane,
) -> Result<Segment, PolicyMistake> {
    match (local, remote, data_plane) {
        (IpAddr::V4(_), IpAddr::V4(_), DataPlane::Srv6) => Err(PolicyMistake::Ipv4Sid),
        (IpAddr::V4(local), IpAddr::V4(remote), DataPlane::Mpls) => {
            Ok(Segment::Ipv4Addresses { local, remote })
        }
        (IpAddr::V6(local), IpAddr::V6(remote), data_plane) => {
            Ok(Segment::Ipv6Addresses { local, remote, data_plane })
        }
        _ => Err(PolicyMistake::Families),
    }
}
