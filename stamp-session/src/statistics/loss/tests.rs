use super::*;

const INTERVAL: Duration = Duration::from_millis(10);

/// Sends a probe every 10 ms; `lost` says which are lost.
fn pattern_of(probes: u64, mut lost: impl FnMut(u64) -> bool) -> LossPattern {
    let mut series = LossSeries::new(MonotonicTime::ZERO, INTERVAL);
    for index in 0..probes {
        series.record(MonotonicTime::from_ns(index * 10_000_000), lost(index));
    }
    series.pattern()
}

/// A fair enough coin that needs no crate.
fn coin(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn runs_and_bursts_are_counted_in_the_order_of_sending() {
    let pattern = pattern_of(20, |index| [2, 5, 6, 7, 9, 19].contains(&index));
    assert_eq!((pattern.decided, pattern.lost), (20, 6));
    assert_eq!((pattern.bursts, pattern.longest_run), (4, 3));
}

#[test]
fn few_losses_have_no_character() {
    assert_eq!(pattern_of(1_000, |index| index < 7).character(), None);
}

#[test]
fn losses_by_chance_are_even_at_any_ratio() {
    for percent in [1, 10, 50, 90] {
        let mut state = 42;
        let pattern = pattern_of(20_000, |_| coin(&mut state) % 100 < percent);
        assert_eq!(pattern.character(), Some(LossCharacter::Even), "{percent} %");
        assert!(!pattern.looks_policed(), "{percent} %: {pattern:?}");
    }
}

#[test]
fn an_outage_is_a_burst() {
    let pattern = pattern_of(1_000, |index| (300..320).contains(&index));
    assert_eq!(pattern.character(), Some(LossCharacter::Bursty));
    assert_eq!(pattern_of(100, |_| true).character(), Some(LossCharacter::Bursty));
}

#[test]
fn a_token_bucket_is_recognised_after_its_burst_is_spent() {
    // 80 probes a second pass of 100, with a bucket of 200.
    let mut tokens = 200.0_f64;
    let pattern = pattern_of(6_000, |_| {
        tokens = (tokens + 0.8).min(200.0);
        let pass = tokens >= 1.0;
        if pass {
            tokens -= 1.0;
        }
        !pass
    });
    assert!(pattern.looks_policed(), "{pattern:?}");
    assert_eq!(pattern.plateau_rate(), Some(80));
    assert_eq!(pattern.rate.most, 100);
    assert_eq!(pattern.rate.least, 80);
}

#[test]
fn a_dead_path_is_no_policer() {
    assert!(!pattern_of(6_000, |_| true).looks_policed());
}

#[test]
fn bins_hold_a_second_or_twenty_probes() {
    let pattern = |interval| LossSeries::new(MonotonicTime::ZERO, interval).pattern();
    assert_eq!(pattern(Duration::from_millis(10)).bin, Duration::from_secs(1));
    assert_eq!(pattern(Duration::from_secs(1)).bin, Duration::from_secs(20));
}

#[test]
fn the_bin_that_is_filling_is_not_counted() {
    let pattern = pattern_of(250, |index| index == 0);
    assert_eq!(pattern.rate.bins, 2);
    assert_eq!((pattern.rate.least, pattern.rate.most), (99, 100));
    assert_eq!(pattern.rate.received, 199);
}

#[test]
fn a_restart_leaves_out_the_rest_of_a_bin() {
    let mut series = LossSeries::new(MonotonicTime::ZERO, INTERVAL).restarted();
    for index in 50..350 {
        series.record(MonotonicTime::from_ns(index * 10_000_000), false);
    }
    let pattern = series.pattern();
    assert_eq!((pattern.rate.bins, pattern.rate.least), (2, 100));
    assert_eq!(pattern.bin, Duration::from_secs(1));
}
