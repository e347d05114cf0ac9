//! Probes that come back themselves: what the far node wrote into them.

use super::Finding;
use crate::output::record::{Authentication, SessionRecord};

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let stamping = &session.stamping;
    let authenticated = session.config.authentication == Authentication::Authenticated;
    for (outcome, count) in [
        ("missing", stamping.missing),
        ("elsewhere", stamping.elsewhere),
        ("implausible", stamping.implausible),
        ("unreadable", stamping.unreadable),
    ] {
        if count > 0 {
            let offset = stamping.last_offset.filter(|_| outcome == "elsewhere");
            let outcome = outcome.to_owned();
            findings.push(Finding::Stamping { outcome, count, offset, authenticated });
        }
    }
    if stamping.stamped > 0 && session.clock.far.synchronized.is_none() {
        findings.push(Finding::FarClockUnknown);
    }
}
