//! The way of a reply, as a value: who owns the socket walks it.

use core::ops::Range;
use std::sync::Arc;

use stamp_proto::sr::mpls::LabelStack;
use stamp_proto::sr::segment::SegmentList;
use stamp_proto::sr::srh::SEGMENT_OCTETS;
use stamp_proto::writer::Writer;

/// The way a reply has to take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplyWay<'b> {
    /// As the routing table says.
    Routed,
    /// Out of the link on which the probe came in ([`Reply::interface`](super::Reply::interface)).
    SameLink,
    /// Over these segments.
    Segments(ReplySegments<'b>),
}

/// What a segment is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DataPlane {
    /// A SID of 16 octets.
    Srv6,
    /// A label stack entry.
    Mpls,
}

/// Segments that a reply passes, in the octets of the Return Path TLV: first to visit first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplySegments<'b> {
    plane: DataPlane,
    octets: Octets<'b>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Octets<'b> {
    /// Of the probe; they lie in the reply, where they are echoed.
    Asked(&'b [u8]),
    /// Of the configuration.
    Configured(Arc<[u8]>),
}

impl ReplySegments<'_> {
    /// What they are.
    #[must_use]
    pub const fn plane(&self) -> DataPlane {
        self.plane
    }

    /// The label stack entries as they go in front of the reply, or the SIDs in travel order,
    /// without the destination of the reply.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match &self.octets {
            Octets::Asked(octets) => octets,
            Octets::Configured(octets) => octets,
        }
    }
}

/// Segments for the replies to a prefix, where the probe asks for none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnList {
    plane: DataPlane,
    octets: Arc<[u8]>,
}

impl ReturnList {
    /// SIDs.
    #[must_use]
    pub fn srv6(list: &SegmentList) -> Self {
        let octets = list.segments().iter().flat_map(|sid| sid.0.octets()).collect();
        Self { plane: DataPlane::Srv6, octets }
    }

    /// Labels.
    #[must_use]
    pub fn mpls(stack: &LabelStack) -> Self {
        let mut octets = vec![0; stack.encoded_octets()];
        // There is room.
        let _ = stack.emit(&mut Writer::new(&mut octets));
        Self { plane: DataPlane::Mpls, octets: octets.into() }
    }

    /// What they are.
    #[must_use]
    pub const fn plane(&self) -> DataPlane {
        self.plane
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len().checked_div(self.plane.segment_octets()).unwrap_or(0)
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

impl DataPlane {
    /// Octets of one segment.
    #[must_use]
    pub const fn segment_octets(self) -> usize {
        match self {
            Self::Srv6 => SEGMENT_OCTETS,
            Self::Mpls => stamp_proto::sr::mpls::LABEL_STACK_ENTRY_OCTETS,
        }
    }
}

/// The way of a reply whose octets are still being written.
#[derive(Clone, Debug)]
pub(super) enum UnsealedWay {
    Routed,
    SameLink,
    /// The segments lie in the reply itself.
    Echoed(DataPlane, Range<usize>),
    Configured(ReturnList),
}

impl UnsealedWay {
    /// The way of a reply of these octets.
    pub(super) fn of(self, reply: &[u8]) -> ReplyWay<'_> {
        let (plane, octets) = match self {
            Self::Routed => return ReplyWay::Routed,
            Self::SameLink => return ReplyWay::SameLink,
            Self::Echoed(plane, range) => {
                (plane, Octets::Asked(reply.get(range).unwrap_or_default()))
            }
            Self::Configured(list) => (list.plane, Octets::Configured(list.octets)),
        };
        let segments = ReplySegments { plane, octets };
        if segments.octets().is_empty() { ReplyWay::Routed } else { ReplyWay::Segments(segments) }
    }
}
