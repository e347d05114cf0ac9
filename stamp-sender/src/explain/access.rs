//! What became of the report of an access network (RFC 8972 §4.6).

use super::Finding;
use crate::output::record::SessionRecord;

/// A report that the far end has not acknowledged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccessFinding {
    /// It answered, and did not take it.
    Refused,
    /// It said nothing of it.
    Unacknowledged {
        /// Probes that had it.
        sent: u32,
        /// More would have been sent, had there been time.
        more: bool,
    },
}

impl AccessFinding {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Refused => "access_report_refused",
            Self::Unacknowledged { .. } => "access_report_unacknowledged",
        }
    }
}

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let Some(report) = &session.answers.access_report else { return };
    let finding = match report.state.as_str() {
        "refused" => AccessFinding::Refused,
        "acknowledged" => return,
        state => AccessFinding::Unacknowledged { sent: report.sent, more: state == "waiting" },
    };
    findings.push(Finding::Access(finding));
}
