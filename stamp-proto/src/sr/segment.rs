//! SRv6 segments and lists of them, in the order in which they are visited.

use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

/// An SRv6 SID, or an address at which a list ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sid(pub Ipv6Addr);

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Segments in travel order, the first to visit first; at least one.
///
/// The order is the opposite on the wire of an SRH, and the same on that of a Return Path TLV and
/// inside of a container of compressed SIDs.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SegmentList {
    segments: Vec<Sid>,
}

impl SegmentList {
    /// A list of these segments, or none of none.
    #[must_use]
    pub fn new(segments: Vec<Sid>) -> Option<Self> {
        if segments.is_empty() { None } else { Some(Self { segments }) }
    }

    /// The same list with one more segment at its end.
    #[must_use]
    pub fn then(mut self, last: Sid) -> Self {
        self.segments.push(last);
        self
    }

    /// The segments, first to visit first.
    #[must_use]
    pub fn segments(&self) -> &[Sid] {
        &self.segments
    }

    /// The first to visit.
    #[must_use]
    pub fn first(&self) -> Sid {
        self.segments.first().copied().unwrap_or(Sid(Ipv6Addr::UNSPECIFIED))
    }

    /// The last to visit.
    #[must_use]
    pub fn last(&self) -> Sid {
        self.segments.last().copied().unwrap_or(Sid(Ipv6Addr::UNSPECIFIED))
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub const fn len(&self) -> usize {
        self.segments.len()
    }
}
