//! A report is sent until it is acknowledged (RFC 8972 §4.6).

use std::sync::Arc;

use stamp_proto::tlv::access_report::{AccessId, AccessReport, ReturnCode};
use stamp_proto::tlv::{TlvFlags, TlvType, Tlvs};

use super::rig::*;
use crate::sender::*;

const REPORT: AccessReport =
    AccessReport { access: AccessId::NonThreeGpp, code: ReturnCode::UNAVAILABLE };

/// A probe every 100 ms; the timer runs 250 ms and may run out twice more.
fn rig() -> Rig {
    let reporting = AccessReporting {
        timer: Duration::from_millis(250),
        retransmissions: 2,
        ..AccessReporting::new(REPORT)
    };
    let requests = Arc::new(Requests { access_report: Some(reporting), ..Requests::default() });
    let mut config = SenderConfig { requests, ..config() };
    config.payload_octets = config.smallest_payload();
    Rig::new(config)
}

/// The first TLV of a probe.
fn first(probe: &[u8]) -> TlvType {
    assert_eq!(probe.len(), 44 + 8, "each probe has as many octets");
    Tlvs::new(&probe[44..]).next().unwrap().unwrap().kind
}

/// The reply of one that understands what it got.
fn understood(probe: &[u8], at_ns: u64) -> Reply {
    let mut reply = Reply::to(probe, at_ns);
    reply.area[0] = TlvFlags::NONE.0;
    reply
}

fn told(rig: &mut Rig) -> Vec<AccessReportStatus> {
    let status = |event| match event {
        SenderEvent::AccessReport(status) => Some(status),
        _ => None,
    };
    rig.events().into_iter().filter_map(status).collect()
}

/// Whether each of the probes at these slots has the report.
fn carriers(rig: &mut Rig, slots: core::ops::Range<u64>) -> Vec<u64> {
    slots.filter(|slot| first(&rig.send(slot * 100 * MS)) == TlvType::ACCESS_REPORT).collect()
}

#[test]
fn the_first_probe_has_it_and_after_the_timer_the_next() {
    let mut rig = rig();
    assert_eq!(carriers(&mut rig, 0..9), [0, 3, 6], "no more than two times again");
    let status = rig.sender.snapshot().answers.unwrap().access_report;
    assert_eq!((status.state, status.sent), (AccessReportState::Waiting, 3));
    assert!(told(&mut rig).is_empty());
    rig.sender.handle_timeout(at(850 * MS));
    let given_up =
        AccessReportStatus { state: AccessReportState::Unacknowledged, sent: 3, sequence: Some(6) };
    assert_eq!(told(&mut rig), [given_up]);
    assert_eq!(carriers(&mut rig, 9..20), [], "and that is the end of it");
    assert!(told(&mut rig).is_empty(), "told once");
}

#[test]
fn its_echo_ends_it() {
    let mut rig = rig();
    let probe = rig.send(0);
    let _ = rig.receive(&understood(&probe, 0));
    let status =
        AccessReportStatus { state: AccessReportState::Acknowledged, sent: 1, sequence: Some(0) };
    assert_eq!(told(&mut rig), [status]);
    for slot in 1..10 {
        let probe = rig.send(slot * 100 * MS);
        assert_eq!(first(&probe), TlvType::EXTRA_PADDING);
        let sample = sample(rig.receive(&understood(&probe, slot * 100 * MS)));
        assert_eq!(sample.tlvs, TlvOutcome::Supported, "padding is as good");
        assert_eq!(sample.answers.access_report, Told::NotAsked);
    }
    assert_eq!(rig.sender.snapshot().answers.unwrap().access_report, status);
}

#[test]
fn an_echo_that_comes_late_acknowledges_it_too() {
    let mut rig = rig();
    let probe = rig.send(0);
    rig.sender.handle_timeout(at(400 * MS));
    let reply = Reply { arrives: 450 * MS, ..understood(&probe, 0) };
    assert!(matches!(rig.receive(&reply), Outcome::Late(_)));
    assert_eq!(told(&mut rig)[0].state, AccessReportState::Acknowledged);
}

#[test]
fn one_who_does_not_know_it_is_not_asked_again() {
    for (flags, value) in [(0x80, [0x20, 2, 0, 1]), (0x40, [0x20, 2, 0, 0]), (0, [0x10, 2, 0, 0])] {
        let mut rig = rig();
        let probe = rig.send(0);
        let mut reply = Reply::to(&probe, 0);
        reply.area[0] = flags;
        reply.area[4..8].copy_from_slice(&value);
        let _ = rig.receive(&reply);
        assert_eq!(told(&mut rig)[0].state, AccessReportState::Refused, "{flags:#x}");
        assert_eq!(carriers(&mut rig, 1..9), []);
    }
}

#[test]
fn a_report_that_never_left_goes_with_the_next_probe() {
    let mut rig = rig();
    let _ = rig.fail(0, UnsentReason::NoRoute);
    assert_eq!(carriers(&mut rig, 1..4), [1]);
    assert_eq!(rig.sender.snapshot().answers.unwrap().access_report.sent, 1);
}

#[test]
fn what_nobody_verified_acknowledges_nothing() {
    let mut rig = rig();
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.area[0] = TlvFlags::INTEGRITY.0;
    let _ = rig.receive(&reply);
    assert!(told(&mut rig).is_empty());
    assert_eq!(carriers(&mut rig, 1..4), [3]);
}

#[test]
fn the_timer_and_the_retransmissions_are_those_of_the_rfc() {
    let AccessReporting { timer, retransmissions, .. } = AccessReporting::new(REPORT);
    assert_eq!((timer, retransmissions), (Duration::from_secs(3), 4));
}
