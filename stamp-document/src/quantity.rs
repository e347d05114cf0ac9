//! Quantities with a unit: durations, counts, rates.

use core::fmt;
use core::time::Duration;

use crate::setting::{Form, Setting};

/// Units of a duration and what each is in nanoseconds, longest name first so that `ms` is not
/// read as `m`.
const DURATION_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration with units: `10ms`, `1.5s`, `1m30s`.
///
/// `None` for anything else, a bare number included.
#[must_use]
pub fn duration_with_unit(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total_ns: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, unit_ns) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        total_ns = total_ns.checked_add(scaled(number, *unit_ns)?)?;
        rest = tail;
    }
    Some(Duration::from_nanos(total_ns))
}

/// `number` (decimal, with or without a fraction) times `unit`, exactly; a remainder below one
/// unit step is cut off.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = u128::from(whole).checked_mul(u128::from(unit))?;
    if !fraction.is_empty() {
        let digits = u32::try_from(fraction.len()).ok()?;
        let part: u64 = fraction.parse().ok()?;
        total += u128::from(part) * u128::from(unit) / 10_u128.pow(digits);
    }
    u64::try_from(total).ok()
}

/// Reads a duration as hands type it: with units, or a bare number of seconds (`-i 0.1`).
#[must_use]
pub fn duration_or_seconds(text: &str) -> Option<Duration> {
    if is_bare(text) {
        return scaled(text, 1_000_000_000).map(Duration::from_nanos);
    }
    duration_with_unit(text)
}

/// A number as hands type it, and nothing else.
pub(crate) fn is_bare(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && scaled(text, 1).is_some()
}

/// Reads a count: `1000`, `10k`, `2M`.
#[must_use]
pub fn count(text: &str) -> Option<u64> {
    let (number, unit) = match text.as_bytes().last()? {
        b'k' => (text.strip_suffix('k')?, 1_000),
        b'M' => (text.strip_suffix('M')?, 1_000_000),
        _ => (text, 1),
    };
    if unit == 1 { number.parse().ok() } else { scaled(number, unit) }
}

/// Writes a duration the way [`duration_with_unit`] reads it, in the largest unit that is exact.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let exact = [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)]
        .into_iter()
        .chain([("ms", 1_000_000), ("us", 1_000), ("ns", 1)])
        .find(|(_, unit)| ns >= *unit && ns.is_multiple_of(*unit));
    match exact {
        Some((name, unit)) => format!("{}{name}", ns / unit),
        None => "0s".to_owned(),
    }
}

/// What flags take and a file does not, as durations say it in their `EXPECTED`.
pub const BARE_SECONDS: &str = " (a bare number is seconds)";

/// A duration without a unit: next to `"50ms"` in a file, `"50"` is hardly meant to be seconds.
pub(crate) fn is_bare_duration<T: Setting>(text: &str) -> bool {
    T::EXPECTED.ends_with(BARE_SECONDS) && is_bare(text)
}

macro_rules! duration_setting {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $min_ns:expr, $max_ns:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub Duration);

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            fn read(text: &str) -> Option<Self> {
                let duration = duration_or_seconds(text)?;
                ($min_ns..=$max_ns).contains(&duration.as_nanos()).then_some(Self(duration))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&print_duration(self.0))
            }
        }
    };
}

const HOUR_NS: u128 = 3_600_000_000_000;

duration_setting!(
    /// Time between two probes of a session.
    Interval, "a duration from 2us to 1h, such as 10ms, 1s or 1m30s (a bare number is seconds)",
    2_000, HOUR_NS
);
duration_setting!(
    /// How long a reply is waited for: the loss threshold of RFC 7680 §2.2.
    Timeout, "a duration from 1ms to 10m, such as 50ms or 2s (a bare number is seconds)",
    1_000_000, HOUR_NS / 6
);
duration_setting!(
    /// How long a run lasts.
    RunDuration, "a duration from 1ms to 366 days, such as 30s or 8h (a bare number is seconds)",
    1_000_000, HOUR_NS * 24 * 366
);
duration_setting!(
    /// How long a session may be silent before it is forgotten.
    Expiry, "a duration from 1s to 604800s (a bare number is seconds)",
    1_000_000_000, HOUR_NS * 168
);
duration_setting!(
    /// Over which time values are summed up.
    Window, "a duration from 1s to 1h, such as 30s or 5m (a bare number is seconds)",
    1_000_000_000, HOUR_NS
);
duration_setting!(
    /// Largest error of a clock.
    ClockError, "a duration from 1ns to 1h, such as 1us (a bare number is seconds)",
    1, HOUR_NS
);

duration_setting!(
    /// How long a link holds a packet, or by how much that varies.
    LinkDelay, "a duration from 0s to 10m, such as 5ms or 250us (a bare number is seconds)",
    0, HOUR_NS / 6
);

/// How many probes are sent; `0` until stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Count(pub u64);

impl Setting for Count {
    const EXPECTED: &'static str =
        "a count from 0 (until stopped) to 4294967295, such as 100, 10k or 2M";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        count(text).filter(|n| *n <= u64::from(u32::MAX)).map(Self)
    }
}

/// Packets per second, or no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RateLimit {
    /// At most this many a second.
    PerSecond(u32),
    /// Unlimited.
    Off,
}

impl Setting for RateLimit {
    const EXPECTED: &'static str = "packets per second from 1 to 10000000, or \"off\"";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let rate = count(text).filter(|n| (1..=10_000_000).contains(n))?;
        u32::try_from(rate).ok().map(Self::PerSecond)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerSecond(rate) => write!(f, "{rate}"),
            Self::Off => f.write_str("off"),
        }
    }
}

/// A share of the whole, in billionths.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ratio(u32);

impl Ratio {
    const WHOLE: u32 = 1_000_000_000;
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths, up to the whole.
    #[must_use]
    pub const fn from_billionths(billionths: u32) -> Option<Self> {
        if billionths <= Self::WHOLE { Some(Self(billionths)) } else { None }
    }

    /// How many billionths of the whole.
    #[must_use]
    pub const fn billionths(self) -> u32 {
        self.0
    }
}

impl Setting for Ratio {
    const EXPECTED: &'static str = "a share from 0% to 100%, such as 1% or 0.05%";
    fn read(text: &str) -> Option<Self> {
        let percent = scaled(text.strip_suffix('%')?, u64::from(Self::WHOLE / 100))?;
        Self::from_billionths(u32::try_from(percent).ok()?)
    }
}

impl fmt::Display for Ratio {
    /// In percent, without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000_000, self.0 % 10_000_000);
        let fraction = format!("{rest:07}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            fraction => write!(f, "{whole}.{fraction}%"),
        }
    }
}

/// Bits per second.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Bandwidth(pub u64);

impl Setting for Bandwidth {
    const EXPECTED: &'static str = "bits per second with a unit, such as 100M, 2.5G or 1T";
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_suffix("bit/s").unwrap_or(text);
        let read = |(unit, size)| scaled(text.strip_suffix(unit)?, size);
        Self::UNITS.into_iter().find_map(read).filter(|bits| *bits > 0).map(Self)
    }
}

impl Bandwidth {
    /// The largest first.
    const UNITS: [(&str, u64); 4] =
        [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
}

impl fmt::Display for Bandwidth {
    /// In the largest unit that it has one of, exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, size): &(&str, u64)| self.0 >= *size;
        let (unit, size) = Self::UNITS.into_iter().find(fits).unwrap_or(("k", 1_000));
        let digits = size.ilog10() as usize;
        let (whole, rest) = (self.0 / size, self.0 % size);
        match format!("{rest:0digits$}").trim_end_matches('0') {
            "" => write!(f, "{whole}{unit}"),
            fraction => write!(f, "{whole}.{fraction}{unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_with_units_fractions_and_combinations() {
        for (text, ns) in [
            ("10ms", 10_000_000),
            ("1.5s", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            ("3.3ms", 3_300_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            (".5s", 500_000_000),
            ("1h", 3_600_000_000_000),
        ] {
            assert_eq!(duration_with_unit(text), Some(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "ms", "10", "-1s", "1x", "1s2", "1 s", ".", "s1", "99999999999h", "1..2s"]
        {
            assert_eq!(duration_with_unit(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_seconds_where_hands_type_it() {
        assert_eq!(duration_or_seconds("0.1"), Some(Duration::from_millis(100)));
        assert_eq!(duration_or_seconds("2"), Some(Duration::from_secs(2)));
        assert_eq!(duration_or_seconds("."), None);
    }

    #[test]
    fn a_range_is_kept_at_both_ends() {
        assert!(Interval::read("2us").is_some());
        assert!(Interval::read("1us").is_none());
        assert!(Interval::read("1h").is_some());
        assert!(Interval::read("1h1ns").is_none());
    }

    #[test]
    fn counts_take_k_and_m() {
        assert_eq!(count("10k"), Some(10_000));
        assert_eq!(count("1.5M"), Some(1_500_000));
        assert_eq!(count("7"), Some(7));
        assert_eq!(count("k"), None);
        assert_eq!(count("-7"), None);
        assert_eq!(RateLimit::read("off"), Some(RateLimit::Off));
        assert_eq!(RateLimit::read("0"), None);
    }

    #[test]
    fn a_share_is_read_in_percent_and_stays_below_the_whole() {
        let billionths = |text| Ratio::read(text).map(Ratio::billionths);
        assert_eq!(billionths("1%"), Some(10_000_000));
        assert_eq!(billionths("0.0000001%"), Some(1));
        assert_eq!(billionths("100%"), Some(1_000_000_000));
        for text in ["", "%", "1", "100.1%", "-1%", "1 %"] {
            assert_eq!(Ratio::read(text), None, "{text}");
        }
    }

    #[test]
    fn bandwidths_need_a_unit() {
        assert_eq!(Bandwidth::read("2.5G"), Some(Bandwidth(2_500_000_000)));
        assert_eq!(Bandwidth::read("100Mbit/s"), Some(Bandwidth(100_000_000)));
        assert_eq!(["0M", "100", "M", ""].map(Bandwidth::read), [None; 4]);
        for text in ["2.5G", "100M", "1T", "0.001k", "9.999999999G"] {
            assert_eq!(Bandwidth::read(text).unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_share_that_is_printed_is_read_back(billionths in 0_u32..=1_000_000_000) {
            let ratio = Ratio::from_billionths(billionths).unwrap();
            prop_assert_eq!(Ratio::read(&ratio.to_string()), Some(ratio));
        }

        #[test]
        fn what_is_printed_is_read_back(ns in 0_u64..=100_000_000_000_000) {
            let duration = Duration::from_nanos(ns);
            prop_assert_eq!(duration_with_unit(&print_duration(duration)), Some(duration));
        }
    }
}
