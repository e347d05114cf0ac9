//! Words for what became of the report of an access network.

use super::{Finding, count_of};
use crate::explain::AccessFinding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    let Finding::Access(finding) = finding else { return None };
    Some(match finding {
        AccessFinding::Refused => (
            "The far end did not take the access report: it does not know it, or not this one."
                .to_owned(),
            "there, if it is stamp-reflector: no access-report=refuse in tlv-policy".to_owned(),
        ),
        AccessFinding::Unacknowledged { sent, more } => (
            format!(
                "The access report was sent with {} and not acknowledged.",
                count_of(u64::from(*sent), "probe")
            ),
            match more {
                true => "a longer run sends it again: see --access-report-timer".to_owned(),
                false => "raise --access-report-retries, or look for loss".to_owned(),
            },
        ),
    })
}
