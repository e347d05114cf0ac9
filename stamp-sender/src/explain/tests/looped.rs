//! Probes that come back themselves.

use super::*;
use crate::output::record::FallbackRecord;

#[test]
fn what_a_far_node_wrote_wrongly_is_told_by_name() {
    for (outcome, words) in [
        ("missing", "without a receive timestamp"),
        ("elsewhere", "at octet 32 of the payload"),
        ("implausible", "not what it was declared to be"),
        ("unreadable", "no instant"),
    ] {
        let mut session = examples::good();
        session.mode = "enhanced-loopback".to_owned();
        let count = match outcome {
            "missing" => &mut session.stamping.missing,
            "elsewhere" => &mut session.stamping.elsewhere,
            "implausible" => &mut session.stamping.implausible,
            _ => &mut session.stamping.unreadable,
        };
        *count = 7;
        session.stamping.last_offset = Some(32);
        let finding = find(&session, "stamping");
        assert!(
            finding.text.starts_with("7 probes") && finding.text.contains(words),
            "{finding:?}"
        );
        assert!(!finding.remedy.is_empty());
    }
}

#[test]
fn plain_loopback_in_place_of_timestamps_says_why_and_whether_it_still_is() {
    let mut session = examples::good();
    session.mode = "enhanced-loopback".to_owned();
    session.path.encapsulation = "M6".to_owned();
    let mut fallback = FallbackRecord {
        active: true,
        encapsulation: "M4".to_owned(),
        reason: Some("missing".to_owned()),
        ..FallbackRecord::default()
    };
    session.stamping.fallback = Some(fallback.clone());
    assert!(!kinds(&session).contains(&"fallback"), "it never went over");
    (fallback.count, fallback.plain) = (1, 587);
    session.stamping.fallback = Some(fallback.clone());
    let finding = find(&session, "fallback");
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(
        finding.text,
        "587 probes were measured as plain loopback (M4), the round trip alone: the far node does \
         not stamp; it is tried again."
    );
    fallback.reason = Some("lost".to_owned());
    fallback.active = false;
    session.stamping.fallback = Some(fallback);
    let finding = find(&session, "fallback");
    assert_eq!(finding.severity, Severity::Note);
    for words in ["those with the timestamp label do not come back", "it stamps now."] {
        assert!(finding.text.contains(words), "{finding:?}");
    }
}

#[test]
fn a_far_clock_that_nobody_declared_is_a_note() {
    let mut session = examples::good();
    session.stamping.stamped = 3;
    session.clock.far.synchronized = None;
    let finding = find(&session, "far_clock_unknown");
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.text.starts_with("Nothing in a probe"), "{finding:?}");
    session.clock.far.learned_from = Some("192.0.2.2:862".to_owned());
    let finding = find(&session, "far_clock_unknown");
    assert!(finding.text.starts_with("No reflector at 192.0.2.2:862 says"), "{finding:?}");
}
