//! Wall time as text (RFC 3339), always with nine digits so that columns and files stay even.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use stamp_proto::time::WallTime;

/// A wall time that is written and read as RFC 3339 with nanoseconds, in UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Instant(pub WallTime);

impl From<WallTime> for Instant {
    fn from(time: WallTime) -> Self {
        Self(time)
    }
}

impl Instant {
    /// Reads RFC 3339.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp: jiff::Timestamp = text.parse().map_err(|error| format!("{error}"))?;
        let ns = i64::try_from(stamp.as_nanosecond())
            .map_err(|_| format!("{text} lies outside the years 1677 to 2262"))?;
        Ok(Self(WallTime::from_unix_ns(ns)))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn unix_ns(self) -> i64 {
        self.0.unix_ns()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds lies within the years jiff knows.
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(self.0.unix_ns()));
        stamp.map_or(Err(fmt::Error), |stamp| write!(f, "{stamp:.9}"))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(ns: i64) -> Instant {
        Instant(WallTime::from_unix_ns(ns))
    }

    #[test]
    fn an_instant_is_written_with_nine_digits() {
        assert_eq!(instant(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(
            instant(1_795_402_681_120_000_000).to_string(),
            "2026-11-23T02:58:01.120000000Z"
        );
    }

    #[test]
    fn every_nanosecond_survives_writing_and_reading() {
        for ns in [i64::MIN, -1, 0, 1, 1_795_402_681_123_456_789, i64::MAX] {
            assert_eq!(Instant::parse(&instant(ns).to_string()), Ok(instant(ns)), "{ns}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert!(Instant::parse("yesterday").is_err());
        assert!(Instant::parse("9999-01-01T00:00:00Z").is_err_and(|why| why.contains("2262")));
    }
}
