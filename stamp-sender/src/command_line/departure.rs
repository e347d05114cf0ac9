//! `--schedule`.

use std::time::Duration;

use stamp_config::Setting;
use stamp_config::quantity::{Interval, count};

/// Departure of probes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Departure {
    /// Evenly spaced.
    Fixed,
    /// Exponential gaps.
    Poisson,
    /// Some in a row, then a pause.
    Burst {
        /// Probes in a row.
        count: u32,
        /// From the begin of one burst to that of the next.
        every: Duration,
    },
}

impl Setting for Departure {
    const EXPECTED: &'static str =
        "fixed, poisson, or burst=N,every=TIME with N from 2 to 100000, such as burst=100,every=5m";
    fn read(text: &str) -> Option<Self> {
        match text {
            "fixed" => return Some(Self::Fixed),
            "poisson" => return Some(Self::Poisson),
            _ => {}
        }
        let (mut probes, mut every) = (None, None);
        for word in text.split(',') {
            match word.trim().split_once('=')? {
                ("burst", number) if probes.is_none() => {
                    let number = count(number).filter(|count| (2..=100_000).contains(count))?;
                    probes = Some(u32::try_from(number).ok()?);
                }
                ("every", time) if every.is_none() => every = Some(Interval::read(time)?.0),
                _ => return None,
            }
        }
        Some(Self::Burst { count: probes?, every: every? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_has_a_number_and_a_period() {
        let burst = Departure::Burst { count: 100, every: Duration::from_secs(300) };
        assert_eq!(Departure::read("burst=100,every=5m"), Some(burst));
        assert_eq!(Departure::read("every=5m, burst=100"), Some(burst));
        assert_eq!(Departure::read("poisson"), Some(Departure::Poisson));
        for text in ["", "often", "burst=100", "burst=1,every=5m", "burst=9,every=5m,burst=9"] {
            assert_eq!(Departure::read(text), None, "{text}");
        }
    }
}
