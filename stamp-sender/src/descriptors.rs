//! File descriptors: raised to what is allowed, and enough of them before the first probe.

use stamp_net::limits;

use crate::exit::Failure;

/// Those of standard streams, runtime, signals and packet worker.
const SPARE: u64 = 16;

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
}
