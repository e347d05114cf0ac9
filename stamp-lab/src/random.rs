//! Chance that is the same in every run with the same seed.

/// A generator of the SplitMix family: 64 bits of state, every seed is good.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Yes in so many of a billion cases.
    pub(crate) const fn happens(&mut self, billionths: u32) -> bool {
        // The high bits times a billion: even, but for a share of 2^-32.
        ((self.next() >> 32) * 1_000_000_000) >> 32 < billionths as u64
    }

    /// A deviation with mean 0 and standard deviation 1, in thousandths: the sum of twelve even
    /// draws, which comes near the bell curve and never goes beyond six.
    pub(crate) fn deviation_thousandths(&mut self) -> i64 {
        let sum: u64 = (0..12).map(|_| self.next() >> 54).sum();
        // Each draw is below 1024: twelve of them have the mean 6138 and deviation 1024.
        (sum.cast_signed() - 6138) * 1000 / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_happens_as_often_as_it_says() {
        let mut random = Random::new(7);
        for (billionths, few, many) in
            [(0, 0, 0), (10_000_000, 900, 1100), (1_000_000_000, 100_000, 100_000)]
        {
            let count = (0..100_000).filter(|_| random.happens(billionths)).count();
            assert!((few..=many).contains(&count), "{billionths}: {count}");
        }
    }

    #[test]
    fn deviations_have_their_mean_and_spread() {
        let mut random = Random::new(1);
        let drawn: Vec<f64> =
            (0..100_000).map(|_| random.deviation_thousandths() as f64 / 1000.0).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let square =
            drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / drawn.len() as f64;
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.02, "{mean} {square}");
        assert!(drawn.iter().all(|x| x.abs() <= 6.1));
    }
}
