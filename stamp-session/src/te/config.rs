//! When a change is worth an announcement.

use core::time::Duration;

/// Never announce more often than this (RFC 8570 §7).
const SHORTEST_SPACING: Duration = Duration::from_secs(1);

/// How far a value must be from the advertised one: farther than both parts say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeDelta {
    /// Percent of the advertised value.
    pub percent: u32,
    /// In the unit of the value: microseconds, or steps of 0.000003 %.
    pub least: u32,
}

impl TeDelta {
    /// `value` is far enough from what is `advertised`.
    #[must_use]
    pub fn is_exceeded(self, advertised: u32, value: u32) -> bool {
        let change = u64::from(value.abs_diff(advertised));
        let share = u64::from(advertised).saturating_mul(self.percent.into());
        change > self.least.into() && change.saturating_mul(100) > share
    }
}

/// Bounds of the A bit, in the unit of the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeAnomaly {
    /// Above it the bit is set.
    pub upper: u32,
    /// Below it for an announcement spacing it is cleared.
    pub reuse: u32,
}

/// What is watched of one value.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TeRule {
    /// A change that waits for the spacing to pass; without it the value only goes along.
    pub periodic: Option<TeDelta>,
    /// A change that does not wait.
    pub accelerated: Option<TeDelta>,
    /// Bounds of the A bit.
    pub anomaly: Option<TeAnomaly>,
    /// Falling below it is announced at once.
    pub lower: Option<u32>,
}

/// What is watched of the smallest and the largest delay, which share a sub-TLV.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeMinMax {
    /// Of the smallest.
    pub min: TeRule,
    /// Of the largest.
    pub max: TeRule,
}

/// What is announced, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeConfig {
    /// How long a window of measurement is.
    pub interval: Duration,
    /// Least time between two announcements of a sub-TLV, unless a change does not wait.
    pub spacing: Duration,
    /// How long a value stays advertised without a window that confirms it.
    pub hold: Duration,
    /// A window with fewer of its expected values, in percent, is thin: nothing follows from it.
    pub integrity_percent: u32,
    /// Delays are rounded up to multiples of so many microseconds; zero leaves them.
    pub normalize_micros: u32,
    /// The average delay, if it is announced.
    pub delay: Option<TeRule>,
    /// The smallest and the largest.
    pub min_max: Option<TeMinMax>,
    /// Its variation. It has no A bit.
    pub variation: Option<TeRule>,
    /// Loss.
    pub loss: Option<TeRule>,
}

impl Default for TeConfig {
    fn default() -> Self {
        let (periodic, accelerated) = (10, 20);
        let delta = |percent, least| Some(TeDelta { percent, least });
        // One straggler makes a new maximum: it does not hurry.
        let calm = TeRule { periodic: delta(periodic, 500), ..TeRule::default() };
        let rule = TeRule { accelerated: delta(accelerated, 500), ..calm };
        // 0.01 % of all packets.
        let loss = TeRule {
            periodic: delta(periodic, 3_333),
            accelerated: delta(accelerated, 3_333),
            ..TeRule::default()
        };
        Self {
            interval: Duration::from_secs(30),
            spacing: Duration::from_secs(120),
            hold: Duration::from_secs(120),
            integrity_percent: 50,
            normalize_micros: 0,
            delay: Some(rule),
            min_max: Some(TeMinMax { min: rule, max: calm }),
            variation: Some(calm),
            loss: Some(loss),
        }
    }
}

impl TeConfig {
    /// # Errors
    ///
    /// [`TeConfigError`] names what contradicts itself or the RFC.
    pub(super) fn check(&self) -> Result<(), TeConfigError> {
        let Self { interval, spacing, hold, integrity_percent, .. } = *self;
        if spacing < SHORTEST_SPACING || spacing < interval {
            return Err(TeConfigError::Spacing { spacing, interval });
        }
        if interval.is_zero() || hold < interval {
            return Err(TeConfigError::Hold { hold, interval });
        }
        if integrity_percent > 100 {
            return Err(TeConfigError::Integrity { percent: integrity_percent });
        }
        if self.variation.is_some_and(|rule| rule.anomaly.is_some()) {
            return Err(TeConfigError::VariationAnomaly);
        }
        let min_max = self.min_max.map(|rules| [rules.min, rules.max]);
        let rules =
            [self.delay, self.loss].into_iter().flatten().chain(min_max.into_iter().flatten());
        let contradiction =
            rules.filter_map(|rule| rule.anomaly).find(|TeAnomaly { upper, reuse }| reuse > upper);
        match contradiction {
            Some(TeAnomaly { upper, reuse }) => Err(TeConfigError::Reuse { upper, reuse }),
            None => Ok(()),
        }
    }
}

/// Why values cannot be announced so.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TeConfigError {
    #[error(
        "a spacing of {spacing:?} is not possible: 1 s or more, and no less than the measurement \
         interval of {interval:?} (RFC 8570 §7)"
    )]
    Spacing { spacing: Duration, interval: Duration },
    #[error(
        "a hold of {hold:?} is not possible: no less than the measurement interval of {interval:?}, which is not zero"
    )]
    Hold { hold: Duration, interval: Duration },
    #[error("a window integrity of {percent} % is not possible: 0 to 100")]
    Integrity { percent: u32 },
    #[error("a reuse threshold of {reuse} lies above its upper bound of {upper}")]
    Reuse { upper: u32, reuse: u32 },
    #[error("delay variation has no anomaly bounds: its sub-TLV has no A bit (RFC 8570 §4.3)")]
    VariationAnomaly,
}
