use super::*;

/// What each sample, numbered from 1, did: samples in a row beyond the limit, and where it led.
fn course(watch: &mut DelayWatch, delays: &[i64]) -> Vec<(u32, Option<ThresholdState>)> {
    let samples = (1..).zip(delays);
    samples
        .map(|(sequence, tenths)| {
            let change = watch.observe(measured(sequence, tenths_of_ms(*tenths)));
            (watch.exceeding(), change.map(|change| change.to))
        })
        .collect()
}

/// After a window whose smallest delay is this.
fn with_reference(mut watch: DelayWatch, tenths: i64) -> DelayWatch {
    watch.set_lowest(tenths_of_ms(tenths));
    watch.close_window();
    watch
}

#[test]
fn example_1_an_absolute_limit_is_told_at_the_third_sample_in_a_row_and_cleared_at_the_third() {
    let threshold = DelayThreshold::absolute(tenths_of_ms(100), 3).unwrap();
    let mut watch = watch(threshold);
    let delays = [81, 104, 109, 98, 102, 106, 110, 113, 99, 97, 96];
    let (told, cleared) = (Some(ThresholdState::Exceeded), Some(ThresholdState::NotExceeded));
    assert_eq!(
        course(&mut watch, &delays),
        [
            (0, None),
            (1, None),
            (2, None),
            (0, None),
            (1, None),
            (2, None),
            (3, told),
            (4, None),
            (0, None),
            (0, None),
            (0, cleared),
        ]
    );
    let report = watch.report();
    assert_eq!(report.transitions, Transitions { exceeded: 1, cleared: 1 });
    assert_eq!((report.state, report.latched), (ThresholdState::NotExceeded, false));
}

#[test]
fn a_change_says_what_led_to_it() {
    let threshold = DelayThreshold::absolute(tenths_of_ms(100), 2).unwrap();
    let mut watch = watch(threshold);
    assert_eq!(watch.observe(measured(u32::MAX, tenths_of_ms(101))), None);
    let change = watch.observe(measured(0, tenths_of_ms(105))).unwrap();
    assert_eq!(
        change,
        DelayChange {
            direction: MeasuredDirection::Forward,
            to: ThresholdState::Exceeded,
            criterion: Some(DelayCriterion::Absolute),
            at: at(0),
            value: tenths_of_ms(105),
            limit: tenths_of_ms(100),
            run: 2,
            first: u32::MAX,
            last: 0,
            clock_synchronized: true,
        }
    );
}

#[test]
fn exactly_the_limit_does_not_exceed_it() {
    let mut absolute = watch(DelayThreshold::absolute(tenths_of_ms(100), 1).unwrap());
    assert_eq!(absolute.observe(measured(0, tenths_of_ms(100))), None);
    assert!(absolute.observe(measured(1, TimeDelta::from_ns(10_000_001))).is_some());
    let percent = watch(DelayThreshold::percent(25, 1).unwrap());
    let mut percent = with_reference(percent, 80);
    assert_eq!(percent.observe(measured(1, tenths_of_ms(100))), None);
    assert!(percent.observe(measured(2, TimeDelta::from_ns(10_000_001))).is_some());
}

#[test]
fn example_2_a_percentage_is_of_the_smallest_delay_of_the_window_before() {
    let threshold = DelayThreshold::percent(25, 2).unwrap();
    let mut watch = with_reference(watch(threshold), 80);
    assert_eq!(watch.report().limit, Some(tenths_of_ms(100)));
    let told = Some(ThresholdState::Exceeded);
    assert_eq!(course(&mut watch, &[99, 101, 102]), [(0, None), (1, None), (2, told)]);
    let two = Some(tenths_of_ms(20));
    assert_eq!(threshold.effective_limit(two), Some(tenths_of_ms(25)));
}

#[test]
fn example_3_all_takes_both_limits_and_any_takes_either() {
    let both = |combine| DelayThreshold::both(tenths_of_ms(30), 50, combine, 1).unwrap();
    let counted = |combine, tenths| {
        let mut watch = with_reference(watch(both(combine)), 40);
        let change = watch.observe(measured(1, tenths_of_ms(tenths)));
        (watch.exceeding(), change.and_then(|change| change.criterion))
    };
    assert_eq!(counted(Combine::All, 50), (0, None));
    assert_eq!(counted(Combine::All, 65), (1, Some(DelayCriterion::Both)));
    assert_eq!(counted(Combine::Any, 50), (1, Some(DelayCriterion::Absolute)));
    assert_eq!(counted(Combine::Any, 65), (1, Some(DelayCriterion::Both)));
    // The other way round: a percentage below the absolute limit.
    let low = DelayThreshold::both(tenths_of_ms(90), 50, Combine::Any, 1).unwrap();
    let mut watch = with_reference(watch(low), 40);
    let change = watch.observe(measured(1, tenths_of_ms(65))).unwrap();
    assert_eq!(change.criterion, Some(DelayCriterion::Percent));
    assert_eq!(change.limit, tenths_of_ms(60));
}

#[test]
fn without_a_window_before_a_percentage_compares_nothing() {
    let mut percent = watch(DelayThreshold::percent(25, 1).unwrap());
    assert_eq!(percent.observe(measured(0, tenths_of_ms(900))), None);
    assert_eq!(percent.report().state, ThresholdState::NoValue);
    let both = |combine| DelayThreshold::both(tenths_of_ms(30), 50, combine, 1).unwrap();
    let mut all = watch(both(Combine::All));
    assert_eq!(all.observe(measured(0, tenths_of_ms(900))), None);
    let mut any = watch(both(Combine::Any));
    assert!(any.observe(measured(0, tenths_of_ms(900))).is_some());
}

#[test]
fn a_window_without_a_value_leaves_the_reference_as_it_was() {
    let mut watch = with_reference(watch(DelayThreshold::percent(25, 1).unwrap()), 80);
    watch.close_window();
    assert_eq!(watch.report().reference, Some(tenths_of_ms(80)));
}

#[test]
fn a_delay_of_nothing_is_no_reference() {
    let threshold = DelayThreshold::percent(25, 1).unwrap();
    for ns in [0, -1] {
        assert_eq!(threshold.effective_limit(Some(TimeDelta::from_ns(ns))), None);
    }
    assert_eq!(threshold.effective_limit(Some(TimeDelta::from_ns(1))), Some(TimeDelta::from_ns(1)));
}

#[test]
fn one_way_delays_of_clocks_that_do_not_agree_are_compared_with_nothing() {
    let threshold = DelayThreshold::absolute(tenths_of_ms(100), 1).unwrap();
    let unsynchronized = Measured { synchronized: false, ..measured(0, tenths_of_ms(900)) };
    for direction in [MeasuredDirection::Forward, MeasuredDirection::Backward] {
        let mut watch = DelayWatch::new(direction, threshold);
        assert_eq!(watch.observe(unsynchronized), None);
        let report = watch.report();
        assert_eq!((report.state, report.withheld), (ThresholdState::Withheld, 1));
    }
    let mut watch = DelayWatch::new(MeasuredDirection::RoundTrip, threshold);
    let change = watch.observe(unsynchronized).unwrap();
    assert!(!change.clock_synchronized);
}

#[test]
fn what_was_told_stays_in_force_while_values_are_withheld() {
    let mut watch = watch(DelayThreshold::absolute(tenths_of_ms(100), 1).unwrap());
    assert!(watch.observe(measured(0, tenths_of_ms(101))).is_some());
    let unsynchronized = Measured { synchronized: false, ..measured(1, tenths_of_ms(1)) };
    assert_eq!(watch.observe(unsynchronized), None);
    let report = watch.report();
    assert_eq!((report.state, report.latched), (ThresholdState::Withheld, true));
    assert!(watch.observe(measured(2, tenths_of_ms(1))).is_some());
}

#[test]
fn impossible_thresholds_are_refused_with_their_value() {
    let limit = TimeDelta::from_ns(-1);
    assert_eq!(DelayThreshold::absolute(limit, 1), Err(ThresholdError::Delay { limit }));
    assert_eq!(DelayThreshold::absolute(TimeDelta::ZERO, 0), Err(ThresholdError::Count));
    for percent in [0, 100_001] {
        assert_eq!(DelayThreshold::percent(percent, 1), Err(ThresholdError::Percent { percent }));
    }
    for (lost, of) in [(0, 10), (11, 10), (1, 100_001)] {
        assert_eq!(LossThreshold::new(lost, of), Err(ThresholdError::Loss { lost, of }));
    }
    assert!(LossThreshold::new(100_000, 100_000).is_ok());
}
