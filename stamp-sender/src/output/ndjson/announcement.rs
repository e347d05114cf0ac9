//! What is announced for path computation.

use serde::{Deserialize, Serialize};
use stamp_proto::time::WallTime;
use stamp_session::statistics::Reason as _;
use stamp_session::te::{TeAdvertisement, TeDelay, TeMode, TeValues};

use super::entry::{Entry, Event};
use crate::output::instant::Instant;

/// A value is announced, or withdrawn.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AnnouncementEntry {
    /// Of which session, from what to what and why; `value` and `limit` are null.
    #[serde(flatten)]
    pub event: Event,
    /// The sub-TLV: `delay`, `min_max_delay`, `delay_variation` or `loss`.
    pub sub_tlv: String,
    /// The A bit.
    pub anomalous: bool,
    /// `one_way`, or `derived` from the round trip; null when it is withdrawn.
    pub mode: Option<String>,
    /// Average delay.
    pub delay_us: Option<u32>,
    /// Smallest delay.
    pub min_us: Option<u32>,
    /// Largest delay.
    pub max_us: Option<u32>,
    /// Delay variation.
    pub variation_us: Option<u32>,
    /// Loss.
    pub loss_ratio: Option<f64>,
    /// Values of the window that led here.
    pub samples: u64,
    /// The same in percent of those expected.
    pub integrity_percent: u32,
}

impl Entry {
    /// A value that is announced or withdrawn.
    pub fn announcement(session: &str, told: &TeAdvertisement, now: WallTime) -> Self {
        let word = |there: bool| if there { "advertised" } else { "withdrawn" }.to_owned();
        let mut entry = AnnouncementEntry {
            event: Event {
                time: Instant(now),
                monotonic_ns: Some(told.end.ns()),
                session: session.to_owned(),
                direction: Some("forward".to_owned()),
                from: Some(word(told.previous.is_some())),
                to: Some(word(told.values.is_some())),
                clock_synchronized: told.mode.map(|mode| mode == TeMode::OneWay),
                reason: Some(told.reason.label().to_owned()),
                ..Event::default()
            },
            sub_tlv: told.sub_tlv.label().to_owned(),
            anomalous: told.anomalous,
            mode: told.mode.map(|mode| mode.label().to_owned()),
            delay_us: None,
            min_us: None,
            max_us: None,
            variation_us: None,
            loss_ratio: None,
            samples: told.samples,
            integrity_percent: told.integrity_percent,
        };
        match told.values {
            Some(TeValues::Delay(delay)) => entry.delay_us = Some(delay.micros()),
            Some(TeValues::MinMaxDelay { min, max }) => {
                [entry.min_us, entry.max_us] = [min, max].map(TeDelay::micros).map(Some);
            }
            Some(TeValues::DelayVariation(variation)) => {
                entry.variation_us = Some(variation.micros());
            }
            Some(TeValues::Loss(loss)) => entry.loss_ratio = Some(loss.ratio()),
            None => {}
        }
        Self::Te(Box::new(entry))
    }
}

#[cfg(test)]
mod tests {
    use stamp_session::clock::MonotonicTime;
    use stamp_session::te::{TeReason, TeSubTlv};

    use super::*;
    use crate::output::schema::tests::assert_valid_line;

    fn told(sub_tlv: TeSubTlv, values: Option<TeValues>) -> TeAdvertisement {
        TeAdvertisement {
            sub_tlv,
            reason: TeReason::First,
            values,
            previous: None,
            anomalous: false,
            mode: values.map(|_| TeMode::OneWay),
            start: MonotonicTime::from_ns(1),
            end: MonotonicTime::from_ns(2),
            samples: 300,
            integrity_percent: 100,
            sequence: 1,
        }
    }

    #[test]
    fn each_sub_tlv_has_its_own_values_and_no_others() {
        let delay = TeDelay::from_micros;
        let min_max = TeValues::MinMaxDelay { min: delay(10_300), max: delay(12_000) };
        for (sub_tlv, values, expected) in [
            (TeSubTlv::Delay, Some(TeValues::Delay(delay(11_000))), [None, None]),
            (TeSubTlv::MinMaxDelay, Some(min_max), [Some(10_300), Some(12_000)]),
            (TeSubTlv::MinMaxDelay, None, [None, None]),
        ] {
            let entry = Entry::announcement("a", &told(sub_tlv, values), WallTime::default());
            assert_valid_line(&serde_json::to_value(&entry).unwrap());
            let Entry::Te(entry) = entry else { panic!("{entry:?}") };
            assert_eq!([entry.min_us, entry.max_us], expected);
            assert_eq!(entry.mode.is_some(), values.is_some());
        }
    }

    #[test]
    fn a_reload_is_told_in_a_line_of_its_own() {
        let entry = Entry::Config {
            time: Instant::default(),
            session: None,
            to: "refused".to_owned(),
            reason: Some("sender.toml:3:1: intervall: unknown key".to_owned()),
        };
        assert_valid_line(&serde_json::to_value(&entry).unwrap());
    }
}
