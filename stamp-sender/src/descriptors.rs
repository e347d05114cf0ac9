//! File descriptors: raised to what is allowed, and enough of them before the first probe.

use std::iter::Sum;
use std::ops::Add;

use stamp_net::limits;

use crate::exit::Failure;

/// Those of standard streams, runtime, signals and packet worker.
const SPARE: u64 = 16;

/// Sockets that sessions have open at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sockets {
    /// Of each for itself.
    pub own: usize,
    /// Of all sessions of a worker together.
    pub shared: usize,
}

impl Sockets {
    /// All of them, with so many workers.
    #[must_use]
    pub const fn total(self, workers: usize) -> usize {
        self.own.saturating_add(self.shared.saturating_mul(workers))
    }
}

impl Add for Sockets {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let own = self.own.saturating_add(other.own);
        Self { own, shared: self.shared.max(other.shared) }
    }
}

impl Sum for Sockets {
    fn sum<I: Iterator<Item = Self>>(sockets: I) -> Self {
        sockets.fold(Self::default(), Self::add)
    }
}

/// Makes sure that so many descriptors can be had at once, beside those of the program itself.
///
/// # Errors
///
/// [`Failure::Descriptors`] when they cannot.
pub fn ensure(sockets: usize) -> Result<(), Failure> {
    let needed = u64::try_from(sockets).unwrap_or(u64::MAX).saturating_add(SPARE);
    // A sandbox may forbid the question; then opening the sockets gives the answer.
    match limits::raise_descriptor_limit() {
        Ok(limit) if limit.soft < needed => Err(Failure::Descriptors { needed, limit: limit.soft }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_descriptors_are_refused_before_anything_is_opened() {
        let refused = ensure(usize::MAX);
        assert!(matches!(refused, Err(Failure::Descriptors { needed: u64::MAX, .. })));
        assert!(ensure(1).is_ok());
    }

    #[test]
    fn what_is_shared_counts_once_for_each_worker() {
        let sockets = [(2, 0), (4, 5), (4, 3)].map(|(own, shared)| Sockets { own, shared });
        let all: Sockets = sockets.into_iter().sum();
        assert_eq!((all.total(1), all.total(2)), (15, 20));
    }
}
