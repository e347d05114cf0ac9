//! Durations as people read them: three digits and the unit that fits.

/// Units from small to large: name and nanoseconds.
const UNITS: [(&str, u128); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// A delay of `ns` nanoseconds in three digits, such as `58.2us` or `-1.02ms`.
///
/// Whole nanoseconds below a microsecond; from 1 000 s on in hours, then in days.
#[must_use]
pub fn delay(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    format!("{sign}{}", magnitude(u128::from(ns.unsigned_abs())))
}

/// The same of a value that may be unknown: `-` then.
#[must_use]
pub fn delay_or_dash(ns: Option<i64>) -> String {
    ns.map_or_else(|| "-".to_owned(), delay)
}

/// A bound of `ns` nanoseconds in three digits.
#[must_use]
pub fn bound(ns: u64) -> String {
    magnitude(u128::from(ns))
}

/// A stretch of time as a clock shows it: `58.2s`, `12m34s`, `3h04m`, `2d03h`.
#[must_use]
pub fn stretch(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0..60 => magnitude(u128::from(ns)),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// A setting in nanoseconds without needless digits: `1s`, `3.3ms`, `1m30s`.
#[must_use]
pub fn setting(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    if seconds >= 60 && ns.is_multiple_of(1_000_000_000) {
        let (minutes, rest) = (seconds / 60, seconds % 60);
        return if rest == 0 { format!("{minutes}m") } else { format!("{minutes}m{rest}s") };
    }
    let (name, unit) = match ns {
        0..1_000 => ("ns", 1),
        1_000..1_000_000 => ("us", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000_u64),
    };
    let digits = unit.ilog10() as usize;
    let fraction = format!("{:0digits$}", ns % unit);
    match fraction.trim_end_matches('0') {
        "" => format!("{}{name}", ns / unit),
        rest => format!("{}.{rest}{name}", ns / unit),
    }
}

/// Seconds with nine digits, for tables that other programs read.
#[must_use]
pub fn seconds(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    format!("{sign}{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

fn magnitude(ns: u128) -> String {
    if ns < 1_000 {
        return format!("{ns}ns");
    }
    let last = UNITS.len() - 1;
    for (place, (name, unit)) in UNITS.iter().enumerate().skip(1) {
        // A value that would round up to the next unit belongs there: 999.6us is 1.00ms.
        let next = UNITS.get(place + 1).map_or(u128::MAX, |next| next.1);
        let fits = if *name == "s" {
            rounded(ns, *unit) < 1_000
        } else {
            rounded(ns, *unit) * unit < next
        };
        if fits || place == last {
            return three_digits(ns, *unit, name);
        }
    }
    format!("{ns}ns")
}

const fn rounded(ns: u128, unit: u128) -> u128 {
    (ns + unit / 2) / unit
}

fn three_digits(ns: u128, unit: u128, name: &str) -> String {
    let hundredths = rounded(ns * 100, unit);
    if hundredths < 1_000 {
        return format!("{}.{:02}{name}", hundredths / 100, hundredths % 100);
    }
    let tenths = rounded(ns * 10, unit);
    if tenths < 1_000 {
        return format!("{}.{}{name}", tenths / 10, tenths % 10);
    }
    format!("{}{name}", rounded(ns, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_has_three_digits_and_the_unit_that_fits() {
        for (ns, text) in [
            (0, "0ns"),
            (7, "7ns"),
            (999, "999ns"),
            (1_000, "1.00us"),
            (58_249, "58.2us"),
            (58_250, "58.3us"),
            (119_499, "119us"),
            (1_020_000, "1.02ms"),
            (12_345_678, "12.3ms"),
            (1_000_000_000, "1.00s"),
            (37_000_012_345, "37.0s"),
            (999_000_000_000, "999s"),
            (3_600_000_000_000, "1.00h"),
            (86_400_000_000_000, "1.00d"),
            (-58_200, "-58.2us"),
            (i64::MIN, "-106752d"),
        ] {
            assert_eq!(delay(ns), text, "{ns}");
        }
    }

    #[test]
    fn rounding_up_reaches_the_next_digit_and_the_next_unit() {
        for (ns, text) in [
            (9_994, "9.99us"),
            (9_995, "10.0us"),
            (99_949, "99.9us"),
            (99_950, "100us"),
            (999_499, "999us"),
            (999_500, "1.00ms"),
            (999_500_000, "1.00s"),
        ] {
            assert_eq!(delay(ns), text, "{ns}");
        }
    }

    #[test]
    fn every_delay_below_a_day_fits_seven_columns() {
        let mut ns = 1_i64;
        while ns < 86_400_000_000_000 {
            assert!(delay(-ns).len() <= 7, "{}", delay(-ns));
            ns += ns / 97 + 1;
        }
    }

    #[test]
    fn what_is_unknown_is_a_dash() {
        assert_eq!(delay_or_dash(None), "-");
        assert_eq!(delay_or_dash(Some(5)), "5ns");
    }

    #[test]
    fn a_stretch_reads_like_a_clock() {
        assert_eq!(stretch(58_200_000_000), "58.2s");
        assert_eq!(stretch(60_000_000_000), "1m00s");
        assert_eq!(stretch(754_000_000_000), "12m34s");
        assert_eq!(stretch(11_050_000_000_000), "3h04m");
        assert_eq!(stretch(183_600_000_000_000), "2d03h");
    }

    #[test]
    fn a_setting_is_shown_as_it_was_typed() {
        for (ns, text) in [
            (250, "250ns"),
            (3_300_000, "3.3ms"),
            (10_000_000, "10ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (120_000_000_000, "2m"),
            (0, "0ns"),
        ] {
            assert_eq!(setting(ns), text, "{ns}");
        }
    }

    #[test]
    fn seconds_keep_every_nanosecond() {
        assert_eq!(seconds(58_200), "0.000058200");
        assert_eq!(seconds(-1), "-0.000000001");
        assert_eq!(seconds(12_000_000_034), "12.000000034");
    }
}
