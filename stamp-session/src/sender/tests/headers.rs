//! Headers that probes arrive with, as replies tell them (draft-ietf-ippm-stamp-ext-hdr).

use core::net::Ipv6Addr;

use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::tlv::TLV_HEADER_OCTETS;
use stamp_proto::tlv::access_report::{AccessId, AccessReport, ReturnCode};
use stamp_proto::tlv::reflected_fixed_header_data::FixedHeader;

use super::rig::*;
use crate::experimental::ExperimentalTypes;
use crate::sender::{AccessReporting, HeaderQuestion, Requests, SenderConfig, SentRoutingHeader};

const FIRST: Ipv6Addr = Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1);
const LAST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
/// Where the TLVs begin, and where those for the routing header do.
const FIXED_AT: usize = 0;
const NAMED_AT: usize = 44;
const ANY_AT: usize = NAMED_AT + 44;

fn asking() -> SenderConfig {
    let segments = SegmentList::new(vec![Sid(FIRST), Sid(LAST)]).unwrap();
    let headers = HeaderQuestion {
        types: ExperimentalTypes::USUAL,
        fixed: FixedHeader::Ipv6,
        routing_header: SentRoutingHeader::new(segments),
    };
    let mut config = config();
    config.requests = Requests { headers: Some(headers), ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config
}

/// Sends a probe and receives its reply, whose TLVs `change` answers.
fn pass(rig: &mut Rig, slot: u64, change: impl FnOnce(&mut [u8])) {
    let probe = rig.send(slot * 100 * MS);
    let mut reply = Reply::to(&probe, slot * 100 * MS);
    reply.area = probe[44..].to_vec();
    change(&mut reply.area);
    let _ = sample(rig.receive(&reply));
}

/// The header came with these two segments, passed or not.
fn answer(area: &mut [u8], passed: bool, list: [Ipv6Addr; 2]) {
    area[FIXED_AT] = 0;
    area[FIXED_AT + 11] = 250;
    area[FIXED_AT + 12..FIXED_AT + 44].copy_from_slice(&[FIRST.octets(), LAST.octets()].concat());
    let (told, other) = if passed { (NAMED_AT, ANY_AT) } else { (ANY_AT, NAMED_AT) };
    area[other] = 0x10;
    area[told] = 0;
    let [first, last] = list.map(|segment| segment.octets());
    area[told + 12..told + 44].copy_from_slice(&[last, first].concat());
}

#[test]
fn the_questions_are_those_of_the_draft() {
    let mut rig = Rig::new(asking());
    let probe = rig.send(0);
    let area = &probe[44..];
    assert_eq!(area[..8], [0x80, 247, 0, 40, 0, 0, 0, 0]);
    assert_eq!(area[NAMED_AT..NAMED_AT + 12], [0x80, 246, 0, 40, 17, 4, 4, 0, 1, 0, 0, 0]);
    assert_eq!(area[ANY_AT..ANY_AT + 12], [0x80, 246, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(area.len(), ANY_AT + 44);
}

#[test]
fn what_came_back_is_told_with_its_changes() {
    let mut rig = Rig::new(asking());
    pass(&mut rig, 0, |area| answer(area, true, [FIRST, LAST]));
    let seen = rig.sender.snapshot().answers.unwrap();
    let fixed = seen.fixed_header.latest.unwrap();
    assert_eq!((fixed.source, fixed.hop_limit.0), (FIRST.into(), 250));
    let segments = seen.segments.latest.unwrap();
    assert!(segments.as_expected && segments.travel().eq([FIRST, LAST]));
    pass(&mut rig, 1, |area| answer(area, false, [LAST, LAST]));
    let seen = rig.sender.snapshot().answers.unwrap().segments;
    let segments = seen.latest.unwrap();
    assert!(!segments.as_expected && segments.travel().eq([LAST, LAST]));
    assert_eq!((seen.told, seen.refused, seen.changes), (2, 0, 1));
}

#[test]
fn a_header_that_did_not_arrive_is_told_by_neither_answer() {
    let mut rig = Rig::new(asking());
    pass(&mut rig, 0, |area| {
        answer(area, true, [FIRST, LAST]);
        area[NAMED_AT] = 0x10;
    });
    let seen = rig.sender.snapshot().answers.unwrap();
    assert_eq!((seen.fixed_header.told, seen.segments.told, seen.segments.refused), (1, 0, 1));
}

#[test]
fn padding_in_place_of_a_report_is_no_answer_to_what_is_behind_it() {
    let report = AccessReport { access: AccessId::ThreeGpp, code: ReturnCode::AVAILABLE };
    let mut config = asking();
    let requests = Requests::clone(&config.requests);
    let access_report = Some(AccessReporting::new(report));
    config.requests = Requests { access_report, ..requests }.into();
    config.payload_octets = config.smallest_payload();
    let mut rig = Rig::new(config);
    for slot in 0..3 {
        pass(&mut rig, slot, |area| {
            area[0] = 0;
            answer(&mut area[TLV_HEADER_OCTETS + 4..], true, [FIRST, LAST]);
        });
    }
    let seen = rig.sender.snapshot().answers.unwrap();
    assert_eq!(seen.access_report.sent, 1, "the others have padding in its place");
    assert_eq!((seen.fixed_header.told, seen.fixed_header.refused), (3, 0));
    assert_eq!((seen.segments.told, seen.segments.changes), (3, 0));
}
