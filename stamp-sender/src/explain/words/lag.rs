//! Words for what went wrong on a member link of a LAG.

use super::{Finding, count_of};
use crate::explain::LagFinding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    let Finding::Lag(finding) = finding else { return None };
    Some(match finding {
        LagFinding::WrongMember { member, count } => (
            format!(
                "{} of another member link than {member} came, and none of them counts.",
                count_of(*count, "reply")
            ),
            "the far end answers on another link than it was asked on, or the two ends are not cabled as \
             they are configured"
                .to_owned(),
        ),
        LagFinding::Renamed { member } => (
            format!("The far end of {member} has another number than before."),
            "the far end was configured anew; its numbers are the order of its lag-members".to_owned(),
        ),
    })
}
