//! The tables of units, the worked timeline, and what holds for any course of values.

mod announcements;
mod properties;
mod windows;

use core::time::Duration;

use stamp_proto::time::TimeDelta;

use super::*;
use crate::clock::MonotonicTime;
use crate::policy::LossShare;

fn seconds(seconds: u64) -> MonotonicTime {
    MonotonicTime::from_ns(seconds * 1_000_000_000)
}

fn micros(micros: i64) -> TimeDelta {
    TimeDelta::from_ns(micros * 1_000)
}

/// A full window of 30 s that ends at `end`, all of whose delays are `delay` microseconds.
fn window(end: u64, delay: i64) -> TeWindow {
    let delay = micros(delay);
    TeWindow {
        start: seconds(end.saturating_sub(30)),
        end: seconds(end),
        expected: 300,
        delay_mode: TeMode::OneWay,
        delay: Some(TeDelays { count: 300, min: delay, avg: delay, max: delay }),
        variation: Some(micros(20)),
        loss_mode: TeMode::Derived,
        loss: LossShare::new(0, 300),
    }
}

/// Announces the smallest delay alone.
fn min_only() -> TeConfig {
    let max = TeRule::default();
    let min = TeConfig::default().min_max.unwrap().min;
    let min_max = Some(TeMinMax { min, max });
    TeConfig { delay: None, min_max, variation: None, loss: None, ..TeConfig::default() }
}

/// Announces the average delay alone, with bounds of 20 and 15 ms.
fn bounded() -> TeConfig {
    let anomaly = Some(TeAnomaly { upper: 20_000, reuse: 15_000 });
    let delay = TeConfig::default().delay.map(|rule| TeRule { anomaly, ..rule });
    TeConfig { delay, min_max: None, variation: None, loss: None, ..TeConfig::default() }
}

fn reasons(advertiser: &mut TeAdvertiser, window: &TeWindow) -> Vec<&'static str> {
    advertiser.handle_window(window).map(|announced| announced.reason.label()).collect()
}

#[test]
fn loss_is_encoded_as_the_table_says() {
    for (lost, decided, steps) in [
        (0, 1, 0),
        (1, 10_000, 0x00_0D05),
        (1, 1_000, 0x00_8235),
        (5, 1_000, 0x02_8B0B),
        (1, 100, 0x05_1615),
        (5, 100, 0x19_6E6B),
        (10, 100, 0x32_DCD5),
        (60, 100, 0xFF_FFFE),
        (1, 1, 0xFF_FFFE),
        (u64::MAX, u64::MAX, 0xFF_FFFE),
    ] {
        let share = LossShare::new(lost, decided).unwrap();
        assert_eq!(TeLoss::of_share(share).steps(), steps, "{lost} of {decided}");
    }
    // The largest that is no more than itself: 50.331642 %.
    let largest = LossShare::new(50_331_642, 100_000_000).unwrap();
    assert_eq!(TeLoss::of_share(largest), TeLoss::MAX);
    assert!((TeLoss::MAX.ratio() - 0.503_316_42).abs() < 1e-12);
}

#[test]
fn delay_saturates_and_is_never_below_zero() {
    for (ns, micros) in [
        (-1, 0),
        (0, 0),
        (499, 0),
        (500, 1),
        (1_234_567, 1_235),
        (16_777_214_000, 0xFF_FFFE),
        (16_777_215_000, 0xFF_FFFF),
        (99_000_000_000, 0xFF_FFFF),
        (i64::MAX, 0xFF_FFFF),
    ] {
        assert_eq!(TeDelay::of_delay(TimeDelta::from_ns(ns)).micros(), micros, "{ns} ns");
    }
    assert_eq!(TeDelay::MAX.delay(), TimeDelta::from_ns(16_777_215_000));
}

#[test]
fn a_variation_that_was_measured_is_not_zero() {
    assert_eq!(TeDelay::of_variation(TimeDelta::ZERO).micros(), 1);
    assert_eq!(TeDelay::of_variation(micros(7)).micros(), 7);
}

#[test]
fn delays_are_rounded_up_to_steps() {
    let normalized = |micros, step| TeDelay::from_micros(micros).normalized(step).micros();
    assert_eq!([0, 1, 100, 101].map(|micros| normalized(micros, 100)), [0, 100, 100, 200]);
    assert_eq!(normalized(1_234, 0), 1_234);
    assert_eq!(normalized(0xFF_FFFF, 1_000_000), 0xFF_FFFF);
}

#[test]
fn impossible_rules_are_refused() {
    let default = TeConfig::default();
    let secs = Duration::from_secs;
    let refused = |config: TeConfig| TeAdvertiser::new(config).map(|_| ()).unwrap_err();
    let (spacing, interval) = (secs(20), secs(30));
    let error = refused(TeConfig { spacing, ..default });
    assert_eq!(error, TeConfigError::Spacing { spacing, interval });
    let (spacing, interval) = (Duration::from_millis(900), Duration::from_millis(900));
    let error = refused(TeConfig { spacing, interval, ..default });
    assert_eq!(error, TeConfigError::Spacing { spacing, interval });
    let (hold, interval) = (secs(29), secs(30));
    assert_eq!(refused(TeConfig { hold, ..default }), TeConfigError::Hold { hold, interval });
    let error = refused(TeConfig { integrity_percent: 101, ..default });
    assert_eq!(error, TeConfigError::Integrity { percent: 101 });
    let anomaly = Some(TeAnomaly { upper: 1, reuse: 2 });
    let loss = Some(TeRule { anomaly, ..TeRule::default() });
    let error = refused(TeConfig { loss, ..default });
    assert_eq!(error, TeConfigError::Reuse { upper: 1, reuse: 2 });
    let error = refused(TeConfig { variation: loss, ..default });
    assert_eq!(error, TeConfigError::VariationAnomaly);
    assert!(TeAdvertiser::new(default).is_ok());
}

#[test]
fn each_reason_has_its_own_place_and_name() {
    for (index, reason) in TeReason::ALL.iter().enumerate() {
        assert_eq!(reason.index(), index);
    }
    let names: std::collections::HashSet<_> =
        TeReason::ALL.iter().map(|reason| reason.label()).collect();
    assert_eq!(names.len(), TeReason::ALL.len());
}
