//! Which limits a session has.

use stamp_proto::time::TimeDelta;

use super::ByDirection;

/// Largest rise in percent; beyond it is a mistake in units.
const LARGEST_PERCENT: u32 = 100_000;

/// Most probes a loss threshold looks back on.
const LONGEST_LOOK_BACK: u32 = 100_000;

/// How an absolute limit and a percentage go together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Combine {
    /// Exceeding either is enough; without a reference the absolute limit decides.
    #[default]
    Any,
    /// Both must be exceeded; without a reference nothing is.
    All,
}

/// A limit on delay, to be exceeded by M samples in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DelayThreshold {
    absolute: Option<TimeDelta>,
    percent: Option<u32>,
    combine: Combine,
    count: u32,
}

impl DelayThreshold {
    /// Told once `count` samples in a row are larger than `limit`; one that equals it is not.
    ///
    /// # Errors
    ///
    /// [`ThresholdError::Delay`] for a limit below zero, [`ThresholdError::Count`] for a count of zero.
    pub const fn absolute(limit: TimeDelta, count: u32) -> Result<Self, ThresholdError> {
        Self::new((Some(limit), None), Combine::Any, count)
    }

    /// Told once `count` samples in a row are so many percent larger than the smallest delay of the
    /// previous window.
    ///
    /// # Errors
    ///
    /// [`ThresholdError::Percent`] for a percentage that makes no sense, [`ThresholdError::Count`]
    /// for a count of zero.
    pub const fn percent(percent: u32, count: u32) -> Result<Self, ThresholdError> {
        Self::new((None, Some(percent)), Combine::Any, count)
    }

    /// Both an absolute limit and a percentage, of which either or both must be exceeded.
    ///
    /// # Errors
    ///
    /// As [`Self::absolute`] and [`Self::percent`].
    pub const fn both(
        limit: TimeDelta,
        percent: u32,
        combine: Combine,
        count: u32,
    ) -> Result<Self, ThresholdError> {
        Self::new((Some(limit), Some(percent)), combine, count)
    }

    const fn new(
        limits: (Option<TimeDelta>, Option<u32>),
        combine: Combine,
        count: u32,
    ) -> Result<Self, ThresholdError> {
        let (absolute, percent) = limits;
        if let Some(limit) = absolute
            && limit.is_negative()
        {
            return Err(ThresholdError::Delay { limit });
        }
        if let Some(percent) = percent
            && (percent == 0 || percent > LARGEST_PERCENT)
        {
            return Err(ThresholdError::Percent { percent });
        }
        if count == 0 {
            return Err(ThresholdError::Count);
        }
        Ok(Self { absolute, percent, combine, count })
    }

    /// The absolute limit (TH).
    #[must_use]
    pub const fn limit(&self) -> Option<TimeDelta> {
        self.absolute
    }

    /// Samples in a row that it takes, either way (M).
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The limit that the percentage comes to, with the smallest delay of the previous window.
    ///
    /// Rounded down, which changes no comparison of whole nanoseconds. A delay of nothing or less is
    /// no reference.
    #[must_use]
    pub fn relative_limit(&self, reference: Option<TimeDelta>) -> Option<TimeDelta> {
        let percent = i128::from(self.percent?).saturating_add(100);
        let reference = reference.filter(|reference| *reference > TimeDelta::ZERO)?;
        let limit = i128::from(reference.ns()).saturating_mul(percent).div_euclid(100);
        Some(TimeDelta::from_ns(i64::try_from(limit).unwrap_or(i64::MAX)))
    }

    /// What a delay must be larger than; `None` while nothing can be exceeded.
    #[must_use]
    pub fn effective_limit(&self, reference: Option<TimeDelta>) -> Option<TimeDelta> {
        match (self.absolute, self.relative_limit(reference), self.combine) {
            (Some(absolute), Some(relative), Combine::Any) => Some(absolute.min(relative)),
            (Some(absolute), Some(relative), Combine::All) => Some(absolute.max(relative)),
            (Some(_), None, Combine::All) if self.percent.is_some() => None,
            (absolute, relative, _) => absolute.or(relative),
        }
    }
}

/// X losses among the last Y probes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossThreshold {
    lost: u32,
    of: u32,
}

impl LossThreshold {
    /// Told once `lost` of the last `of` probes were lost.
    ///
    /// # Errors
    ///
    /// [`ThresholdError::Loss`] unless 1 ≤ `lost` ≤ `of` ≤ 100 000.
    pub const fn new(lost: u32, of: u32) -> Result<Self, ThresholdError> {
        if lost == 0 || lost > of || of > LONGEST_LOOK_BACK {
            return Err(ThresholdError::Loss { lost, of });
        }
        Ok(Self { lost, of })
    }

    /// So many losses (X).
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    /// Among so many probes (Y).
    #[must_use]
    pub const fn of(&self) -> u32 {
        self.of
    }
}

/// Everything a session watches beside its connectivity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Thresholds {
    /// Delay of each direction.
    pub delay: ByDirection<Option<DelayThreshold>>,
    /// Loss; in one direction only a stateful Session-Reflector can tell it, and only after the
    /// next reply.
    pub loss: ByDirection<Option<LossThreshold>>,
}

impl Thresholds {
    /// Nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a threshold cannot be.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    #[error("a delay threshold of {} ns is not possible: zero or more", .limit.ns())]
    Delay { limit: TimeDelta },
    #[error("a delay threshold of {percent} % is not possible: 1 to {LARGEST_PERCENT}")]
    Percent { percent: u32 },
    #[error("a count of 0 is not possible: a delay threshold takes 1 sample or more")]
    Count,
    #[error(
        "a loss threshold of {lost} of {of} is not possible: 1 or more, of no fewer, up to \
         {LONGEST_LOOK_BACK}"
    )]
    Loss { lost: u32, of: u32 },
}
