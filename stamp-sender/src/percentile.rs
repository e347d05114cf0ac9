//! `--percentiles`: which columns the table has.

/// Reads one percentile: above 0, below 100.
///
/// # Errors
///
/// What was expected, as text for the user.
pub fn parse_percentile(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|percentile: &f64| *percentile > 0.0 && *percentile < 100.0)
        .ok_or_else(|| "expected a percentile above 0 and below 100, such as 99.9".to_owned())
}

/// Name of a percentile's column, such as `p99.9`.
#[must_use]
pub fn column(percentile: f64) -> String {
    format!("p{percentile}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_between_0_and_100() {
        assert_eq!(parse_percentile("99.9"), Ok(99.9));
        for text in ["0", "100", "-1", "x", "NaN", "inf"] {
            assert!(parse_percentile(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_column_is_named_as_people_say_it() {
        assert_eq!(column(50.0), "p50");
        assert_eq!(column(99.9), "p99.9");
    }
}
