use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn announcements_keep_their_spacing_unless_they_hurry(
        delays in prop::collection::vec(prop::option::weighted(0.9, 0_i64..60_000), 1..200),
    ) {
        let config = bounded();
        let mut advertiser = TeAdvertiser::new(config).unwrap();
        let mut last: Option<(MonotonicTime, Option<TeValues>, bool)> = None;
        for (step, delay) in (1..).zip(delays) {
            let full = window(step * 30, delay.unwrap_or(0));
            let window = TeWindow { delay: full.delay.filter(|_| delay.is_some()), ..full };
            let announced: Vec<_> = advertiser.handle_window(&window).collect();
            prop_assert!(announced.len() <= 1);
            let Some(it) = announced.first() else { continue };
            let waited = last.is_some_and(|(at, ..)| it.end.since(at) >= config.spacing);
            match it.reason {
                TeReason::First => prop_assert!(last.is_none_or(|(_, values, _)| values.is_none())),
                TeReason::Periodic(_) | TeReason::Reuse | TeReason::Timeout => prop_assert!(waited),
                TeReason::Anomaly => prop_assert!(last.is_some_and(|(.., anomalous)| !anomalous)),
                TeReason::Accelerated(_) => {}
                TeReason::Unconfigured => prop_assert!(false),
            }
            prop_assert_eq!(it.previous, last.and_then(|(_, values, _)| values));
            prop_assert_eq!(it.values.is_none(), it.reason == TeReason::Timeout);
            last = Some((it.end, it.values, it.anomalous));
        }
    }

    #[test]
    fn a_value_that_stays_is_announced_once(delay in 0_i64..20_000, windows in 1_u64..100) {
        let mut advertiser = TeAdvertiser::new(TeConfig::default()).unwrap();
        for step in 1..=windows {
            let announced = advertiser.handle_window(&window(step * 30, delay)).count();
            prop_assert_eq!(announced, if step == 1 { 4 } else { 0 });
        }
    }

    #[test]
    fn units_never_wrap(ns in any::<i64>(), lost in any::<u64>(), more in any::<u64>()) {
        let delay = TeDelay::of_delay(TimeDelta::from_ns(ns));
        prop_assert!(delay <= TeDelay::MAX);
        let near = delay.delay().saturating_sub(TimeDelta::from_ns(ns.max(0))).abs();
        prop_assert!(delay == TeDelay::MAX || near <= TimeDelta::from_ns(500));
        if let Some(share) = LossShare::new(lost, lost.saturating_add(more)) {
            let loss = TeLoss::of_share(share);
            prop_assert!(loss <= TeLoss::MAX);
            prop_assert!(loss == TeLoss::MAX || (loss.ratio() - share.ratio()).abs() < 2e-8);
        }
    }
}
