//! What is put on packets to take a way.

use std::net::Ipv6Addr;

use serde::Serialize;
use stamp_path::path::Path;

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
    /// Why there are no labels although they were asked for.
    #[serde(skip)]
    pub(super) problem: Option<String>,
}

/// What a gateway puts on.
#[derive(Debug, Serialize)]
pub(super) struct Imposed {
    pub(super) at: String,
    pub(super) labels: Vec<u32>,
    sids: Vec<Ipv6Addr>,
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
        let mut lists = lists.into_iter();
        let own = lists.next();
        let numbers = |labels: &[_]| -> Vec<u32> {
            labels.iter().map(|label: &stamp_path::topology::Label| label.value()).collect()
        };
        let imposed = lists.map(|list| Imposed {
            at: topology[list.at].name.clone(),
            labels: numbers(&list.labels),
            sids: Vec::new(),
        });
        Self {
            segments: own.as_ref().map(|list| list.segments.clone()),
            labels: own.as_ref().map(|list| numbers(&list.labels)),
            imposed: imposed.collect(),
            ..Self::default()
        }
    }

    fn sids(seen: &Seen<'_>, path: &Path) -> Self {
        let Some(list) = seen.sids(path) else {
            let problem = Some("not every part of it has a SID".to_owned());
            return Self { problem, ..Self::default() };
        };
        let topology = seen.topology();
        Self {
            segments: Some(list.segments.iter().map(|one| one.word(topology)).collect()),
            sids: Some(list.containers),
            ..Self::default()
        }
    }
}
