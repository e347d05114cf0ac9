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
        // Said with what was done about it.
        let went_over = stamping.fallback.as_ref().is_some_and(|fallback| fallback.count > 0);
        if count > 0 && !(went_over && outcome == "missing") {
            let offset = stamping.last_offset.filter(|_| outcome == "elsewhere");
            let outcome = outcome.to_owned();
            findings.push(Finding::Stamping { outcome, count, offset, authenticated });
        }
    }
    if let Some(fallback) = stamping.fallback.as_ref().filter(|fallback| fallback.count > 0) {
        findings.push(Finding::Fallback {
            active: fallback.active,
            label: session.path.encapsulation.starts_with('M'),
            lost: fallback.reason.as_deref() == Some("lost"),
            plain: fallback.plain,
            encapsulation: fallback.encapsulation.clone(),
        });
    }
    if stamping.stamped > 0 && session.clock.far.synchronized.is_none() {
        let asked = session.clock.far.learned_from.clone();
        findings.push(Finding::FarClockUnknown { asked });
    }
}
