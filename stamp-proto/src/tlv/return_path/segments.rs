//! Segments of a return path as they lie in the TLV (RFC 9503 §4.1.3).

use core::net::Ipv6Addr;

use crate::sr::mpls::{LABEL_STACK_ENTRY_OCTETS, LabelEntries, LabelStackEntry, StackError, check};
use crate::sr::segment::Sid;
use crate::sr::srh::SEGMENT_OCTETS;

/// What a reply passes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReturnSegments<'a> {
    /// A label stack, imposed as it is.
    Mpls(ReturnLabels<'a>),
    /// SRv6 segments.
    Srv6(ReturnSids<'a>),
}

/// Label stack entries, top first; whole ones, and at least one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReturnLabels<'a> {
    octets: &'a [u8],
}

impl<'a> ReturnLabels<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Option<Self> {
        (!octets.is_empty() && octets.len().is_multiple_of(LABEL_STACK_ENTRY_OCTETS))
            .then_some(Self { octets })
    }

    /// The entries as they go in front of a reply.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The entries, top first.
    pub fn entries(&self) -> impl Iterator<Item = LabelStackEntry> + use<'a> {
        LabelEntries::all(self.octets)
    }

    /// Checks what has to hold for every stack that is imposed, and counts its labels.
    ///
    /// # Errors
    ///
    /// The first rule of [`StackError`] that is broken.
    pub fn check(&self) -> Result<usize, StackError> {
        check(self.entries())
    }
}

/// SIDs, the first to visit first; whole ones, and at least one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReturnSids<'a> {
    octets: &'a [u8],
}

impl<'a> ReturnSids<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Option<Self> {
        (!octets.is_empty() && octets.len().is_multiple_of(SEGMENT_OCTETS))
            .then_some(Self { octets })
    }

    /// The SIDs in travel order: the opposite of that of a Segment Routing Header.
    pub fn travel(&self) -> impl DoubleEndedIterator<Item = Sid> + ExactSizeIterator + use<'a> {
        let (sids, _) = self.octets.as_chunks::<SEGMENT_OCTETS>();
        sids.iter().map(|octets| Sid(Ipv6Addr::from(*octets)))
    }
}
