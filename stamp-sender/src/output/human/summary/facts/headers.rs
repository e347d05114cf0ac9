//! The headers that probes arrived with, in a line each.

use crate::output::record::{HeadersRecord, RoutingHeaderRecord};

pub(super) fn fixed_words(headers: &HeadersRecord) -> Option<String> {
    let (source, destination) = (headers.source.as_ref()?, headers.destination.as_ref()?);
    let version = if source.contains(':') { 6 } else { 4 };
    Some(format!(
        "IPv{version} {source} to {destination}, hop limit {} on arrival",
        headers.hop_limit?
    ))
}

pub(super) fn segment_words(header: &RoutingHeaderRecord) -> Option<String> {
    let verdict = match header.as_sent? {
        true => "as sent",
        false => "not as sent",
    };
    let left = header.segments_left.map_or_else(
        || "the header in front of them changed".to_owned(),
        |left| format!("{left} left"),
    );
    Some(format!("{} {verdict}, {left}", header.segments.join(", ")))
}
