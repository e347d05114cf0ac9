use super::*;

const MS: i64 = 1_000_000;

fn now(mono_ms: u64, wall_ms: i64) -> Now {
    Now {
        monotonic: MonotonicTime::from_ns(mono_ms * 1_000_000),
        wall: WallTime::from_unix_ns(wall_ms * MS),
    }
}

fn ms(ms: i64) -> TimeDelta {
    TimeDelta::from_ns(ms * MS)
}

#[test]
fn a_clock_that_runs_evenly_does_not_step() {
    let mut clock = NearClock::default();
    for tick in 0..1_000 {
        assert_eq!(clock.observe(now(tick, 77_000 + tick as i64)), None);
    }
    assert_eq!(clock.steps, Steps::default());
}

#[test]
fn steps_both_ways_are_seen_once_each() {
    let mut clock = NearClock::default();
    assert_eq!(clock.observe(now(10, 1_010)), None);
    assert_eq!(clock.observe(now(20, 6_020)), Some(ms(5_000)));
    assert_eq!(clock.observe(now(30, 6_030)), None);
    assert_eq!(clock.observe(now(40, 1_040)), Some(ms(-5_000)));
    assert_eq!(clock.steps, Steps { count: 2, last: ms(-5_000) });
}

#[test]
fn a_step_in_small_pieces_is_seen_as_well() {
    let mut clock = NearClock::default();
    let mut found = 0;
    for tick in 0..10_u64 {
        let wall = WallTime::from_unix_ns(tick as i64 * (MS + 300_000));
        let monotonic = MonotonicTime::from_ns(tick * 1_000_000);
        found += i32::from(clock.observe(Now { monotonic, wall }).is_some());
    }
    assert_eq!(found, 2);
}

#[test]
fn a_probe_knows_whether_its_flight_spans_a_step() {
    let sent = now(10, 1_010);
    let stepped = |now| NearClock::stepped_between(sent.monotonic, sent.wall, now);
    assert!(!stepped(now(60, 1_060)));
    assert!(!stepped(now(60, 1_061)));
    assert!(stepped(now(60, 1_062)));
    assert!(stepped(now(60, 1_058)));
}

/// Delays of 10 ms and 12 ms, the far clock `offset` ahead.
fn path(clock: &mut FarClock, samples: u32, offset: TimeDelta) -> Vec<TimeDelta> {
    let sample = |index: u32| {
        let jitter = TimeDelta::from_ns(i64::from(index % 7) * 10_000);
        let forward = ms(10).saturating_add(offset).saturating_add(jitter);
        clock.observe(forward, ms(12).saturating_sub(offset))
    };
    (0..samples).filter_map(sample).collect()
}

#[test]
fn a_far_step_larger_than_the_round_trip_is_seen_at_once() {
    let mut clock = FarClock::default();
    assert!(path(&mut clock, 2, TimeDelta::ZERO).is_empty());
    let found = path(&mut clock, 2, ms(500));
    assert_eq!(found.len(), 1);
    assert!(found[0].saturating_sub(ms(500)).abs() < ms(1), "{found:?}");
}

#[test]
fn a_far_step_within_the_round_trip_is_seen_once_the_path_is_known() {
    let mut clock = FarClock::default();
    assert!(path(&mut clock, 40, TimeDelta::ZERO).is_empty());
    let found = path(&mut clock, 40, ms(-3));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(clock.steps.count, 1);
}

#[test]
fn queues_that_fill_in_one_direction_are_no_step() {
    let mut clock = FarClock::default();
    assert!(path(&mut clock, 40, TimeDelta::ZERO).is_empty());
    for forward in [10, 40, 90, 90, 30, 10] {
        assert_eq!(clock.observe(ms(forward), ms(12)), None);
    }
    for (forward, backward) in [(10, 60), (60, 12), (10, 12)] {
        assert_eq!(clock.observe(ms(forward), ms(backward)), None);
    }
}

#[test]
fn lively_variation_is_no_step() {
    let mut clock = FarClock::default();
    let mut state = 1_u64;
    let mut coin = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as i64 % 20
    };
    for _ in 0..20_000 {
        assert_eq!(clock.observe(ms(30 + coin()), ms(30 + coin())), None);
    }
}

#[test]
fn after_a_step_of_our_own_nothing_is_compared() {
    let mut clock = FarClock::default();
    assert!(path(&mut clock, 40, TimeDelta::ZERO).is_empty());
    clock.forget();
    assert!(path(&mut clock, 40, ms(-5_000)).is_empty());
}
