//! `te`: what is announced of a session for path computation, and when (RFC 8570).

use std::time::Duration;

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_config::quantity::{LinkDelay, Ratio, RunDuration, print_duration};
use stamp_session::te::{TeAnomaly, TeConfig, TeDelay, TeDelta, TeLoss, TeMinMax, TeRule};

use super::threshold::Percent;

/// What a session announces.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TeChoice {
    /// Nothing at all.
    off: bool,
    spacing: Option<Duration>,
    hold: Option<Duration>,
    integrity_percent: Option<u32>,
    normalize: Option<Duration>,
    periodic: Step,
    accelerated: Step,
    delay_anomaly: Option<(Duration, Duration)>,
    loss_anomaly: Option<(Ratio, Ratio)>,
}

/// How far a value has to move.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Step {
    percent: Option<u32>,
    delay: Option<Duration>,
    loss: Option<Ratio>,
}

impl Step {
    fn read(section: &Section<'_>, key: &'static str) -> Self {
        section.section_or_empty(key, |table| Self {
            percent: table.get("percent").map(|percent: Percent| percent.0),
            delay: table.get("delay").map(|delay: LinkDelay| delay.0),
            loss: table.get("loss"),
        })
    }

    fn show(self, key: &str) -> Option<String> {
        let words = [
            self.percent.map(|percent| format!("percent = {percent}")),
            self.delay.map(|delay| format!("delay = {:?}", print_duration(delay))),
            self.loss.map(|loss| format!("loss = \"{loss}\"")),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| format!("{key} = {{ {} }}", words.join(", ")))
    }

    /// This where it says something, else `default`.
    fn delay(self, default: TeDelta) -> TeDelta {
        TeDelta {
            percent: self.percent.unwrap_or(default.percent),
            least: self.delay.map_or(default.least, micros),
        }
    }

    fn loss(self, default: TeDelta) -> TeDelta {
        TeDelta {
            percent: self.percent.unwrap_or(default.percent),
            least: self.loss.map_or(default.least, steps),
        }
    }
}

/// Both bounds of an anomaly.
fn bounds<T: Setting + Copy + PartialOrd>(
    section: &Section<'_>,
    key: &'static str,
) -> Option<(T, T)> {
    let bounds = section.section(key, |table| {
        let upper: Option<T> = table.require("upper");
        let reuse: Option<T> = table.get("reuse");
        upper.map(|upper| (upper, reuse.unwrap_or(upper)))
    })??;
    if bounds.1 > bounds.0 {
        let reason = "reuse lies above upper".to_owned();
        section.problem(key, Problem::Contradiction { reason });
    }
    Some(bounds)
}

impl TeChoice {
    /// What a section says.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        const KEY: &str = "te";
        if section.is_table(KEY) {
            return section.section(KEY, |table| Self {
                off: false,
                spacing: table.get("spacing").map(|spacing: RunDuration| spacing.0),
                hold: table.get("hold").map(|hold: RunDuration| hold.0),
                integrity_percent: table.get("integrity-percent").map(|it: Percent| it.0),
                normalize: table.get("normalize").map(|step: LinkDelay| step.0),
                periodic: Step::read(table, "periodic"),
                accelerated: Step::read(table, "accelerated"),
                delay_anomaly: bounds(table, "delay-anomaly")
                    .map(|(upper, reuse): (LinkDelay, LinkDelay)| (upper.0, reuse.0)),
                loss_anomaly: bounds(table, "loss-anomaly"),
            });
        }
        let wanted: Option<bool> = section.get(KEY);
        wanted.map(|wanted| Self { off: !wanted, ..Self::default() })
    }

    /// As the file says it, without what it leaves to defaults; nothing where it says nothing.
    pub(super) fn show(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        if self.off {
            return Some("te = false\n".to_owned());
        }
        let time = |key: &str, time: Option<Duration>| {
            time.map(|time| format!("{key} = {:?}", print_duration(time)))
        };
        let anomaly = |key: &str, bounds: Option<(String, String)>| {
            bounds
                .map(|(upper, reuse)| format!("{key} = {{ upper = {upper:?}, reuse = {reuse:?} }}"))
        };
        let delays =
            self.delay_anomaly.map(|(upper, reuse)| (print_duration(upper), print_duration(reuse)));
        let losses = self.loss_anomaly.map(|(upper, reuse)| (upper.to_string(), reuse.to_string()));
        let words = [
            time("spacing", self.spacing),
            time("hold", self.hold),
            self.integrity_percent.map(|percent| format!("integrity-percent = {percent}")),
            time("normalize", self.normalize),
            self.periodic.show("periodic"),
            self.accelerated.show("accelerated"),
            anomaly("delay-anomaly", delays),
            anomaly("loss-anomaly", losses),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        Some(format!("te = {{ {} }}\n", words.join(", ")))
    }

    /// The rules for windows of this length; nothing where nothing is announced.
    pub fn config(&self, window: Duration) -> Option<TeConfig> {
        if self.off {
            return None;
        }
        let default = TeConfig::default();
        let rule = |default: TeRule, of: fn(Step, TeDelta) -> TeDelta| TeRule {
            periodic: default.periodic.map(|delta| of(self.periodic, delta)),
            accelerated: default.accelerated.map(|delta| of(self.accelerated, delta)),
            ..default
        };
        let delay_anomaly = self
            .delay_anomaly
            .map(|(upper, reuse)| TeAnomaly { upper: micros(upper), reuse: micros(reuse) });
        let loss_anomaly = self
            .loss_anomaly
            .map(|(upper, reuse)| TeAnomaly { upper: steps(upper), reuse: steps(reuse) });
        Some(TeConfig {
            interval: window,
            spacing: self.spacing.unwrap_or(default.spacing.max(window)),
            hold: self.hold.unwrap_or(default.hold.max(window.saturating_mul(2))),
            integrity_percent: self.integrity_percent.unwrap_or(default.integrity_percent),
            normalize_micros: self.normalize.map_or(default.normalize_micros, micros),
            delay: default
                .delay
                .map(|it| TeRule { anomaly: delay_anomaly, ..rule(it, Step::delay) }),
            min_max: default.min_max.map(|it| TeMinMax {
                min: TeRule { anomaly: delay_anomaly, ..rule(it.min, Step::delay) },
                max: rule(it.max, Step::delay),
            }),
            variation: default.variation.map(|it| rule(it, Step::delay)),
            loss: default.loss.map(|it| TeRule { anomaly: loss_anomaly, ..rule(it, Step::loss) }),
        })
    }
}

/// In the unit of the sub-TLVs, which go no further than 16 seconds.
fn micros(delay: Duration) -> u32 {
    let ns = i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX);
    TeDelay::of_delay(stamp_proto::time::TimeDelta::from_ns(ns)).micros()
}

/// Steps of 0.000003 %.
fn steps(share: Ratio) -> u32 {
    let share = stamp_session::policy::LossShare::new(share.billionths().into(), 1_000_000_000);
    share.map_or(0, |share| TeLoss::of_share(share).steps())
}
