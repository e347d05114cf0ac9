//! The document of `path compute --json`.

use serde::Serialize;
use stamp_path::compute::{Absence, Answer, weights};

use super::lists::Lists;
use super::seen::Seen;
use crate::command_line::path::DataPlane;
use crate::output::document::SCHEMA_VERSION;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    schema_version: u32,
    paths: Vec<PathRecord>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One way.
#[derive(Debug, Serialize)]
pub(super) struct PathRecord {
    nodes: Vec<String>,
    links: Vec<String>,
    /// None of what is not shown, like the next two.
    metric: Option<u64>,
    delay_ns: Option<u64>,
    loss: Option<f64>,
    weight: u32,
    #[serde(flatten)]
    lists: Lists,
    optimal: bool,
}

impl Document {
    pub(super) fn of(
        seen: &Seen<'_>,
        found: &Result<Vec<Answer>, Absence>,
        plane: DataPlane,
    ) -> Self {
        let topology = seen.topology();
        let answers = found.as_deref().unwrap_or_default();
        let ways: Vec<_> = answers.iter().map(|answer| &answer.path).collect();
        let weights = weights(topology, &ways);
        let record = |(answer, weight)| PathRecord::of(seen, answer, weight, plane);
        Self {
            schema_version: SCHEMA_VERSION,
            paths: answers.iter().zip(weights).map(record).collect(),
            reason: found.as_ref().err().map(|absence| absence.in_words(topology)),
        }
    }
}

impl PathRecord {
    pub(super) fn of(seen: &Seen<'_>, answer: &Answer, weight: u32, plane: DataPlane) -> Self {
        let (topology, path) = (seen.topology(), &answer.path);
        let is_known = !seen.is_unknown(path);
        let delay = path.delay(topology).as_nanos();
        Self {
            nodes: path.nodes(topology).map(|node| topology[node].name.clone()).collect(),
            links: path.hops().iter().map(|hop| topology[hop.link].name.clone()).collect(),
            metric: is_known.then_some(answer.metric),
            delay_ns: u64::try_from(delay).ok().filter(|_| is_known),
            loss: is_known.then(|| path.loss(topology)),
            weight,
            lists: Lists::of(seen, path, plane),
            optimal: answer.optimal,
        }
    }
}
