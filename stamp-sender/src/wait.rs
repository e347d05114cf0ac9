//! `-W`: how long a reply is waited for.

use std::time::Duration;

use stamp_config::Setting;
use stamp_config::quantity::Timeout;

/// The longest wait that [`Timeout`] allows.
const LONGEST: Duration = Duration::from_secs(600);

/// A timeout, and optionally how much sooner the end of a run may come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wait {
    /// A probe without reply for this long is lost.
    pub timeout: Duration,
    /// The end of the run waits at most this many times the longest round trip seen.
    pub round_trips: Option<u32>,
}

/// How long a reply is waited for unless told otherwise: as the engine does by itself, but no longer
/// than `-W` may ask for.
#[must_use]
pub fn default_timeout(interval: Duration) -> Duration {
    stamp_session::sender::default_timeout(interval).min(LONGEST)
}

impl Setting for Wait {
    const EXPECTED: &'static str = "a duration from 1ms to 10m, such as 50ms or 2s, or \
                                    Nx in front of it (3x2s) with N from 1 to 100";
    fn read(text: &str) -> Option<Self> {
        let (round_trips, text) = match text.split_once('x') {
            Some((times, rest)) => {
                let times = times.parse().ok().filter(|n| (1..=100).contains(n))?;
                (Some(times), rest)
            }
            None => (None, text),
        };
        Some(Self { timeout: Timeout::read(text)?.0, round_trips })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_may_be_a_multiple_of_the_round_trip() {
        let wait = Wait::read("3x2s").unwrap();
        assert_eq!(wait, Wait { timeout: Duration::from_secs(2), round_trips: Some(3) });
        assert_eq!(Wait::read("50ms").unwrap().round_trips, None);
        assert_eq!(Wait::read("0x2s"), None);
        assert_eq!(Wait::read("3x"), None);
    }

    #[test]
    fn the_default_is_three_intervals_within_what_the_flag_allows() {
        assert_eq!(default_timeout(Duration::from_millis(10)), Duration::from_secs(1));
        assert_eq!(default_timeout(Duration::from_secs(2)), Duration::from_secs(6));
        assert_eq!(default_timeout(Duration::from_secs(3_600)), LONGEST);
        assert_eq!(Wait::read("10m").map(|wait| wait.timeout), Some(LONGEST));
        assert_eq!(Wait::read("10m1ms"), None);
    }
}
