//! TLVs of a fixed layout: Timestamp Information, Class of Service, Direct Measurement, Access
//! Report, Follow-Up Telemetry, Micro-session ID.

use crate::error::ParseError;
use crate::ip::Ecn;
use crate::time::TimestampFormat;
use crate::tlv::access_report::{self, AccessReport};
use crate::tlv::class_of_service::{self, ClassOfService, ClassOfServiceRequest, ReverseEcn};
use crate::tlv::direct_measurement::{self, DirectMeasurement};
use crate::tlv::follow_up_telemetry::{self, FollowUpTelemetry};
use crate::tlv::micro_session_id::{self, MemberLinkId, MicroSessionId};
use crate::tlv::timestamp_information::{self, TimestampInformation};
use crate::tlv::{TLV_HEADER_OCTETS, Tlvs};
use crate::writer::Writer;

const LARGEST: usize = 64;

/// Octets as the value of each of them.
pub fn value(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    check_timestamp_information(octets);
    check_class_of_service(octets);
    check_direct_measurement(octets);
    check_access_report(octets);
    for format in [TimestampFormat::Ntp, TimestampFormat::Ptp] {
        check_follow_up_telemetry(octets, format);
    }
    check_micro_session_id(octets);
}

/// A copy, answered; a refusal of a wrong Length leaves it alone.
fn answered(
    octets: &[u8],
    reflect: impl FnOnce(&mut [u8]) -> Result<(), ParseError>,
) -> Option<([u8; LARGEST], usize)> {
    let mut copy = [0; LARGEST];
    let value = &mut copy[..octets.len()];
    value.copy_from_slice(octets);
    if reflect(value).is_err() {
        assert_eq!(value, octets);
        return None;
    }
    Some((copy, octets.len()))
}

/// What is written for a request is behind a header of its length.
fn check_request(value: &[u8], emit: impl FnOnce(&mut Writer<'_>) -> Result<(), ParseError>) {
    let mut octets = [0xee; LARGEST + TLV_HEADER_OCTETS];
    let mut writer = Writer::new(&mut octets);
    emit(&mut writer).expect("there is room");
    let mut tlvs = Tlvs::new(writer.written());
    let tlv = tlvs.next().expect("a TLV").expect("a whole TLV");
    assert!(tlv.flags.is_unrecognized());
    assert_eq!(tlv.value, value);
    assert!(tlvs.next().is_none());
}

fn check_timestamp_information(octets: &[u8]) {
    let read = TimestampInformation::parse(octets);
    assert_eq!(read.is_ok(), octets.len() >= timestamp_information::FIELD_OCTETS);
    let Ok(information) = read else { return };
    let answer = answered(octets, |value| timestamp_information::reflect(value, information));
    let (answer, length) = answer.expect("it was read");
    assert_eq!(answer[..4], octets[..4]);
    assert_eq!(TimestampInformation::parse(&answer[..length]), Ok(information));
}

fn check_class_of_service(octets: &[u8]) {
    let read = ClassOfService::parse(octets);
    assert_eq!(read.is_ok(), octets.len() == 4);
    let answer = read.map(|class| class.answer).unwrap_or_default();
    let answered = answered(octets, |value| class_of_service::reflect(value, answer));
    assert_eq!(answered.is_some(), read.is_ok());
    let (Ok(class), Some((value, length))) = (read, answered) else { return };
    let mut again = ClassOfService::parse(&value[..length]).expect("as long as before");
    if answer.reverse_ecn == ReverseEcn::NotTold {
        assert_eq!(again.wanted.ecn, Ecn::NotEct);
        again.wanted.ecn = class.wanted.ecn;
    }
    assert_eq!(again, class);
    let asked = [octets[0] & 0xfc, 0, octets[2] & 0xc0, 0];
    check_request(&asked, |writer| class.wanted.emit_request(writer));
    assert_eq!(ClassOfServiceRequest::parse(&asked), Ok(class.wanted));
}

fn check_direct_measurement(octets: &[u8]) {
    let read = DirectMeasurement::parse(octets);
    assert_eq!(read.is_ok(), octets.len() == direct_measurement::VALUE_OCTETS);
    let (received, transmitted) =
        read.map_or((1, 2), |own| (own.reflector_received, own.reflector_transmitted));
    let answered =
        answered(octets, |value| direct_measurement::reflect(value, received, transmitted));
    assert_eq!(answered.is_some(), read.is_ok());
    let (Ok(measurement), Some((value, length))) = (read, answered) else { return };
    assert_eq!(&value[..length], octets);
    let mut asked = [0; direct_measurement::VALUE_OCTETS];
    asked[..4].copy_from_slice(&octets[..4]);
    check_request(&asked, |writer| {
        direct_measurement::emit_request(writer, measurement.sender_transmitted)
    });
}

fn check_access_report(octets: &[u8]) {
    let read = AccessReport::parse(octets);
    let known = octets.first().is_some_and(|first| matches!(first >> 4, 1 | 2));
    assert_eq!(read.is_ok(), octets.len() == 4 && known);
    let answered = answered(octets, |value| {
        assert_eq!(access_report::reflect(value), read);
        read.map(|_| ())
    });
    let (Ok(report), Some((value, length))) = (read, answered) else { return };
    assert_eq!(value[..length], [octets[0] & 0xf0, octets[1], 0, 0]);
    check_request(&value[..length], |writer| report.emit_request(writer));
}

fn check_follow_up_telemetry(octets: &[u8], format: TimestampFormat) {
    let read = FollowUpTelemetry::parse(octets, format);
    let whole = octets.len() == follow_up_telemetry::VALUE_OCTETS;
    assert_eq!(read.is_ok(), whole);
    let mut answer = [0; LARGEST];
    let answer = &mut answer[..octets.len()];
    answer.copy_from_slice(octets);
    let told = read.ok().flatten();
    assert_eq!(follow_up_telemetry::reflect(answer, told).is_ok(), whole);
    if !whole {
        let (zeroed, kept) = answer.split_at(octets.len().min(12));
        assert!(zeroed.iter().all(|octet| *octet == 0));
        assert_eq!(kept, &octets[zeroed.len()..]);
    } else if told.is_some() {
        assert_eq!((&answer[..13], &answer[13..]), (&octets[..13], &[0; 3][..]));
    } else {
        assert_eq!(answer, [0; follow_up_telemetry::VALUE_OCTETS]);
    }
}

fn check_micro_session_id(octets: &[u8]) {
    let read = MicroSessionId::parse(octets);
    assert_eq!(read.is_ok(), octets.len() == 4);
    let one = MemberLinkId::new(1).expect("not zero");
    let own = read.ok().and_then(|id| id.reflector).unwrap_or(one);
    let answered = answered(octets, |value| micro_session_id::reflect(value, own));
    assert_eq!(answered.is_some(), read.is_ok());
    let (Ok(id), Some((value, length))) = (read, answered) else { return };
    check_request(octets, |writer| id.emit_request(writer));
    let reply = MicroSessionId::parse(&value[..length]).expect("as long as before");
    assert_eq!(reply, MicroSessionId { sender: id.sender, reflector: Some(own) });
    assert!(id.allows_arrival(own));
    if let Some(sender) = id.sender {
        assert!(reply.answers(&id, sender));
    }
}
