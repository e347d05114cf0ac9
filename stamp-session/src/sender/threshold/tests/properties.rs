use proptest::prelude::*;

use super::*;
use crate::sender::SessionState;
use crate::sender::state::Connectivity;

fn thresholds() -> impl Strategy<Value = DelayThreshold> {
    let combine = prop_oneof![Just(Combine::Any), Just(Combine::All)];
    (0_i64..200, 1_u32..200, combine, 1_u32..6).prop_map(|(limit, percent, combine, count)| {
        DelayThreshold::both(TimeDelta::from_ns(limit), percent, combine, count).unwrap()
    })
}

proptest! {
    #[test]
    fn a_latch_never_tells_the_same_twice_in_a_row(
        threshold in thresholds(),
        delays in prop::collection::vec((0_i64..400, 0_u8..20), 1..400),
    ) {
        let mut watch = watch(threshold);
        let mut state = ThresholdState::NotExceeded;
        for (sequence, (ns, window)) in (0..).zip(delays) {
            if window == 0 {
                watch.close_window();
            }
            if let Some(change) = watch.observe(measured(sequence, TimeDelta::from_ns(ns))) {
                prop_assert_eq!(change.from(), state);
                prop_assert_ne!(change.to, state);
                prop_assert!(change.run >= threshold.count());
                prop_assert_eq!(change.criterion.is_some(), change.value > change.limit);
                state = change.to;
            }
        }
        let Transitions { exceeded, cleared } = watch.report().transitions;
        prop_assert_eq!(exceeded - cleared, u64::from(state == ThresholdState::Exceeded));
    }

    #[test]
    fn a_series_that_never_exceeds_is_never_told(
        limit in 0_i64..1_000,
        count in 1_u32..4,
        delays in prop::collection::vec(0.0_f64..=1.0, 1..200),
    ) {
        let limit = TimeDelta::from_ns(limit);
        let mut watch = watch(DelayThreshold::absolute(limit, count).unwrap());
        for (sequence, share) in (0..).zip(delays) {
            let delay = TimeDelta::from_ns((limit.ns() as f64 * share) as i64);
            prop_assert_eq!(watch.observe(measured(sequence, delay)), None);
        }
        prop_assert_eq!(watch.report().state, ThresholdState::NotExceeded);
    }

    #[test]
    fn a_limit_is_compared_as_the_definition_says(
        threshold in thresholds(),
        reference in prop::option::of(1_i64..400),
        delay in 0_i64..1_000,
    ) {
        let absolute = delay > threshold.limit().unwrap().ns();
        let percent = threshold.relative_limit(Some(TimeDelta::from_ns(100))).unwrap().ns() - 100;
        let relative = reference.is_some_and(|reference| 100 * delay > reference * (100 + percent));
        let both = DelayThreshold::both(TimeDelta::ZERO, 1, Combine::All, 1).unwrap();
        let all = threshold.effective_limit(None).is_none() && both.effective_limit(None).is_none();
        let wanted = if all { absolute && relative } else { absolute || relative };
        let limit = threshold.effective_limit(reference.map(TimeDelta::from_ns));
        prop_assert_eq!(limit.is_some_and(|limit| delay > limit.ns()), wanted);
    }

    #[test]
    fn n_of_n_is_the_rule_of_n_in_a_row(
        n in 1_u32..6,
        fates in prop::collection::vec(prop::bool::weighted(0.6), 1..300),
    ) {
        let mut watch = LossWatch::new(
            MeasuredDirection::RoundTrip,
            LossThreshold::new(n, n).unwrap(),
        );
        let mut connectivity = Connectivity::new(n);
        // A session that never came up cannot go down.
        prop_assert_eq!(watch.decided(0, false, seen()), None);
        prop_assert!(connectivity.received(0, Now::default()).is_some());
        for (sequence, lost) in (1..).zip(fates) {
            let loss = watch.decided(sequence, lost, seen()).map(|change| change.to);
            let state = if lost {
                connectivity.lost(sequence, Now::default())
            } else {
                connectivity.received(sequence, Now::default())
            };
            let state = state.map(|change| match change.to {
                SessionState::Down => ThresholdState::Exceeded,
                SessionState::Up | SessionState::Init => ThresholdState::NotExceeded,
            });
            prop_assert_eq!(loss, state);
        }
    }

    #[test]
    fn x_of_y_is_told_as_a_list_would(
        (lost, of) in (1_u32..12).prop_flat_map(|of| (1..=of, Just(of))),
        fates in prop::collection::vec(any::<bool>(), 1..300),
    ) {
        let threshold = LossThreshold::new(lost, of).unwrap();
        let mut watch = LossWatch::new(MeasuredDirection::RoundTrip, threshold);
        let mut exceeded = false;
        for index in 0..fates.len() {
            let from = (index + 1).saturating_sub(of as usize);
            let among = fates[from..=index].iter().filter(|lost| **lost).count();
            let exceeds = among >= lost as usize;
            let change = watch.decided(index as u32, fates[index], seen());
            prop_assert_eq!(change.is_some(), exceeds != exceeded);
            exceeded = exceeds;
        }
    }
}
