//! What replies told, as a record.

use std::net::{IpAddr, SocketAddr};

use stamp_proto::tlv::access_report::AccessReport;
use stamp_proto::tlv::location::{Location, SourceMac};
use stamp_proto::tlv::timestamp_information::{TimestampInformation, TimestampOrigin};
use stamp_session::sender::MicroSession;
use stamp_session::snapshot::{
    AccessReportStatus, AnswerCounts, AnswerSeries, FollowUpReport, PacketSeries, SessionSnapshot,
    TrafficLoss, TrafficSeries,
};

use super::delay;
use super::headers::headers;
use crate::happening::SessionInfo;
use crate::output::record::{
    AccessReportRecord, AnswersRecord, ClassOfServiceRecord, DirectMeasurementRecord,
    FollowUpDelaysRecord, FollowUpRecord, LocationRecord, MicroSessionRecord, OriginRecord,
    ReflectedPacketsRecord, TimestampInformationRecord, ToldRecord, TrafficLossRecord,
};

pub(super) fn answers(info: &SessionInfo, snapshot: &SessionSnapshot) -> AnswersRecord {
    let asked = &info.requests;
    let counts = &*snapshot.answers.clone().unwrap_or_default();
    AnswersRecord {
        location: asked.location.then(|| location(info, &counts.location)),
        timestamp_information: asked
            .timestamp_information
            .then(|| timestamp_information(&counts.timestamp_information)),
        class_of_service: asked
            .class_of_service
            .map(|wanted| class_of_service((wanted.dscp.value(), wanted.ecn.bits()), counts)),
        follow_up: asked.follow_up.then(|| follow_up(&counts.follow_up)),
        direct_measurement: asked
            .direct_measurement
            .then(|| direct_measurement(&counts.direct_measurement)),
        access_report: asked.access_report.map(|wish| access_report(wish.report, counts)),
        packets: asked.packets.map(|_| {
            let PacketSeries { told, refused, expected, received } = counts.packets;
            ReflectedPacketsRecord { told, refused, expected, received }
        }),
        micro_session: asked.micro_session.map(|session| micro_session(info, session, counts)),
        headers: asked.headers.as_ref().map(|asked| headers(asked, counts)),
    }
}

pub(super) const fn replies<T>(series: &AnswerSeries<T>) -> ToldRecord {
    ToldRecord { told: series.told, refused: series.refused, changes: series.changes }
}

fn location(info: &SessionInfo, series: &AnswerSeries<Location>) -> LocationRecord {
    let told = series.latest.unwrap_or_default();
    let address = |address: Option<IpAddr>| address.map(|address| address.to_string());
    LocationRecord {
        replies: replies(series),
        source: address(told.source),
        source_port: told.source_port,
        destination: address(told.destination),
        destination_port: told.destination_port,
        source_mac: told.source_mac.map(mac),
        source_translated: translated((told.source, told.source_port), info.source),
        destination_translated: translated((told.destination, told.destination_port), info.target),
    }
}

/// Whether what arrived is another than what was sent, as far as it is told.
fn translated(told: (Option<IpAddr>, Option<u16>), sent: SocketAddr) -> Option<bool> {
    let address = told.0.map(|address| address != sent.ip().to_canonical());
    let port = told.1.map(|port| port != sent.port());
    match (address, port) {
        (None, None) => None,
        (address, port) => Some(address == Some(true) || port == Some(true)),
    }
}

fn mac(mac: SourceMac) -> String {
    let octets: &[u8] = match &mac {
        SourceMac::Eui48(octets) => octets,
        SourceMac::Eui64(octets) => octets,
    };
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(":")
}

fn timestamp_information(
    series: &AnswerSeries<TimestampInformation>,
) -> TimestampInformationRecord {
    let told = series.latest.unwrap_or_default();
    TimestampInformationRecord {
        replies: replies(series),
        probe_received: origin(told.probe_received),
        reply_sent: origin(told.reply_sent),
    }
}

/// Zero in the registries says nothing.
fn origin(origin: TimestampOrigin) -> OriginRecord {
    OriginRecord {
        clock_source: (origin.source.0 != 0).then(|| origin.source.to_string()),
        method: (origin.method.0 != 0).then(|| origin.method.to_string()),
    }
}

fn class_of_service(wanted: (u8, u8), counts: &AnswerCounts) -> ClassOfServiceRecord {
    let series = &counts.class_of_service;
    let answer = series.latest.map(|latest| latest.answer);
    ClassOfServiceRecord {
        replies: replies(series),
        wanted_dscp: wanted.0,
        wanted_ecn: wanted.1,
        arrived_dscp: answer.map(|answer| answer.dscp.value()),
        arrived_ecn: answer.map(|answer| answer.ecn.bits()),
        remarked_forward: counts.remarked_forward,
        congestion_forward: counts.congestion_forward,
        dscp_refused: counts.dscp_refused,
        ecn_refused: counts.ecn_refused,
        slowdowns: counts.pace.slowdowns,
        interval_ns: u64::try_from(counts.pace.interval.as_nanos()).ok().filter(|ns| *ns > 0),
    }
}

fn follow_up(report: &FollowUpReport) -> FollowUpRecord {
    FollowUpRecord {
        replies: replies(&report.replies),
        unknown: report.unknown,
        corrected: report.backward.count,
        impossible: report.impossible,
        method: report.replies.latest.map(|method| method.to_string()),
        delay_ns: FollowUpDelaysRecord {
            backward: delay(&report.backward),
            residence: delay(&report.residence),
        },
    }
}

fn micro_session(
    info: &SessionInfo,
    session: MicroSession,
    counts: &AnswerCounts,
) -> MicroSessionRecord {
    let series = &counts.micro_session;
    MicroSessionRecord {
        replies: replies(series),
        member: info.member.clone().unwrap_or_default(),
        member_id: session.id.0.get(),
        far_member_id: series.latest.and_then(|told| told.reflector).map(|id| id.0.get()),
    }
}

fn direct_measurement(series: &TrafficSeries) -> DirectMeasurementRecord {
    let loss = |loss: TrafficLoss| {
        let TrafficLoss { sent, received } = loss;
        (series.intervals > 0).then(|| TrafficLossRecord { sent, received, lost: loss.lost() })
    };
    DirectMeasurementRecord {
        told: series.told,
        refused: series.refused,
        uncounted: series.uncounted,
        restarts: series.restarts,
        forward: loss(series.forward),
        backward: loss(series.backward),
    }
}

fn access_report(report: AccessReport, counts: &AnswerCounts) -> AccessReportRecord {
    let AccessReportStatus { state, sent, sequence } = counts.access_report;
    AccessReportRecord {
        network: report.access.to_string(),
        code: report.code.0,
        meaning: report.code.name().map(str::to_owned),
        state: state.label().to_owned(),
        sent,
        sequence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_is_known_as_far_as_it_is_told() {
        let sent: SocketAddr = "192.0.2.1:49200".parse().unwrap();
        let told = |address: &str| Some(address.parse().unwrap());
        assert_eq!(translated((None, None), sent), None);
        assert_eq!(translated((told("192.0.2.1"), None), sent), Some(false));
        assert_eq!(translated((told("192.0.2.1"), Some(49_200)), sent), Some(false));
        assert_eq!(translated((None, Some(1)), sent), Some(true));
        assert_eq!(translated((told("198.51.100.1"), Some(49_200)), sent), Some(true));
    }

    #[test]
    fn hardware_addresses_are_written_as_usual() {
        assert_eq!(mac(SourceMac::Eui48([2, 0, 0, 0, 0x1a, 0xff])), "02:00:00:00:1a:ff");
    }
}
