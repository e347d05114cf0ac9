//! What the reflector told, in a line each.

use stamp_proto::ip::Dscp;

use super::headers;
use crate::output::duration::{delay_or_dash, setting};
use crate::output::record::{
    AccessReportRecord, ClassOfServiceRecord, DirectMeasurementRecord, FollowUpRecord,
    LocationRecord, MicroSessionRecord, OriginRecord, ReflectedPacketsRecord, SessionRecord,
    TimestampInformationRecord, TrafficLossRecord,
};

/// A label and a text for each question that was answered.
pub(super) fn all(record: &SessionRecord) -> impl Iterator<Item = (&'static str, String)> {
    let answers = &record.answers;
    let location = answers.location.as_ref().filter(|one| one.replies.told > 0);
    let information = answers.timestamp_information.as_ref().filter(|one| one.replies.told > 0);
    let class = answers.class_of_service.as_ref().filter(|one| one.replies.told > 0);
    let follow_up = answers.follow_up.as_ref().filter(|one| one.replies.told > 0);
    let headers = answers.headers.as_ref();
    let segments = headers.and_then(|headers| headers.routing_header.as_ref());
    let lines = [
        location.map(|one| ("seen as", location_words(one))),
        information.map(|one| ("far stamps", information_words(one))),
        class.map(|one| ("class", class_words(one, record.path.dscp))),
        follow_up.map(|one| ("follow-up", follow_up_words(one, record))),
        answers.direct_measurement.as_ref().and_then(traffic_words).map(|text| ("traffic", text)),
        answers.access_report.as_ref().map(|one| ("access", access_words(one))),
        answers.packets.filter(|one| one.told > 0).map(|one| ("packets", packet_words(&one))),
        answers.micro_session.as_ref().map(|one| ("member", member_words(one))),
        headers.and_then(headers::fixed_words).map(|text| ("header", text)),
        segments.and_then(headers::segment_words).map(|text| ("arrived", text)),
    ];
    lines.into_iter().flatten()
}

fn location_words(location: &LocationRecord) -> String {
    let end = |address: &Option<String>, port: Option<u16>| {
        let address = address.as_deref().unwrap_or("?");
        let port = port.map_or_else(|| "?".to_owned(), |port| port.to_string());
        if address.contains(':') {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        }
    };
    let verdict = match (location.source_translated, location.destination_translated) {
        (Some(false), Some(false)) => "; no NAT on the way",
        (Some(true), _) | (_, Some(true)) => "; a NAT is on the way",
        _ => "",
    };
    let mac =
        location.source_mac.as_ref().map_or_else(String::new, |mac| format!(", last hop {mac}"));
    format!(
        "{} to {}{mac}{verdict}",
        end(&location.source, location.source_port),
        end(&location.destination, location.destination_port)
    )
}

fn information_words(information: &TimestampInformationRecord) -> String {
    let origin = |origin: &OriginRecord| {
        let clock = origin.clock_source.as_deref().unwrap_or("unknown");
        let method = origin.method.as_deref().unwrap_or("unknown");
        format!("by {method}, clock set by {clock}")
    };
    let [received, sent] = [&information.probe_received, &information.reply_sent].map(origin);
    if received == sent {
        format!("probe received and reply sent {received}")
    } else {
        format!("probe received {received}; reply sent {sent}")
    }
}

fn class_words(class: &ClassOfServiceRecord, sent: u8) -> String {
    let name = |dscp: u8| Dscp::new(dscp).map_or_else(|| dscp.to_string(), |dscp| dscp.to_string());
    let arrived = class.arrived_dscp.map_or_else(|| "unknown".to_owned(), name);
    let kept = if class.remarked_forward == 0 { "kept" } else { "changed" };
    let given = match (class.replies.told, class.dscp_refused) {
        (_, 0) => "given to all replies".to_owned(),
        (told, refused) if told == refused => "given to no reply".to_owned(),
        (told, refused) => format!("given to {} of {told} replies", told - refused),
    };
    let pace = match (class.slowdowns, class.interval_ns) {
        (1.., Some(ns)) => {
            format!("; slowed down {} for congestion, to {}", times(class.slowdowns), setting(ns))
        }
        _ => String::new(),
    };
    format!(
        "{} there {kept} ({arrived} on arrival); {} back {given}{pace}",
        name(sent),
        name(class.wanted_dscp)
    )
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// Medians with the better T3 and without.
fn follow_up_words(follow_up: &FollowUpRecord, record: &SessionRecord) -> String {
    let (better, plain) = (&follow_up.delay_ns, &record.delay_ns);
    let method = follow_up.method.as_deref().unwrap_or("unknown");
    let impossible = match follow_up.impossible {
        0 => String::new(),
        count => format!("; {count} told cannot be true"),
    };
    format!(
        "T3 of {} of {} replies corrected (by {method}): median backward {} instead of {}, residence \
         {} instead of {}{impossible}",
        follow_up.corrected,
        record.packets.received,
        delay_or_dash(better.backward.p50),
        delay_or_dash(plain.backward.p50),
        delay_or_dash(better.residence.p50),
        delay_or_dash(plain.residence.p50)
    )
}

fn packet_words(packets: &ReflectedPacketsRecord) -> String {
    let ReflectedPacketsRecord { told, expected, received, .. } = packets;
    format!("{received} of {expected} replies came to the {told} probes that were granted several")
}

fn member_words(micro: &MicroSessionRecord) -> String {
    let MicroSessionRecord { member, member_id, .. } = micro;
    match micro.far_member_id {
        Some(far) => format!("{member}, number {member_id} here and {far} there"),
        None => format!("{member}, number {member_id} here; the far end names none"),
    }
}

fn traffic_words(traffic: &DirectMeasurementRecord) -> Option<String> {
    let way = |loss: TrafficLossRecord, way: &str| match loss.lost {
        ..0 => format!("{} sent {way}, {} received", loss.sent, loss.received),
        lost => format!("{lost} of {} packets lost {way}", loss.sent),
    };
    Some(format!("{}; {}", way(traffic.forward?, "there"), way(traffic.backward?, "back")))
}

/// What was reported and what became of it; nothing was waited for longer than the run took.
fn access_words(report: &AccessReportRecord) -> String {
    let AccessReportRecord { network, code, meaning, state, sent, sequence } = report;
    let what = meaning.as_ref().map_or_else(
        || format!("{network} return code {code}"),
        |meaning| format!("{network} {}", meaning.to_lowercase()),
    );
    let times = times((*sent).into());
    let outcome = match (state.as_str(), sequence) {
        ("acknowledged", Some(sequence)) => {
            format!("acknowledged by the reply to probe {sequence}")
        }
        ("refused", Some(sequence)) => format!("refused by the reply to probe {sequence}"),
        _ => "not acknowledged".to_owned(),
    };
    format!("{what}: sent {times}, {outcome}")
}
