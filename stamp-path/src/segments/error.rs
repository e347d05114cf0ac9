//! Why a name cannot be a segment.

use core::fmt;

use super::SidKind;
use crate::topology::Label;

/// Why a name cannot be a segment.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SegmentError {
    #[error("the topology has no node or link {word:?}{}", Nearest(.nearest))]
    UnknownName { word: String, nearest: Vec<String> },
    #[error("no way leads from {from} to {to}")]
    Unreachable { from: String, to: String },
    #[error("node {node} has no index, and {reader} has learned no label for it")]
    NoIndex { node: String, reader: String },
    #[error("index {index} of node {node} is beyond the SRGB of {reader}, which reads its label")]
    BeyondBlock { node: String, index: u32, reader: String },
    #[error("{reader} knows no Segment Routing and has learned no label for {node}")]
    Unlabelled { reader: String, node: String },
    #[error(
        "the next hops toward {to} know it by different labels ({}); begin with the one that is to \
         be passed",
        Choices(.labels)
    )]
    ManyLabels { to: String, labels: Vec<(String, Option<Label>)> },
    #[error("link {link} has no adjacency label")]
    NoAdjacency { link: String },
    #[error("link {link} has no End.X SID")]
    NoEndX { link: String },
    #[error("the list is at {at} by then, and link {link} does not begin there")]
    ElsewhereThanLink { link: String, at: String },
    #[error("behind {behind} nobody knows where the list is: no name can follow")]
    Astray { behind: Label },
    #[error("node {node} has no {kind} SID")]
    NoSid { node: String, kind: SidKind },
}

struct Nearest<'a>(&'a [String]);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "; there is {}", self.0.join(", "))
    }
}

struct Choices<'a>(&'a [(String, Option<Label>)]);

impl fmt::Display for Choices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (node, label)) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { ", " })?;
            match label {
                Some(label) => write!(f, "{node}: {label}")?,
                None => write!(f, "{node}: none")?,
            }
        }
        Ok(())
    }
}
