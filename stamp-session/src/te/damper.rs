//! Which windows of one sub-TLV are announced.

use core::time::Duration;

use super::{TeMetric, TeMode, TeReason, TeRule};
use crate::clock::MonotonicTime;

/// Values of a sub-TLV as they are encoded; most have only one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Encoded {
    pub(super) first: u32,
    pub(super) second: Option<u32>,
}

/// The rules of those values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) first: (TeMetric, TeRule),
    pub(super) second: Option<(TeMetric, TeRule)>,
}

/// What is advertised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advertised {
    pub(super) values: Encoded,
    /// How these were come by.
    pub(super) mode: TeMode,
    pub(super) anomalous: bool,
    /// When it was announced.
    at: MonotonicTime,
    /// End of the latest window that confirmed it, whatever its value.
    confirmed: MonotonicTime,
    /// Since when an anomalous value has been below its reuse threshold.
    below_since: Option<MonotonicTime>,
}

/// Damps one sub-TLV.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Damper {
    advertised: Option<Advertised>,
}

/// One value, what is advertised of it, and its rule.
#[derive(Clone, Copy)]
struct Compared {
    metric: TeMetric,
    rule: TeRule,
    value: u32,
    advertised: u32,
}

impl Damper {
    pub(super) const fn advertised(&self) -> Option<&Advertised> {
        self.advertised.as_ref()
    }

    /// Takes what a window says that is not thin; the reason, if it is announced.
    pub(super) fn observe(
        &mut self,
        now: MonotonicTime,
        (values, mode): (Encoded, TeMode),
        rules: &Rules,
        spacing: Duration,
    ) -> Option<TeReason> {
        let anomalous = rules.any_anomaly(values, |value, bounds| value > bounds.upper);
        let Some(advertised) = &mut self.advertised else {
            self.announce(now, (values, mode), anomalous);
            return Some(TeReason::First);
        };
        advertised.confirmed = now;
        let is_below = !rules.any_anomaly(values, |value, bounds| value >= bounds.reuse);
        advertised.below_since = if is_below { advertised.below_since.or(Some(now)) } else { None };
        let reusable = advertised.below_since.is_some_and(|since| now.since(since) >= spacing);
        let compared = rules.compared(values, advertised.values);
        let waited = now.since(advertised.at) >= spacing;
        let (reason, anomalous) = match (advertised.anomalous, anomalous) {
            (false, true) => (Some(TeReason::Anomaly), true),
            (true, false) if reusable && waited => (Some(TeReason::Reuse), false),
            (anomalous, _) => (moved(compared, waited), anomalous),
        };
        if reason.is_some() {
            self.announce(now, (values, mode), anomalous);
        }
        reason
    }

    /// Takes back what nothing has confirmed for `hold`.
    pub(super) fn expire(&mut self, now: MonotonicTime, hold: Duration) -> Option<Encoded> {
        self.expires(hold).filter(|expires| *expires <= now)?;
        self.withdraw()
    }

    /// When that will be.
    pub(super) fn expires(&self, hold: Duration) -> Option<MonotonicTime> {
        self.advertised.map(|advertised| advertised.confirmed.saturating_add(hold))
    }

    /// Takes back what is advertised.
    pub(super) fn withdraw(&mut self) -> Option<Encoded> {
        self.advertised.take().map(|advertised| advertised.values)
    }

    fn announce(&mut self, at: MonotonicTime, (values, mode): (Encoded, TeMode), anomalous: bool) {
        // A value that came down while the bit is set goes on coming down.
        let below_since = self.advertised.and_then(|advertised| advertised.below_since);
        let below_since = below_since.filter(|_| anomalous);
        self.advertised =
            Some(Advertised { values, mode, anomalous, at, confirmed: at, below_since });
    }
}

/// What moved far enough, if anything did.
fn moved(compared: [Option<Compared>; 2], waited: bool) -> Option<TeReason> {
    let find = |by: fn(&Compared) -> bool| {
        compared.into_iter().flatten().find(by).map(|found| found.metric)
    };
    let accelerated = find(Compared::is_accelerated).map(TeReason::Accelerated);
    accelerated.or_else(|| find(Compared::is_periodic).filter(|_| waited).map(TeReason::Periodic))
}

impl Compared {
    fn is_accelerated(&self) -> bool {
        let far = self.rule.accelerated;
        let falls = |lower: u32| self.value < lower && self.advertised >= lower;
        far.is_some_and(|delta| delta.is_exceeded(self.advertised, self.value))
            || self.rule.lower.is_some_and(falls)
    }

    fn is_periodic(&self) -> bool {
        let delta = self.rule.periodic;
        delta.is_some_and(|delta| delta.is_exceeded(self.advertised, self.value))
    }
}

impl Rules {
    /// One value is on the side of its bounds that `is` says.
    fn any_anomaly(&self, values: Encoded, is: fn(u32, &super::TeAnomaly) -> bool) -> bool {
        let compared = self.compared(values, values).into_iter().flatten();
        compared
            .filter_map(|it| Some((it.value, it.rule.anomaly?)))
            .any(|(value, bounds)| is(value, &bounds))
    }

    fn compared(&self, values: Encoded, advertised: Encoded) -> [Option<Compared>; 2] {
        let (metric, rule) = self.first;
        let (value, old) = (values.first, advertised.first);
        let first = Compared { metric, rule, value, advertised: old };
        let second = self.second.zip(values.second.zip(advertised.second));
        let second = second.map(|((metric, rule), (value, advertised))| Compared {
            metric,
            rule,
            value,
            advertised,
        });
        [Some(first), second]
    }
}
