//! What the reflector told, or would not.

use super::*;
use crate::output::record::{AccessReportRecord, ClassOfServiceRecord, LocationRecord, ToldRecord};

fn told(told: u64, refused: u64) -> ToldRecord {
    ToldRecord { told, refused, changes: 0 }
}

fn location(source: &str, translated: bool) -> LocationRecord {
    LocationRecord {
        replies: told(10, 0),
        source: Some(source.to_owned()),
        source_port: Some(40_000),
        destination: Some("192.0.2.11".to_owned()),
        destination_port: Some(862),
        source_mac: None,
        source_translated: Some(translated),
        destination_translated: Some(false),
    }
}

#[test]
fn a_nat_is_told_with_what_it_makes_of_probes() {
    let mut session = examples::good();
    let before = kinds(&session);
    session.answers.location = Some(location("192.0.2.1", false));
    assert_eq!(kinds(&session), before, "nothing to tell");
    session.answers.location = Some(location("198.51.100.7", true));
    let found = find(&session, "translated");
    assert!(found.text.contains("arrive from 198.51.100.7:40000 instead"), "{}", found.text);
    session.answers.location = Some(location("2001:db8::7", true));
    assert!(find(&session, "translated").text.contains("from [2001:db8::7]:40000"));
}

#[test]
fn a_question_without_answer_is_no_unknown_tlv() {
    let mut session = examples::good();
    session.tlvs.last = "unrecognized".to_owned();
    session.answers.location = Some(LocationRecord {
        replies: told(0, 5),
        source_translated: None,
        destination_translated: None,
        ..location("", false)
    });
    let kinds = kinds(&session);
    assert!(kinds.contains(&"not_told") && !kinds.contains(&"tlvs"), "{kinds:?}");
    assert!(find(&session, "not_told").remedy.contains("location = [\"all\"]"));
}

#[test]
fn classes_are_told_by_name() {
    let mut session = examples::good();
    session.path.dscp = 34;
    session.answers.class_of_service = Some(ClassOfServiceRecord {
        replies: told(20, 0),
        wanted_dscp: 46,
        wanted_ecn: 0,
        arrived_dscp: Some(0),
        arrived_ecn: Some(3),
        remarked_forward: 20,
        congestion_forward: 4,
        dscp_refused: 20,
        ecn_refused: 0,
        slowdowns: 0,
        interval_ns: None,
    });
    let remarked = find(&session, "remarked_forward").text;
    assert!(remarked.starts_with("20 of 20 probes") && remarked.ends_with("AF41 became CS0."));
    assert!(find(&session, "congestion_forward").text.starts_with("4 of 20 probes met congestion"));
    let refused = find(&session, "class_refused");
    assert!(refused.text.contains("(EF)") && refused.remedy.contains("[\"EF\"]"), "{refused:?}");
}

fn report(state: &str) -> AccessReportRecord {
    AccessReportRecord {
        network: "3GPP".to_owned(),
        code: 2,
        meaning: Some("Network unavailable".to_owned()),
        state: state.to_owned(),
        sent: 2,
        sequence: Some(9),
    }
}

#[test]
fn a_report_that_nobody_acknowledged_is_told() {
    let mut session = examples::good();
    let before = kinds(&session);
    session.answers.access_report = Some(report("acknowledged"));
    assert_eq!(kinds(&session), before, "nothing to tell");
    session.answers.access_report = Some(report("unacknowledged"));
    let found = find(&session, "access_report_unacknowledged");
    assert!(found.text.contains("sent with 2 probes"), "{found:?}");
    assert!(found.remedy.contains("--access-report-retries"), "{found:?}");
    session.answers.access_report = Some(report("waiting"));
    let found = find(&session, "access_report_unacknowledged");
    assert!(found.remedy.contains("--access-report-timer"), "{found:?}");
    session.answers.access_report = Some(report("refused"));
    session.tlvs.last = "unrecognized".to_owned();
    let kinds = kinds(&session);
    assert!(kinds.contains(&"access_report_refused") && !kinds.contains(&"tlvs"), "{kinds:?}");
}
