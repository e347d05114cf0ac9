//! The headers that probes arrived with, as a record.

use std::net::Ipv6Addr;

use stamp_session::sender::{HeaderQuestion, SentRoutingHeader};
use stamp_session::snapshot::AnswerCounts;

use super::answers::replies;
use crate::output::record::{HeadersRecord, RoutingHeaderRecord};

pub(super) fn headers(asked: &HeaderQuestion, counts: &AnswerCounts) -> HeadersRecord {
    let fixed = counts.fixed_header.latest;
    HeadersRecord {
        replies: replies(&counts.fixed_header),
        source: fixed.map(|header| header.source.to_string()),
        destination: fixed.map(|header| header.destination.to_string()),
        hop_limit: fixed.map(|header| header.hop_limit.0),
        routing_header: asked.routing_header.as_ref().map(|sent| routing_header(sent, counts)),
    }
}

fn routing_header(sent: &SentRoutingHeader, counts: &AnswerCounts) -> RoutingHeaderRecord {
    let seen = counts.segments.latest;
    let arrived: Vec<Ipv6Addr> = seen.iter().flat_map(|seen| seen.travel()).collect();
    RoutingHeaderRecord {
        replies: replies(&counts.segments),
        segments_left: seen.filter(|seen| seen.as_expected).map(|_| 0),
        as_sent: seen.map(|_| sent.travel().eq(arrived.iter().copied())),
        segments: arrived.iter().map(ToString::to_string).collect(),
    }
}
