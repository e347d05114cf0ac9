//! Reports of access networks (RFC 8972 §4.6).

use stamp_proto::tlv::access_report::{AccessId, AccessReport, ReturnCode};

use super::*;

#[test]
fn a_report_is_echoed_and_heard_of() {
    let mut reply = area(&[(TlvType::ACCESS_REPORT, &[0x1f, 2, 0, 9])]);
    let (counts, wishes) = reflect(&exchange(OPEN, None), &mut reply);
    assert_eq!((counts.processed, reply[0]), (1, 0));
    assert_eq!(value_of(&reply), [0x10, 2, 0, 0]);
    let report = AccessReport { access: AccessId::ThreeGpp, code: ReturnCode::UNAVAILABLE };
    assert_eq!(wishes.access_report, Some(report));
}

#[test]
fn a_report_about_no_network_is_discarded() {
    for id in [0, 3, 15] {
        let request = area(&[(TlvType::ACCESS_REPORT, &[id << 4, 1, 0, 0])]);
        let mut reply = request.clone();
        let (counts, wishes) = reflect(&exchange(OPEN, None), &mut reply);
        assert_eq!((counts.unrecognized, wishes.access_report), (1, None), "{id}");
        assert_eq!(reply, request, "as it came, U included");
    }
}

#[test]
fn a_report_of_another_length_is_malformed() {
    for octets in [0, 3, 5, 8] {
        let probe = area(&[(TlvType::ACCESS_REPORT, &vec![0x10; octets])]);
        assert_eq!(reflected(&exchange(OPEN, None), &probe), [0x40], "{octets}");
    }
}
