use stamp_proto::time::TimeDelta;

use super::*;
use crate::explain::{Finding, explain};
use crate::output::golden;
use crate::output::human::table::width;
use crate::output::instant::Instant;
use crate::output::record::{
    Character, ClockFindingRecord, FallbackRecord, LostRecord, ReflectorMode, Source, SourceCounts,
    examples,
};

fn explained(mut record: SessionRecord) -> SessionRecord {
    record.findings = explain(&record).iter().map(Finding::record).collect();
    record
}

fn shown(record: SessionRecord) -> String {
    session(&explained(record), Some(600_000_000_000), &Look::default())
}

/// Clocks 5 ms apart and not synchronised, a stateless reflector, losses in bursts.
fn troubled() -> SessionRecord {
    let mut record = examples::good();
    record.name = "203.0.113.9".to_owned();
    record.address = "203.0.113.9".to_owned();
    record.reflector.mode = ReflectorMode::Stateless;
    record.packets.received = 548;
    record.packets.unsent = 5;
    record.packets.unsent_by_reason.insert("missed_slot".to_owned(), 5);
    record.packets.duplicate = 3;
    record.packets.reordered = 7;
    record.packets.late = 2;
    record.packets.lost =
        LostRecord { round_trip: 52, forward: None, backward: None, local: 4, longest_run: 21 };
    record.loss.ratio.round_trip = Some(48.0 / 596.0);
    record.loss.bursts = 4;
    record.loss.character = Some(Character::Bursty);
    record.clock.synchronized = false;
    record.clock.error_bound_ns = None;
    record.clock.declared = false;
    record.clock.far.synchronized = Some(false);
    record.clock.far.error_bound_ns = None;
    record.clock.one_way = Default::default();
    record.clock.suspicions =
        vec![ClockFindingRecord::NegativeForward { count: 548, lowest_ns: -4_950_000 }];
    record.clock.stamps.probe_sent_counts = SourceCounts { user: 3, kernel: 545, hardware: 0 };
    record.clock.stamps.reply_sent = Some(Source::User);
    record.clock.stamps.probe_received = Some(Source::Hardware);
    for (delay, offset) in
        [(&mut record.delay_ns.forward, -5_000_000), (&mut record.delay_ns.backward, 5_000_000)]
    {
        for value in [
            &mut delay.min,
            &mut delay.mean,
            &mut delay.p50,
            &mut delay.p95,
            &mut delay.p99,
            &mut delay.p99_9,
            &mut delay.max,
        ] {
            *value = value.map(|ns| ns + offset);
        }
    }
    record.delay_ns.forward.negative = 548;
    record
}

#[test]
fn a_good_run() {
    golden::check("summary-good.txt", &shown(examples::good()));
}

#[test]
fn a_run_with_wrong_clocks_and_losses_in_bursts() {
    golden::check("summary-troubled.txt", &shown(troubled()));
}

#[test]
fn a_run_without_any_reply() {
    golden::check("summary-silent.txt", &shown(examples::silent()));
}

#[test]
fn a_run_that_was_never_sent() {
    let mut record = examples::silent();
    record.packets.sent = 0;
    record.packets.unsent = 600;
    record.packets.lost = LostRecord::default();
    record.loss = Default::default();
    record.packets.unsent_by_reason.insert("no_route".to_owned(), 600);
    golden::check("summary-unsent.txt", &shown(record));
}

#[test]
fn every_line_fits_80_columns() {
    for record in [examples::good(), troubled(), examples::silent()] {
        for line in shown(record).lines() {
            assert!(width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn only_the_percentiles_asked_for_are_columns() {
    let look = Look { percentiles: vec![Percentile::P99], ..Look::default() };
    let text = session(&examples::good(), None, &look);
    let heading: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(heading, ["min", "mean", "p99", "max", "stddev", "n"]);
}

#[test]
fn the_loss_threshold_is_reported_with_the_result() {
    let mut record = examples::good();
    record.config.timeout_ns = 2_500_000_000;
    assert!(shown(record.clone()).contains("longest run 1; timeout 2.5s"));
    record.packets.lost = LostRecord::default();
    record.packets.received = 600;
    assert!(shown(record).contains("none of 600; timeout 2.5s"));
}

#[test]
fn plain_loopback_in_place_of_timestamps_is_told_with_its_times() {
    let mut record = examples::good();
    record.mode = "enhanced-loopback".to_owned();
    let at = |seconds: i64| {
        let later = TimeDelta::from_ns(seconds * 1_000_000_000);
        Some(Instant(record.started.0.saturating_add(later)))
    };
    let mut fallback = FallbackRecord {
        active: true,
        encapsulation: "M4".to_owned(),
        since: at(3),
        count: 1,
        plain: 587,
        trials: 5,
        trials_lost: 2,
        last_trial: at(318),
        ..FallbackRecord::default()
    };
    record.stamping.fallback = Some(fallback.clone());
    let text = shown(record.clone()).replace("\n           ", " ");
    let words = "far node does not stamp: measured as plain loopback (M4) since 2026-11-23T02:58:04Z, \
                 tried again 5 times, last at 2026-11-23T03:03:19Z (2 lost, in no other count)\n";
    assert!(text.contains(words), "{text}");
    (fallback.active, fallback.trials) = (false, 1);
    record.stamping.fallback = Some(fallback);
    let text = shown(record).replace("\n           ", " ");
    let words =
        "fallback   once for 587 probes plain loopback (M4), tried again at 2026-11-23T03:03:19Z";
    assert!(text.contains(words), "{text}");
    assert!(text.contains("; the far node stamps now\n"), "{text}");
}
