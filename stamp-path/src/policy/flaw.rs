//! Why a list or a candidate path is invalid (RFC 9256 §5).

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::candidate::Shown;
use super::{Color, DataPlane, Segment};
use crate::segments::SegmentError;
use crate::topology::Label;

/// Why a segment leads nowhere.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SegmentFlaw {
    #[error(transparent)]
    Named(#[from] SegmentError),
    #[error("no node of the topology announces {}", Shown(*.prefix))]
    UnknownPrefix { prefix: IpNet },
    #[error("{} has no segment of algorithm {algorithm}", Shown(*.prefix))]
    NoAlgorithm { prefix: IpNet, algorithm: u8 },
    #[error("those who read the label of {} know it by different ones", Shown(*.prefix))]
    ManyLabels { prefix: IpNet },
    #[error("no way leads to {}", Shown(*.prefix))]
    Unreachable { prefix: IpNet },
    #[error("no link of the topology has such an interface")]
    UnknownAdjacency,
    #[error("its meaning depends on the node the list has reached, which is one of several here")]
    ManyEnds,
    #[error("nothing says where the list is imposed: give from or behind")]
    NoHeadend,
    #[error("no neighbour knows label {label}")]
    UnknownLabel { label: Label },
    #[error("no node of the topology answers to {sid}")]
    UnknownSid { sid: Ipv6Addr },
    #[error("no way leads to the node of {sid}")]
    UnreachableSid { sid: Ipv6Addr },
}

/// Why a segment list is invalid (RFC 9256 §5.1). Segments are counted from 1.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ListFlaw {
    #[error("it has no segment")]
    Empty,
    #[error("its weight is zero")]
    WeightZero,
    #[error("segment {position} ({segment}) is of {other}, those before it are of {first}")]
    Mixed { position: usize, segment: Segment, first: DataPlane, other: DataPlane },
    #[error("its first segment ({segment}) leads to no next hop: {flaw}")]
    First { segment: Segment, flaw: SegmentFlaw },
    #[error("segment {position} ({segment}) cannot be resolved: {flaw}")]
    Unresolved { position: usize, segment: Segment, flaw: SegmentFlaw },
    #[error("it ends at {end}, which is not the endpoint {endpoint}")]
    EndsElsewhere { end: String, endpoint: IpAddr },
}

/// Why a candidate path is invalid (RFC 9256 §2.8).
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CandidateFlaw {
    #[error("it has no segment list")]
    NoList,
    #[error("none of its segment lists is valid: {}", Each(.0))]
    Lists(Vec<ListFlaw>),
    #[error("no path was found: {reason}")]
    Uncomputed { reason: String },
    #[error("none of its policies can be used: {}", EachPolicy(.0))]
    Composite(Vec<(Color, CompositeFlaw)>),
}

/// Why a policy cannot be part of a composite candidate path (RFC 9256 §5.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CompositeFlaw {
    /// Colour tells policies of one headend and endpoint apart.
    #[error("it is the policy itself")]
    Itself,
    /// Nobody configured it.
    #[error("there is no such policy from this headend to this endpoint")]
    Unknown,
    /// Only one level is allowed, so that there can be no circle.
    #[error("it is composite itself")]
    Composite,
    /// It has no share.
    #[error("its weight is zero")]
    WeightZero,
    /// None of its candidate paths is valid.
    #[error("it is not valid")]
    Invalid,
}

struct Each<'a>(&'a [ListFlaw]);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [flaw] = self.0 {
            return flaw.fmt(f);
        }
        for (number, flaw) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "; " };
            write!(f, "{comma}list {}: {flaw}", number + 1)?;
        }
        Ok(())
    }
}

struct EachPolicy<'a>(&'a [(Color, CompositeFlaw)]);

impl fmt::Display for EachPolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (color, flaw)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "; " };
            write!(f, "{comma}color {color}: {flaw}")?;
        }
        Ok(())
    }
}
