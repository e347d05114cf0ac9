use stamp_proto::time::TimeDelta;
use stamp_session::sender::RejectReason;

use super::table::width;
use super::*;
use crate::output::golden;
use crate::output::rehearsal::{Fate, Plot, Rehearsal, START, oddities, play};
use crate::output::screen::paper::Paper;

fn later() -> WallTime {
    START.saturating_add(TimeDelta::from_ns(2_500_000_000))
}

fn wishes() -> Wishes {
    Wishes {
        look: Look::default(),
        quiet: false,
        timestamps: false,
        period_ns: Some(1_000_000_000),
        watched: false,
    }
}

/// Everything a run prints.
fn printed(wishes: Wishes, runs: &[&Rehearsal]) -> String {
    let paper = Paper::default();
    let mut human = Human::new(paper.screen(), wishes, later);
    let infos: Vec<SessionInfo> = runs.iter().map(|run| run.info.clone()).collect();
    human.start(&infos).unwrap();
    for (session, run) in runs.iter().enumerate() {
        for happening in &run.happenings {
            human.happening(session, happening).unwrap();
        }
    }
    let snapshots: Vec<SessionSnapshot> = runs.iter().map(|run| run.snapshot.clone()).collect();
    human.finish(&snapshots, Ended::Complete).unwrap();
    paper.text()
}

fn lossy(probe: u64) -> Fate {
    match probe {
        3 => Fate::LostForward,
        5 => Fate::Twice(57_000, 63_000),
        6 => Fate::LostBackward,
        2 => Fate::Passes(1_050_000_000, 61_000),
        9 => Fate::Passes(140_000_000, 61_000),
        _ => Fate::Passes(58_000 + probe * 700, 61_000),
    }
}

#[test]
fn a_run_with_losses_a_duplicate_and_a_late_reply() {
    let run = play(&Plot { fate: lossy, ..Plot::default() });
    golden::check("lines-lossy.txt", &printed(wishes(), &[&run]));
}

#[test]
fn untrusted_one_way_values_carry_a_mark() {
    let plot = Plot { synchronized: false, far_offset_ns: -5_000_000, count: 4, ..Plot::default() };
    golden::check("lines-untrusted.txt", &printed(wishes(), &[&play(&plot)]));
}

#[test]
fn two_sessions_are_told_apart_in_80_columns() {
    let open = play(&Plot { name: "demo-open", count: 3, ..Plot::default() });
    let other = Plot {
        name: "demo-authenticated",
        count: 3,
        stateful: false,
        fate: lossy,
        ..Plot::default()
    };
    let text = printed(wishes(), &[&open, &play(&other)]);
    golden::check("lines-two-sessions.txt", &text);
    for line in text.lines() {
        assert!(width(line) <= 80, "{line}");
    }
}

#[test]
fn whatever_else_can_happen_has_its_line() {
    let mut run = play(&Plot { count: 1, ..Plot::default() });
    run.happenings = oddities();
    golden::check("lines-oddities.txt", &printed(wishes(), &[&run]));
}

#[test]
fn the_time_stands_in_front_of_each_line() {
    let mut run = play(&Plot { count: 2, ..Plot::default() });
    run.happenings.push(Happening::Event(SenderEvent::MissedSlots { count: 1 }));
    let text = printed(Wishes { timestamps: true, ..wishes() }, &[&run]);
    let lines: Vec<&str> = text.lines().skip(3).take(4).collect();
    assert!(lines[0].starts_with("2026-11-23T02:58:01.000131100Z      0 "), "{}", lines[0]);
    assert!(lines[1].starts_with("2026-11-23T02:58:01.100"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("2026-11-23T02:58:03.500000000Z      *  1 not sent"),
        "{}",
        lines[2]
    );
}

#[test]
fn quiet_leaves_out_the_fate_of_single_probes() {
    let run = play(&Plot { fate: lossy, ..Plot::default() });
    let once = printed(Wishes { quiet: true, ..wishes() }, &[&run]);
    assert!(!once.contains("seq") && !once.contains("no reply within"), "{once}");
    assert!(once.contains("--- r1 (192.0.2.11:862)"), "{once}");
}

#[test]
fn a_period_is_reported_in_a_few_lines() {
    let mut run = play(&Plot { fate: lossy, ..Plot::default() });
    run.happenings = vec![Happening::Window(Box::new(run.snapshot.clone()))];
    let text = printed(wishes(), &[&run]);
    golden::check("interval.txt", &text.lines().skip(2).take(3).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_flood_of_complaints_is_held_back() {
    let mut run = play(&Plot { count: 1, ..Plot::default() });
    let rejected = Happening::Outcome(Outcome::Rejected(RejectReason::Source));
    let missed = Happening::Event(SenderEvent::MissedSlots { count: 3 });
    for (happening, words) in [(rejected, "not a reply"), (missed, "3 not sent: this host")] {
        run.happenings = vec![happening; 2_000];
        let text = printed(wishes(), &[&run]);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(words)).collect();
        assert_eq!(lines.len(), 12);
        assert!(lines[11].ends_with(" (1000 times so far)"), "{}", lines[11]);
    }
}

#[test]
fn a_running_summary_does_not_end_the_run() {
    let run = play(&Plot::default());
    let paper = Paper::default();
    let mut human = Human::new(paper.screen(), wishes(), later);
    human.start(std::slice::from_ref(&run.info)).unwrap();
    human.running_summary(std::slice::from_ref(&run.snapshot)).unwrap();
    assert!(paper.text().contains("10 sent, 10 received, 0 lost (0%) in 2.50s"));
    human.happening(0, &run.happenings[0]).unwrap();
    assert!(paper.text().ends_with("3/3\n"), "{}", paper.text());
}
