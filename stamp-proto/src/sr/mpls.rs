//! MPLS label stacks (RFC 3032): entries, special-purpose and entropy labels, and their rules.

mod check;
mod entry;
mod label;
mod received;
mod stack;

use crate::error::ParseError;

pub use check::check;
pub use entry::{LABEL_STACK_ENTRY_OCTETS, LabelStackEntry, TrafficClass};
pub use label::{EntropyLabel, ExtendedLabel, Label, LabelRole};
pub use received::{LabelEntries, TopLabel};
pub use stack::LabelStack;

/// Why labels are no stack, or none that a packet of ours may carry.
///
/// `position` counts from the top, which is zero.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Octets(#[from] ParseError),
    #[error("{octets} octets are no whole label stack entries")]
    NotWholeEntries { octets: usize },
    #[error("a label stack has at least one entry")]
    Empty,
    #[error("no entry of the label stack is marked as its bottom")]
    NoBottom,
    #[error("entry {position} of the label stack is below the bottom")]
    BelowBottom { position: usize },
    #[error("entry {position} of the label stack has TTL 0; the next node would drop the packet")]
    ZeroTtl { position: usize },
    #[error("label {label} at position {position} cannot be in front of a test packet")]
    NotImposed { label: Label, position: usize },
    #[error("the Router Alert label at position {position} is at the bottom (RFC 3032 §2.1)")]
    RouterAlertBottom { position: usize },
    #[error("the Extension Label at position {position} has nothing below it (RFC 7274 §3)")]
    ExtensionBottom { position: usize },
    #[error(
        "label {label} at position {position} may never follow the Extension Label (RFC 9017 §3)"
    )]
    ReservedExtended { label: Label, position: usize },
    #[error(
        "label {label} at position {position} is no extended special-purpose label; they are 16 to 255"
    )]
    ExtendedRange { label: Label, position: usize },
    #[error("the Entropy Label Indicator at position {position} has no entropy label below it")]
    EntropyMissing { position: usize },
    #[error("an entropy label at position {position} is not directly below a segment label")]
    EntropyPlace { position: usize },
    #[error("{label} at position {position} is no entropy label; they begin at 16 (RFC 6790 §4.2)")]
    EntropyReserved { label: Label, position: usize },
    #[error("the entropy label at position {position} has TTL {ttl} instead of 0 (RFC 6790 §4.2)")]
    EntropyTtl { position: usize, ttl: u8 },
    #[error("{labels} labels are more than the {limit} that can be imposed")]
    TooDeep { labels: usize, limit: usize },
}

#[cfg(test)]
mod tests;
