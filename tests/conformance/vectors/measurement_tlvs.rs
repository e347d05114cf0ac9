//! What a Session-Reflector tells of clocks, classes, counters and access, value and all: part of
//! group B.

use stamp_proto::error::ParseError;
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::access_report::{self, AccessId, AccessReport, ReturnCode};
use stamp_proto::tlv::class_of_service::{
    self, ClassOfService, ClassOfServiceAnswer, ClassOfServiceRequest, ReverseDscp, ReverseEcn,
};
use stamp_proto::tlv::direct_measurement::{self, DirectMeasurement};
use stamp_proto::tlv::follow_up_telemetry::{self, FollowUpTelemetry};
use stamp_proto::tlv::timestamp_information::{
    self, SynchronizationSource, TimestampInformation, TimestampOrigin, TimestampingMethod,
};
use stamp_proto::writer::Writer;

use super::{NTP, REPLY_SENT, Vectors, ntp, tlvs};

const EF: &str = "EF";

fn written(emit: impl FnOnce(&mut Writer<'_>) -> Result<(), ParseError>) -> Vec<u8> {
    let mut octets = [0xee; 64];
    let mut writer = Writer::new(&mut octets);
    emit(&mut writer).expect("there is room");
    writer.into_written().to_vec()
}

#[test]
fn timestamp_information_is_asked_for_and_answered_as_its_vectors() {
    let vectors = Vectors::load();
    assert_eq!(written(timestamp_information::emit_request), vectors.octets("B4"));
    let information = TimestampInformation {
        probe_received: TimestampOrigin {
            source: SynchronizationSource::PTP,
            method: TimestampingMethod::HW_ASSIST,
        },
        reply_sent: TimestampOrigin {
            source: SynchronizationSource::NTP,
            method: TimestampingMethod::SW_LOCAL,
        },
    };
    let reply = tlvs::only(vectors.octets("B5")).value;
    let mut value = tlvs::only(vectors.octets("B4")).value.to_vec();
    timestamp_information::reflect(&mut value, information).expect("a whole value");
    assert_eq!(value, reply);
    assert_eq!(TimestampInformation::parse(reply), Ok(information));
}

#[test]
fn a_class_of_service_is_asked_for_and_answered_as_its_vectors() {
    let vectors = Vectors::load();
    let dscp = Dscp::from_name(EF).expect("a name of the registry");
    let seen = ClassOfServiceAnswer {
        dscp: Dscp::new(20).expect("6 bits"),
        ecn: Ecn::Ect1,
        ..ClassOfServiceAnswer::default()
    };
    let refused = ClassOfServiceAnswer { reverse_dscp: ReverseDscp::Refused, ..seen };
    let applied = ClassOfServiceAnswer { reverse_ecn: ReverseEcn::AsAsked, ..seen };
    for (request, ecn, reply, answer) in [
        ("B6", Ecn::NotEct, "B7", seen),
        ("B6", Ecn::NotEct, "B8", refused),
        ("B9", Ecn::Ect0, "B10", applied),
    ] {
        let wanted = ClassOfServiceRequest { dscp, ecn };
        assert_eq!(written(|writer| wanted.emit_request(writer)), vectors.octets(request));
        let mut value = tlvs::only(vectors.octets(request)).value.to_vec();
        assert_eq!(ClassOfServiceRequest::parse(&value), Ok(wanted), "{request}");
        class_of_service::reflect(&mut value, answer).expect("a whole value");
        assert_eq!(value, tlvs::only(vectors.octets(reply)).value, "{reply}");
        assert_eq!(ClassOfService::parse(&value), Ok(ClassOfService { wanted, answer }));
    }
}

#[test]
fn counters_are_asked_for_and_answered_as_their_vectors() {
    let vectors = Vectors::load();
    let request = vectors.octets("B11");
    assert_eq!(written(|writer| direct_measurement::emit_request(writer, 1000)), request);
    let mut value = tlvs::only(request).value.to_vec();
    direct_measurement::reflect(&mut value, 998, 990).expect("a whole value");
    assert_eq!(value, tlvs::only(vectors.octets("B12")).value);
    let expected = DirectMeasurement {
        sender_transmitted: 1000,
        reflector_received: 998,
        reflector_transmitted: 990,
    };
    assert_eq!(DirectMeasurement::parse(&value), Ok(expected));
}

#[test]
fn an_access_report_is_written_and_echoed_as_its_vector() {
    let vectors = Vectors::load();
    let report = AccessReport { access: AccessId::ThreeGpp, code: ReturnCode::AVAILABLE };
    assert_eq!(written(|writer| report.emit_request(writer)), vectors.octets("B13"));
    let mut value = tlvs::only(vectors.octets("B13")).value.to_vec();
    assert_eq!(access_report::reflect(&mut value), Ok(report));
    assert_eq!(value, tlvs::only(vectors.octets("B13")).value);
}

#[test]
fn a_follow_up_is_asked_for_and_told_as_its_vectors() {
    let vectors = Vectors::load();
    assert_eq!(written(follow_up_telemetry::emit_request), vectors.octets("B14"));
    let told = FollowUpTelemetry {
        sequence: 6,
        timestamp: ntp(REPLY_SENT),
        method: TimestampingMethod::HW_ASSIST,
    };
    let mut value = tlvs::only(vectors.octets("B14")).value.to_vec();
    follow_up_telemetry::reflect(&mut value, Some(told)).expect("a whole value");
    assert_eq!(value, tlvs::only(vectors.octets("B15")).value);
    assert_eq!(FollowUpTelemetry::parse(&value, NTP), Ok(Some(told)));
}
