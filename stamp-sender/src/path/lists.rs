//! What is put on packets to take a way.

use std::net::Ipv6Addr;

use serde::Serialize;
use stamp_path::Topology;
use stamp_path::encoding::{Read, Reading};
use stamp_path::path::Path;
use stamp_path::topology::Label;

use super::seen::Seen;
use crate::command_line::path::DataPlane;

/// The segments of a way, as the document has them; null where there is no list.
#[derive(Debug, Default, Serialize)]
pub(super) struct Lists {
    /// In the words of `--segments`.
    pub(super) segments: Option<Vec<String>>,
    /// By whom the way begins, top first.
    pub(super) labels: Option<Vec<u32>>,
    /// The first to visit first.
    pub(super) sids: Option<Vec<Ipv6Addr>>,
    /// What gateways on the way put on by themselves.
    pub(super) imposed: Vec<Imposed>,
    /// Nodes that act on a segment, in the order of travel, with what they read.
    pub(super) reads: Vec<Imposed>,
    /// Why there are no labels although they were asked for.
    #[serde(skip)]
    pub(super) problem: Option<String>,
}

/// What is put on, or read, at a node.
#[derive(Debug, Default, Serialize)]
pub(super) struct Imposed {
    pub(super) at: String,
    pub(super) labels: Vec<u32>,
    pub(super) sids: Vec<Ipv6Addr>,
}

impl Imposed {
    fn of_node(at: &str) -> Self {
        Self { at: at.to_owned(), ..Self::default() }
    }
}

/// What each node reads; one that reads several in a row stands once.
fn reads<'r>(topology: &Topology, readings: impl Iterator<Item = &'r Reading>) -> Vec<Imposed> {
    let mut reads: Vec<Imposed> = Vec::new();
    for Reading { node, what } in readings {
        let name = &topology[*node].name;
        if reads.last().is_none_or(|last| last.at != *name) {
            reads.push(Imposed::of_node(name));
        }
        if let Some(last) = reads.last_mut() {
            match what {
                Read::Label(label) => last.labels.push(label.value()),
                Read::Sid(sid) => last.sids.push(*sid),
            }
        }
    }
    reads
}

impl Lists {
    /// For a way in a data plane.
    pub(super) fn of(seen: &Seen<'_>, path: &Path, plane: DataPlane) -> Self {
        match plane {
            DataPlane::Mpls => Self::labels(seen, path),
            DataPlane::Srv6 => Self::sids(seen, path),
        }
    }

    fn labels(seen: &Seen<'_>, path: &Path) -> Self {
        let topology = seen.topology();
        let lists = match seen.label_lists(path) {
            Ok(lists) => lists,
            Err(error) => return Self { problem: Some(error.to_string()), ..Self::default() },
        };
        let reads = reads(topology, lists.iter().flat_map(|list| &list.readings));
        let mut lists = lists.into_iter();
        let own = lists.next();
        let numbers = |labels: &[Label]| labels.iter().map(|label| label.value()).collect();
        let imposed = lists.map(|list| Imposed {
            labels: numbers(&list.labels),
            ..Imposed::of_node(&topology[list.at].name)
        });
        Self {
            segments: own.as_ref().map(|list| list.segments.clone()),
            labels: own.as_ref().map(|list| numbers(&list.labels)),
            imposed: imposed.collect(),
            reads,
            ..Self::default()
        }
    }

    fn sids(seen: &Seen<'_>, path: &Path) -> Self {
        let Some(lists) = seen.sid_lists(path) else {
            let problem = Some("not every part of it has a SID".to_owned());
            return Self { problem, ..Self::default() };
        };
        let topology = seen.topology();
        let reads = reads(topology, lists.iter().flat_map(|list| &list.readings));
        let mut lists = lists.into_iter();
        let own = lists.next();
        let imposed = lists
            .map(|list| Imposed { sids: list.sids, ..Imposed::of_node(&topology[list.at].name) });
        Self {
            imposed: imposed.collect(),
            segments: own.as_ref().map(|list| list.segments.clone()),
            sids: own.map(|list| list.sids),
            reads,
            ..Self::default()
        }
    }
}
