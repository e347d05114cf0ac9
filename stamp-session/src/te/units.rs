//! Delay and loss in the units of routing protocols: 24 bits that saturate.

use stamp_proto::time::TimeDelta;

use crate::policy::LossShare;

/// Delay or delay variation in microseconds (RFC 8570 §4.1).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TeDelay(u32);

impl TeDelay {
    /// "16.777215 s or more".
    pub const MAX: Self = Self(0xFF_FFFF);

    /// Rounded to the nearest microsecond; less than nothing, which only a wrong clock can say, is
    /// nothing.
    #[must_use]
    pub fn of_delay(delay: TimeDelta) -> Self {
        let micros = delay.ns().max(0).saturating_add(500).div_euclid(1_000);
        Self::from_micros(u32::try_from(micros).unwrap_or(u32::MAX))
    }

    /// As a delay variation that was measured: zero would say that it was not (RFC 8570 §4.3).
    #[must_use]
    pub fn of_variation(variation: TimeDelta) -> Self {
        Self::of_delay(variation).max(Self(1))
    }

    /// So many microseconds, or [`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: u32) -> Self {
        if micros > Self::MAX.0 { Self::MAX } else { Self(micros) }
    }

    /// As it is encoded.
    #[must_use]
    pub const fn micros(self) -> u32 {
        self.0
    }

    /// For arithmetic elsewhere.
    #[must_use]
    pub fn delay(self) -> TimeDelta {
        TimeDelta::from_ns(i64::from(self.0).saturating_mul(1_000))
    }

    /// Rounded up to a multiple of `step` microseconds, so that noise below it changes nothing and
    /// no delay becomes none.
    #[must_use]
    pub const fn normalized(self, step: u32) -> Self {
        if step == 0 {
            return self;
        }
        match self.0.checked_next_multiple_of(step) {
            Some(micros) => Self::from_micros(micros),
            None => Self::MAX,
        }
    }
}

/// Loss in steps of 0.000003 % (RFC 8570 §4.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TeLoss(u32);

impl TeLoss {
    /// 50.331642 %, and any larger loss.
    pub const MAX: Self = Self(0xFF_FFFE);

    /// So many steps in 1.
    const STEPS_TIMES_3: u128 = 100_000_000;

    /// Rounded to the nearest step.
    #[must_use]
    pub fn of_share(share: LossShare) -> Self {
        let divisor = u128::from(share.decided()).saturating_mul(3);
        let scaled = u128::from(share.lost()).saturating_mul(Self::STEPS_TIMES_3);
        let half = divisor.div_euclid(2);
        let steps = scaled.saturating_add(half).checked_div(divisor).unwrap_or(0);
        Self::from_steps(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// So many steps, or [`Self::MAX`].
    #[must_use]
    pub const fn from_steps(steps: u32) -> Self {
        if steps > Self::MAX.0 { Self::MAX } else { Self(steps) }
    }

    /// As it is encoded.
    #[must_use]
    pub const fn steps(self) -> u32 {
        self.0
    }

    /// From 0 to 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        f64::from(self.0) * 0.000_000_03
    }
}
