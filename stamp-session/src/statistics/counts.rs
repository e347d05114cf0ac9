//! One counter per reason.

use core::fmt;
use core::marker::PhantomData;

/// A closed set of reasons, each of which is counted on its own.
pub trait Reason: Copy + 'static {
    /// Every reason once, in the order of its index; what a reason carries does not matter.
    const ALL: &'static [Self];

    /// Its place in [`Self::ALL`].
    fn index(self) -> usize;

    /// Its name in machine output and as a metric label.
    fn label(self) -> &'static str;
}

/// A counter for each of `N` reasons.
#[derive(Clone, Copy)]
pub struct Counts<R, const N: usize> {
    counts: [u64; N],
    of: PhantomData<R>,
}

impl<R: Reason, const N: usize> Counts<R, N> {
    /// Counts `times` more of `reason`.
    pub fn add(&mut self, reason: R, times: u64) {
        if let Some(count) = self.counts.get_mut(reason.index()) {
            *count = count.saturating_add(times);
        }
    }

    /// How often `reason` came.
    #[must_use]
    pub fn get(&self, reason: R) -> u64 {
        self.counts.get(reason.index()).copied().unwrap_or(0)
    }

    /// How often any reason came.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Every reason with its count, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (R, u64)> {
        R::ALL.iter().map(|reason| (*reason, self.get(*reason)))
    }
}

impl<R, const N: usize> Default for Counts<R, N> {
    fn default() -> Self {
        Self { counts: [0; N], of: PhantomData }
    }
}

impl<R, const N: usize> PartialEq for Counts<R, N> {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts
    }
}

impl<R, const N: usize> Eq for Counts<R, N> {}

impl<R: Reason, const N: usize> fmt::Debug for Counts<R, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.iter().filter(|(_, count)| *count > 0);
        f.debug_map().entries(counted.map(|(reason, count)| (reason.label(), count))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Why {
        Rain,
        Snow,
    }

    impl Reason for Why {
        const ALL: &'static [Self] = &[Self::Rain, Self::Snow];

        fn index(self) -> usize {
            self as usize
        }

        fn label(self) -> &'static str {
            match self {
                Self::Rain => "rain",
                Self::Snow => "snow",
            }
        }
    }

    #[test]
    fn each_reason_has_its_own_counter() {
        let mut counts = Counts::<Why, 2>::default();
        counts.add(Why::Snow, 2);
        counts.add(Why::Snow, 1);
        assert_eq!(counts.get(Why::Snow), 3);
        assert_eq!(counts.get(Why::Rain), 0);
        assert_eq!(counts.total(), 3);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(Why::Rain, 0), (Why::Snow, 3)]);
        assert_eq!(format!("{counts:?}"), r#"{"snow": 3}"#);
    }
}
