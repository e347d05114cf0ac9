//! How often, and what becomes of the numbers.

/// How much to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Effort {
    /// A second or two, to see that the bench works: `cargo test --benches`, or `--smoke`.
    Smoke,
    /// Enough for numbers.
    Full,
}

impl Effort {
    pub(crate) fn asked_for() -> Self {
        let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
        if asked("--bench") && !asked("--smoke") { Self::Full } else { Self::Smoke }
    }

    pub(crate) fn choose<T>(self, smoke: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Full => full,
        }
    }
}

/// The middle of some values; NaN of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
