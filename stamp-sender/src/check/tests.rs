//! Verdicts and their lines, over sessions that were rehearsed.

use super::*;
use crate::output::rehearsal::{self, Fate, Plot};

fn judged(warning: &str, critical: &str) -> Judged {
    let limits = |text: &str| text.parse::<Limits>().unwrap_or_default();
    Judged { warning: limits(warning), critical: limits(critical) }
}

fn session(plot: &Plot) -> (SessionInfo, SessionSnapshot) {
    let rehearsal = rehearsal::play(plot);
    (rehearsal.info, rehearsal.snapshot)
}

/// Two of ten are lost, one each way.
const LOSSY: fn(u64) -> Fate = |probe| match probe {
    3 => Fate::LostForward,
    6 => Fate::LostBackward,
    _ => Fate::Passes(58_000, 61_000),
};

#[test]
fn what_keeps_all_limits_is_ok_and_says_what_was_measured() {
    let sessions = [session(&Plot::default())];
    let (verdict, line) = judge(&sessions, &judged("delay=1ms,loss=1%", "delay=2ms,loss=5%"));
    assert_eq!(verdict, Verdict::Ok);
    let (text, data) = line.split_once(" | ").unwrap();
    assert!(text.starts_with("r1: 10 of 10 answered, round trip 1"), "{text}");
    assert!(data.contains("'r1 loss'=0%;1;5"), "{data}");
    assert!(data.contains("s;0.001;0.002"), "{data}");
    assert_eq!(data.matches("'r1 ").count(), 4, "{data}");
}

#[test]
fn the_worst_limit_that_is_broken_decides_and_is_named() {
    let sessions = [session(&Plot { fate: LOSSY, ..Plot::default() })];
    let (verdict, line) = judge(&sessions, &judged("loss=5%", "delay=10ms"));
    assert_eq!(verdict, Verdict::Warning);
    assert!(line.starts_with("r1 loss 20% is above 5% | "), "{line}");
    let (verdict, line) = judge(&sessions, &judged("loss=5%", "loss=10%,forward-loss=1%"));
    assert_eq!(verdict, Verdict::Critical);
    let expected = "r1 forward-loss 10% is above 1%; r1 loss 20% is above 10% | ";
    assert!(line.starts_with(expected), "{line}");
    // Exactly the limit does not exceed it.
    assert_eq!(judge(&sessions, &judged("loss=20%", "")).0, Verdict::Ok);
}

#[test]
fn a_warning_that_would_never_be_seen_is_a_mistake() {
    let told = |warning, critical| judged(warning, critical).contradiction();
    let expected = "loss 1% is below that of --warning, 5%";
    assert_eq!(told("delay=1ms,loss=5%", "delay=1ms,loss=1%").as_deref(), Some(expected));
    assert_eq!(told("delay=10ms", "forward=1ms,loss=0%"), None);
}

#[test]
fn who_never_answers_is_critical_without_any_limit() {
    let sessions = [
        session(&Plot::default()),
        session(&Plot { name: "r2", fate: |_| Fate::LostForward, ..Plot::default() }),
    ];
    let (verdict, line) = judge(&sessions, &judged("", ""));
    assert_eq!(verdict, Verdict::Critical);
    assert!(line.starts_with("r2 never answered 10 probes | 'r1 "), "{line}");
}

#[test]
fn a_one_way_limit_without_synchronised_clocks_is_unknown() {
    let sessions = [session(&Plot { synchronized: false, ..Plot::default() })];
    let (verdict, line) = judge(&sessions, &judged("forward=1ms", ""));
    assert_eq!(verdict, Verdict::Unknown);
    let expected = "r1 forward-p50 is unknown: the clocks are not synchronized | ";
    assert!(line.starts_with(expected), "{line}");
    assert!(!line.contains("'r1 forward"), "a value that means nothing is not drawn: {line}");
    // Without such a limit nothing is missing.
    assert_eq!(judge(&sessions, &judged("delay=1s", "")).0, Verdict::Ok);
}

#[test]
fn statuses_are_those_of_monitoring_plugins() {
    let all = [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown];
    assert_eq!(all.map(Verdict::code), [0, 1, 2, 3]);
    assert!(Verdict::Critical > Verdict::Unknown, "what is known to be broken goes first");
}
