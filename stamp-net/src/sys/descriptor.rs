//! Settings of descriptors that nix does not know.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sets something of a descriptor whose value is a C `int`, by `fcntl`.
///
/// # Errors
///
/// What `fcntl` returned.
pub(crate) fn set(
    descriptor: BorrowedFd<'_>,
    command: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY:
    // - the descriptor is open for as long as it is borrowed;
    // - the callers' commands take an `int`, so no memory of ours is read or written.
    let result = unsafe { libc::fcntl(descriptor.as_raw_fd(), command, value) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
