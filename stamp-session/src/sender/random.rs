//! Pseudorandom numbers from a seed that comes in as a value.

use core::time::Duration;

/// SplitMix64: one word of state, every seed as good as another. Not for secrets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for each `index` of one seed.
    pub(super) const fn stream(seed: u64, index: u32) -> Self {
        let mut own = Self::new(seed ^ (index as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self::new(own.next())
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An exponentially distributed time with this mean: the gap of a Poisson process.
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        const STEPS: f64 = (1_u64 << 53) as f64;
        // In (0, 1], so that the logarithm is finite: no gap is longer than 37 means.
        let uniform = ((self.next() >> 11) as f64 + 1.0) / STEPS;
        mean.mul_f64(-uniform.ln())
    }

    pub(super) fn fill(&mut self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            for (octet, random) in chunk.iter_mut().zip(word) {
                *octet = random;
            }
        }
    }

    /// These are the octets that [`Self::fill`] would write.
    pub(super) fn matches(&mut self, octets: &[u8]) -> bool {
        octets.chunks(8).all(|chunk| {
            let word = self.next().to_le_bytes();
            chunk.iter().zip(word).all(|(octet, random)| *octet == random)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn exponential_times_have_their_mean_and_their_median() {
        let mut random = Random::new(7);
        let mean = Duration::from_millis(10);
        let times: Vec<u64> = (0..100_000)
            .map(|_| u64::try_from(random.exponential(mean).as_nanos()).unwrap())
            .collect();
        let found = times.iter().sum::<u64>() / 100_000;
        assert!((9_900_000..10_100_000).contains(&found), "{found}");
        let below = times.iter().filter(|time| **time < 6_931_472).count();
        assert!((49_500..50_500).contains(&below), "{below}");
    }

    #[test]
    fn what_was_filled_matches_and_nothing_else_does() {
        let mut octets = [0; 21];
        Random::stream(3, 9).fill(&mut octets);
        assert!(Random::stream(3, 9).matches(&octets));
        assert!(!Random::stream(3, 10).matches(&octets));
        assert!(!Random::stream(4, 9).matches(&octets));
        octets[20] ^= 1;
        assert!(!Random::stream(3, 9).matches(&octets));
    }
}
