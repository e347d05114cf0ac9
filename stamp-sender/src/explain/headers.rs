//! What the headers that probes arrived with mean (draft-ietf-ippm-stamp-ext-hdr).

use super::{Finding, answers};
use crate::output::record::{HeadersRecord, SessionRecord};

/// Something about the Segment Routing Header of probes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderFinding {
    /// It did not come with them.
    Missing {
        /// Replies that say so.
        count: u64,
    },
    /// Its list is another than that which was sent.
    ListChanged {
        /// What arrived, in travel order.
        arrived: Vec<String>,
    },
    /// What stands in front of its list is not as it should be.
    Changed,
}

impl HeaderFinding {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "segments_not_seen",
            Self::ListChanged { .. } => "segment_list_changed",
            Self::Changed => "routing_header_changed",
        }
    }
}

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let Some(headers) = &session.answers.headers else { return };
    let HeadersRecord { replies, routing_header, .. } = headers;
    answers::refused("the headers of probes", "reflect-headers = true", *replies, findings);
    let Some(header) = routing_header else { return };
    // Who tells nothing at all says nothing about this one.
    if replies.told > 0 && header.replies.refused > 0 {
        let count = header.replies.refused;
        findings.push(Finding::Headers(HeaderFinding::Missing { count }));
    }
    if header.as_sent == Some(false) {
        let arrived = header.segments.clone();
        findings.push(Finding::Headers(HeaderFinding::ListChanged { arrived }));
    }
    if header.replies.told > 0 && header.segments_left.is_none() {
        findings.push(Finding::Headers(HeaderFinding::Changed));
    }
}
