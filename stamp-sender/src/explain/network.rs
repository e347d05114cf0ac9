//! Probes that did not leave or did not fit, and what the way did to those that went.

use super::{Finding, Target, Way};
use crate::output::record::SessionRecord;

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    unsent(session, findings);
    too_big(session, findings);
    if session.packets.lost.local > 0 {
        findings.push(Finding::LocalDrop { count: session.packets.lost.local });
    }
    let path = &session.path;
    if path.remarked > 0 {
        findings.push(Finding::Remarked {
            count: path.remarked,
            sent: path.dscp,
            arrived: path.reply_dscp,
        });
    }
    if path.congestion_experienced > 0 {
        findings.push(Finding::Congestion { count: path.congestion_experienced });
    }
    let ways = [(Way::Forward, path.forward_hops), (Way::Backward, path.backward_hops)];
    for (way, hops) in ways {
        if let Some(hops) = hops.filter(|hops| hops.min != hops.max) {
            findings.push(Finding::PathChanged { way, min: hops.min, max: hops.max });
        }
    }
}

fn unsent(session: &SessionRecord, findings: &mut Vec<Finding>) {
    for (reason, count) in &session.packets.unsent_by_reason {
        if *count == 0 || reason == "too_big" {
            continue;
        }
        findings.push(Finding::Unsent {
            reason: reason.clone(),
            count: *count,
            all: session.packets.sent == 0,
            target: Target::of(session),
        });
    }
}

/// A size that does not fit: once, with the smallest MTU that was named.
fn too_big(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let tightest = session
        .troubles
        .iter()
        .filter(|trouble| matches!(trouble.what.as_str(), "packet_too_big" | "too_big"))
        .min_by_key(|trouble| trouble.mtu_octets.unwrap_or(u32::MAX));
    let counted = session.packets.unsent_by_reason.get("too_big").copied().unwrap_or(0);
    if tightest.is_none() && counted == 0 {
        return;
    }
    findings.push(Finding::TooBig {
        payload_octets: session.config.payload_octets,
        mtu_octets: tightest.and_then(|trouble| trouble.mtu_octets),
        largest_payload_octets: tightest.and_then(|trouble| trouble.largest_payload_octets),
        offender: tightest.and_then(|trouble| trouble.offender.clone()),
    });
}
