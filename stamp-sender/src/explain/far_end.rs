//! What the reflector does in another way than was asked.

use super::Finding;
use crate::output::record::SessionRecord;

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let reflector = &session.reflector;
    if reflector.zero_ssid {
        findings.push(Finding::ZeroSsid);
    }
    if reflector.restarts > 0 {
        findings.push(Finding::Restart { count: reflector.restarts });
    }
    let last = session.tlvs.last.as_str();
    // What was asked for by them has findings of its own.
    let requests = &session.requests;
    let answers = &session.answers;
    let not_told = [
        answers.location.as_ref().map(|one| one.replies),
        answers.timestamp_information.as_ref().map(|one| one.replies),
        answers.class_of_service.as_ref().map(|one| one.replies),
        answers.follow_up.as_ref().map(|one| one.replies),
        answers.headers.as_ref().map(|one| one.replies),
        answers.micro_session.as_ref().map(|one| one.replies),
    ];
    let packets = answers.packets.is_some_and(|one| one.refused > 0);
    let traffic = answers.direct_measurement.is_some_and(|one| one.refused > 0);
    let access = answers.access_report.as_ref().is_some_and(|one| one.state == "refused");
    let untold = packets || traffic || access;
    let not_told = not_told.into_iter().flatten().any(|replies| replies.refused > 0) || untold;
    let refused = requests.wrong_reflector + requests.return_path_not_honoured > 0 || not_told;
    if session.answered && !refused && !matches!(last, "not_asked" | "supported") {
        findings.push(Finding::Tlvs { outcome: last.to_owned() });
    }
}
