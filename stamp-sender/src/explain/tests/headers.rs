//! Headers that probes arrived with.

use super::*;
use crate::output::record::{HeadersRecord, RoutingHeaderRecord, ToldRecord};

fn told(told: u64, refused: u64) -> ToldRecord {
    ToldRecord { told, refused, changes: 0 }
}

fn headers(seen: ToldRecord, as_sent: Option<bool>, segments_left: Option<u8>) -> HeadersRecord {
    let segments = as_sent.iter().map(|_| "fc00::1".to_owned()).collect();
    HeadersRecord {
        replies: told(10, 0),
        source: Some("2001:db8::1".to_owned()),
        destination: Some("2001:db8::2".to_owned()),
        hop_limit: Some(254),
        routing_header: Some(RoutingHeaderRecord {
            replies: seen,
            segments_left,
            segments,
            as_sent,
        }),
    }
}

#[test]
fn a_routing_header_is_worth_a_word_when_it_is_not_as_it_was_sent() {
    let mut session = examples::good();
    let before = kinds(&session);
    session.answers.headers = Some(headers(told(10, 0), Some(true), Some(0)));
    assert_eq!(kinds(&session), before, "as sent");
    session.answers.headers = Some(headers(told(10, 0), Some(false), Some(0)));
    assert!(find(&session, "segment_list_changed").text.contains("arrived as fc00::1"));
    session.answers.headers = Some(headers(told(10, 0), Some(true), None));
    assert!(find(&session, "routing_header_changed").text.contains("segments left"));
    session.answers.headers = Some(headers(told(0, 3), None, None));
    let missing = find(&session, "segments_not_seen");
    assert_eq!(missing.text, "3 probes saw no Segment Routing Header of the size that was sent.");
}

#[test]
fn who_keeps_headers_to_himself_is_told_how_to_tell_them() {
    let mut session = examples::good();
    session.tlvs.last = "unrecognized".to_owned();
    let silent = HeadersRecord { replies: told(0, 5), ..headers(told(0, 5), None, None) };
    session.answers.headers = Some(silent);
    let kinds = kinds(&session);
    assert!(kinds.contains(&"not_told") && !kinds.contains(&"tlvs"), "{kinds:?}");
    assert!(!kinds.contains(&"segments_not_seen"), "{kinds:?}");
    assert!(find(&session, "not_told").remedy.contains("reflect-headers = true"));
}
