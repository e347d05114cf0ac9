//! All sub-TLVs of one path.

use super::damper::{Damper, Encoded, Rules};
use super::{
    TeConfig, TeConfigError, TeCounts, TeDelay, TeLoss, TeMetric, TeMinMax, TeMode, TeReason,
    TeSubTlv, TeWindow,
};
use crate::clock::MonotonicTime;

/// What a sub-TLV says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TeValues {
    /// Average delay.
    Delay(TeDelay),
    /// Smallest and largest delay.
    MinMaxDelay {
        /// The smallest.
        min: TeDelay,
        /// The largest.
        max: TeDelay,
    },
    /// Delay variation.
    DelayVariation(TeDelay),
    /// Loss.
    Loss(TeLoss),
}

/// A sub-TLV is to be advertised, or not any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TeAdvertisement {
    /// Which.
    pub sub_tlv: TeSubTlv,
    /// Why.
    pub reason: TeReason,
    /// What it says; `None` when it is withdrawn, which is not a value of zero.
    pub values: Option<TeValues>,
    /// What it said until now.
    pub previous: Option<TeValues>,
    /// The A bit.
    pub anomalous: bool,
    /// How the values were come by; `None` when it is withdrawn.
    pub mode: Option<TeMode>,
    /// When the window that led here began.
    pub start: MonotonicTime,
    /// When that window was complete, or when it was withdrawn.
    pub end: MonotonicTime,
    /// Values of that window.
    pub samples: u64,
    /// The same in percent of those expected.
    pub integrity_percent: u32,
    /// Counts all announcements of this path.
    pub sequence: u64,
}

/// What is advertised now; `None` where nothing is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TeState {
    /// Smallest delay.
    pub min: Option<TeDelay>,
    /// Average delay.
    pub avg: Option<TeDelay>,
    /// Largest delay.
    pub max: Option<TeDelay>,
    /// Delay variation.
    pub variation: Option<TeDelay>,
    /// Loss.
    pub loss: Option<TeLoss>,
    /// How the smallest and the largest delay were come by.
    pub min_max_mode: Option<TeMode>,
    /// The same of loss.
    pub loss_mode: Option<TeMode>,
    /// A sub-TLV has its A bit set.
    pub anomalous: bool,
    /// Announcements by reason.
    pub counts: TeCounts,
}

/// Decides what is announced of one path; without a clock.
///
/// Feed it each window with [`handle_window`](Self::handle_window), and call
/// [`handle_timeout`](Self::handle_timeout) when [`next_timeout`](Self::next_timeout) has come. Both say
/// what is to be announced.
#[derive(Clone, Debug)]
pub struct TeAdvertiser {
    config: TeConfig,
    delay: Damper,
    min_max: Damper,
    variation: Damper,
    loss: Damper,
    counts: TeCounts,
    sequence: u64,
}

/// What a window says of one sub-TLV.
struct Reading {
    values: Option<Encoded>,
    mode: TeMode,
    samples: u64,
    integrity_percent: u32,
}

const SUB_TLVS: [TeSubTlv; 4] =
    [TeSubTlv::Delay, TeSubTlv::MinMaxDelay, TeSubTlv::DelayVariation, TeSubTlv::Loss];

impl TeAdvertiser {
    /// Nothing is advertised yet.
    ///
    /// # Errors
    ///
    /// [`TeConfigError`] names what is impossible.
    pub fn new(config: TeConfig) -> Result<Self, TeConfigError> {
        config.check()?;
        Ok(Self {
            config,
            delay: Damper::default(),
            min_max: Damper::default(),
            variation: Damper::default(),
            loss: Damper::default(),
            counts: TeCounts::default(),
            sequence: 0,
        })
    }

    /// Takes a window that is complete, giving what follows from it.
    ///
    /// From a thin one nothing does but that values unconfirmed for too long are withdrawn.
    pub fn handle_window(
        &mut self,
        window: &TeWindow,
    ) -> impl Iterator<Item = TeAdvertisement> + use<> {
        SUB_TLVS.map(|sub_tlv| self.window_of(sub_tlv, window)).into_iter().flatten()
    }

    /// Withdraws what no window has confirmed for too long.
    pub fn handle_timeout(
        &mut self,
        now: MonotonicTime,
    ) -> impl Iterator<Item = TeAdvertisement> + use<> {
        SUB_TLVS.map(|sub_tlv| self.expired(sub_tlv, now)).into_iter().flatten()
    }

    /// Withdraws everything: the path is not measured any more.
    pub fn unconfigure(
        &mut self,
        now: MonotonicTime,
    ) -> impl Iterator<Item = TeAdvertisement> + use<> {
        let withdrawn = SUB_TLVS.map(|sub_tlv| {
            let previous = self.damper(sub_tlv).withdraw()?;
            Some(self.withdrawn((sub_tlv, previous), TeReason::Unconfigured, now))
        });
        withdrawn.into_iter().flatten()
    }

    /// Goes on by other rules, withdrawing what is not announced by them.
    ///
    /// # Errors
    ///
    /// [`TeConfigError`] names what is impossible; then the old ones stay.
    pub fn reconfigure(
        &mut self,
        config: TeConfig,
        now: MonotonicTime,
    ) -> Result<impl Iterator<Item = TeAdvertisement> + use<>, TeConfigError> {
        config.check()?;
        self.config = config;
        let withdrawn = SUB_TLVS.map(|sub_tlv| {
            if self.rules(sub_tlv).is_some() {
                return None;
            }
            let previous = self.damper(sub_tlv).withdraw()?;
            Some(self.withdrawn((sub_tlv, previous), TeReason::Unconfigured, now))
        });
        Ok(withdrawn.into_iter().flatten())
    }

    /// When something that is advertised is too old, unless a window comes before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<MonotonicTime> {
        let dampers = [&self.delay, &self.min_max, &self.variation, &self.loss];
        dampers.into_iter().filter_map(|damper| damper.expires(self.config.hold)).min()
    }

    /// What is advertised now.
    #[must_use]
    pub fn state(&self) -> TeState {
        let dampers = [&self.delay, &self.min_max, &self.variation, &self.loss];
        let anomalous = |damper: &Damper| damper.advertised().is_some_and(|it| it.anomalous);
        let values = |damper: &Damper| damper.advertised().map(|it| it.values);
        let mode = |damper: &Damper| damper.advertised().map(|it| it.mode);
        let delay = |values: Option<Encoded>| values.map(|it| TeDelay::from_micros(it.first));
        let min_max = values(&self.min_max);
        TeState {
            min: delay(min_max),
            avg: delay(values(&self.delay)),
            max: min_max.and_then(|it| it.second).map(TeDelay::from_micros),
            variation: delay(values(&self.variation)),
            loss: values(&self.loss).map(|it| TeLoss::from_steps(it.first)),
            min_max_mode: mode(&self.min_max),
            loss_mode: mode(&self.loss),
            anomalous: dampers.into_iter().any(anomalous),
            counts: self.counts,
        }
    }

    fn window_of(&mut self, sub_tlv: TeSubTlv, window: &TeWindow) -> Option<TeAdvertisement> {
        let rules = self.rules(sub_tlv)?;
        let reading = self.reading(sub_tlv, window);
        let thin = reading.integrity_percent < self.config.integrity_percent;
        let Some(values) = reading.values.filter(|_| !thin) else {
            return self.expired(sub_tlv, window.end);
        };
        let spacing = self.config.spacing;
        let damper = self.damper(sub_tlv);
        let previous = damper.advertised().map(|it| it.values);
        let said = (values, reading.mode);
        let reason = damper.observe(window.end, said, &rules, spacing)?;
        let anomalous = damper.advertised().is_some_and(|it| it.anomalous);
        Some(TeAdvertisement {
            sub_tlv,
            reason,
            values: Some(values.of(sub_tlv)),
            previous: previous.map(|previous| previous.of(sub_tlv)),
            anomalous,
            mode: Some(reading.mode),
            start: window.start,
            end: window.end,
            samples: reading.samples,
            integrity_percent: reading.integrity_percent,
            sequence: self.count(reason),
        })
    }

    fn expired(&mut self, sub_tlv: TeSubTlv, now: MonotonicTime) -> Option<TeAdvertisement> {
        let hold = self.config.hold;
        let previous = self.damper(sub_tlv).expire(now, hold)?;
        Some(self.withdrawn((sub_tlv, previous), TeReason::Timeout, now))
    }

    fn withdrawn(
        &mut self,
        what: (TeSubTlv, Encoded),
        reason: TeReason,
        now: MonotonicTime,
    ) -> TeAdvertisement {
        let (sub_tlv, previous) = what;
        TeAdvertisement {
            sub_tlv,
            reason,
            values: None,
            previous: Some(previous.of(sub_tlv)),
            anomalous: false,
            mode: None,
            start: now,
            end: now,
            samples: 0,
            integrity_percent: 0,
            sequence: self.count(reason),
        }
    }

    fn count(&mut self, reason: TeReason) -> u64 {
        self.counts.add(reason, 1);
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }

    const fn damper(&mut self, sub_tlv: TeSubTlv) -> &mut Damper {
        match sub_tlv {
            TeSubTlv::Delay => &mut self.delay,
            TeSubTlv::MinMaxDelay => &mut self.min_max,
            TeSubTlv::DelayVariation => &mut self.variation,
            TeSubTlv::Loss => &mut self.loss,
        }
    }

    /// `None` for a sub-TLV that is not announced.
    fn rules(&self, sub_tlv: TeSubTlv) -> Option<Rules> {
        let (first, second) = match sub_tlv {
            TeSubTlv::Delay => ((TeMetric::Avg, self.config.delay?), None),
            TeSubTlv::MinMaxDelay => {
                let TeMinMax { min, max } = self.config.min_max?;
                ((TeMetric::Min, min), Some((TeMetric::Max, max)))
            }
            TeSubTlv::DelayVariation => ((TeMetric::Variation, self.config.variation?), None),
            TeSubTlv::Loss => ((TeMetric::Loss, self.config.loss?), None),
        };
        Some(Rules { first, second })
    }

    fn reading(&self, sub_tlv: TeSubTlv, window: &TeWindow) -> Reading {
        let micros = |delay: TeDelay| delay.normalized(self.config.normalize_micros).micros();
        let delay = |delay| micros(TeDelay::of_delay(delay));
        let one = |first| Encoded { first, second: None };
        let delays = window.delay;
        let values = match sub_tlv {
            TeSubTlv::Delay => delays.map(|it| one(delay(it.avg))),
            TeSubTlv::MinMaxDelay => {
                delays.map(|it| Encoded { first: delay(it.min), second: Some(delay(it.max)) })
            }
            TeSubTlv::DelayVariation => {
                window.variation.map(|it| one(micros(TeDelay::of_variation(it))))
            }
            TeSubTlv::Loss => window.loss.map(|it| one(TeLoss::of_share(it).steps())),
        };
        match sub_tlv {
            TeSubTlv::Loss => Reading {
                values,
                mode: window.loss_mode,
                samples: window.loss.map_or(0, |it| it.decided()),
                integrity_percent: window.loss_integrity(),
            },
            _ => Reading {
                values,
                mode: window.delay_mode,
                samples: delays.map_or(0, |it| it.count),
                integrity_percent: window.delay_integrity(),
            },
        }
    }
}

impl Encoded {
    fn of(self, sub_tlv: TeSubTlv) -> TeValues {
        let first = TeDelay::from_micros(self.first);
        match sub_tlv {
            TeSubTlv::Delay => TeValues::Delay(first),
            TeSubTlv::MinMaxDelay => {
                let max = TeDelay::from_micros(self.second.unwrap_or(self.first));
                TeValues::MinMaxDelay { min: first, max }
            }
            TeSubTlv::DelayVariation => TeValues::DelayVariation(first),
            TeSubTlv::Loss => TeValues::Loss(TeLoss::from_steps(self.first)),
        }
    }
}
