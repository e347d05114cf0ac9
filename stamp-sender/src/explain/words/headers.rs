//! Words for the headers that probes arrived with.

use super::{Finding, count_of};
use crate::explain::HeaderFinding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    let Finding::Headers(finding) = finding else { return None };
    Some(match finding {
        HeaderFinding::Missing { count } => (
            format!(
                "{} saw no Segment Routing Header of the size that was sent.",
                count_of(*count, "probe")
            ),
            "the node before the last may have taken it off (PSP), or a node in between put another \
             on; the far end sees nothing of what a tunnel took off"
                .to_owned(),
        ),
        HeaderFinding::ListChanged { arrived } => (
            format!(
                "The segment list arrived as {}, which is not what was sent.",
                arrived.join(", ")
            ),
            "a node on the way put in a list of its own: look for a policy with a binding SID, or \
             for compression (--srv6 usid)"
                .to_owned(),
        ),
        HeaderFinding::Changed => (
            "The Segment Routing Header arrived with segments left, or with other flags, tag or next \
             header than it was sent with."
                .to_owned(),
            "the far end answered before the end of the list, or a node on the way rewrote the header"
                .to_owned(),
        ),
    })
}
