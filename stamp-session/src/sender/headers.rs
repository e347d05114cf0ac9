//! Headers of probes: what is asked of them, and what came back.

use core::net::Ipv6Addr;

use stamp_proto::sr::protocol::Protocol;
use stamp_proto::sr::segment::SegmentList;
use stamp_proto::sr::srh::{ROUTING_TYPE, SEGMENT_OCTETS, SRH_FIXED_OCTETS};
use stamp_proto::tlv::reflected_fixed_header_data::FixedHeader;

use crate::experimental::ExperimentalTypes;

/// The question for headers that probes arrive with (draft-ietf-ippm-stamp-ext-hdr).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeaderQuestion {
    /// The types that both ends agreed on.
    pub types: ExperimentalTypes,
    /// The IP header of probes.
    pub fixed: FixedHeader,
    /// The Segment Routing Header of probes, where they have one of their own.
    pub routing_header: Option<SentRoutingHeader>,
}

/// A full Segment Routing Header in front of probes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SentRoutingHeader {
    segments: SegmentList,
}

impl SentRoutingHeader {
    /// The most segments of which a reply can be made to tell, the destination among them.
    pub const MOST_SEGMENTS: usize = SeenSegments::MOST;

    /// With these segments in travel order, the destination last; `None` when they are too many.
    #[must_use]
    pub fn new(segments: SegmentList) -> Option<Self> {
        (segments.len() <= Self::MOST_SEGMENTS).then_some(Self { segments })
    }

    /// The segments in travel order, the destination last.
    pub fn travel(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.segments.segments().iter().map(|segment| segment.0)
    }

    /// Octets of the header.
    pub(crate) fn octets(&self) -> usize {
        self.segments.len().saturating_mul(SEGMENT_OCTETS).saturating_add(SRH_FIXED_OCTETS)
    }

    /// Its first eight octets when every segment was passed and nobody changed anything.
    pub(crate) fn as_it_should_arrive(&self) -> [u8; SRH_FIXED_OCTETS] {
        let octet = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let length = octet(self.segments.len().saturating_mul(2));
        let last = octet(self.segments.len().saturating_sub(1));
        [Protocol::UDP.0, length, ROUTING_TYPE, 0, last, 0, 0, 0]
    }
}

/// The Segment Routing Header of a probe as it arrived.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SeenSegments {
    /// Everything in front of the list is as it should be: no segment is left, and flags, tag and
    /// lengths are those that were sent. Without this all that is known is that it is not so.
    pub as_expected: bool,
    /// As they stand in the header: the last to visit first.
    list: [Ipv6Addr; Self::MOST],
    count: u8,
}

impl SeenSegments {
    const MOST: usize = 16;

    /// Reads what lies behind the first eight octets.
    pub(crate) fn read(as_expected: bool, octets: &[u8]) -> Option<Self> {
        let (segments, _) = octets.as_chunks::<SEGMENT_OCTETS>();
        let mut list = [Ipv6Addr::UNSPECIFIED; Self::MOST];
        let count = u8::try_from(segments.len()).ok()?;
        for (to, from) in list.get_mut(..segments.len())?.iter_mut().zip(segments) {
            *to = Ipv6Addr::from(*from);
        }
        Some(Self { as_expected, list, count })
    }

    /// The segments in travel order.
    pub fn travel(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.list.iter().take(self.count.into()).rev().copied()
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::sr::segment::Sid;

    use super::*;

    fn list(count: u16) -> SegmentList {
        let sid = |last| Sid(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, last));
        SegmentList::new((0..count).map(sid).collect()).unwrap()
    }

    #[test]
    fn the_header_that_should_arrive_is_that_of_rfc_8754() {
        let sent = SentRoutingHeader::new(list(3)).unwrap();
        assert_eq!(sent.octets(), 56);
        assert_eq!(sent.as_it_should_arrive(), [17, 6, 4, 0, 2, 0, 0, 0]);
        assert!(SentRoutingHeader::new(list(17)).is_none());
    }

    #[test]
    fn a_list_that_came_back_is_read_in_travel_order() {
        let sent = list(3);
        let octets: Vec<u8> =
            sent.segments().iter().rev().flat_map(|segment| segment.0.octets()).collect();
        let seen = SeenSegments::read(true, &octets).unwrap();
        assert!(seen.travel().eq(sent.segments().iter().map(|segment| segment.0)));
        assert_eq!(SeenSegments::read(true, &[0; 17 * 16]), None, "more than was asked for");
    }
}
