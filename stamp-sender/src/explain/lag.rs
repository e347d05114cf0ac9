//! What went wrong on a member link of a LAG (RFC 9534).

use super::{Finding, answers};
use crate::output::record::SessionRecord;

/// Something about a micro session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LagFinding {
    /// Replies of other links came, or on other links.
    WrongMember {
        /// The link that was measured.
        member: String,
        /// How many.
        count: u64,
    },
    /// The far end has other links, or other names for them, than before.
    Renamed {
        /// The link that was measured.
        member: String,
    },
}

impl LagFinding {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::WrongMember { .. } => "wrong_member",
            Self::Renamed { .. } => "far_member_changed",
        }
    }
}

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let Some(micro) = &session.answers.micro_session else { return };
    answers::refused("the Micro-session ID", "lag-members = [\"bond0\"]", micro.replies, findings);
    let wrong = session.packets.rejected_by_reason.get("wrong_member").copied().unwrap_or_default();
    let member = || micro.member.clone();
    if wrong > 0 {
        findings.push(Finding::Lag(LagFinding::WrongMember { member: member(), count: wrong }));
    }
    if micro.replies.changes > 0 {
        findings.push(Finding::Lag(LagFinding::Renamed { member: member() }));
    }
}
