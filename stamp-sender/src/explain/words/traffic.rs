//! Words for what counters of real traffic say.

use super::{Finding, count_of};
use crate::explain::TrafficFinding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    let Finding::Traffic(finding) = finding else { return None };
    Some(match finding {
        TrafficFinding::Lost { way, lost, sent } => (
            format!("Real traffic was lost {}: {lost} of {}.", way.phrase(), count_of(*sent, "packet")),
            "counters are some milliseconds old, and what is on the way counts as lost: it stays the \
             same in a longer run, loss grows"
                .to_owned(),
        ),
        TrafficFinding::Differs { way, received, sent } => (
            format!(
                "More real traffic arrived than was sent {}: {received} packets of {sent}. The two ends \
                 do not count the same traffic.",
                way.phrase()
            ),
            "let both count the link between them, or the traffic in question alone with cmd:"
                .to_owned(),
        ),
        TrafficFinding::Restart { count } => (
            format!(
                "A counter of real traffic began anew {}; what passed meanwhile is not counted.",
                count_of(*count, "time")
            ),
            "an interface that was made anew counts from zero, and so may a command".to_owned(),
        ),
    })
}
