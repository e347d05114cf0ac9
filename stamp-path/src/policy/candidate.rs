//! Candidate paths, and what they are made of.

use core::fmt;
use core::net::IpAddr;

use ipnet::IpNet;

use super::{BindingSid, CandidateId, Color, DataPlane, Segment};
use crate::compute::Metric;

/// One of the ways a policy may take (RFC 9256 §2.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CandidatePath {
    /// Which of the policy's.
    pub id: CandidateId,
    /// Unique in its policy; how outputs call it.
    pub name: String,
    /// The higher one wins (RFC 9256 §2.7).
    pub preference: u32,
    /// How early its policy is computed after a change, where it says so.
    pub priority: Option<u8>,
    /// What stands for it at its headend.
    pub binding_sid: Option<BindingSid>,
    /// Whether names in its lists become labels or SIDs.
    pub data_plane: DataPlane,
    /// Where its lists come from.
    pub kind: CandidateKind,
}

impl CandidatePath {
    /// Preference of a candidate path that has none.
    pub const USUAL_PREFERENCE: u32 = 100;
}

/// Where the lists of a candidate path come from (RFC 9256 §2.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CandidateKind {
    /// They are written down.
    Explicit(Vec<SegmentList>),
    /// They are computed.
    Dynamic(Dynamic),
    /// It has none of its own and uses other policies.
    Composite(Vec<Constituent>),
}

/// Segments in the order of travel, with the share of traffic that takes them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SegmentList {
    /// Against those of the other lists; of weight zero it is invalid (RFC 9256 §5.1).
    pub weight: u32,
    /// The first one first.
    pub segments: Vec<Segment>,
}

impl SegmentList {
    /// Weight of a list that has none.
    pub const USUAL_WEIGHT: u32 = 1;
}

/// What is to be found by computation; bounds are those of the policy's class.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dynamic {
    /// What is to be least.
    pub metric: Metric,
    /// How many lists it may have.
    pub paths: u16,
    /// How traffic is divided over them.
    pub weights: ListWeights,
    /// It shares nothing with the candidate path of this preference.
    pub disjoint_from: Option<u32>,
}

impl Default for Dynamic {
    fn default() -> Self {
        let (metric, weights) = (Metric::default(), ListWeights::default());
        Self { metric, paths: 1, weights, disjoint_from: None }
    }
}

/// How traffic is divided over computed lists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ListWeights {
    /// Each as much as every other.
    #[default]
    Equal,
    /// By the bandwidth of the narrowest link.
    Bandwidth,
}

/// Another policy of the same headend and endpoint, as a part of a composite candidate path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Constituent {
    /// Which.
    pub color: Color,
    /// Share of traffic, against those of the others.
    pub weight: u32,
}

/// Whether any address will do as an endpoint (RFC 9256 §2.1).
pub(super) const fn is_null(endpoint: IpAddr) -> bool {
    endpoint.is_unspecified()
}

/// Addresses of a prefix, shown without its length where it is one.
pub(super) struct Shown(pub(super) IpNet);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}
