//! The document of `path locate --json`.

use serde::Serialize;
use stamp_path::locate::{Cause, Located, Member, Suspect};
use stamp_path::path::Hop;
use stamp_path::{NodeId, Topology};

use super::Judged;
use crate::output::document::SCHEMA_VERSION;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    schema_version: u32,
    /// How many sessions count.
    sessions: usize,
    loss: Finding,
    delay: Finding,
    /// What none of them meets.
    unwatched: Vec<CauseRecord>,
    /// Sessions that do not count.
    left_out: Vec<LeftOut>,
}

/// What explains one symptom.
#[derive(Debug, Serialize)]
struct Finding {
    suspects: Vec<SuspectRecord>,
    confidence: f64,
    others: Vec<SuspectRecord>,
    links: Vec<LinkRecord>,
    bad: Vec<String>,
    unexplained: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SuspectRecord {
    causes: Vec<CauseRecord>,
    confidence: f64,
    loss: Option<f64>,
    delay_ns: Option<u64>,
    choice: Option<ChoiceRecord>,
}

#[derive(Debug, Serialize)]
struct CauseRecord {
    kind: &'static str,
    /// Of the link or node; the label of a tunnel.
    name: String,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Serialize)]
struct ChoiceRecord {
    at: String,
    link: String,
    others: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LinkRecord {
    link: String,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    session: String,
    reason: String,
}

/// In what severity is told.
#[derive(Clone, Copy)]
enum Symptom {
    Loss,
    Delay,
}

impl Document {
    pub(super) fn of(topology: &Topology, judged: &Judged) -> Self {
        let finding = |located, symptom| Finding::of(topology, (located, symptom), &judged.names);
        let left_out = judged.left_out.iter().cloned();
        Self {
            schema_version: SCHEMA_VERSION,
            sessions: judged.names.len(),
            loss: finding(&judged.loss, Symptom::Loss),
            delay: finding(&judged.delay, Symptom::Delay),
            unwatched: judged
                .loss
                .unwatched
                .iter()
                .map(|it| CauseRecord::of(topology, *it))
                .collect(),
            left_out: left_out.map(|(session, reason)| LeftOut { session, reason }).collect(),
        }
    }
}

impl Finding {
    fn of(topology: &Topology, (located, symptom): (&Located, Symptom), names: &[String]) -> Self {
        let suspects = |suspects: &[Suspect]| {
            suspects.iter().map(|it| SuspectRecord::of(topology, it, symptom)).collect()
        };
        let named = |places: &[usize]| {
            places.iter().filter_map(|place| names.get(*place).cloned()).collect()
        };
        let links = located.links.iter().map(|(link, confidence)| LinkRecord {
            link: topology[*link].name.clone(),
            confidence: *confidence,
        });
        Self {
            suspects: suspects(&located.suspects),
            confidence: located.confidence,
            others: suspects(&located.others),
            links: links.collect(),
            bad: named(&located.bad),
            unexplained: named(&located.unexplained),
        }
    }
}

impl SuspectRecord {
    fn of(topology: &Topology, suspect: &Suspect, symptom: Symptom) -> Self {
        let choice = |member: &Member| ChoiceRecord {
            at: topology[member.at].name.clone(),
            link: topology[member.hop.link].name.clone(),
            others: member.others.iter().map(|hop| topology[hop.link].name.clone()).collect(),
        };
        let severity = suspect.severity;
        Self {
            causes: suspect.causes.iter().map(|it| CauseRecord::of(topology, *it)).collect(),
            confidence: suspect.confidence,
            loss: matches!(symptom, Symptom::Loss).then_some(severity),
            delay_ns: matches!(symptom, Symptom::Delay).then_some(severity.max(0.0) as u64),
            choice: suspect.member.as_ref().map(choice),
        }
    }
}

impl CauseRecord {
    fn of(topology: &Topology, cause: Cause) -> Self {
        let node = |node: NodeId| topology[node].name.clone();
        let ends = |hop: Hop| (Some(node(hop.from(topology))), Some(node(hop.to(topology))));
        let (kind, name, (from, to)) = match cause {
            Cause::Link(link) => ("link", topology[link].name.clone(), (None, None)),
            Cause::Direction(hop) => ("direction", topology[hop.link].name.clone(), ends(hop)),
            Cause::Node(id) => ("node", node(id), (None, None)),
            Cause::Tunnel(place) => {
                let tunnel = &topology.tunnels[place];
                let ends = (Some(node(tunnel.from)), Some(node(tunnel.to)));
                ("tunnel", tunnel.label.to_string(), ends)
            }
        };
        Self { kind, name, from, to }
    }
}
