//! Lists for paths that were computed, and what packets with them can touch.

use ipnet::IpNet;

use super::{CandidatePath, DataPlane, Policy, Segment, SegmentList, Way};
use crate::class::Touched;
use crate::encoding::{self, EncodeError, Forwarding, Imposer, Intent, SidKinds};
use crate::segments::Origin;
use crate::topology::Topology;

/// A list that keeps packets to a computed path.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// The list, with the weight of its path.
    pub list: SegmentList,
    /// Everything its packets can touch; none where the topology does not tell.
    pub touched: Option<Touched>,
}

impl Policy {
    /// The list for a path of one of its dynamic candidates: the fewest segments that keep to it.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] where none do, or more than the headend can put on.
    pub fn encode(
        &self,
        forwarding: &Forwarding<'_>,
        candidate: &CandidatePath,
        way: &Way,
    ) -> Result<Encoded, EncodeError> {
        let topology = forwarding.topology();
        let path = &way.answer.path;
        let imposer = match self.headend {
            Some(Origin::Behind(_) | Origin::At(_)) => Imposer::Before,
            Some(Origin::Node(_)) | None => Imposer::Node,
        };
        let intent = Intent::path(topology, path);
        let (segments, walk) = match candidate.data_plane {
            DataPlane::Mpls => {
                let found = forwarding.encode_labels(imposer, &intent, 0)?;
                (found.segments, found.walk)
            }
            DataPlane::Srv6 => {
                let found = forwarding.encode_sids(imposer, &intent, SidKinds::END)?;
                (found.segments, found.walk)
            }
        };
        let plane = candidate.data_plane;
        let segments = segments.into_iter().map(|it| segment(topology, it, plane)).collect();
        let list = SegmentList { weight: way.weight, segments };
        Ok(Encoded { list, touched: Touched::of_walk(&walk, path.start()) })
    }
}

/// As somebody would write it, so that it is resolved like what was written down.
pub(super) fn segment(
    topology: &Topology,
    found: encoding::Segment,
    data_plane: DataPlane,
) -> Segment {
    let algorithm = None;
    match found {
        encoding::Segment::Node(_) | encoding::Segment::Link(_) => {
            Segment::Name { word: found.word(topology), data_plane }
        }
        encoding::Segment::Anycast(IpNet::V4(prefix)) => Segment::Ipv4Prefix { prefix, algorithm },
        encoding::Segment::Anycast(IpNet::V6(prefix)) => {
            Segment::Ipv6Prefix { prefix, algorithm, data_plane }
        }
        encoding::Segment::Tunnel(place) => Segment::Label(topology.tunnels[place].label),
        encoding::Segment::Peer(place) => Segment::Label(topology.peers[place].label),
    }
}
