//! The way of replies: `return-path`, and `return-segments` of `[[allow]]`.

use ipnet::IpNet;
use stamp_config::document::{Problem, Section};
use stamp_config::steering::Segment;
use stamp_proto::sr::mpls::{Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_session::reflector::{Prefix, ReturnList, ReturnPathPolicy};

use super::keys::{self, allow};
use super::reading::Reading;
use super::words::{ReturnPathWord, ReturnSegment};

/// Where replies may go when a probe asks for it.
pub(super) fn policy(reading: &Reading<'_>, root: &Section<'_>) -> ReturnPathPolicy {
    let key = &keys::RETURN_PATH;
    let print = |word: &ReturnPathWord| toml::Value::from(word.to_string()).to_string();
    let words = reading.list(root, key, |_| None, print).unwrap_or_default();
    let mut prefixes = Vec::new();
    for word in &words {
        match word {
            ReturnPathWord::Prefix(net) => {
                prefixes.extend(Prefix::new(net.addr(), net.prefix_len()));
            }
            ReturnPathWord::SourceOnly if words.len() > 1 => {
                let reason = "source-only stands alone: prefixes allow more than that".to_owned();
                reading.problem(root, &key.definition, Problem::Unusable { reason });
            }
            ReturnPathWord::SourceOnly => {}
        }
    }
    if prefixes.is_empty() {
        ReturnPathPolicy::SourceOnly
    } else {
        ReturnPathPolicy::Prefixes(prefixes)
    }
}

/// The way of replies to the sources of `net`.
pub(super) fn list(
    section: &Section<'_>,
    segments: &[ReturnSegment],
    net: Option<IpNet>,
) -> Option<ReturnList> {
    let labels: Vec<Label> = segments
        .iter()
        .filter_map(|segment| match segment.0 {
            Segment::Label(label) => Some(label),
            Segment::Sid(_) => None,
        })
        .collect();
    let sids: Vec<Sid> = segments
        .iter()
        .filter_map(|segment| match segment.0 {
            Segment::Sid(sid) => Some(sid),
            Segment::Label(_) => None,
        })
        .collect();
    let made = match (labels.is_empty(), sids.is_empty()) {
        (true, true) => Err("the list is empty; leave it out".to_owned()),
        (false, false) => Err("labels and SIDs are mixed".to_owned()),
        (true, false) if net.is_some_and(|net| net.addr().is_ipv4()) => {
            Err("SIDs lead to IPv6 sources only".to_owned())
        }
        (true, false) => {
            SegmentList::new(sids).map(|list| ReturnList::srv6(&list)).ok_or_else(String::new)
        }
        (false, true) => LabelStack::from_labels(labels)
            .map(|stack| ReturnList::mpls(&stack))
            .map_err(|error| error.to_string()),
    };
    made.map_err(|reason| {
        let key = allow::RETURN_SEGMENTS.definition.key;
        section.problem(key, Problem::Unusable { reason });
    })
    .ok()
}
