//! Candidate paths.

use stamp_document::document::Section;

use super::words::{ColorWord, Discriminator, Name, Paths, Preference, Priority, Weight};
use super::{PolicyMistake, Reader};
use crate::policy::{
    CandidateId, CandidateKind, CandidatePath, Constituent, DataPlane, Dynamic, SegmentList,
};

/// What a candidate path may be, of which it is one.
const KINDS: [&str; 4] = ["segments", "lists", "dynamic", "composite"];

impl Reader<'_> {
    /// Without a discriminator it is its `position` among those of its policy, so that candidates
    /// which say nothing of who made them are told apart.
    pub(super) fn candidate(&self, table: &Section<'_>, position: u32) -> Option<CandidatePath> {
        let name = table.get::<Name>("name").map(|name| name.0);
        let discriminator = table.get::<Discriminator>("discriminator");
        let id = CandidateId {
            origin: table.get("origin").unwrap_or_default(),
            originator: table.get("originator").unwrap_or_default(),
            discriminator: discriminator.map_or(position, |discriminator| discriminator.0),
        };
        let preference = table.get::<Preference>("preference").map(|preference| preference.0);
        let priority = table.get::<Priority>("priority").map(|priority| priority.0);
        let binding_sid = table.get("binding-sid");
        let data_plane = table.get("dataplane").unwrap_or_default();
        let kind = self.kind(table, data_plane)?;
        Some(CandidatePath {
            id,
            name: name.unwrap_or_default(),
            preference: preference.unwrap_or(CandidatePath::USUAL_PREFERENCE),
            priority,
            binding_sid,
            data_plane,
            kind,
        })
    }

    fn kind(&self, table: &Section<'_>, plane: DataPlane) -> Option<CandidateKind> {
        let segments = self.segments(table, plane);
        let lists = self.lists(table, plane);
        let dynamic = table.section("dynamic", dynamic);
        let parts = composite(table);
        let given: Vec<&'static str> = KINDS.into_iter().filter(|key| table.has(key)).collect();
        let [kind] = given[..] else {
            let mistake =
                PolicyMistake::OneOf { choices: "segments, lists, dynamic and composite" };
            table.problem(given.get(1).copied().unwrap_or("segments"), mistake.into());
            return None;
        };
        match kind {
            "segments" => {
                let list = SegmentList { weight: SegmentList::USUAL_WEIGHT, segments: segments? };
                Some(CandidateKind::Explicit(vec![list]))
            }
            "lists" => Some(CandidateKind::Explicit(lists?)),
            "dynamic" => dynamic.map(CandidateKind::Dynamic),
            _ => Some(CandidateKind::Composite(parts?)),
        }
    }

    fn lists(&self, table: &Section<'_>, plane: DataPlane) -> Option<Vec<SegmentList>> {
        let read = table.sections("lists", |list| {
            let weight = list.get::<Weight>("weight").map(|weight| weight.0);
            let segments = self.segments(list, plane);
            if !list.has("segments") {
                list.problem("segments", PolicyMistake::Empty.into());
            }
            let weight = weight.unwrap_or(SegmentList::USUAL_WEIGHT);
            Some(SegmentList { weight, segments: segments? })
        });
        if read.is_empty() && table.has("lists") {
            table.problem("lists", PolicyMistake::Empty.into());
        }
        read.into_iter().collect()
    }
}

fn dynamic(table: &Section<'_>) -> Dynamic {
    Dynamic {
        metric: table.get("metric").unwrap_or_default(),
        paths: table.get::<Paths>("paths").map_or(1, |paths| paths.0),
        weights: table.get("weights").unwrap_or_default(),
        disjoint_from: table.get::<Preference>("disjoint-from").map(|it| it.0),
    }
}

fn composite(table: &Section<'_>) -> Option<Vec<Constituent>> {
    let read = table.sections("composite", |part| {
        let color = part.require::<ColorWord>("color");
        let weight = part.get::<Weight>("weight").map_or(1, |weight| weight.0);
        Some(Constituent { color: color?.0, weight })
    });
    if read.is_empty() && table.has("composite") {
        table.problem("composite", PolicyMistake::Empty.into());
    }
    read.into_iter().collect()
}
