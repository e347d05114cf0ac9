//! How classes can contradict themselves although each word is right.

use stamp_document::document::Problem;

use crate::segments::SegmentError;

/// What contradicts what.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClassMistake {
    #[error("the name of a class has up to 64 letters, digits, points, underscores and hyphens")]
    Name,
    #[error(transparent)]
    Named(#[from] SegmentError),
    #[error("a name needs a topology to come from")]
    NoTopology,
    #[error("no node of the topology lies in domain \"{domain}\"")]
    UnknownDomain { domain: String },
    #[error("no node of the topology lies in AS {number}")]
    UnknownAutonomousSystem { number: u32 },
    #[error("no [class.{name}] is there")]
    UnknownClass { name: String },
    #[error("class \"{name}\" stays apart from this one already, directly or through others")]
    Circle { name: String },
    #[error("at least one is needed")]
    Empty,
}

impl From<ClassMistake> for Problem {
    fn from(mistake: ClassMistake) -> Self {
        Self::Contradiction { reason: mistake.to_string() }
    }
}
