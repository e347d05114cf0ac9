//! What the answers to questions mean, and what it means that there are none (RFC 8972).

use super::Finding;
use crate::output::record::{SessionRecord, ToldRecord};

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let answers = &session.answers;
    if let Some(location) = &answers.location {
        refused("Location", "location = [\"all\"]", location.replies, findings);
        let seen = |address: &Option<String>, port: Option<u16>| {
            let address = address.clone().unwrap_or_else(|| "an address it does not tell".into());
            port.map_or(address.clone(), |port| match address.contains(':') {
                true => format!("[{address}]:{port}"),
                false => format!("{address}:{port}"),
            })
        };
        if location.source_translated == Some(true) {
            findings.push(Finding::Translated {
                seen: seen(&location.source, location.source_port),
                source: true,
                changes: location.replies.changes,
            });
        }
        if location.destination_translated == Some(true) {
            findings.push(Finding::Translated {
                seen: seen(&location.destination, location.destination_port),
                source: false,
                changes: location.replies.changes,
            });
        }
    }
    if let Some(information) = &answers.timestamp_information {
        refused("Timestamp Information", "", information.replies, findings);
    }
    if let Some(class) = &answers.class_of_service {
        refused("Class of Service", "", class.replies, findings);
        if class.remarked_forward > 0 {
            let (count, of) = (class.remarked_forward, class.replies.told);
            let (sent, arrived) = (session.path.dscp, class.arrived_dscp.unwrap_or_default());
            findings.push(Finding::RemarkedForward { count, of, sent, arrived });
        }
        if class.congestion_forward > 0 {
            let (count, of) = (class.congestion_forward, class.replies.told);
            findings.push(Finding::CongestionForward { count, of });
        }
        if class.dscp_refused > 0 {
            let (count, wanted) = (class.dscp_refused, class.wanted_dscp);
            findings.push(Finding::ClassRefused { count, wanted });
        }
    }
    if let Some(packets) = &answers.packets {
        let replies = ToldRecord { told: packets.told, refused: packets.refused, changes: 0 };
        let key = "packet-control = \"10,1400,125000\"";
        refused("Reflected Test Packet Control", key, replies, findings);
    }
    if let Some(follow_up) = &answers.follow_up {
        refused("Follow-Up Telemetry", "", follow_up.replies, findings);
        // The first reply has none before it.
        if follow_up.replies.told == 0 && follow_up.unknown > 1 {
            findings.push(Finding::NoFollowUp { count: follow_up.unknown });
        }
        if follow_up.impossible > 0 {
            let (count, of) = (follow_up.impossible, follow_up.replies.told);
            findings.push(Finding::FollowUpImpossible { count, of });
        }
    }
}

pub(super) fn refused(
    what: &'static str,
    key: &'static str,
    replies: ToldRecord,
    out: &mut Vec<Finding>,
) {
    if replies.refused > 0 {
        out.push(Finding::NotTold { what, key, count: replies.refused });
    }
}
