//! The headers that probes arrived with (draft-ietf-ippm-stamp-ext-hdr).

use serde::{Deserialize, Serialize};

use super::answers::ToldRecord;

/// The latest IP header, and the Segment Routing Header behind it; unknown is `null`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HeadersRecord {
    /// How often the IP header was told.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Where probes came from.
    pub source: Option<String>,
    /// Where they went to.
    pub destination: Option<String>,
    /// TTL or Hop Limit they arrived with.
    pub hop_limit: Option<u8>,
    /// `null` where probes have none of their own.
    pub routing_header: Option<RoutingHeaderRecord>,
}

/// The Segment Routing Header.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RoutingHeaderRecord {
    /// How often it was told.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Segments Left, where what stands in front of the list is known to be as it should.
    pub segments_left: Option<u8>,
    /// The list in travel order, the destination last; empty until one was told.
    pub segments: Vec<String>,
    /// It is the list that was sent.
    pub as_sent: Option<bool>,
}
