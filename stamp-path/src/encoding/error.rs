//! Why no list keeps packets to an intent.

use core::fmt;

use stamp_proto::sr::csid::CsidError;
use stamp_proto::sr::mpls::Label;

use super::Stray;
use super::walk::Walk;
use crate::path::Hop;
use crate::segments::SidKind;
use crate::topology::{NodeId, Topology};

/// Why no list keeps packets to an intent.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncodeError {
    #[error("{node} is where the path ends already: it needs no list")]
    Nothing { node: String },
    #[error("no segment leads from {at} over {over}: {lack}")]
    NoSegment { at: String, over: String, lack: Lack },
    #[error("no segment leads on from {at}, where the links that are meant end")]
    NoLink { at: String },
    #[error(
        "{needed} labels are more than the {limit} that {node} puts on{}",
        Binding(.binding_at, needed - limit)
    )]
    TooDeep { needed: usize, limit: usize, node: String, binding_at: Option<String> },
    #[error("the peer behind label {label} is at {at}, and the links that are meant end at {node}")]
    PeerElsewhere { label: Label, at: String, node: String },
    #[error("node {node} has no {kind} SID for the list to end with")]
    NoLastSid { node: String, kind: SidKind },
    #[error(
        "{node} would find {needed} segments left and works on {limit} at most; a binding SID \
         (End.B6) on the way there or a looser way would save some"
    )]
    SegmentsLeft { needed: usize, limit: usize, node: String },
    #[error(transparent)]
    Csid(#[from] CsidError),
    #[error(transparent)]
    Stray(#[from] Stray),
}

/// Why a link cannot be steered over.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lack {
    /// It has no label or SID, and packets for the node beyond it take other links as well.
    Elsewhere { next: String, link: String },
    /// It has no label or SID, and packets for the node beyond it do not get there.
    Lost { stray: Stray },
    /// It has no label or SID, and neither has the node beyond it.
    Unnamed { next: String },
}

impl Lack {
    /// What else than `hop` packets for the node beyond it have taken.
    pub(super) fn elsewhere(topology: &Topology, (hop, next): (Hop, NodeId), walk: &Walk) -> Self {
        let other = walk.hops.iter().find(|one| **one != hop).unwrap_or(&hop);
        let (next, link) = (topology[next].name.clone(), topology[other.link].name.clone());
        Self::Elsewhere { next, link }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has no label or SID of its own, and ")?;
        match self {
            Self::Elsewhere { next, link } => write!(f, "packets for {next} also take {link}"),
            Self::Lost { stray } => stray.fmt(f),
            Self::Unnamed { next } => write!(f, "{next} has none that is read there"),
        }
    }
}

struct Binding<'a>(&'a Option<String>, usize);

impl fmt::Display for Binding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Some(node), saved) = self else { return Ok(()) };
        write!(
            f,
            "; a binding SID at {node} for the rest of the way would save {saved}, and so would a \
             looser way to the same end"
        )
    }
}
