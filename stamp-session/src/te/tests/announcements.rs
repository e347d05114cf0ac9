use super::*;

#[test]
fn the_worked_timeline_of_a_smallest_delay() {
    let mut advertiser = TeAdvertiser::new(min_only()).unwrap();
    let mut course = Vec::new();
    for (at, min) in [
        (0, 10_000),
        (30, 10_300),
        (60, 12_600),
        (90, 12_700),
        (120, 11_200),
        (150, 11_200),
        (180, 11_200),
    ] {
        let announced: Vec<_> = advertiser.handle_window(&window(at, min)).collect();
        course.push((at, announced.first().map(|it| it.reason.label())));
        assert!(announced.len() <= 1);
    }
    assert_eq!(
        course,
        [
            (0, Some("first")),
            (30, None),
            (60, Some("accelerated_min")),
            (90, None),
            (120, None),
            (150, None),
            (180, Some("periodic_min")),
        ]
    );
    let state = advertiser.state();
    assert_eq!(state.min, Some(TeDelay::from_micros(11_200)));
    assert_eq!(state.counts.total(), 3);
}

#[test]
fn an_announcement_says_what_led_to_it() {
    let mut advertiser = TeAdvertiser::new(min_only()).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)), ["first"]);
    let thinner = TeWindow {
        delay: Some(TeDelays {
            count: 240,
            min: micros(13_000),
            avg: micros(14_000),
            max: micros(15_000),
        }),
        ..window(60, 0)
    };
    let announced: Vec<_> = advertiser.handle_window(&thinner).collect();
    let values = |min, max| {
        let [min, max] = [min, max].map(TeDelay::from_micros);
        Some(TeValues::MinMaxDelay { min, max })
    };
    assert_eq!(
        announced,
        [TeAdvertisement {
            sub_tlv: TeSubTlv::MinMaxDelay,
            reason: TeReason::Accelerated(TeMetric::Min),
            values: values(13_000, 15_000),
            previous: values(10_000, 10_000),
            anomalous: false,
            mode: Some(TeMode::OneWay),
            start: seconds(30),
            end: seconds(60),
            samples: 240,
            integrity_percent: 80,
            sequence: 2,
        }]
    );
}

#[test]
fn both_parts_of_a_change_must_be_exceeded() {
    let delta = TeDelta { percent: 10, least: 500 };
    for (advertised, value, exceeded) in [
        (1_000, 1_400, false),
        (1_000, 1_500, false),
        (1_000, 1_501, true),
        (10_000, 11_000, false),
        (10_000, 11_001, true),
        (10_000, 8_999, true),
        (0, 500, false),
        (0, 501, true),
    ] {
        assert_eq!(delta.is_exceeded(advertised, value), exceeded, "{advertised} to {value}");
    }
}

#[test]
fn each_sub_tlv_is_announced_for_itself() {
    let mut advertiser = TeAdvertiser::new(TeConfig::default()).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)), ["first"; 4]);
    let lossy = TeWindow { loss: LossShare::new(3, 300), ..window(60, 10_000) };
    assert_eq!(reasons(&mut advertiser, &lossy), ["accelerated_loss"]);
    let spread = TeWindow {
        delay: Some(TeDelays {
            count: 300,
            min: micros(10_000),
            avg: micros(12_100),
            max: micros(90_000),
        }),
        variation: Some(micros(3_000)),
        loss: LossShare::new(3, 300),
        ..window(90, 0)
    };
    // One straggler does not hurry, and variation neither.
    assert_eq!(reasons(&mut advertiser, &spread), ["accelerated_avg"]);
    let later = TeWindow { start: seconds(120), end: seconds(150), ..spread };
    assert_eq!(reasons(&mut advertiser, &later), ["periodic_max", "periodic_variation"]);
    let state = advertiser.state();
    assert_eq!(state.loss, Some(TeLoss::from_steps(333_333)));
    assert_eq!(state.max, Some(TeDelay::from_micros(90_000)));
    assert_eq!(state.variation, Some(TeDelay::from_micros(3_000)));
}

#[test]
fn the_a_bit_is_set_at_once_and_cleared_after_a_spacing_below_reuse() {
    let mut advertiser = TeAdvertiser::new(bounded()).unwrap();
    let mut course = Vec::new();
    for (at, delay) in [
        (0, 19_900),
        (30, 20_000),
        (60, 20_001),
        (90, 20_400),
        (120, 14_999),
        // Not below it: waiting begins anew.
        (150, 15_000),
        (180, 14_900),
        (270, 14_800),
        (300, 14_700),
        (330, 14_700),
    ] {
        let announced: Vec<_> = advertiser.handle_window(&window(at, delay)).collect();
        let announced = announced.first();
        let told = announced.map(|it| (it.reason.label(), it.anomalous));
        course.push((at, told, advertiser.state().anomalous));
    }
    assert_eq!(
        course,
        [
            (0, Some(("first", false)), false),
            (30, None, false),
            (60, Some(("anomaly", true)), true),
            (90, None, true),
            (120, Some(("accelerated_avg", true)), true),
            (150, None, true),
            (180, None, true),
            (270, None, true),
            (300, Some(("reuse", false)), false),
            (330, None, false),
        ]
    );
}

#[test]
fn a_first_value_can_be_anomalous() {
    let mut advertiser = TeAdvertiser::new(bounded()).unwrap();
    let announced: Vec<_> = advertiser.handle_window(&window(30, 25_000)).collect();
    assert_eq!(
        announced.first().map(|it| (it.reason, it.anomalous)),
        Some((TeReason::First, true))
    );
}

#[test]
fn falling_below_its_lower_bound_is_announced_at_once_and_once() {
    let mut config = min_only();
    let rules = config.min_max.as_mut().unwrap();
    rules.min.lower = Some(9_900);
    let mut advertiser = TeAdvertiser::new(config).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)), ["first"]);
    assert_eq!(reasons(&mut advertiser, &window(60, 9_899)), ["accelerated_min"]);
    assert!(reasons(&mut advertiser, &window(90, 9_800)).is_empty());
}

#[test]
fn noise_below_a_step_changes_nothing() {
    let config = TeConfig { normalize_micros: 1_000, ..min_only() };
    let mut advertiser = TeAdvertiser::new(config).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 3)), ["first"]);
    assert_eq!(advertiser.state().min, Some(TeDelay::from_micros(1_000)));
    assert!(reasons(&mut advertiser, &window(300, 999)).is_empty());
}

#[test]
fn from_a_thin_window_nothing_follows() {
    let mut advertiser = TeAdvertiser::new(min_only()).unwrap();
    let thin = |end, delay| {
        let full = window(end, delay);
        TeWindow { delay: full.delay.map(|delay| TeDelays { count: 149, ..delay }), ..full }
    };
    assert!(reasons(&mut advertiser, &thin(30, 10_000)).is_empty());
    assert_eq!(reasons(&mut advertiser, &window(60, 10_000)), ["first"]);
    assert!(reasons(&mut advertiser, &thin(90, 90_000)).is_empty());
    assert_eq!(advertiser.state().min, Some(TeDelay::from_micros(10_000)));
}

#[test]
fn a_value_that_nothing_confirms_is_held_and_then_withdrawn() {
    let mut advertiser = TeAdvertiser::new(min_only()).unwrap();
    let silent = |end| TeWindow { delay: None, ..window(end, 0) };
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)), ["first"]);
    assert!(reasons(&mut advertiser, &window(60, 10_000)).is_empty());
    assert_eq!(advertiser.next_timeout(), Some(seconds(180)));
    assert!(reasons(&mut advertiser, &silent(90)).is_empty());
    assert_eq!(advertiser.handle_timeout(seconds(179)).count(), 0);
    let withdrawn: Vec<_> = advertiser.handle_timeout(seconds(180)).collect();
    assert_eq!(withdrawn.len(), 1);
    assert_eq!((withdrawn[0].reason, withdrawn[0].values), (TeReason::Timeout, None));
    assert!(withdrawn[0].previous.is_some());
    assert_eq!((advertiser.state().min, advertiser.next_timeout()), (None, None));
    assert_eq!(reasons(&mut advertiser, &window(210, 10_000)), ["first"]);
}

#[test]
fn a_thin_window_that_comes_too_late_withdraws_by_itself() {
    let mut advertiser = TeAdvertiser::new(min_only()).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)), ["first"]);
    let silent = TeWindow { delay: None, ..window(150, 0) };
    assert_eq!(reasons(&mut advertiser, &silent), ["timeout"]);
}

#[test]
fn what_is_not_configured_any_more_is_withdrawn() {
    let mut advertiser = TeAdvertiser::new(TeConfig::default()).unwrap();
    assert_eq!(reasons(&mut advertiser, &window(30, 10_000)).len(), 4);
    let withdrawn: Vec<_> =
        advertiser.reconfigure(min_only(), seconds(40)).unwrap().map(|it| it.sub_tlv).collect();
    assert_eq!(withdrawn, [TeSubTlv::Delay, TeSubTlv::DelayVariation, TeSubTlv::Loss]);
    let withdrawn: Vec<_> = advertiser.unconfigure(seconds(50)).collect();
    assert_eq!(withdrawn.len(), 1);
    assert_eq!(withdrawn[0].reason, TeReason::Unconfigured);
    let state = advertiser.state();
    assert_eq!(TeState { counts: state.counts, ..TeState::default() }, state);
    assert_eq!(state.counts.get(TeReason::Unconfigured), 4);
}
