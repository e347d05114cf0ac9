//! File descriptors: raised to what is allowed, and enough of them before anything starts.

use stamp_net::limits;

use crate::failure::Failure;

/// Those of standard streams, runtime, configuration and whatever a reload opens beside the old.
const SPARE: u64 = 64;
/// Those of one packet thread beside its sockets: epoll, timer, waker.
const PER_WORKER: u64 = 3;

/// Makes sure that so many listeners can be opened for so many workers.
///
/// # Errors
///
/// [`Failure::Descriptors`] when they cannot.
pub(crate) fn ensure(listeners: usize, workers: usize) -> Result<(), Failure> {
    let needed = needed(listeners, workers);
    // A sandbox may forbid the question; then opening the sockets gives the answer.
    match limits::raise_descriptor_limit() {
        Ok(limit) if limit.soft < needed => Err(Failure::Descriptors { needed, limit: limit.soft }),
        _ => Ok(()),
    }
}

fn needed(listeners: usize, workers: usize) -> u64 {
    let count = |number| u64::try_from(number).unwrap_or(u64::MAX);
    let (listeners, workers) = (count(listeners), count(workers));
    SPARE.saturating_add(workers.saturating_mul(listeners.saturating_add(PER_WORKER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_needs_a_socket_of_every_listener() {
        assert_eq!(needed(2, 4), 64 + 4 * (2 + 3));
        assert_eq!(needed(usize::MAX, usize::MAX), u64::MAX);
    }

    #[test]
    fn too_few_descriptors_are_refused_before_anything_is_opened() {
        let refused = ensure(usize::MAX, 1);
        assert!(matches!(refused, Err(Failure::Descriptors { needed: u64::MAX, .. })));
        assert!(ensure(2, 1).is_ok());
    }
}
