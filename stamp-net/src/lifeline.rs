//! Tying the end of a process to that of another.

use std::io::{self, Read};
use std::os::fd::{AsFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::process;

use crate::error::NetError;
use crate::sys::descriptor;

/// Of `linux/fcntl.h`; libc does not have them for every platform.
const F_SETOWN: libc::c_int = 8;
const F_SETSIG: libc::c_int = 10;

/// From now on this process is killed when the other end of the connection closes, however that
/// comes about, and whatever program this process has become by then.
///
/// The connection stays open for good, over `exec` as well. Nothing may be sent on it any more:
/// that would kill just the same.
///
/// # Errors
///
/// [`NetError::Call`] when the kernel refuses, or the other end has closed already.
pub fn tie(connection: UnixStream) -> Result<(), NetError> {
    let own = process::id().cast_signed();
    let settings = [
        (libc::F_SETFD, 0),
        (F_SETOWN, own),
        (F_SETSIG, libc::SIGKILL),
        (libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK),
    ];
    for (command, value) in settings {
        descriptor::set(connection.as_fd(), command, value).map_err(NetError::call("fcntl"))?;
    }
    // What closed before the kernel was asked to tell is not told.
    let mut reader = &connection;
    match reader.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        _ => return Err(NetError::call("fcntl")(io::ErrorKind::ConnectionReset.into())),
    }
    let _for_good = connection.into_raw_fd();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That it kills is shown where a process may be killed: by the trials of labs.
    #[test]
    fn an_end_that_has_closed_already_is_told() {
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        assert!(tie(near).is_err());
    }
}
