//! What the kernel says about programs and maps, in the words of this crate.

use std::error::Error;
use std::io;

use crate::capability::{self, Capability};
use crate::error::NetError;

/// A right that is missing, or what else the kernel has against it.
pub(super) fn refused<E>(error: E) -> NetError
where
    E: Error + Send + Sync + 'static,
{
    match errno(&error) {
        Some(libc::EPERM) => NetError::TcDenied { missing: missing() },
        _ => NetError::Bpf { source: Box::new(error) },
    }
}

/// The kernel's own error behind it.
fn errno(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error();
        }
        cause = error.source();
    }
    None
}

/// Those of the two that this thread has not. Whoever has both and is refused has them in a user
/// namespace only.
fn missing() -> Vec<Capability> {
    let wanted = [Capability::Bpf, Capability::NetAdmin];
    let has = |wanted: &Capability| capability::effective().is_ok_and(|set| set.has(*wanted));
    wanted.into_iter().filter(|wanted| !has(wanted)).collect()
}
