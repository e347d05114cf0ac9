//! What a wrong clock looks like (RFC 7679 §3.7.1).

use super::{End, Finding, Way};
use crate::output::record::{ClockFindingRecord, SessionRecord};

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let suspicions = &session.clock.suspicions;
    let tai = suspicions.iter().any(|one| matches!(one, ClockFindingRecord::TaiOffset { .. }));
    for suspicion in suspicions {
        let finding = match *suspicion {
            // The offset of 37 s says it all.
            ClockFindingRecord::NegativeForward { .. }
            | ClockFindingRecord::NegativeBackward { .. }
                if tai =>
            {
                continue;
            }
            ClockFindingRecord::NegativeForward { count, lowest_ns } => {
                negative(session, Way::Forward, count, lowest_ns)
            }
            ClockFindingRecord::NegativeBackward { count, lowest_ns } => {
                negative(session, Way::Backward, count, lowest_ns)
            }
            ClockFindingRecord::NearStep { count, last_ns } => {
                Finding::ClockStep { end: End::Near, count, last_ns }
            }
            ClockFindingRecord::FarStep { count, last_ns } => {
                Finding::ClockStep { end: End::Far, count, last_ns }
            }
            ClockFindingRecord::TaiOffset { offset_ns, formats_differ } => {
                Finding::TaiOffset { offset_ns, formats_differ }
            }
            ClockFindingRecord::MixedFormats => Finding::MixedFormats,
            ClockFindingRecord::StampsApart { count } => Finding::StampsApart { count },
            // Said once for both ends below, and among the rejected replies.
            ClockFindingRecord::NearUnsynchronized
            | ClockFindingRecord::FarUnsynchronized
            | ClockFindingRecord::ClaimsContradicted { .. }
            // Said of the node that wrote them.
            | ClockFindingRecord::FarImplausible { .. } => continue,
        };
        findings.push(finding);
    }
    let near = !session.clock.synchronized;
    let far = session.clock.far.synchronized == Some(false);
    // Without one-way values no clock but our own monotonic one matters.
    if session.answered && session.mode != "loopback" && (near || far) {
        findings.push(Finding::Unsynchronized { near, far });
    }
}

fn negative(session: &SessionRecord, way: Way, count: u64, lowest_ns: i64) -> Finding {
    let delay = &session.delay_ns;
    // T2 - T1 carries the offset once, T4 - T3 carries it once with the other sign.
    let offset_ns = delay
        .forward
        .p50
        .zip(delay.backward.p50)
        .map(|(forward, backward)| forward.saturating_sub(backward) / 2);
    Finding::NegativeDelay { way, count, lowest_ns, offset_ns }
}
