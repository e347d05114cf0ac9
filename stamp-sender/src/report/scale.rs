//! Where a value lies between two edges, and at which round values to draw lines.

/// Values this many times apart are shown by their logarithm.
const WIDE: f64 = 20.0;

/// A range of values, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    /// A scale for delays between `low` and `high`; `typical` is what most of them are about.
    ///
    /// Linear from zero, unless a few outliers would press all the others flat.
    #[must_use]
    pub fn of_delays(low: i64, high: i64, typical: i64) -> Self {
        let (low, high, typical) = (low as f64, high as f64, typical as f64);
        if low > 0.0 && high > typical * WIDE {
            return Self { low: low / 1.2, high: high * 1.2, logarithmic: true };
        }
        let low = if low < 0.0 { low * 1.1 } else { 0.0 };
        let high = if high > low { high } else { low + 1.0 };
        let step = round_step(high - low, 5);
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            logarithmic: false,
        }
    }

    /// A linear scale between exactly these values.
    #[must_use]
    pub fn exact(low: i64, high: i64) -> Self {
        let (low, high) = (low as f64, high as f64);
        Self { low, high: if high > low { high } else { low + 1.0 }, logarithmic: false }
    }

    /// Shown by logarithm.
    #[must_use]
    pub const fn is_logarithmic(self) -> bool {
        self.logarithmic
    }

    /// Its largest value.
    #[must_use]
    pub const fn high(self) -> f64 {
        self.high
    }

    /// 0 at the low edge, 1 at the high one.
    #[must_use]
    pub fn place(self, value: i64) -> f64 {
        self.place_of(value as f64)
    }

    fn place_of(self, value: f64) -> f64 {
        let place = if self.logarithmic {
            (value.max(1e-9) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.clamp(0.0, 1.0)
    }

    /// Round values within, about `count` of them.
    #[must_use]
    pub fn ticks(self, count: u32) -> Vec<f64> {
        if self.logarithmic {
            return self.powers(count);
        }
        let step = round_step(self.high - self.low, count);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|index| index as f64 * step).collect()
    }

    /// 1, 2 and 5 of every power of ten; the powers alone when these are too many.
    fn powers(self, count: u32) -> Vec<f64> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let digits: &[f64] =
            if (last - first).unsigned_abs() * 2 > count { &[1.0] } else { &[1.0, 2.0, 5.0] };
        (first..=last)
            .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

/// A step of 1, 2 or 5 times a power of ten, so that about `count` of them span `range`.
#[must_use]
pub fn round_step(range: f64, count: u32) -> f64 {
    let rough = range / f64::from(count.max(1));
    let power = 10_f64.powf(rough.log10().floor());
    let digit = rough / power;
    let round = match digit {
        small if small <= 1.0 => 1.0,
        small if small <= 2.0 => 2.0,
        middle if middle <= 5.0 => 5.0,
        _ => 10.0,
    };
    round * power
}

/// Steps of time that clocks make, in nanoseconds, for about `count` of them in `range`.
#[must_use]
pub fn time_step(range: f64, count: u32) -> f64 {
    const SECOND: f64 = 1e9;
    const STEPS: [f64; 19] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
    ];
    let rough = range / f64::from(count.max(1));
    if rough <= SECOND / 2.0 {
        return round_step(range, count);
    }
    let fits = STEPS.iter().map(|step| step * SECOND).find(|step| *step >= rough);
    fits.unwrap_or_else(|| round_step(range, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_of_one_size_are_shown_from_zero() {
        let scale = Scale::of_delays(52_000, 131_000, 60_000);
        assert!(!scale.is_logarithmic());
        assert_eq!(scale.ticks(5), [0.0, 50_000.0, 100_000.0, 150_000.0]);
        assert!((scale.place(75_000) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn outliers_do_not_press_the_others_flat() {
        let scale = Scale::of_delays(52_000, 140_000_000, 60_000);
        assert!(scale.is_logarithmic());
        assert!(scale.place(60_000) < 0.1 && scale.place(1_000_000) > 0.3);
        let ticks = scale.ticks(10);
        assert_eq!(ticks[0], 50_000.0);
        assert!(ticks.len() <= 12, "{ticks:?}");
    }

    #[test]
    fn negative_delays_have_room_below_zero() {
        let scale = Scale::of_delays(-40, 100, 50);
        assert!(scale.place(-40) > 0.0 && scale.place(0) > scale.place(-40));
        assert!(scale.ticks(5).contains(&0.0));
    }

    #[test]
    fn a_single_value_is_no_division_by_zero() {
        for scale in [Scale::of_delays(0, 0, 0), Scale::of_delays(7, 7, 7), Scale::exact(5, 5)] {
            assert!(scale.place(7).is_finite());
            assert!(!scale.ticks(5).is_empty());
        }
    }

    #[test]
    fn time_steps_are_those_of_clocks() {
        assert_eq!(time_step(600e9, 8), 120e9);
        assert_eq!(time_step(60e9, 8), 10e9);
        assert_eq!(time_step(1e9, 8), 0.2e9);
        assert_eq!(time_step(86_400e9, 8), 10_800e9);
    }
}
